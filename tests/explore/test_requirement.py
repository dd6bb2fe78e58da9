"""A requirement in words, and what an accelerator lacks of it."""

import pytest
from pydantic import ValidationError

from ernn.devices.catalogue import Resources
from ernn.explore.evidence import certain, held_out_score
from ernn.explore.requirement import cost, devices_of, limit_of, limits, short_of
from ernn.params.requirement import Requirement
from ernn.records.exploration import HardwareRow, HeldOutScore

ROW = HardwareRow("d", "xc7z020", "4x1", Resources(20_000, 30_000, 110, 70), 0.5, 500, 1000, 100.0, "levels", 2.0, True)


def test_points_are_counted_from_the_reference():
    assert limit_of(Requirement(per_loss=0.5), 16.0) == 16.5
    assert limit_of(Requirement(per=17.0), 16.0) == 17.0
    assert limit_of(Requirement(minimise="per"), 16.0) is None


@pytest.mark.parametrize("limit", [{"per": 20.0}, {"per_loss": 0.5}])
def test_the_fewest_errors_have_no_limit(limit):
    with pytest.raises(ValidationError, match="minimise: per asks for the fewest errors, so that neither"):
        Requirement(minimise="per", **limit)


def test_devices_come_smallest_first():
    found = devices_of(Requirement(per=20.0, devices=("xcku060", "xc7z020", "ecp5-85f")))
    assert [device.name for device in found] == ["xc7z020", "ecp5-85f", "xcku060"]


def test_every_bound_is_a_line_with_its_unit():
    given = Requirement(per_loss=0.5, latency_us=5, frames_per_s=1e5, energy_uj=2, devices=("xc7z020", "xcku060"))
    found = {each.quantity: each.text for each in limits(given, 16.5)}
    assert found == {
        "per": "phone error rate of at most 16.50 % on the dev split, 0.5 points above the dense network",
        "latency_us": "at most 5 us from a frame's first feature to its last logit",
        "frames_per_s": "at least 100000 frames a second",
        "energy_uj": "at most 2 uJ a frame (estimated)",
        "share": "on the smallest of xc7z020, xcku060 that will do, at most 90% of each of its resources",
    }


@pytest.mark.parametrize(
    ("requirement", "lacks"),
    [
        ({}, ()),
        ({"latency_us": 10.0}, ()),
        ({"latency_us": 9.0}, ("latency: 10.00 us of the allowed 9",)),
        ({"frames_per_s": 3e5}, ("frames a second: 200,000 of the required 300,000",)),
        ({"energy_uj": 1.5}, ("energy: 2.00 uJ of the allowed 1.5 (estimate)",)),
        ({"share": 0.45}, ("DSP: 110 of 99 on xc7z020", "block RAM: 70 of 63 on xc7z020")),
    ],
)
def test_what_an_accelerator_lacks_is_said_with_figures(requirement, lacks):
    assert short_of(ROW, Requirement(per=20.0, **requirement)) == lacks


@pytest.mark.parametrize(
    ("minimise", "value"),
    [("share", 0.5), ("lut", 20_000), ("bram", 70), ("latency_us", 10.0), ("energy_uj", 2.0), ("per", 17.5)],
)
def test_what_is_minimised_is_a_number_of_the_accelerator_or_its_errors(minimise, value):
    assert cost(ROW, minimise, 17.5) == value


def test_only_an_interval_within_the_limit_is_certain():
    found = HeldOutScore(17.0, 16.0, 18.0, 1.0, 0.6, 1.4)
    assert certain(found, None, 1.4)
    assert not certain(found, None, 1.3)
    assert certain(found, 18.0, None)
    assert not certain(found, 17.9, None)
    assert not certain(found, None, None)


def test_scores_of_other_utterances_are_refused(tmp_path):
    from ernn import artifacts
    from ernn.errors import UserError
    from tests.explore.test_search import score

    artifacts.write_json(tmp_path / "a", score(1))
    artifacts.write_json(tmp_path / "b", score(2) | {"utterances": ["x"]})
    with pytest.raises(UserError, match="are of other utterances"):
        held_out_score(tmp_path / "a", tmp_path / "b", 50)
