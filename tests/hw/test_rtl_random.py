"""Accelerators of random programs and sizes through Verilator, bit for bit the integer model."""

import contextlib

import numpy as np
import pytest

from ernn.errors import UserError
from ernn.hw.layer_parts import is_pruned
from ernn.program import Program
from tests.golden.programs import Maker
from tests.hw import equality
from tests.hw.equality import Built, Equality


def program(seed: int) -> Program | None:
    """Of a seed; None for one that is refused: a layer half pruned, or a projection with other blocks than y."""
    made = Maker(seed).program()
    with contextlib.suppress(UserError):
        return made if {is_pruned(layer) for layer in made.layers} else None
    return None


def sizes(seed: int) -> dict[str, object]:
    """Arrays and streams."""
    random = np.random.default_rng(seed)
    layers, output = ((int(2 ** random.integers(low, 4)), int(random.integers(1, 4)), 0) for low in (2, 0))
    return {"layers": layers, "output": output, "streams": int(random.integers(1, 4))}


FAST = (7, 10, 19)
SEEDS = [seed if seed in FAST else pytest.param(seed, marks=pytest.mark.slow) for seed in range(60) if program(seed)]


@pytest.fixture(scope="module", params=SEEDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = program(request.param)
    assert made is not None
    return equality.build(tmp_path_factory.mktemp("random"), made, **sizes(request.param))


class TestRandom(Equality):
    """All laws."""
