"""GRU accelerators through Verilator, bit for bit the integer model."""

import pytest

from tests import programs
from tests.hw import equality
from tests.hw.equality import Built, Equality

DESIGNS = {
    "two layers, two streams": (
        {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
        {"layers": (2, 1, 0), "streams": 2},
    ),
    "reset after": ({"cell": "gru", "block_sizes": (4, 4), "reset": "after"}, {"layers": (2, 2, 0)}),
    "other blocks for x": ({"cell": "gru", "block_sizes": (1, 2)}, {"layers": (4, 2, 2), "output": (4, 2, 2)}),
}


@pytest.fixture(scope="module", params=DESIGNS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    structure, sizes = DESIGNS[request.param]
    return equality.build(tmp_path_factory.mktemp("gru"), programs.build(**structure), **sizes)


class TestGru(Equality):
    """All laws."""
