"""Stores: which blocks an array holds, and that what they say of it is what its memories and modules have."""

import itertools
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.hw.graph.ranges import Product
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.store import CHOSEN, DENSE, SPARSE, Store, store_of
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.items import Declared
from ernn.hw.verilog.lane import lane_module
from ernn.hw.verilog.layer import LayerHardware
from ernn.program import matrices
from ernn.program.matrices import Circulant, Numbers
from tests import programs
from tests.dataflow.values import SEEDS
from tests.hw import designs

WORDS = programs.WEIGHTS
STORES = st.sampled_from([DENSE, CHOSEN, SPARSE])


def matrix(store: Store, seed: int, gates: int, rows: int, cols: int, k: int) -> Circulant:
    """A matrix some of whose blocks are zeros."""
    random = np.random.default_rng(seed)
    if store is CHOSEN:
        return programs.sparse(random, gates, rows * k, cols * k, k, Exact()).filled()
    words = random.integers(WORDS.low, WORDS.high, (gates, rows, cols, k), endpoint=True)
    words *= random.random((gates, rows, cols, 1)) < 0.5
    return Circulant(rows * k, cols * k, k, Exact(), Numbers(WORDS, words))


@st.composite
def threads(draw: st.DrawFn, store: Store) -> Thread:
    """A thread over an array of any size."""
    gates, side_by_side = draw(st.sampled_from([1, 4])), draw(st.booleans())
    heads = (gates if side_by_side else 1) * draw(st.sampled_from([1, 2]))
    array = Array(heads * draw(st.integers(1, 3)), draw(st.integers(1, 4)), heads)
    sizes = (draw(SEEDS), gates, draw(st.integers(1, 7)), draw(st.integers(1, 7)), draw(st.sampled_from([1, 2, 4, 8])))
    product, sections = Product(matrix(store, *sizes), Format(5, 2)), tuple(draw(st.permutations(range(gates))))
    by_step = store.by_step and draw(st.booleans())
    return Thread("t", product, "x", array, store, sections, 0, side_by_side, by_step)


def fields(line: str, bits: list[int]) -> list[int]:
    """Unsigned integers of a line of an image, the first lowest."""
    word, found = int(line, 16), []
    for width in bits:
        found.append(word & (1 << width) - 1)
        word >>= width
    assert word == 0
    return found


@given(data=st.data())
def test_gates_that_share_their_blocks_have_one_index_for_all_their_lanes(data):
    program = programs.build(block_sizes=(-2, -2), alike=True, seed=data.draw(st.integers(0, 99)))
    layer, array = program.layers[0], Array(4 * data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3)), 4)
    product = Product(layer.weight_hh.filled(), layer.output)
    thread = Thread("hh", product, "y", array, CHOSEN, (0, 1, 2, 3), 0, side_by_side=True)
    layout = Layout(array, (thread,))
    assert layout.shared
    indices, bits = thread.indices(), layout.fetch_bits // array.columns
    for lane in range(array.lanes):
        text = layout.images()[layout.weight_memories + lane % layout.fetches]
        found = [fields(line, [bits] * array.columns) for line in text.splitlines()]
        assert np.array_equal(found, indices[lane])
    turns = replace(thread, side_by_side=False)
    assert not Layout(array, (turns,)).shared


