"""Accelerators for every family of devices, at a slow and at a fast clock, bit for bit the integer model.

Family and clock move registers: the same network has other latencies, and other waits between its threads.
"""

import itertools
from collections.abc import Iterator

import pytest

from ernn.devices.timing import TIMINGS, Timing
from ernn.hw.graph.schedule import Clock
from tests import programs
from tests.hw import equality
from tests.hw.equality import Built, Equality

LSTM, GRU = {"layers": (4, 1, 0), "output": (1, 1, 0)}, {"layers": (2, 1, 0), "output": (1, 1, 0)}
DESIGNS = {
    "lstm fourier": (
        {"block_sizes": (8, 8), "transform": "fourier", "projection": 4, "peepholes": True},
        {**LSTM, "streams": 3},
    ),
    "lstm": ({"block_sizes": (4, 4), "peepholes": True}, {**LSTM, "streams": 2}),
    "lstm fourier apart": (
        {"block_sizes": (4, 1), "projection": 6, "projection_block": 8, "transform": "fourier"},
        {"each": [(4, 1, 0), (4, 2, 0), (1, 1, 0), (1, 1, 0)]},
    ),
    "lstm pruned": ({"block_sizes": (0, 0), "projection": 5}, {**LSTM, "streams": 2}),
    "lstm sparse": ({"block_sizes": (-4, -4), "projection": 4}, {**LSTM, "streams": 2}),
    "gru": ({"cell": "gru", "block_sizes": (4, 4), "layers": 2}, {**GRU, "streams": 3}),
    "gru fourier": (
        {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "products": 3},
        {**GRU, "streams": 2},
    ),
    "gru after": ({"cell": "gru", "block_sizes": (4, 4), "reset": "after"}, GRU),
    "gru after fourier": (
        {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "reset": "after"},
        {**GRU, "streams": 2},
    ),
}
SLOW_MHZ, FAST_MHZ = 20, 500  # no register but those of multipliers; one behind every operator


def clocks() -> dict[str, Clock]:
    """A slow and a fast clock of every family; families with equal delays have equal sources."""
    names: dict[Timing, list[str]] = {}
    for name, timing in TIMINGS.items():
        names.setdefault(timing, []).append(name)
    return {
        f"{' '.join(alike)} {mhz}": Clock(mhz, timing)
        for timing, alike in names.items()
        for mhz in (SLOW_MHZ, FAST_MHZ)
    }


CLOCKS = clocks()


def cases() -> Iterator[object]:
    """All pairs of a design and a clock."""
    for pair in itertools.product(DESIGNS, CLOCKS):
        yield pytest.param(pair, id=", ".join(pair), marks=[pytest.mark.system])


@pytest.fixture(scope="module", params=[*cases()])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    design, clock = request.param
    structure, sizes = DESIGNS[design]
    return equality.build(tmp_path_factory.mktemp("family"), programs.build(**structure), clock=CLOCKS[clock], **sizes)


class TestFamilies(Equality):
    """All laws."""
