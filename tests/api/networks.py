"""Networks of torch as a user has them, and data for them."""

from itertools import pairwise

import numpy as np
import torch

import ernn

RANDOM = np.random.default_rng(5)
KINDS = [
    (torch.nn.LSTM, {}),
    (torch.nn.GRU, {}),
    (torch.nn.LSTM, {"proj_size": 4}),
    (torch.nn.LSTM, {"bias": False}),
    (torch.nn.GRU, {"num_layers": 2}),
    (torch.nn.RNN, {}),
]


def data(inputs: int, steps: int = 12, sequences: int = 3) -> np.ndarray:
    return RANDOM.normal(size=(sequences, steps, inputs)).astype(np.float32)


def network(kind=torch.nn.LSTM, inputs=6, cells=8, layers=1, outputs=3, **options) -> ernn.Model:
    torch.manual_seed(3)
    recurrent = kind(inputs, cells, layers, **options)
    return ernn.from_torch(recurrent, torch.nn.Linear(options.get("proj_size", 0) or cells, outputs))


def begun(kind=torch.nn.LSTM, layers=2, **options) -> ernn.Model:
    """A network whose sequences begin with states that are no zeros."""
    torch.manual_seed(4)
    outputs = options.get("proj_size", 0) or 8
    h, c = torch.randn(layers, outputs), 2 * torch.randn(layers, 8)
    recurrent = kind(6, 8, layers, **options)
    initial = (h, c) if kind is torch.nn.LSTM else h
    return ernn.from_torch(recurrent, torch.nn.Linear(outputs, 3), initial=initial)


def narrowing() -> ernn.Model:
    """A GRU with linear layers of fewer and fewer outputs."""
    layers = torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 3)
    return ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Sequential(*layers))


def headed(*functions: torch.nn.Module, last: bool = False) -> ernn.Model:
    """A GRU with a linear layer of 10 before each function, and one of 3 behind all."""
    torch.manual_seed(3)
    layers = [each for number, f in enumerate(functions) for each in (torch.nn.Linear(10 if number else 8, 10), f)]
    return ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Sequential(*layers, torch.nn.Linear(10, 3)), last=last)


def stack(kind=torch.nn.LSTM, inputs=6, sizes=(16, 8), outputs=3) -> ernn.Model:
    torch.manual_seed(3)
    modules = [kind(*pair) for pair in pairwise((inputs, *sizes))]
    return ernn.from_torch(modules, torch.nn.Linear(sizes[-1], outputs))
