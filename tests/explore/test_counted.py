"""What a search finds has the cycles of RTL simulation, keeps the requirement by them, and is ranked by them."""

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.estimate import cycles
from ernn.estimate.shapes import Shape
from ernn.explore import counted, hardware
from ernn.explore.accelerators import Variant, binding
from ernn.explore.space import Space
from ernn.hw.verilog.network import NetworkHardware
from ernn.params.requirement import Requirement

DEVICE, SPACE = DEVICES["xc7z020"], Space(apart=2.0, clocks=(100.0,), memories=("auto",))
SHAPES = {
    "lstm": Shape(layers=2, cells=16, inputs=9, classes=5, block_size=4),
    "gru": Shape("gru", 1, 24, inputs=9, classes=5, block_size=4),
}


def found(shape: Shape, few: int = 5, **limits: object) -> tuple[hardware.Found, Requirement]:
    asked = Requirement(**({"per": 100.0, "devices": ("xc7z020",), "clock_mhz": 100.0} | limits))
    return counted.search([Variant("a", shape.program())], asked, DEVICE, SPACE, few), asked


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("limits", [{}, {"latency_us": 2.5}, {"frames_per_s": 1e6}, {"minimise": "energy_uj"}], ids=str)
def test_cycles_are_exact_and_keep_the_requirement(name, limits):
    answer, asked = found(SHAPES[name], **limits)
    assert answer.best
    for each in (*answer.best, *answer.front[:3]):
        exact = cycles.cycles(NetworkHardware(each.variant.program, each.architecture))
        assert (each.pace.interval, each.pace.latency) == (exact.interval, exact.latency)
        assert not binding(each, asked)
    values = [each.value(asked.minimise) for each in answer.best]
    assert values == sorted(values)
    assert (answer.nearest, answer.binds) == (None, ())


def test_an_accelerator_that_estimates_alone_call_fast_enough_is_dropped():
    """Estimated intervals are lower bounds: some that keep a rate by them do not keep it."""
    shape = SHAPES["gru"]
    for rate in (1e6, 1.5e6, 2e6, 2.5e6, 3e6):
        answer, asked = found(shape, few=1, frames_per_s=rate)
        quick = hardware.search([Variant("a", shape.program())], asked, DEVICE, SPACE, 1)
        if quick.best and binding(counted.counted(quick.best[0]), asked):
            assert not answer.best or not binding(answer.best[0], asked)
            break
    else:
        pytest.fail("no rate shows it")


def test_what_no_accelerator_keeps_is_said_with_exact_cycles():
    answer, asked = found(SHAPES["lstm"], latency_us=0.05)
    assert not answer.best
    assert answer.nearest is not None
    assert answer.binds == binding(answer.nearest, asked)
    assert answer.nearest.pace.latency == counted.counted(answer.nearest).pace.latency
    assert f"latency: {answer.nearest.latency_us:.1f} us of the allowed 0.05" in answer.binds


def test_an_accelerator_that_only_seems_too_late_is_found():
    """Its estimated latency is above its exact one, and the limit lies between them."""
    shape = SHAPES["lstm"]
    smallest = found(shape, few=1)[0].best[0]
    quick = hardware.search([Variant("a", shape.program())], found(shape)[1], DEVICE, SPACE, 1).best[0]
    assert quick.sizes == smallest.sizes
    assert quick.latency_us > smallest.latency_us
    limit = (quick.latency_us + smallest.latency_us) / 2
    answer, asked = found(shape, few=1, latency_us=limit)
    assert answer.best[0].share == smallest.share
    strict = hardware.search([Variant("a", shape.program())], asked, DEVICE, SPACE, 1)
    assert strict.best[0].share > smallest.share
