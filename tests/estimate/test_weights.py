"""How weights are stored: laws of the rule, and what it takes for designs of which the answer is known."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Resources
from ernn.devices.timing import TIMINGS
from ernn.estimate import cost, weights
from ernn.estimate.shapes import Shape
from ernn.hw import design
from ernn.hw.graph.schedule import Clock
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import NetworkHardware
from tests.hw import designs

SMALL = Shape(cells=32, inputs=20, classes=8, block_size=8)
LARGE = Shape(cells=512, inputs=80, block_size=8)
KINTEX, ECP5 = DEVICES["xcku060"], DEVICES["ecp5-85f"]
SHARES = st.floats(0, 2)


def built(shape: Shape, layers=(4, 1, 0), clock=designs.CLOCK) -> NetworkHardware:
    return designs.network(shape.program(), layers, (1, 1, 0), clock=clock)


def stored(shape: Shape, device, layers=(4, 1, 0), wanted="auto") -> str:
    sizes = built(shape, layers).architecture
    return weights.network(shape.program(), sizes, wanted, device).architecture.weights


def taken(device, lut: float, bram: float, dsp: float = 0) -> Resources:
    """Shares of a device as what a design takes."""
    whole = device.resources
    return Resources(lut=lut * whole.lut, dsp=dsp * whole.dsp, bram=bram * whole.bram)


@given(st.sampled_from(list(DEVICES.values())), *[SHARES] * 7)
def test_what_is_worth_it_stays_so_with_less_of_either_resource(device, lut, bram, dsp, after, spent, less, cheaper):
    words, factors = taken(device, lut, bram, dsp), taken(device, after, spent, dsp)
    if weights.worth(words, factors, device):
        better = taken(device, min(after, less), min(spent, cheaper), dsp)
        assert weights.worth(words, better, device)


@given(st.sampled_from(list(DEVICES.values())), *[SHARES] * 5, st.floats(0, weights.FREE))
def test_a_design_that_fits_with_words_still_fits_with_factors(device, lut, bram, dsp, after, spent, free):
    """Into any share of a device that is at least what counts as free."""
    words, factors = taken(device, lut, bram, dsp), taken(device, after, spent, dsp)
    if weights.worth(words, factors, device, free):
        before, now = device.shares(words), device.shares(factors)
        assert now["bram"] <= 1
        assert max(now.values()) <= max(*before.values(), free)
        assert factors.lut <= (1 - weights.SAVED) * words.lut


@pytest.mark.parametrize(("dsp", "wanted"), [(0.6, False), (0.7, True), (0.9, True)])
def test_block_ram_is_there_while_multipliers_are_scarcer(dsp, wanted):
    assert weights.worth(taken(KINTEX, 0.3, 0.4, dsp), taken(KINTEX, 0.2, 0.65, dsp), KINTEX) == wanted


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("wanted", ["words", "transformed"])
def test_what_is_asked_for_is_done_on_every_device(device, wanted):
    assert stored(SMALL, device, wanted=wanted) == wanted


@pytest.mark.parametrize("transform", ["exact", "fourier"])
def test_lanes_that_make_many_factors_store_them(transform):
    shape = dataclasses.replace(LARGE, transform=transform, complex_products=3)
    assert stored(shape, KINTEX, (16, 4, 0)) == "transformed"


@pytest.mark.parametrize("without", [{"block_size": 1}, {"transform": "fourier", "complex_products": 4}], ids=str)
def test_where_the_transform_of_weights_has_no_adders_words_are_stored(without):
    assert stored(dataclasses.replace(LARGE, **without), KINTEX, (16, 4, 0)) == "words"


def test_a_small_array_takes_no_more_block_ram_for_few_look_up_tables():
    """One lane of one processing element on ECP5, k = 4: gru-k4-ecp5 of params.yaml."""
    shape = Shape("gru", 2, 128, inputs=80, block_size=4)
    network = built(shape, (1, 1, 0), Clock(60, TIMINGS["ecp5"]))
    found = weights.network(shape.program(), network.architecture, "auto", ECP5)
    assert found.architecture.weights == "words"
    assert cost.estimate(found, ECP5).total == cost.estimate(network, ECP5).total


@pytest.mark.parametrize("wanted", ["words", "transformed"])
def test_the_description_says_how_weights_are_stored(wanted):
    found = weights.network(SMALL.program(), built(SMALL).architecture, wanted, KINTEX)
    assert design.of(rtl_project(found)).weights == wanted
