"""Bounds of the block size before any training."""

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.estimate.shapes import Shape
from ernn.explore.bounds import Bound, bounds, largest_that_pays, smallest_on_chip
from ernn.explore.fit import Fits, Limits
from ernn.params import Network
from ernn.params.requirement import Requirement
from ernn.records.exploration import BoundRow

DEVICE = DEVICES["xc7z020"]
NETWORK = Network(cell="lstm", layers=1, cells=192)


def found(**given) -> list[Bound]:
    requirement = Requirement(**({"per": 20.0, "share": 0.3, "clock_mhz": 100.0} | given))
    return list(bounds("lstm", NETWORK, requirement, DEVICE, 40, 12))


@pytest.fixture(scope="module")
def unhurried() -> list[Bound]:
    return found()


def test_every_block_size_has_its_best_hardware_or_what_binds(unhurried):
    assert [each.row.block_size for each in unhurried] == [1, 2, 4, 8, 16, 32, 64]
    for each in unhurried:
        assert each.row.network == "lstm"
        assert (
            each.row.stored_weights
            == Shape(cells=192, inputs=40, classes=12, block_size=each.row.block_size).stored_words
        )
        assert each.on_chip == (each.row.hardware is not None) == (each.row.cost is not None) == (not each.row.binds)
        if each.row.hardware is not None:
            assert each.row.cost == each.row.hardware.share <= 0.3


def test_the_smallest_block_size_on_the_chip_is_the_first_that_fits(unhurried):
    k = smallest_on_chip(unhurried)
    fits = Fits(Limits(0.3, 100.0))
    shape = Shape(cells=192, inputs=40, classes=12, block_size=k)
    assert fits.smallest(shape, DEVICE) is not None
    assert k > 1
    assert fits.smallest(Shape(cells=192, inputs=40, classes=12, block_size=k // 2), DEVICE) is None


def test_costs_fall_up_to_the_largest_block_size_that_pays(unhurried):
    k = largest_that_pays(unhurried)
    costs = {each.row.block_size: each.row.cost for each in unhurried if each.row.cost is not None}
    assert costs[k] == min(costs.values())
    assert all(costs[other] > costs[k] for other in costs if other < k)
    assert k < 64


def test_what_is_too_slow_may_still_have_room():
    slow = found(latency_us=0.2)
    assert smallest_on_chip(slow) is not None
    assert largest_that_pays(slow) is None
    assert all("latency: " in each.row.binds for each in slow if each.on_chip)


def test_without_any_block_size_there_is_no_answer():
    short = [Bound(BoundRow("a", 1, 10, None, None, "memory"), False)]
    assert (smallest_on_chip(short), largest_that_pays(short)) == (None, None)
