"""Bounds of what a device can hold: never less than what an accelerator finds room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.estimate.fabric import FABRICS
from ernn.estimate.shapes import Shape
from ernn.explore.memory import most_bits, short_of_memory


@given(st.sampled_from(sorted(DEVICES)), st.integers(1, 300), st.integers(2, 9000), st.sampled_from(["auto", "block"]))
def test_a_memory_holds_no_more_bits_than_a_device_of_its_primitives(name, width, depth, style):
    device = DEVICES[name]
    fabric, there = FABRICS[device.family], device.resources
    needed = fabric.memory(width, depth, style)
    share = max(needed.lut / there.lut, needed.ff / there.ff, needed.bram / there.bram)
    assert width * depth <= share * most_bits(device) * (1 + 1e-9)


@pytest.mark.parametrize(("cells", "short"), [(512, False), (4096, True)])
def test_what_is_short_is_said_in_megabits(cells, short):
    text = short_of_memory(Shape(cells=cells, block_size=8), DEVICES["xc7z020"], 0.9)
    assert bool(text) == short
    if short:
        assert text == "memory: 107.0 Mbit of weights, of 7.8 (90% of all that xc7z020 can hold)"
