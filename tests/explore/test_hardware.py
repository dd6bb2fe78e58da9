"""The search for hardware: sums of parts against whole accelerators, and answers against trying all of them."""

import math
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.devices.timing import TIMINGS
from ernn.estimate.shapes import Shape
from ernn.explore import combine
from ernn.explore.accelerators import Estimated, Variant, binding, whole
from ernn.explore.hardware import Found, search
from ernn.explore.pace import Pace
from ernn.explore.space import Setting, Space
from ernn.hw.layout.sizing import arrays
from ernn.hw.verilog import chain
from ernn.params import BlockSizes
from ernn.params.requirement import Requirement

DEVICE = DEVICES["xc7z020"]
TINY = Shape(cells=8, inputs=6, classes=4, block_size=4)
FEW = Space(apart=8, clocks=(100.0, 50.0), memories=("auto", "block"))
MIXED = BlockSizes(input=4, recurrent=8, projection=2)
QUANTITIES = ("share", "lut", "ff", "dsp", "bram", "latency_us", "energy_uj")


def requirement(**given) -> Requirement:
    return Requirement(**({"per": 20.0, "minimise": "share", "clock_mhz": 100.0} | given))


def variant(shape: Shape, label: str = "a", error: float | None = None) -> Variant:
    return Variant(label, shape.program(), error)


def every(shape: Shape, space: Space) -> list[Estimated]:
    """All accelerators of a space, each estimated as a whole."""
    one = variant(shape)
    found = []
    for setting in space.settings(DEVICE, 100.0):
        for sizes in product(*(space.arrays(link) for link in chain.links(one.program))):
            flat = tuple(array for each in sizes for array in each)
            found.append(whole(Estimated(one, setting, flat, combine.Resources(), Pace(0, 0), 0.0)))
    return found


@pytest.fixture(scope="module")
def tried() -> list[Estimated]:
    return every(TINY, FEW)


SHAPES = st.builds(
    Shape,
    cell=st.sampled_from(["lstm", "gru"]),
    layers=st.integers(1, 3),
    cells=st.integers(4, 20),
    inputs=st.integers(1, 12),
    classes=st.integers(2, 7),
    block_size=st.sampled_from([1, 2, 4]),
    bits=st.integers(6, 14),
) | st.sampled_from(
    [
        Shape(cells=16, projection=8, inputs=9, classes=5, block_size=4, peepholes=True),
        Shape(layers=2, cells=16, projection=8, inputs=9, classes=5, blocks=(MIXED,) * 2),
        Shape("gru", cells=16, inputs=9, classes=5, block_size=4, reset="after"),
        Shape(cells=16, inputs=9, classes=5, block_size=8, transform="fourier", complex_products=3),
        Shape(cells=16, inputs=9, classes=5, block_size=1, pruning_ratio=4.0),
    ]
)


@settings(max_examples=15, deadline=None)
@given(SHAPES, st.sampled_from(sorted(DEVICES)), st.integers(1, 3), st.booleans(), st.sampled_from([1, 4]))
def test_an_accelerator_is_the_sum_of_its_parts(shape, device, streams, transformed, beats):
    space = Space(
        apart=16,
        clocks=(60.0,),
        memories=("auto", "block", "distributed"),
        transformed=(transformed,),
        streams=(streams,),
        features=(beats,),
        logits=(beats,),
    )
    found = search([variant(shape)], requirement(), DEVICES[device], space)
    for each in (*found.front[:6], *found.front[-3:], *found.best):
        built = whole(each)
        assert (built.needed.dsp, built.needed.bram, built.pace) == (each.needed.dsp, each.needed.bram, each.pace)
        assert built.needed.lut == pytest.approx(each.needed.lut, rel=1e-12)
        assert built.needed.ff == pytest.approx(each.needed.ff, rel=1e-12)
        assert built.energy_uj == pytest.approx(each.energy_uj, rel=1e-9)
        assert arrays(each.variant.program, (4, 1, 0), (4, 1, 0), each.sizes, beats) == each.arrays


@pytest.mark.parametrize("minimise", QUANTITIES)
@pytest.mark.parametrize(
    "limits",
    [{}, {"latency_us": 1.0}, {"frames_per_s": 3e6}, {"energy_uj": 0.2, "share": 0.5}, {"share": 0.11}],
    ids=str,
)
def test_the_best_is_that_of_all(tried, minimise, limits):
    asked = requirement(minimise=minimise, **limits)
    good = [each for each in tried if not binding(each, asked)]
    found = search([variant(TINY)], asked, DEVICE, FEW)
    assert bool(found.best) == bool(good)
    if good:
        assert found.best[0].value(minimise) == pytest.approx(min(each.value(minimise) for each in good))
        assert not any(binding(each, asked) for each in found.best)
        values = [each.value(minimise) for each in found.best]
        assert values == sorted(values)
        assert found.nearest is None
    else:
        assert found.binds


