from dataclasses import astuple
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Resources
from ernn.devices.flow import FLOWS
from ernn.devices.timing import TIMINGS, Family
from ernn.estimate.energy import PROCESSES
from ernn.estimate.fabric import FABRICS
from ernn.params import AcceleratorSpec
from ernn.tools import nextpnr

NEEDS = st.builds(Resources, *[st.integers(0, 10**6)] * 4)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_device_is_whole(device):
    assert AcceleratorSpec(program="any", device=device.name).device == device.name
    assert not FLOWS[device.family].level_ns or device.speed in FLOWS[device.family].level_ns
    lut, ff, dsp, bram = astuple(device.resources)
    assert min(lut, ff, bram) > 0
    assert (dsp > 0) == any(cell.dsp for cell in FLOWS[device.family].cells.values())  # else look-up tables multiply
    assert device.binding(device.resources) == ()


@pytest.mark.parametrize("table", [TIMINGS, FLOWS, FABRICS, PROCESSES], ids=["timing", "flow", "fabric", "energy"])
def test_every_reader_knows_every_family(table):
    assert set(table) == set(get_args(Family)) == {device.family for device in DEVICES.values()}


@pytest.mark.parametrize("family", FLOWS)
def test_a_family_that_is_routed_has_places(family):
    assert bool(FLOWS[family].router) == bool(FLOWS[family].places)


@given(NEEDS, NEEDS, st.integers(0, 9))
def test_resources_add_and_multiply(a, b, times):
    assert a + b == b + a
    assert (a + b) * times == a * times + b * times
    assert a * 2 == a + a


def test_what_binds_is_named_with_the_scarcest_first():
    small = DEVICES["xc7z020"]
    assert small.binding(Resources(lut=100_000, ff=1_000, dsp=2_000, bram=140)) == ("dsp", "lut")


def test_the_part_has_the_package_that_is_placed_and_routed():
    assert nextpnr.PACKAGE.startswith("CABGA")
    assert DEVICES["ecp5-85f"].part.endswith(f"BG{nextpnr.PACKAGE.removeprefix('CABGA')}C")