@given(data=st.data(), store=STORES)
def test_a_matrix_can_be_read_back_from_its_images(data, store):
    thread = data.draw(threads(store))
    layout, width = Layout(thread.array, (thread,)), thread.array.columns
    k, rebuilt = thread.matrix.block_size, np.zeros_like(thread.matrix.words.integers)
    walk = [(group, step) for group, steps in enumerate(thread.steps_of_groups) for step in range(steps)]
    walk = sorted(walk, key=lambda pair: pair[::-1]) if thread.by_step else walk
    assert len(walk) == layout.depth
    bits = ([layout.word_bits] * k + [layout.index_bits] * store.indexed) * layout.together
    for memory, text in enumerate(layout.images()):
        lane, part = divmod(memory, width // layout.together)
        for (group, step), line in zip(walk, text.splitlines(), strict=True):
            found = np.array(fields(line, bits)).reshape(layout.together, -1)
            words = found[:, :k] - (found[:, :k] >> layout.word_bits - 1 << layout.word_bits)
            for n, block in enumerate(words):
                place = thread.block_row(group, lane)
                column = found[n, k] if store.indexed else step * width + part * layout.together + n
                if block.any():
                    assert place is not None
                    assert not rebuilt[(*place, column)].any()
                    rebuilt[(*place, column)] = block
    assert np.array_equal(rebuilt, thread.matrix.words.integers)


@given(data=st.data(), store=STORES)
def test_a_group_takes_the_steps_of_its_longest_block_row(data, store):
    thread = data.draw(threads(store))
    stored = store.stored(thread.matrix)
    assert stored.shape == thread.matrix.words.integers.shape[:3]
    assert not thread.matrix.words.integers[~stored].any()
    rows = [[thread.block_row(group, lane) for lane in range(thread.array.lanes)] for group in range(thread.groups)]
    most = [max(stored[row].sum() for row in group if row is not None) for group in rows]
    assert thread.steps_of_groups == tuple(max(1, -(-count // thread.array.columns)) for count in most)
    assert store.indexed or len(set(thread.steps_of_groups)) == 1


@pytest.mark.parametrize("columns", [1, 2, 3, 8, 9])
def test_an_index_can_name_every_column(columns):
    assert SPARSE.index_bits(columns) == max(1, (columns - 1).bit_length())
    assert DENSE.index_bits(columns) == 0
    assert (DENSE.writes(columns), CHOSEN.writes(columns), SPARSE.writes(columns)) == (columns, 4, 1)


def test_every_kind_of_matrix_has_a_store():
    kinds, _ = get_args(matrices.Matrix)
    found = {kind: store_of(kind) for kind in get_args(kinds)}
    assert found == {Circulant: DENSE, matrices.Sparse: CHOSEN, matrices.Pruned: SPARSE}


DESIGNS = {
    "dense": {"block_sizes": (1, 1)},
    "blocks": {"block_sizes": (4, 4), "projection": 4},
    "sparse": {"block_sizes": (-4, -4), "projection": 4},
    "sparse, shared by gates": {"block_sizes": (-2, -2), "alike": True},
    "pruned": {"block_sizes": (0, 0)},
    "pruned, projected": {"block_sizes": (0, 0), "projection": 4},
}


@pytest.fixture(params=list(itertools.product(DESIGNS, [1, 2, 5])), ids=str)
def layer(request: pytest.FixtureRequest) -> LayerHardware:
    """The recurrent layer of a small design with some columns."""
    name, columns = request.param
    return designs.network(programs.build(**DESIGNS[name]), (4, columns, 0), streams=2).layers[0]


def test_a_lane_has_the_widths_that_its_store_says(layer):
    array, layout, module = layer.array, layer.array.layout, lane_module(layer.array)
    bits, width = {port.name: port.width for port in module.ports}, layout.array.columns // layout.together
    memories = [each for each in module.instances if each.name.removeprefix("memory_").isdecimal()]
    assert bits["load_data"] == array.weight_bits == layout.together * layout.column_bits
    assert layout.column_bits == layout.block_words * layout.word_bits + layout.index_bits
    assert len(memories) == width == layout.weight_memories // layout.array.lanes
    assert {(each.parameters["WIDTH"], each.parameters["DEPTH"]) for each in memories} == {
        (array.weight_bits, layout.depth)
    }
    assert {len(line) for text in layout.images() for line in text.splitlines()} == {-(-layout.load_bits // 4)}
    assert len(layout.images()) == layout.memories
    wires = {each.name: each.bits for each in module.items if isinstance(each, Declared)}
    assert wires["kernel_weights"] == layout.array.columns * array.lane.inputs["w0"].bits
    assert wires["operands_here"] == layout.array.columns * array.lane.inputs["x0"].bits
    indices = [wires[name] for name in wires if name.removeprefix("column_").isdecimal()]
    assert indices == [layout.index_bits] * (layout.array.columns if layout.index_bits else 0)
    assert layout.shared == (layout.store.indexed and not layout.index_bits)
    assert (array.shared is not None) == layout.shared


def test_vectors_are_kept_in_as_many_memories_as_their_operands_say(layer):
    array, module = layer.array, layer.module()
    vectors = dict.fromkeys(thread.vector for thread in array.layout.threads)
    for vector in vectors:
        kept = next((each for each in module.instances if each.name == f"vector_{vector}"), None)
        reader, places = array.shared or lane_module(array), array.layout.fetches or array.layout.array.lanes
        copies = [each for each in reader.instances if each.name.startswith(f"memory_{vector}_")]
        copied = [each.parameters["WIDTH"] for each in copies]
        copied += [each.bits for each in reader.memories if each.name.startswith(f"{vector}_")]
        bits = {port.name: port.width for port in reader.ports}
        width = array.factors.kept_bits(vector)
        if array.layout.store.indexed:
            writes = bits[f"{vector}_value"] // width
            assert (kept is not None and kept.module == "ernn_elements") == (writes == 1)
            assert writes <= array.layout.store.writes(array.layout.array.columns)
            assert len(copied) * places == array.operands.write_copies * writes
            assert set(copied) == {width}
        else:
            assert (kept.module, copied) == ("ernn_operands", [])
            assert (kept.parameters["BANKS"], kept.parameters["WIDTH"]) == (array.layout.array.columns, width)
            assert kept.parameters["WRITES"] <= array.layout.store.writes(array.layout.array.columns)
    places = array.layout.fetches or array.layout.array.lanes
    assert array.operands.reads == (places * len(vectors) if array.layout.store.indexed else 1)


@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize(("name", "pages"), [("sparse", 1), ("sparse, shared by gates", 2), ("pruned, projected", 1)])
def test_y_has_one_page_where_it_comes_when_all_of_its_products_are_done(name, pages, streams):
    layer = designs.network(programs.build(**DESIGNS[name]), (4, 2, 0), streams=streams).layers[0]
    reader = layer.array.shared or lane_module(layer.array)
    depths = {each.depth for each in reader.memories if each.name.startswith("y_")}
    depths |= {each.parameters["DEPTH"] for each in reader.instances if each.name.startswith("memory_y_")}
    writes = next(port.width for port in reader.ports if port.name == "y_value") // layer.array.factors.kept_bits("y")
    blocks = next(thread for thread in layer.array.layout.threads if thread.vector == "y").block_columns
    rows = max(2, 1 << (-(-blocks // writes) - 1).bit_length())
    assert depths == {pages * streams * rows}