def test_some_requirements_are_kept_and_some_are_not(tried):
    """Or the comparison with all of them would say nothing."""
    counts = [
        sum(not binding(each, requirement(**limits)) for each in tried)
        for limits in ({}, {"latency_us": 1.0}, {"frames_per_s": 3e6}, {"share": 0.11}, {"energy_uj": 0.2})
    ]
    assert counts[0] == max(counts)
    assert any(0 < count < len(tried) for count in counts)


def test_the_front_has_one_near_each_of_all(tried):
    asked = requirement(latency_us=3.0)
    found = search([variant(TINY)], asked, DEVICE, FEW)
    for each in tried:
        if binding(each, asked):
            continue
        for cost in ("share", "lut", "ff", "dsp", "bram"):
            names = (cost, "latency_us", "energy_uj")
            assert any(
                all(other.value(name) <= 1.1025 * each.value(name) + 1e-9 for name in names) for other in found.front
            )
    assert not any(binding(each, asked) for each in found.front)


def test_all_accelerators_are_counted(tried):
    found = search([variant(TINY)], requirement(), DEVICE, FEW)
    assert found.covered == found.space == len(tried)
    assert found.evaluated < len(tried)
    again = search([variant(TINY), variant(replace(TINY, bits=8))], requirement(), DEVICE, FEW)
    assert again.covered == 2 * len(tried)


def test_where_none_keeps_it_the_nearest_and_what_binds_are_said(tried):
    asked = requirement(latency_us=0.05, share=0.02)

    def worst(each: Estimated) -> float:
        shares = DEVICE.shares(each.needed)
        return max(*(share / 0.02 for share in shares.values()), each.latency_us / 0.05)

    found = search([variant(TINY)], asked, DEVICE, FEW)
    assert not found.best
    assert found.nearest is not None
    # Those with more multipliers than the device has are left out, unless nothing has fewer.
    few = min(each.needed.dsp for each in tried)
    near = [each for each in tried if each.needed.dsp == few] or tried
    assert worst(found.nearest) <= min(map(worst, near)) + 1e-9
    assert found.binds == binding(found.nearest, asked)
    assert any(text.startswith("latency: ") and text.endswith(" us of the allowed 0.05") for text in found.binds)


def test_what_binds_is_said_with_numbers_the_worst_first():
    one = Estimated(
        variant(TINY),
        Setting(DEVICE, 100.0),
        (),
        combine.Resources(lut=1000, ff=1000, dsp=100, bram=152),
        Pace(1000, 3120),
        12.0,
    )
    asked = requirement(latency_us=20.0, frames_per_s=2e5, energy_uj=10.0)
    assert binding(one, asked) == (
        "frames a second: 100000 of the required 200000",
        "latency: 31.2 us of the allowed 20",
        "bram: 152 of 126 (90% of 140)",
        "energy: 12 uJ of the allowed 10",
    )
    assert binding(one, requirement(latency_us=40.0, share=1.0, devices=("xc7z020",))) == (
        "bram: 152 of 140 (100% of 140)",
    )


def test_where_errors_are_minimised_the_program_with_the_least_is_taken():
    better, worse = variant(replace(TINY, bits=14), "wide", 11.0), variant(TINY, "narrow", 12.0)
    by_error = search([worse, better], requirement(minimise="per", per=None), DEVICE, FEW, fronts=False)
    by_share = search([worse, better], requirement(), DEVICE, FEW, fronts=False)
    assert by_error.best[0].variant.label == "wide"
    assert by_share.best[0].variant.label == "narrow"


def test_more_equal_layers_than_may_differ_have_equal_sizes():
    deep = Shape(layers=6, cells=8, inputs=8, classes=4, block_size=4)
    found = search([variant(deep)], requirement(), DEVICES["xcku060"], replace(FEW, alone=2), fronts=False)
    *layers, _ = found.best[0].sizes
    assert len(set(layers)) == 1
    assert found.covered == found.space


def test_a_pipeline_is_scheduled_for_no_faster_clock_than_allowed():
    found: Found = search([variant(TINY)], requirement(clock_mhz=60.0), DEVICE, Space(apart=8), fronts=False)
    assert {each.setting.clock_mhz for each in found.best} <= {60.0, 45.0, 30.0}
    row = found.best[0].row()
    assert (row.clock_mhz, row.verified, row.clock_kind) == (found.best[0].setting.clock_mhz, False, "assumed")
    assert row.latency_us == pytest.approx(found.best[0].latency_us)
    assert row.frames_per_s == pytest.approx(found.best[0].frames_per_s)
    assert math.isclose(found.best[0].architecture.clock.timing.lut_ns, TIMINGS["xc7"].lut_ns)
