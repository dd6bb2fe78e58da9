"""Kernels as graphs: evaluated operator by operator they are the dataflow functions on numpy, whatever the program."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ernn.dataflow.activation import activate
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.dataflow.value import Constant
from ernn.devices.limits import BLOCK_SIZES
from ernn.hw.graph.graph import Graph, Wire, signed_digits, widths
from ernn.hw.graph.operators import ADD, INPUT, PLUS
from ernn.hw.graph.ranges import Product
from ernn.program.matrices import Circulant, Numbers, Pruned
from ernn.program.network import Lstm, Program
from tests import programs
from tests.dataflow import plain
from tests.dataflow.test_activation import FUNCTIONS, PREACTIVATIONS, tables
from tests.dataflow.values import SEEDS, fourier_of
from tests.golden.programs import RandomPrograms
from tests.hw import cases
from tests.hw.cases import Case
from tests.hw.evaluate import evaluate

STRUCTURES = {
    "lstm": {"block_sizes": (8, 8)},
    "lstm fourier": {"block_sizes": (16, 16), "transform": "fourier", "peepholes": True, "shared": True},
    "lstm mixed": {"block_sizes": (4, 2), "projection": 4, "peepholes": True},
    "lstm fourier, 3 products": {"block_sizes": (8, 4), "transform": "fourier", "products": 3, "projection": 8},
    "gru": {"cell": "gru", "block_sizes": (4, 4)},
    "gru mixed fourier": {"cell": "gru", "block_sizes": (2, 8), "transform": "fourier"},
    "gru reset after": {"cell": "gru", "block_sizes": (4, 4), "reset": "after"},
    "gru reset after, mixed": {"cell": "gru", "block_sizes": (1, 2), "reset": "after", "transform": "fourier"},
}


def random_program(seed: int) -> Program:
    """One without pruned matrices."""
    program = RandomPrograms(seed).program()
    assume(not any(isinstance(matrix, Pruned) for matrix in program.matrices.values()))
    return program


def check(case: Case) -> None:
    """Outputs and saturations of all vectors, with nodes as they are and cut to their widths."""
    for wrapped in (False, True):
        counted = dict.fromkeys(case.saturated, 0)
        for number in range(case.vectors):
            found = evaluate(case.kernel.graph, case.vector(number), wrapped)
            assert found.outputs() == {name: array[number] for name, array in case.outputs.items()}
            for name, flags in found.saturated().items():
                counted[name.split(".")[0]] += sum(flags)
        assert counted == case.saturated


@pytest.mark.parametrize("name", STRUCTURES)
def test_kernels_of_every_structure_are_the_dataflow_functions(name):
    for case in cases.of_program(programs.build(**STRUCTURES[name]), seed=len(name), vectors=8):
        check(case)


@given(seed=SEEDS)
def test_kernels_of_random_programs_are_the_dataflow_functions(seed):
    for case in cases.of_program(random_program(seed), seed, vectors=6):
        check(case)


def product(k: int, transform: object, columns: int = 3) -> Product:
    """Of any weights: graphs know only their format."""
    words = Numbers(Format(7, 3), np.zeros((1, 1, columns, k), np.int64))
    return Product(Circulant(k, columns * k, k, transform, words), Format(9, 4))


@pytest.mark.parametrize("k", BLOCK_SIZES)
@pytest.mark.parametrize("kind", ["exact", "fourier"])
def test_array_kernels_of_every_block_size(k, kind):
    shifts = [pattern[: k.bit_length() - 1] for pattern in ((1, 0, 2, 1, 0, 2), (0, 1, 0, 1, 0, 1))]
    one = product(k, Exact() if kind == "exact" else fourier_of(k, 9, *shifts, Format(16, 5), 3))
    check(cases.of_factors(one.matrix, one.vector, k, 4))
    check(cases.of_lane([one], 2, k, 4))


@given(seed=SEEDS)
def test_equal_operators_on_equal_operands_are_one_node(seed):
    for case in cases.of_program(random_program(seed), seed, vectors=1):
        found = [(n.operator, n.operands, n.data) for n in case.kernel.graph.nodes if n.operator is not INPUT]
        assert len(set(found)) == len(found)


@given(seed=SEEDS)
def test_outputs_are_as_wide_as_their_formats_even_if_no_value_is(seed):
    program = random_program(seed)
    layer, wanted = program.layers[-1], {"logits": program.output.logits.bits}
    if isinstance(layer, Lstm):
        wanted |= {"lstm": (layer.hidden or layer.output).bits, "projection": layer.output.bits}
    else:
        gate = program.activations.sigmoid_table.output.bits
        wanted |= {"gru": layer.output.bits, "gate_z": gate, "gate_r": layer.output.bits}
        wanted |= {"gate_r": gate} if layer.reset == "after" else {}
    for case in cases.of_program(program, seed, vectors=1):
        outputs, kind = case.kernel.outputs, case.kernel.name.removesuffix(str(seed))
        assert "c_new" not in outputs or outputs["c_new"].width == layer.cell.bits
        assert kind not in wanted or outputs["y"].width == wanted[kind]


def inputs(*formats: Format) -> tuple[Graph, list[Wire]]:
    graph = Graph("small")
    return graph, [graph.input(f"x.{n}", format) for n, format in enumerate(formats)]


def test_sums_and_products_do_not_mind_the_order_of_their_operands():
    graph, (a, b) = inputs(Format(8, 3), Format(8, 3))
    assert (a + b).place == (b + a).place
    assert (a * b).place == (b * a).place
    assert (a - b).place != (b - a).place
    assert graph.multiplications() == 1


@pytest.mark.parametrize("direction", ["input", "output"])
def test_a_second_port_of_one_name_is_refused(direction):
    graph, (a,) = inputs(Format(8, 3))
    graph.output("y", a)
    with pytest.raises(ValueError, match=f"graph small has two {direction}s called (x.0|y)"):
        graph.input("x.0", Format(8, 3)) if direction == "input" else graph.output("y", a)


@given(integer=st.integers(-(1 << 40), 1 << 40))
def test_signed_digits_sum_up_and_have_no_neighbours(integer):
    digits = signed_digits(integer)
    assert sum(digit << place for place, digit in digits) == integer
    assert {digit for _, digit in digits} <= {1, -1}
    places = [place for place, _ in digits]
    assert all(high - low >= 2 for high, low in pairwise(places))


@given(
    constant=st.integers(-1000, 1000),
    fraction=st.integers(0, 12),
    low=st.integers(-40, 40),
    size=st.integers(0, 40),
)
def test_products_with_constants_take_no_multiplier(constant, fraction, low, size):
    graph = Graph("times")
    result = graph.input_range("x", low, low + size, 4).times(Constant(constant, fraction))
    graph.output("y", result)
    assert graph.multiplications() == 0
    assert result.fraction == 4 + fraction
    for x in range(low, low + size + 1):
        for wrapped in (False, True):
            assert evaluate(graph, {"x": x}, wrapped).outputs() == {"y": constant * x}
    assert {result.low, result.high} == {constant * low, constant * (low + size)}


@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data(), format=PREACTIVATIONS)
def test_tables_hold_what_rounds_and_are_no_wider_than_their_sums(function, data, format):
    graph, table = Graph("table"), data.draw(tables(function, format))
    a = graph.input("a", format)
    graph.output("y", activate(a, table, "y"))
    for wrapped in (False, True):
        for n in range(format.low, format.high + 1):
            wanted = plain.integer(plain.table(plain.number(n, format.fraction), table), table.output.fraction)
            assert evaluate(graph, {"a": n}, wrapped).outputs() == {"y": wanted}
    found, bits = Counter(node.operator for node in graph.nodes), widths(graph)
    assert found[PLUS] == (function == "sigmoid")  # 1 - sigma; none rounds
    [total] = [place for place, node in enumerate(graph.nodes) if node.operator is ADD]
    offsets = next(node for node in graph.nodes if node.data == table.rounding_offsets[0])
    assert (offsets.low, offsets.high) == (min(offsets.data), max(offsets.data))
    assert all(bits[each] <= bits[total] for each in graph.nodes[total].operands)


@given(seed=SEEDS)
def test_widths_are_never_more_than_ranges_ask_for(seed):
    for case in cases.of_program(random_program(seed), seed, vectors=1):
        graph = case.kernel.graph
        pairs = list(zip(graph.nodes, widths(graph), strict=True))
        assert all(bits <= node.bits for node, bits in pairs)
        assert all(pairs[place][1] == graph.nodes[place].bits for place in graph.outputs.values())


def test_sums_before_a_narrow_value_are_as_narrow():
    graph, (a, b, c) = inputs(*[Format(8, 0)] * 3)
    graph.output("y", ((a + b) + c - (b + c)).bounded(-128, 127))
    assert max(widths(graph)) == 8
    assert max(node.bits for node in graph.nodes) == 11
