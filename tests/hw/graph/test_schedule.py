"""Schedules: operands are there when they are used, cycles hold what fits in them, waiting costs few registers."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.dataflow.value import Constant
from ernn.devices.timing import TIMINGS, Timing
from ernn.hw.graph import schedule as module
from ernn.hw.graph.graph import Graph, Node, Wire
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.kernels import skew
from ernn.hw.graph.schedule import Clock, Schedule, schedule
from ernn.hw.graph.usage import roots
from tests import programs
from tests.hw import cases

KERNELS: dict[str, Kernel] = {
    case.kernel.name: case.kernel
    for number, structure in enumerate(
        [
            {"block_sizes": (4, 4), "peepholes": True},
            {"block_sizes": (8, 8), "transform": "fourier", "products": 3, "shared": True},
            {"block_sizes": (2, 4), "projection": 4},
            {"cell": "gru", "block_sizes": (4, 4)},
            {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "reset": "after"},
        ]
    )
    for case in cases.of_program(programs.build(**structure), seed=number, vectors=1)
}
CLOCKS = st.builds(Clock, st.floats(20, 900), st.sampled_from(list(TIMINGS.values())))
NAMES = st.sampled_from(sorted(KERNELS))
STEPS = {
    "add": lambda a, b, n: a + b,
    "subtract": lambda a, b, n: a - b,
    "multiply": lambda a, b, n: (a * b).requantize(Format(8, 3)),
    "multiply_add": lambda a, b, n: a.multiply_add(b, a),
    "negate": lambda a, b, n: -a,
    "magnitude": lambda a, b, n: a.magnitude(),
    "plus": lambda a, b, n: a.plus(Constant(n, 0)),
    "times": lambda a, b, n: a.times(Constant(n, 0)),
    "shift": lambda a, b, n: a.to_fraction(a.fraction + n),
    "read": lambda a, b, n: a.segment(range(n)).read([n**place for place in range(n + 1)], 3),
    "narrow": lambda a, b, n: a.requantize(Format(3 + n, 2)),
}


@st.composite
def random_kernels(draw: st.DrawFn) -> Kernel:
    """Any operators on any earlier results, some of which go out."""
    graph = Graph("random")
    values: list[Wire] = [graph.input(name, Format(8, 3)) for name in "ab"]
    for _ in range(draw(st.integers(1, 12))):
        step, one, other = draw(st.sampled_from(sorted(STEPS))), *draw(st.tuples(*[st.sampled_from(values)] * 2))
        if max(one.bits, other.bits) < 40:
            values.append(STEPS[step](one, other, draw(st.integers(0, 5))))
    for number, wire in enumerate(draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))):
        graph.output(f"y.{number}", wire)
    return Kernel(graph, Clock(200, TIMINGS["xcup"]), "any operators")


ANY = NAMES.map(KERNELS.__getitem__) | random_kernels()


def cycles_of(node: Node, number: int, clock: Clock) -> int:
    """From an operand to the result: a product takes those of its multiplier, and one more for a sum behind it."""
    multiplier = clock.timing.multiplier_cycles
    if node.operator.name == "multiply_add":
        return multiplier + 1 if number < 2 else 1
    return multiplier if node.operator.name == "multiply" else 0


def taken(node: Node, place: int, found: Schedule, clock: Clock) -> list[int]:
    """Cycles in which a node takes its operands."""
    return [found.ready[place] - cycles_of(node, number, clock) for number in range(len(node.operands))]


@given(kernel=ANY, clock=CLOCKS)
def test_operands_are_there_before_they_are_used(kernel, clock):
    found = schedule(kernel.graph, clock, kernel.late, kernel.comes)
    for place, node in enumerate(kernel.graph.nodes):
        for operand, cycle in zip(node.operands, taken(node, place, found, clock), strict=True):
            assert found.ready[operand] <= cycle
        factors = node.operands[:2] if node.operator.name == "multiply_add" else node.operands
        assert all(found.ready[each] <= found.starts[place] for each in factors)
    assert all(found.ready[place] == found.inputs[name] for name, place in kernel.graph.inputs.items())
    for place in kernel.graph.outputs.values():
        registered = kernel.graph.nodes[place].operator.name in ("multiply", "multiply_add")
        assert found.ready[place] + (not registered) <= found.latency


@given(kernel=ANY, clock=CLOCKS)
def test_chains_fit_in_a_cycle_unless_one_operator_does_not(kernel, clock):
    found, settled = schedule(kernel.graph, clock, kernel.late, kernel.comes), []
    for place, node in enumerate(kernel.graph.nodes):
        chained = [settled[each] for each in node.operands if found.ready[each] == found.ready[place]]
        delay = node.operator.delay(
            clock.timing, max((found.widths[each] for each in node.operands), default=0), node.data
        )
        registered = node.operator.name in ("multiply", "multiply_add")
        settled.append(0.0 if registered else max(chained, default=0.0) + delay)
        assert settled[place] <= max(clock.budget_ns, delay, *chained)


def registers(kernel: Kernel, found: Schedule, clock: Clock) -> int:
    """Bits of registers in which results wait until all have taken them: wires show a part of the bits of a result."""
    graph, shown, last = kernel.graph, roots(kernel.graph), dict[tuple[int, int], int]()

    def take(place: int, cycle: int) -> None:
        root, moved = shown[place]
        for bit in range(max(moved, 0), min(moved + found.widths[place], found.widths[root])):
            last[root, bit] = max(last.get((root, bit), cycle), cycle)

    for place in graph.outputs.values():
        take(place, found.latency)
    for place, node in enumerate(graph.nodes):
        if found.widths[place] and not node.operator.wiring:
            for operand, cycle in zip(node.operands, taken(node, place, found, clock), strict=True):
                take(operand, cycle)
    return sum(cycle - found.ready[root] for (root, _), cycle in last.items())


@given(kernel=ANY, clock=CLOCKS)
def test_what_waits_for_its_operands_takes_no_more_registers_or_cycles(kernel, clock):
    graph, found = kernel.graph, schedule(kernel.graph, clock, kernel.late, kernel.comes)
    arrivals = {place: found.inputs[name] for name, place in graph.inputs.items()}
    starts, ready = module._as_soon_as_possible(graph, clock, list(found.widths), arrivals)
    early = replace(found, starts=tuple(starts), ready=tuple(ready))
    assert registers(kernel, found, clock) <= registers(kernel, early, clock)
    assert all(before <= after for before, after in zip(early.ready, found.ready, strict=True))
    ends = {*graph.outputs.values(), *(place for places in graph.overflows.values() for place in places)}
    assert found.latency == max(ready[place] + (not graph.nodes[place].operator.product) for place in ends)


@given(kernel=ANY, clock=CLOCKS)
def test_what_is_wider_than_its_operand_waits_for_a_cycle_at_most(kernel, clock):
    found, graph = schedule(kernel.graph, clock, kernel.late, kernel.comes), kernel.graph
    first = dict.fromkeys(graph.outputs.values(), found.latency)  # the cycle of the first that takes it
    for place, node in enumerate(graph.nodes):
        for operand, cycle in zip(node.operands, taken(node, place, found, clock), strict=True):
            first[operand] = min(first.get(operand, cycle), cycle)
    for place, node in enumerate(graph.nodes):
        if place in first and len(node.operands) == 1 and found.widths[node.operands[0]] < found.widths[place]:
            assert first[place] <= found.ready[place] + 1


def test_an_index_waits_in_place_of_what_a_table_holds():
    graph, clock = Graph("table"), Clock(200, TIMINGS["xc7"])
    x, index = graph.input("x", Format(8, 0)), graph.input_range("i", 0, 3, 0)
    word = index.read((1, -200, 90, 1000), 0)
    graph.output("y", (x * x) * x + word.to_fraction(3).scaled(3))
    found = schedule(graph, clock)
    assert [found.ready[place] for place in (index.place, word.place, graph.outputs["y"])] == [0, 3, 4]
    assert found.latency == 5


@pytest.mark.parametrize("cycles", [2, 3, 5])
def test_a_product_takes_the_cycles_of_its_multiplier(cycles):
    graph = Graph("product")
    a, b, c = (graph.input(name, Format(8, 0)) for name in "abc")
    clock = Clock(100, Timing(1.0, 0.0, 0.5, multiplier_cycles=cycles))
    graph.output("y", a * b * c)
    assert schedule(graph, clock).latency == 2 * cycles  # its register is the last
    graph.output("z", a * b * c + a)
    assert schedule(graph, clock).latency == 2 * cycles + 1


@pytest.mark.parametrize("cycles", [2, 3, 5])
def test_products_that_are_summed_one_after_the_other_take_a_cycle_each(cycles):
    graph = Graph("sum")
    clock = Clock(100, Timing(1.0, 0.0, 0.5, multiplier_cycles=cycles))
    total = graph.input("x0", Format(8, 0)) * graph.input("w0", Format(8, 0))
    for n in range(1, 6):
        total = graph.input(f"x{n}", Format(8, 0)).multiply_add(graph.input(f"w{n}", Format(8, 0)), total)
    graph.output("s", total)
    found = schedule(graph, clock, [f"x{n}" for n in range(6)], {f"w{n}": skew(n) for n in range(6)})
    assert found.latency == cycles + 5
    assert [found.inputs[f"x{n}"] for n in range(6)] == [0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(("mhz", "chained"), [(500, 0), (250, 3), (101, 9), (400, 2), (1000, 0)])
def test_as_many_operators_are_chained_as_fit(mhz, chained):
    graph = Graph("chain")
    value = graph.input("x", Format(8, 0))
    for _ in range(20):
        value = -value
    graph.output("y", value)
    found = schedule(graph, Clock(mhz, Timing(lut_ns=1.0, carry_ns_per_bit=0.0, margin_ns=0.5)))
    assert found.latency == 1 + (20 - 1) // max(1, chained)


@given(name=NAMES, clock=CLOCKS)
def test_late_inputs_do_not_lengthen_the_latency(name, clock):
    kernel = KERNELS[name]
    found = schedule(kernel.graph, clock, kernel.late, kernel.comes)
    early = schedule(kernel.graph, clock, (), kernel.comes)
    assert found.latency == early.latency
    for bus, cycle in found.inputs.items():
        late = [prefix for prefix in kernel.late if bus.startswith(prefix)]
        comes = next((c for prefix, c in kernel.comes.items() if bus.startswith(prefix)), 0)
        assert cycle == (next(c for n, c in found.inputs.items() if n.startswith(late[0])) if late else comes)


@given(depth=st.integers(0, 12), clock=CLOCKS)
def test_a_late_input_is_there_in_the_cycle_of_the_operator_that_waits_for_it(depth, clock):
    graph = Graph("late")
    value, bias = graph.input("x", Format(8, 0)), graph.input("b", Format(8, 0))
    for _ in range(depth):
        value = (value * value).requantize(Format(8, 3))
    total = value + bias
    graph.output("y", total)
    found = schedule(graph, clock, ["b"])
    assert found.inputs == {"x": 0, "b": found.ready[total.place]}


def test_the_factor_of_a_product_is_taken_when_the_multiplier_starts():
    graph, clock = Graph("late"), Clock(200, TIMINGS["xc7"])
    x, y, p = (graph.input(name, Format(8, 0)) for name in ("x", "y", "p"))
    first = x * y
    graph.output("z", (first * p) + p)
    assert schedule(graph, clock, ["p"]).inputs["p"] == schedule(graph, clock).ready[first.place] == 2


def test_inputs_of_one_beginning_are_taken_with_the_first_that_is_wanted():
    graph, clock = Graph("late"), Clock(200, TIMINGS["xc7"])
    x, early, late = (graph.input(name, Format(8, 0)) for name in ("x", "b.0", "b.1"))
    graph.output("y", (x + early) * x + late)
    found = schedule(graph, clock, ["b."])
    assert found.inputs == {"x": 0, "b.0": 0, "b.1": 0}


@given(name=NAMES, family=st.sampled_from(list(TIMINGS.values())), mhz=st.lists(st.floats(20, 900), min_size=2))
def test_latency_grows_with_the_clock(name, family, mhz):
    kernel = KERNELS[name]
    latencies = [schedule(kernel.graph, Clock(each, family), kernel.late, kernel.comes).latency for each in sorted(mhz)]
    assert all(slow <= fast for slow, fast in pairwise(latencies))


@pytest.mark.parametrize(
    ("family", "mhz", "relaxed"), [("ecp5", 60, True), ("ecp5", 120, False), ("xc7", 100, True), ("xcup", 300, False)]
)
def test_a_slow_clock_has_time_for_logic_behind_a_memory(family, mhz, relaxed):
    assert Clock(mhz, TIMINGS[family]).relaxed == relaxed
