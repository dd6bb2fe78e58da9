"""One torch thread and one hypothesis profile for the whole suite."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # OpenMP spins on a busy machine

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("ernn", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("ernn")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
