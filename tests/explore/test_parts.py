"""Bounds of modules before they are built, and modules that are alike."""

import gc
import weakref

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.estimate.shapes import Shape
from ernn.explore.parts import Parts, alike, least, least_steps
from ernn.explore.space import Setting, Space
from ernn.hw.verilog import chain
from ernn.params import BlockSizes
from tests import programs

SPACE = Space(apart=4)
MIXED = BlockSizes(input=4, recurrent=8, projection=2)
SHAPES = [
    Shape(cells=40, inputs=11, classes=5, block_size=4),
    Shape("gru", cells=40, inputs=11, classes=5, block_size=4),
    Shape(cells=40, projection=24, inputs=11, classes=5, block_size=4),
    Shape(cells=24, projection=16, inputs=11, classes=5, blocks=(MIXED,)),
    Shape(cells=24, inputs=11, classes=5, block_size=8, transform="fourier"),
    Shape(cells=24, inputs=11, classes=5, block_size=1, pruning_ratio=4.0),
]


@pytest.mark.parametrize("device", ["xc7z020", "ccgm1a1"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bounds_are_never_above_what_is_built(shape, device):
    setting, parts = Setting(DEVICES[device], 100.0), Parts()
    program = shape.program()
    before, tight = setting.architecture().input(program).words, 0
    for link in chain.links(program):
        for arrays in list(SPACE.arrays(link))[::9]:
            part, bound = parts.part(link, arrays, before, setting), least(link, arrays, setting)
            assert (bound.lut <= part.needed.lut, bound.dsp <= part.needed.dsp) == (True, True)
            assert bound.lut + bound.dsp > 0
            steps = least_steps(link, arrays)
            assert steps <= part.pace.interval < part.pace.latency
            tight += steps == part.pace.interval
        before = part.sink
    assert tight or shape.pruned


def test_equal_modules_are_made_once():
    program = Shape(layers=4, cells=8, inputs=5, classes=4, block_size=4, projection=0).program()
    links = chain.links(program)
    assert alike(links[1]) == alike(links[2]) == alike(links[3])
    assert len({alike(link) for link in links}) == 3
    setting, parts = Setting(DEVICES["xc7z020"], 100.0), Parts()
    before = setting.architecture().input(program).words
    arrays = next(SPACE.arrays(links[0]))
    for link in links[:4]:
        before = parts.part(link, arrays, before, setting).sink
    assert parts.made == 2


def test_other_widths_and_other_programs_are_not_alike():
    one, other = (Shape(cells=8, inputs=5, classes=4, bits=bits).program() for bits in (8, 12))
    deep = Shape(layers=2, cells=8, inputs=5, classes=4, bits=8).program()
    first = [alike(chain.links(program)[0]) for program in (one, other, deep)]
    assert len(set(first)) == 3


def test_a_pruned_matrix_whose_parts_are_kept_never_makes_way_for_another_one():
    parts, setting, program = Parts(), Setting(DEVICES["xc7z020"], 100.0), SHAPES[-1].program()
    link = chain.links(program)[0]
    parts.part(link, next(SPACE.arrays(link)), setting.architecture().input(program).words, setting)
    pruned = weakref.ref(link.layer.weight_ih)
    del link, program
    gc.collect()
    assert pruned() is not None  # its identity stands for it


@pytest.mark.parametrize("structure", [{}, {"cell": "gru"}, {"cell": "rnn"}])
def test_initial_states_make_no_other_modules(structure):
    program = programs.build(**structure)
    for link, begun in zip(chain.links(program), chain.links(programs.begun(program)), strict=True):
        assert hash(alike(link)) == hash(alike(begun))
        assert alike(link) == alike(begun)
