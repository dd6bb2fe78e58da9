"""What a design delivers: arithmetic of a row, which row is quoted, and what estimates are called."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Resources
from ernn.errors import UserError
from ernn.estimate import performance
from ernn.hw.project import description
from ernn.program.network import Frontend
from ernn.records.simulation import SimulationRecord
from ernn.records.synthesis import Counts, Power, SynthesisRow
from ernn.report import metrics as reporting
from tests import programs
from tests.hw import designs

ACCELERATOR = description(designs.network(programs.build(block_sizes=(4, 4)), beat=(4, 2)))
RUN = SimulationRecord(320.0, 1100.0, 0.5, 60.0, 1e6, 20.0, {})
MEASURED = performance.Measured(ACCELERATOR, RUN, 50.0, 21.5)
SYNTHESIS = SynthesisRow(
    "small",
    "xcku060",
    "yosys",
    Resources(1e4, 2e4, 100, 20.5),
    fmax_mhz=200.0,
    fmax_kind="assumed",
    fits=True,
    binds=(),
)


def row(**changes):
    return performance.benchmark_rows(MEASURED, [replace(SYNTHESIS, **changes)])[0]


def test_times_are_cycles_over_the_clock():
    found = row()
    assert (found.speed.latency_us, found.speed.initiation_interval_us) == (5.5, 1.6)
    assert (found.speed.frames_per_s, found.speed.real_time_factor) == (625_000, 12_500)
    assert found.percent.dsp == pytest.approx(100 * 100 / 2760)
    assert found.per_integer == 21.5


@given(clock=st.floats(10, 500))
def test_a_faster_clock_shortens_time_and_leaves_cycles(clock):
    slow, fast = row(fmax_mhz=clock), row(fmax_mhz=2 * clock)
    assert fast.cycles_per_frame == slow.cycles_per_frame
    assert fast.speed.latency_us == pytest.approx(slow.speed.latency_us / 2)
    assert fast.speed.frames_per_s == pytest.approx(2 * slow.speed.frames_per_s)
    assert fast.energy.uj_per_frame < slow.energy.uj_per_frame  # it leaks for less time


def test_both_counts_of_yosys_stay_with_a_row_that_has_them():
    both = Counts(Resources(1, 2, 3, 4), Resources(5, 6, 7, 8))
    assert row(counts=both).counts == both
    assert row().counts is None


def test_efficiency_is_the_inverse_of_energy():
    for found in (row(), row(power=Power(2.0, "vendor"))):
        assert found.energy.uj_per_frame * found.energy.frames_per_s_per_w == pytest.approx(1e6)


def test_a_measured_power_replaces_the_estimate():
    found = row(power=Power(2.0, "board"))
    assert (found.energy.kind, found.energy.uj_per_frame) == ("board", pytest.approx(2.0 * 1.6))
    assert found.energy.estimate is None
    assert "energy_uj_per_frame" in found.metrics


def test_metrics_are_declared_and_estimates_are_named_so():
    metrics = row().metrics
    reporting.check(metrics)
    assert {"energy_uj_per_frame_estimate", "frames_per_s_per_w_estimate"} <= set(metrics)
    assert "energy_uj_per_frame" not in metrics
    assert metrics["lut"] == 1e4


def test_an_estimate_lies_in_its_range_and_is_the_sum_of_its_parts():
    energy = row().energy
    assert energy.estimate.low_uj <= energy.uj_per_frame <= energy.estimate.high_uj
    assert sum(energy.estimate.parts_uj.values()) == pytest.approx(energy.uj_per_frame)


def test_a_row_says_how_its_accelerator_was_made():
    assert (row().weights, row().features_per_beat, row().logits_per_beat) == ("words", 4, 2)


def test_what_fits_is_quoted_first_and_of_that_a_clock_that_was_reached():
    given = [
        {"device": "xc7z020", "fits": False, "binds": ("dsp",), "fmax_kind": "place_and_route"},
        {"device": "xcku060"},
        {"device": "xc7vx690t", "fmax_kind": "levels"},
        {"device": "ecp5-85f", "fmax_kind": "place_and_route"},
    ]
    found = performance.benchmark_rows(MEASURED, [replace(SYNTHESIS, **each) for each in given])
    assert [each.device for each in found] == ["ecp5-85f", "xc7vx690t", "xcku060", "xc7z020"]


def test_a_device_that_is_not_known_and_no_rows_are_one_line():
    with pytest.raises(UserError, match=r"^device=abacus must be one of xcku060, "):
        row(device="abacus")
    with pytest.raises(UserError, match=r"^synthesis has no rows; name a device"):
        performance.benchmark_rows(MEASURED, [])


def test_speech_gives_a_vector_every_skipped_shift():
    assert performance.speech_rate(Frontend("logmel", 40, 25, 10, 2, 2, "speaker")) == 50


def test_every_device_can_be_quoted():
    assert all(row(device=name).percent.lut > 0 for name in DEVICES)
