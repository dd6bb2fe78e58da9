"""Accelerators of matrices with some of their blocks through Verilator, bit for bit the integer model."""

import pytest

from ernn.hw.board import host
from ernn.hw.verilog.network import NetworkHardware
from ernn.simulate.bench import Mismatch
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs, equality
from tests.hw.equality import Built, Equality

DESIGNS = {
    "k=2, projection, several columns, two layers, two streams": (
        {"block_sizes": (-2, -2), "projection": 5, "layers": 2, "peepholes": True},
        {"layers": (4, 2, 0), "streams": 2, "beat": (4, 2)},
    ),
    "blocks shared by the gates, two streams": (
        {"block_sizes": (-2, -2), "alike": True, "peepholes": True, "layers": 2},
        {"layers": (8, 3, 0), "streams": 2},
    ),
    "blocks shared by the gates, a projection of its own": (
        {"block_sizes": (-2, -2), "projection": 5, "alike": True, "transform": "fourier"},
        {"each": [(4, 1, 0), (3, 2, 0), (3, 1, 0)], "transformed": True},
    ),
    "two blocks of cells a cycle, a projection of its own": (
        {"block_sizes": (-2, -2), "projection": 5, "alike": True, "peepholes": True},
        {"each": [(8, 1, 2), (3, 2, 0), (3, 1, 0)], "transformed": True},
    ),
    "two blocks of cells a cycle, two streams": (
        {"block_sizes": (-2, -2), "layers": 2},
        {"layers": (8, 2, 2), "streams": 2},
    ),
    "single weights": ({"block_sizes": (-1, -1)}, {"layers": (8, 3, 0)}),
    "k=8, weights stored transformed": ({"block_sizes": (-8, -8)}, {"layers": (4, 1, 0), "transformed": True}),
    "gru that resets after its product, fourier, a cell a cycle": (
        {"cell": "gru", "block_sizes": (-4, -4), "reset": "after", "inputs": 12, "transform": "fourier"},
        {"layers": (2, 2, 0, 1)},
    ),
    "four blocks of a vector at a time, the last fewer": (
        {"cell": "gru", "block_sizes": (-1, -1), "inputs": 10, "layers": 2},
        {"layers": (4, 2, 4), "beat": (4, 1), "streams": 2},
    ),
    "whole blocks for x and for the projection": (
        {"block_sizes": (4, -2), "projection": 6, "projection_block": 2},
        {"each": [(8, 1, 0), (4, 2, 0), (3, 1, 0), (3, 1, 0)]},
    ),
}


FAST = ("blocks shared by the gates, two streams", "single weights", "whole blocks for x and for the projection")
EACH = [pytest.param(name, marks=[] if name in FAST else [pytest.mark.system]) for name in DESIGNS]


@pytest.fixture(scope="module", params=EACH)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    structure, sizes = DESIGNS[request.param]
    return equality.build(tmp_path_factory.mktemp("sparse"), programs.build(**structure), **sizes)


class TestSparse(Equality):
    """All laws."""

    def test_another_pattern_is_loaded_as_other_weights_are(self, built: Built) -> None:
        program = programs.other_words(built.program)
        given = [
            write
            for number, layer in enumerate(NetworkHardware(program, built.design.architecture).layers)
            for memory, image in enumerate(layer.array.layout.images())
            for write in host.weights(number, memory, image, layer.array.layout.load_bits)
        ]
        vectors = rtl_vectors(program, designs.utterances(program, [5, 3]), built.streams)
        built.bench.run(vectors, writes=given)
        with pytest.raises(Mismatch):
            built.bench.run(vectors)
