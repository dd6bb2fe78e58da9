"""Matrices over the lanes of an array: every block stands once, at the address at which its step looks for it."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow import transforms
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.devices.timing import TIMINGS
from ernn.errors import UserError
from ernn.estimate.shapes import Shape
from ernn.golden.integers import Integers, Log
from ernn.hw.graph.ranges import Product
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.store import DENSE
from ernn.hw.layout.weights import Layout, image, pack
from ernn.program.matrices import Circulant, Numbers
from tests import programs
from tests.dataflow.values import SEEDS, fourier_of
from tests.hw import designs

WORDS = Format(24, 8)


def product(gates: int, rows: int, columns: int, k: int = 2) -> Product:
    """A matrix whose words are all different and none zero."""
    integers = np.arange(1, 1 + gates * rows * columns * k).reshape(gates, rows, columns, k)
    return Product(Circulant(rows * k, columns * k, k, Exact(), Numbers(WORDS, integers)), Format(8, 4))


@st.composite
def threads(draw: st.DrawFn, name: str = "t") -> Thread:
    """A thread of any kind over an array of any size."""
    side_by_side, heads = draw(st.booleans()), draw(st.sampled_from([1, 2, 4]))
    gates = draw(st.sampled_from([1, 3, 4]))
    sections = tuple(draw(st.permutations(range(gates))))
    if side_by_side:
        heads = gates * draw(st.sampled_from([1, 2]))
    array = Array(heads * draw(st.integers(1, 4)), draw(st.integers(1, 5)), heads)
    matrix = product(gates, draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    return Thread(name, matrix, "x", array, DENSE, sections, draw(st.integers(0, 5)), side_by_side, draw(st.booleans()))


def steps(thread: Thread) -> list[tuple[int, int]]:
    """Group and step in the order of the walk (`ernn_thread.v`)."""
    pairs = itertools.product(range(thread.groups), range(thread.steps))
    return sorted(pairs, key=lambda pair: pair[::-1]) if thread.by_step else list(pairs)


@given(thread=threads())
def test_every_block_stands_exactly_once(thread):
    stored = thread.words()
    assert stored.shape == (thread.array.lanes, thread.groups * thread.steps, thread.array.columns, 2)
    found = stored[stored != 0]
    assert sorted(found.tolist()) == list(range(1, 1 + thread.matrix.words.integers.size))


@given(thread=threads())
def test_every_step_finds_the_blocks_of_its_row_and_columns(thread):
    words, stored, width = thread.matrix.words.integers, thread.words(), thread.array.columns
    for address, (group, step) in enumerate(steps(thread)):
        for lane, bank in itertools.product(range(thread.array.lanes), range(width)):
            place, column = thread.block_row(group, lane), step * width + bank
            real = place is not None and column < thread.block_columns
            assert stored[lane, address, bank].tolist() == (words[(*place, column)].tolist() if real else [0, 0])


@given(thread=threads())
def test_heads_give_the_block_rows_in_their_order(thread):
    """In step s of a chain head h has lane h * chain + s: together a gate's next rows, or each head a gate's."""
    array, seen = thread.array, []
    for group, step in itertools.product(range(thread.groups), range(array.chain)):
        seen.append([thread.block_row(group, head * array.chain + step) for head in range(array.heads)])
    if thread.side_by_side:
        blocks, gates = range(array.heads // len(thread.sections)), thread.sections
        firsts = range(0, thread.rows, len(blocks))
        rows = [[first + n if first + n < thread.rows else None for n in blocks] for first in firsts]
        wanted = [[None if row is None else (gate, row) for gate in gates for row in each] for each in rows]
        assert [each for each in seen if each[0] is not None] == wanted
    else:
        wanted = [(gate, row) for gate in thread.sections for row in range(thread.rows)]
        assert [place for each in seen for place in each if place is not None] == wanted


@given(first=threads("a"), second=threads("b"), third=threads("c"), transformed=st.booleans())
def test_weights_of_threads_stand_behind_each_other(first, second, third, transformed):
    found = [dataclasses.replace(each, array=first.array, side_by_side=False) for each in (first, second, third)]
    layout = Layout(first.array, tuple(found), transformed)
    places = [range(layout.base(t), layout.base(t) + t.groups * t.steps) for t in found]
    assert [address for place in places for address in place] == list(range(layout.depth))
    assert layout.accumulators == max(t.base + t.groups for t in found)
    assert len(layout.images()) == layout.memories
    for memory, text in enumerate(layout.images()):
        lane, part = divmod(memory, first.array.columns // layout.together)
        columns = slice(part * layout.together, (part + 1) * layout.together)
        lines = [int(line, 16) for line in text.splitlines()]
        assert len(lines) == layout.depth
        for thread, place in zip(found, places, strict=True):
            words = thread.words()[lane, :, columns]
            words = words @ thread.product.weight_map().T if transformed else words
            rows = words.reshape(len(place), -1).tolist()
            assert lines[place.start : place.stop] == [pack(row, [layout.word_bits] * len(row)) for row in rows]


@given(k=st.sampled_from([1, 2, 4, 8, 16]), products=st.sampled_from([0, 3, 4]), seed=SEEDS)
def test_stored_factors_are_those_of_the_integer_model(k, products, seed):
    transform = fourier_of(k, 6, products=products) if products and k > 1 else Exact()
    words = np.random.default_rng(seed).integers(WORDS.low, WORDS.high, (k, 5), endpoint=True)
    matrix = Circulant(k, k, k, transform, Numbers(WORDS, np.zeros((1, 1, 1, k), np.int64)))
    each = Product(matrix, Format(8, 4))
    values = [Integers(row, WORDS.low, WORDS.high, WORDS.fraction, Log()) for row in words]
    wanted = [value.array for value in transforms.weight_factors(values, transform)]
    found = each.weight_map() @ words
    assert np.array_equal(found, wanted)
    for row, span in zip(found, each.weight_factors(), strict=True):
        assert span.low <= row.min() <= row.max() <= span.high


@given(k=st.sampled_from([2, 4, 8]), products=st.sampled_from([3, 4]), rows=st.integers(1, 5), cols=st.integers(1, 5))
def test_products_of_a_thread_are_those_of_its_real_blocks(k, products, rows, cols):
    """2k - 2 real products of a packed spectrum with four for a complex one, 3k/2 - 1 with three."""
    words = Numbers(WORDS, np.zeros((4, rows, cols, k), np.int64))
    matrix = Circulant(rows * k, cols * k, k, fourier_of(k, 6, products=products), words)
    thread = Thread("t", Product(matrix, Format(8, 4)), "x", Array(8, 3, 4), DENSE, (0, 1, 2, 3), 0, side_by_side=True)
    assert thread.products == 4 * rows * cols * (2 * k - 2 if products == 4 else 3 * k // 2 - 1)


@pytest.mark.parametrize(
    "structure", [{"block_sizes": (4, 4), "projection": 4}, {"cell": "gru", "block_sizes": (1, 2)}]
)
def test_products_of_a_network_are_a_plain_count(structure):
    program = programs.build(**structure)
    each = {1: 1, 2: 2, 4: 5}  # products of a block: (3^log2(k) + 1) / 2
    plain = sum(matrix.words.integers[..., 0].size * each[matrix.block_size] for matrix in program.matrices.values())
    layers = designs.network(program).layers
    assert sum(thread.products for layer in layers for thread in layer.array.layout.threads) == plain


@given(seed=SEEDS, bits=st.integers(2, 20), count=st.integers(1, 12))
def test_packed_integers_can_be_read_back(seed, bits, count):
    format = Format(bits, 0)
    integers = np.random.default_rng(seed).integers(format.low, format.high, (3, count), endpoint=True)
    for line, row in zip(image(integers, [bits] * count).splitlines(), integers.tolist(), strict=True):
        word = int(line, 16)
        assert len(line) == -(-count * bits // 4)
        assert word == pack(row, [bits] * count)
        parts = [word >> n * bits & ((1 << bits) - 1) for n in range(count)]
        assert [part - (part >> (bits - 1) << bits) for part in parts] == row


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 1, 1), "lanes, columns and heads are 1 or more, got 0, 1, 1"),
        ((6, 4, 4), "lanes=6 must be a multiple of 4 heads"),
    ],
)
def test_arrays_that_heads_do_not_divide_are_refused(sizes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Array(*sizes)


LSTM, MIXED = {"block_sizes": (4, 4)}, {"block_sizes": (4, 2), "projection": 4}
GRU, GRU_MIXED = {"cell": "gru", "block_sizes": (2, 2)}, {"cell": "gru", "block_sizes": (1, 2), "layers": 2}


@pytest.mark.parametrize(
    ("structure", "layers", "output", "wanted"),
    [
        (LSTM, (8, 2, 0), (4, 2, 0), [Array(8, 2, 4), Array(4, 2, 1)]),
        (LSTM, (8, 2, 2), (4, 2, 2), [Array(8, 2, 8), Array(4, 2, 2)]),
        (MIXED, (8, 2, 2), (4, 2, 1), [Array(8, 2, 4), Array(8, 2, 8), Array(4, 2, 1)]),
        (LSTM, (4, 1, 0), (1, 1, 0), [Array(4, 1, 4, beats=2), Array(1, 1, 1)]),
        (LSTM, (8, 2, 0, 1), (4, 2, 0), [Array(8, 2, 4, beats=4), Array(4, 2, 1)]),
        (LSTM, (4, 1, 0, 8), (4, 2, 0), [Array(4, 1, 4), Array(4, 2, 1)]),
        (GRU, (8, 4, 0, 1), (1, 1, 0), [Array(8, 4, 1, beats=2), Array(1, 1, 1)]),
        (MIXED, (4, 1, 0), (2, 1, 0), [Array(4, 1, 4), Array(4, 1, 4, beats=2), Array(2, 1, 1)]),
        (GRU, (8, 4, 0), (4, 8, 0), [Array(8, 4, 8 // 2), Array(4, 8, 4)]),
        (GRU, (6, 4, 0), (4, 1, 0), [Array(6, 4, 2), Array(4, 1, 1)]),
        (GRU_MIXED, (4, 2, 1), (1, 1, 0), [Array(6, 2, 3), Array(4, 2, 1)] * 2 + [Array(1, 1, 1)]),
        (GRU_MIXED, (1, 1, 0), (1, 1, 0), [Array(3, 1, 3), Array(1, 1, 1, beats=2)] * 2 + [Array(1, 1, 1)]),
    ],
)
def test_rules_complete_the_sizes(structure, layers, output, wanted):
    assert list(sizing.arrays(programs.build(**structure), layers, output)) == wanted


@pytest.mark.parametrize(("density", "beats"), [(1.0, 4), (0.5, 4), (0.25, 2), (0.125, 1)])
def test_sizes_follow_from_the_blocks_that_are_kept(density, beats):
    """A block of cells stays at its head for no more cycles than a group takes steps."""
    program = Shape(cells=32, block_size=4, density=density, inputs=8, classes=4).program()
    assert sizing.arrays(program, (4, 1, 0), (1, 1, 0))[0] == Array(4, 1, 4, beats)


@pytest.mark.parametrize(
    ("output", "logits", "heads"),
    [((2, 4, 0), 1, 1), ((2, 4, 0), 2, 2), ((2, 4, 0), 16, 2), ((3, 4, 0), 4, 1), ((2, 1, 0), 4, 1), ((2, 4, 1), 4, 1)],
)
def test_an_output_layer_has_heads_for_the_logits_of_a_beat(output, logits, heads):
    """No more than its columns or its lanes allow, and as many as are asked for."""
    program = programs.build(block_sizes=(4, 4))  # 8 columns: two steps or more
    assert sizing.arrays(program, (4, 2, 0), output, logits=logits)[-1].heads == heads


def test_pointwise_is_refused_for_the_output_layer():
    with pytest.raises(UserError, match=r"^output: pointwise=2 is for recurrent layers; logits leave by its heads$"):
        sizing.arrays(programs.build(block_sizes=(4, 4)), (4, 2, 0), (4, 4, 0, 2))


@given(lanes=st.integers(1, 40), banks=st.integers(1, 9), k=st.sampled_from([1, 2, 4]))
def test_heads_are_as_few_as_keep_up_if_banks_and_lanes_allow(lanes, banks, k):
    program = programs.build(cell="gru", block_sizes=(k, k))
    array = sizing.arrays(program, (lanes, banks, 0), (1, 1, 0))[0]
    steps = -(-(programs.CELLS // k) // banks)
    assert array.heads & (array.heads - 1) == 0
    assert array.heads <= banks
    assert lanes % array.heads == 0
    assert array.heads == 1 or lanes // (array.heads // 2) > steps  # half of them would not keep up
    assert array.chain <= steps or 2 * array.heads > banks or lanes % (2 * array.heads)


@given(lanes=st.integers(1, 10), banks=st.integers(1, 9), k=st.sampled_from([1, 2, 4]), lstm=st.booleans())
def test_blocks_take_as_many_beats_as_leave_the_chains_empty_for_the_next_group(lanes, banks, k, lstm):
    program = programs.build(cell="lstm" if lstm else "gru", block_sizes=(k, k))
    array = sizing.arrays(program, (4 * lanes if lstm else lanes, banks, 0), (1, 1, 0))[0]
    steps = -(-(programs.CELLS // k) // banks)
    assert k % array.beats == 0
    assert array.beats == 1 or (array.beats * array.chain <= steps and array.heads == (4 if lstm else 1))
    more = 2 * array.beats
    assert more > k or more * array.chain > steps or array.heads > (4 if lstm else 1)


@pytest.mark.parametrize(
    ("structure", "layers", "each", "message"),
    [
        (LSTM, (6, 2, 0), (), "layer 0: lanes=6 must be a multiple of 4, an LSTM's gates"),
        (MIXED, (6, 2, 0), (), "layer 0, products of x: lanes=6 must be a multiple of 4, an LSTM's gates"),
        (
            *(LSTM, (12, 2, 2), ()),
            "layer 0: heads=2 must be a power of two, at most 2 here, and divide the 3 of each gate of lanes=12",
        ),
        (GRU, (6, 4, 3), (), "layer 0: heads=3 must be a power of two, at most 4 here, and divide lanes=6"),
        (GRU, (8, 2, 4), (), "layer 0: heads=4 must be a power of two, at most 2 here, and divide lanes=8"),
        (GRU, (6, 4, 4), (), "layer 0: heads=4 must be a power of two, at most 4 here, and divide lanes=6"),
        (GRU, (4, 4, 2, 1), (), "layer 0: pointwise=1, below the 2 cells of a block, takes heads=1"),
        (LSTM, (4, 2, 0, 3), (), "layer 0: pointwise=3 must be a power of two"),
        (
            MIXED,
            (4, 1, 0),
            [(4, 1, 0)] * 2,
            "arrays has 2 entries; this network has 3 arrays: layer 0, products of x, layer 0, output",
        ),
    ],
)
def test_sizes_that_a_layer_cannot_be_divided_into_are_refused(structure, layers, each, message):
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        sizing.arrays(programs.build(**structure), layers, (4, 4, 0), each)


def test_a_projection_has_an_array_of_its_own_only_where_its_blocks_differ():
    program = programs.build(block_sizes=(8, 4), transform="fourier", projection=4)
    (layer,) = program.layers
    spectral = dataclasses.replace(layer.weight_ym.transform, sums=Format(13, 6))
    finer = dataclasses.replace(layer, weight_ym=dataclasses.replace(layer.weight_ym, transform=spectral))
    assert len(sizing.arrays(dataclasses.replace(program, layers=(finer,)), (4, 2, 0), (2, 2, 0))) == 3
    other = programs.build(block_sizes=(8, 4), transform="fourier", projection=4, projection_block=2)
    assert len(sizing.arrays(other, (4, 2, 0), (2, 2, 0))) == 4


@pytest.mark.parametrize(("family", "aligned"), [("xc7", True), ("xcup", True), ("ecp5", True), ("gatemate", False)])
def test_sums_join_without_alignment_where_multipliers_hold_shifted_factors(family, aligned):
    """Input and recurrent sums of this layer have other binary points."""
    program = programs.build(block_sizes=(4, 4))
    design = designs.network(program, clock=Clock(100, TIMINGS[family]))
    array = design.layers[0].array
    ih, hh = (next(thread for thread in array.layout.threads if thread.name == name) for name in ("ih", "hh"))
    joined = array.drains[0].joined
    assert joined.shift(ih.product) != joined.shift(hh.product)
    assert (len(array.shifts) == 1) == aligned
    for thread in (ih, hh):
        assert array.shift(thread) + array.operand_shift(thread.vector, array.clock) == joined.shift(thread.product)
