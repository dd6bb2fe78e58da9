from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Resources
from ernn.devices.timing import FAMILIES
from ernn.synthesize.cells import TABLES
from ernn.tools import nextpnr

NEEDS = st.builds(Resources, *[st.integers(0, 10**6)] * 4)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_a_device_is_whole(device):
    assert device.clocks in FAMILIES
    lut, ff, dsp, bram = astuple(device.resources)
    assert min(lut, ff, bram) > 0
    assert (dsp > 0) == any(cell.dsp for cell in TABLES[device.flow].values())  # else look-up tables multiply
    assert device.binding(device.resources) == ()


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
