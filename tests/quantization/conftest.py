"""A toy corpus and networks on it, trained a little, as floats."""

import pytest
import torch

from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import BlockSizes, Training
from ernn.training import session
from tests import toy


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    return toy.make(tmp_path_factory.mktemp("toy") / "data")


@pytest.fixture(scope="session")
def make(data):
    """A network of some shape with random weights; block size 1 leaves it dense."""

    def build(block_size: int = 4, seed: int = 1, **shape: object) -> AcousticModel:
        model = session.fresh_model(toy.network(**shape), data, Training(seed=seed))
        blocks = BlockSizes(input=block_size, recurrent=block_size, projection=block_size)
        make_circulant(model, (blocks,) * len(model.layers))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(2)
        return model.eval()

    return build
