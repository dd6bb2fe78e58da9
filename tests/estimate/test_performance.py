"""What a design delivers: arithmetic of a row, which row is quoted, and what estimates are called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import COUNTS, DEVICES
from ernn.errors import UserError
from ernn.estimate import performance
from ernn.program.network import Frontend
from ernn.report import metrics as reporting

WORK = {"multiplications": {"12x12": 1000.0}, "logic_bits": 1e5, "table_bits": 1e3, "register_file_bits": 1e4}
WORK |= {"read_bits": 1e5, "write_bits": 1e4}
MADE = {"weights": "words", "features_per_beat": 4, "logits_per_beat": 2}
DESIGN = performance.Measured(320.0, 1100, 50.0, 21.5, WORK, 1e6, MADE)
SYNTHESIS = {"design": "small", "flow": "yosys", "lut": 1e4, "ff": 2e4, "dsp": 100, "bram": 20.5, "fmax_mhz": 200.0}
SYNTHESIS |= {"device": "xcku060", "fmax_kind": "assumed", "fits": True, "binds": []}


def row(**changes):
    return performance.rows(DESIGN, [SYNTHESIS | changes])[0]


def test_times_are_cycles_over_the_clock():
    found = row()
    assert (found["latency_us"], found["initiation_interval_us"]) == (5.5, 1.6)
    assert (found["frames_per_s"], found["real_time_factor"]) == (625_000, 12_500)
    assert found["dsp_percent"] == pytest.approx(100 * 100 / 2760)
    assert found["per_integer"] == 21.5


@given(clock=st.floats(10, 500))
def test_a_faster_clock_shortens_time_and_leaves_cycles(clock):
    slow, fast = row(fmax_mhz=clock), row(fmax_mhz=2 * clock)
    assert fast["cycles_per_frame"] == slow["cycles_per_frame"]
    assert fast["latency_us"] == pytest.approx(slow["latency_us"] / 2)
    assert fast["frames_per_s"] == pytest.approx(2 * slow["frames_per_s"])
    assert fast["energy_uj_per_frame"] < slow["energy_uj_per_frame"]  # it leaks for less time


def test_both_counts_of_yosys_stay_with_a_row_that_has_them():
    both = {name: float(number) for number, name in enumerate(COUNTS)}
    assert both.items() <= row(**both).items()
    assert not set(COUNTS) & set(row())


def test_efficiency_is_the_inverse_of_energy():
    for found in (row(), row(power_w=2.0, power_kind="vendor")):
        assert found["energy_uj_per_frame"] * found["frames_per_s_per_w"] == pytest.approx(1e6)


def test_a_measured_power_replaces_the_estimate():
    found = row(power_w=2.0, power_kind="board")
    assert (found["energy_kind"], found["energy_uj_per_frame"]) == ("board", pytest.approx(2.0 * 1.6))
    assert "energy_uj_per_frame_low" not in found
    assert "energy_uj_per_frame" in performance.metrics(found)


def test_metrics_are_declared_and_estimates_are_named_so():
    metrics = performance.metrics(row())
    reporting.check(metrics)
    assert {"energy_uj_per_frame_estimate", "frames_per_s_per_w_estimate"} <= set(metrics)
    assert "energy_uj_per_frame" not in metrics


def test_a_row_says_how_its_design_was_made():
    design = {"weights": "words", "input": {"per_beat": 4}, "logits": {"per_beat": 2}}
    assert performance.made(design) == MADE
    assert {name: row()[name] for name in MADE} == MADE


def test_what_fits_is_quoted_first_and_of_that_a_clock_that_was_reached():
    given = [
        {"device": "xc7z020", "fits": False, "binds": ["dsp"], "fmax_kind": "place_and_route"},
        {"device": "xcku060"},
        {"device": "xc7vx690t", "fmax_kind": "levels"},
        {"device": "ecp5-85f", "fmax_kind": "place_and_route"},
    ]
    found = performance.rows(DESIGN, [SYNTHESIS | each for each in given])
    assert [each["device"] for each in found] == ["ecp5-85f", "xc7vx690t", "xcku060", "xc7z020"]


def test_a_device_that_is_not_known_and_no_rows_are_one_line():
    with pytest.raises(UserError, match=r"^device=abacus must be one of xcku060, "):
        row(device="abacus")
    with pytest.raises(UserError, match=r"^synthesis has no rows; name a device"):
        performance.rows(DESIGN, [])


def test_speech_gives_a_vector_every_skipped_shift():
    assert performance.speech_rate(Frontend("logmel", 40, 25, 10, 2, 2, "speaker")) == 50


def test_every_device_can_be_quoted():
    assert all(row(device=name)["lut_percent"] > 0 for name in DEVICES)
