"""Accelerators of random programs, sizes, families and clocks through Verilator, bit for bit the integer model."""

import numpy as np
import pytest

from ernn.devices.timing import TIMINGS
from ernn.hw.graph.schedule import Clock
from tests.golden.programs import RandomPrograms
from tests.hw import equality
from tests.hw.equality import Built, Equality


def sizes(seed: int) -> dict[str, object]:
    """Arrays, streams, family and clock."""
    random = np.random.default_rng(seed)
    layers, output = ((int(2 ** random.integers(low, 4)), int(random.integers(1, 4)), 0) for low in (2, 0))
    streams, pointwise = int(random.integers(1, 4)), int(random.choice([0, 0, 1, 2]))
    transformed = bool(random.integers(2))
    beat = tuple(int(2 ** random.integers(4)) for _ in range(2))
    clock = Clock(float(random.choice([20, 80, 150, 300, 600])), TIMINGS[list(TIMINGS)[random.integers(len(TIMINGS))]])
    return {
        "layers": (*layers, pointwise),
        "output": output,
        "streams": streams,
        "transformed": transformed,
        "beat": beat,
        "clock": clock,
    }


SYSTEM = (7, 10, 19)
SEEDS = [pytest.param(seed, marks=[pytest.mark.system if seed in SYSTEM else pytest.mark.slow]) for seed in range(60)]
STATES = [  # of programs without a head
    pytest.param(seed, marks=[pytest.mark.system if seed == 1 else pytest.mark.slow]) for seed in (1, 3, 4, 8, 12)
]


@pytest.fixture(scope="module", params=SEEDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = RandomPrograms(request.param).program()
    return equality.build(tmp_path_factory.mktemp("random"), made, **sizes(request.param))


class TestRandom(Equality):
    """All laws."""


class TestStates(Equality):
    """All laws, of networks whose outputs are the states of their last layer."""

    @pytest.fixture(scope="class", params=STATES)
    def built(self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
        """A random network without an output layer."""
        made = RandomPrograms(request.param).program(head=False)
        return equality.build(tmp_path_factory.mktemp("states"), made, **sizes(request.param))
