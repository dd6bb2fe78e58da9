"""The rule that stops trainings: on every recorded curve, none that would have kept its limit is stopped."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.explore.stopping import GREATEST_FALLS, least_reachable
from ernn.report.results import read_curve

ROOT = Path(__file__).parents[2]
CURVES = sorted((ROOT / "curves" / "compress").glob("*.csv"))
EPOCHS = 10


def curve(*errors: float, phase: str = "finetune", first: int = 6) -> list[dict[str, object]]:
    pull = [{"epoch": epoch, "phase": "admm", "dev_per": 40.0} for epoch in range(3, first)]
    return pull + [{"epoch": first + place, "phase": phase, "dev_per": per} for place, per in enumerate(errors)]


@pytest.mark.parametrize("path", CURVES, ids=lambda path: path.stem)
def test_no_recorded_training_would_have_been_stopped_below_its_end(path):
    rows = read_curve(path)
    end = float(rows[-1]["dev_per"])
    found = [least_reachable(rows[:count], EPOCHS) for count in range(len(rows) + 1)]
    assert all(each is None or each <= end for each in found)
    assert any(each is not None for each in found) == any(row["phase"] == "finetune" for row in rows)


def test_hopeless_trainings_are_stopped_early():
    """24 % after the first of five epochs cannot become 17 %."""
    assert least_reachable(curve(24.0), EPOCHS) == pytest.approx(24.0 / 1.34)
    assert least_reachable(curve(24.0, 23.0), EPOCHS) == pytest.approx(23.0 / 1.124)


def test_nothing_is_said_before_matrices_have_their_final_structure_nor_after_the_end():
    assert least_reachable([], EPOCHS) is None
    assert least_reachable(curve(), EPOCHS) is None
    assert least_reachable(curve(24.0, 23, 22, 21, 20), EPOCHS) is None
    assert least_reachable(curve(24.0, first=6), 30) is None  # less than a fifth of the epochs


def test_a_method_without_such_a_phase_is_never_stopped():
    rows = [{"epoch": epoch, "phase": "direct", "dev_per": 60.0} for epoch in range(1, 10)]
    assert least_reachable(rows, EPOCHS) is None


@given(st.floats(1, 100), st.integers(1, 4))
def test_the_bound_gets_nearer_to_the_error_with_every_epoch(per, count):
    fewer, more = (least_reachable(curve(*[per] * each), EPOCHS) for each in (count, min(count + 1, 4)))
    assert fewer <= more <= per


def test_falls_get_smaller():
    shares, falls = zip(*GREATEST_FALLS, strict=True)
    assert list(shares) == sorted(shares)
    assert list(falls) == sorted(falls, reverse=True)
