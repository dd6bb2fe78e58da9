"""LSTM accelerators through Verilator, bit for bit the integer model."""

import pytest

from tests import programs
from tests.hw import equality
from tests.hw.equality import Built, Equality

DESIGNS = {
    "k=4": ({"block_sizes": (4, 4)}, {}),
    "k=8, weights stored transformed": (
        {"block_sizes": (8, 8), "projection": 4, "peepholes": True},
        {"layers": (4, 2, 0), "transformed": True},
    ),
    "k=4, a cell a cycle": ({"block_sizes": (4, 4)}, {"layers": (8, 2, 0, 1)}),
    "fourier, peepholes": (
        {"block_sizes": (8, 8), "transform": "fourier", "peepholes": True},
        {"layers": (4, 1, 0), "output": (1, 2, 0)},
    ),
    "fourier, peepholes, a cell a cycle": (
        {"block_sizes": (8, 8), "transform": "fourier", "peepholes": True},
        {"layers": (4, 1, 0, 1), "output": (1, 2, 0)},
    ),
    "several features and logits a beat": (
        {"block_sizes": (2, 2), "shared": True},
        {"layers": (8, 3, 0), "output": (3, 4, 0), "beat": (4, 2)},
    ),
    "columns that are read long after the first, next frames at once": (
        {"block_sizes": (4, 4), "inputs": 64},
        {"layers": (4, 16, 1), "output": (1, 8, 0), "beat": (16, 1)},
    ),
    "two layers with projection, three streams": (
        {"block_sizes": (2, 2), "projection": 4, "layers": 2, "shared": True},
        {"layers": (4, 2, 0), "streams": 3},
    ),
    "other blocks for x, projection": (
        {"block_sizes": (4, 2), "projection": 4, "peepholes": True},
        {"each": [(8, 1, 0), (4, 2, 0), (3, 1, 0)]},
    ),
    "other blocks for the projection, two streams": (
        {"block_sizes": (4, 4), "projection": 5, "projection_block": 2, "layers": 2},
        {"each": [(4, 2, 0), (2, 2, 0), (4, 1, 0), (4, 4, 4), (2, 2, 0)], "streams": 2},
    ),
    "other blocks for each matrix": (
        {"block_sizes": (4, 1), "projection": 6, "projection_block": 8, "transform": "fourier"},
        {"each": [(4, 1, 0), (4, 4, 0), (1, 1, 0), (3, 1, 0)]},
    ),
    "two blocks of cells a cycle": (
        {"block_sizes": (2, 2), "projection": 4, "peepholes": True},
        {"layers": (8, 2, 2)},
    ),
    "two blocks of cells a cycle, y without a projection, two layers": (
        {"block_sizes": (2, 2), "layers": 2, "transform": "fourier"},
        {"layers": (8, 3, 2), "beat": (4, 2)},
    ),
    "four blocks of cells a cycle, other blocks for x, two streams": (
        {"block_sizes": (4, 1), "projection": 5, "projection_block": 2},
        {"each": [(4, 1, 0), (16, 4, 4), (3, 2, 0), (3, 1, 0)], "streams": 2},
    ),
    "pruned with projection": (
        {"block_sizes": (0, 0), "projection": 5, "peepholes": True},
        {"layers": (4, 2, 0)},
    ),
    "half pruned": (
        {"block_sizes": (0, 2), "projection": 5, "projection_block": 0},
        {"each": [(8, 2, 0), (4, 2, 0), (3, 2, 0), (3, 1, 0)]},
    ),
}


FAST = (
    "k=4",
    "fourier, peepholes",
    "two blocks of cells a cycle",
    "other blocks for x, projection",
    "pruned with projection",
)
EACH = [pytest.param(name, marks=[] if name in FAST else [pytest.mark.system]) for name in DESIGNS]


@pytest.fixture(scope="module", params=EACH)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    structure, sizes = DESIGNS[request.param]
    return equality.build(tmp_path_factory.mktemp("lstm"), programs.build(**structure), **sizes)


class TestLstm(Equality):
    """All laws."""
