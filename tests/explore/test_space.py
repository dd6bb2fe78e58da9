"""Sizes and settings that a search chooses from."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.transforms import Exact
from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.estimate.shapes import Shape
from ernn.explore.space import Space, clocks, sizes
from ernn.hw.layout.sizing import arrays
from ernn.hw.verilog import chain
from ernn.params import BlockSizes
from tests import programs

KU = DEVICES["xcku060"]
MIXED = BlockSizes(input=4, recurrent=8, projection=2)
SHAPES = [
    Shape(cells=40, inputs=11, classes=5, block_size=4),
    Shape("gru", cells=40, inputs=11, classes=5, block_size=4),
    Shape(cells=40, projection=24, inputs=11, classes=5, blocks=(MIXED,)),
    Shape(cells=40, inputs=11, classes=5, block_size=1, pruning_ratio=4.0),
    Shape("gru", cells=40, inputs=11, classes=5, block_size=4, density=0.5),
    Shape(cells=40, projection=24, inputs=11, classes=5, block_size=2, density=0.25, together=True),
]


@given(st.integers(1, 3000))
def test_every_number_of_turns_has_the_fewest_blocks_at_a_time(blocks):
    found = sizes(blocks, 1)
    assert {-(-blocks // size) for size in found} == {-(-blocks // size) for size in range(1, blocks + 1)}
    for size in found:
        assert size == 1 or -(-blocks // (size - 1)) > -(-blocks // size)


@given(st.integers(1, 3000), st.floats(1, 8))
def test_sizes_that_are_apart_are_some_of_all_with_both_ends(blocks, apart):
    found = sizes(blocks, apart)
    assert set(found) <= set(sizes(blocks, 1))
    assert {1, blocks} <= set(found)
    turns = sorted(-(-blocks // size) for size in found)
    assert all(b >= a + 1 for a, b in pairwise(turns))
    if apart > 1.01:
        assert len(turns) <= 3 + math.log(blocks, apart)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_all_sizes_are_ones_that_the_generator_takes(shape):
    program = shape.program()
    space, links = Space(apart=3), chain.links(shape.program())
    for link in links:
        found = list(space.arrays(link))
        assert len(set(found)) == len(found)
        assert {len(each) for each in found} == {len(link.arrays)}
    first = [next(space.arrays(link)) for link in links]
    given = [(a.lanes, a.columns, 0, 0) for each in first for a in each]
    assert len(arrays(program, (4, 1, 0), (4, 1, 0), given)) == len(given)


def test_sizes_of_an_output_layer_that_keeps_some_of_its_weights_are_taken_too():
    program = programs.build(block_sizes=(-2, -2))
    weight = programs.sparse(np.random.default_rng(1), 1, programs.PHONES, programs.CELLS, 1, Exact())
    program = replace(program, output=replace(program.output, weight=weight))
    *_, link = chain.links(program)
    assert {array.columns for (array,) in Space(apart=1).arrays(link)} == {*sizes(weight.longest_row, 1)}


def test_clocks_are_those_with_time_for_a_look_up_table():
    assert clocks(KU, 200.0) == [200.0, 150.0, 100.0]
    assert clocks(DEVICES["ccgm1a1"], 200.0) == [100.0]
    assert clocks(DEVICES["ccgm1a1"], 1000.0) == [500.0]


def test_settings_are_all_that_are_asked_for():
    space = Space(clocks=(50.0, 100.0, 300.0), memories=("auto", "block"), streams=(1, 2), logits=(1, 4))
    found = list(space.settings(KU, 200.0))
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 2 * 2
    assert {each.clock_mhz for each in found} == {50.0, 100.0}
    assert found[0].architecture().logits == 1


def test_sizes_that_come_nearer_are_refused():
    with pytest.raises(UserError, match=r"apart=0\.5 must be 1 or more"):
        Space(apart=0.5)


@pytest.mark.parametrize(("most", "found"), [(10.0, [10.0]), (13.4, [13.4, 10.05]), (20.0, [20.0, 15.0, 10.0])])
def test_no_clock_is_below_that_of_any_accelerator(most, found):
    assert clocks(KU, most) == pytest.approx(found)
