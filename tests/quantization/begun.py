"""Networks with initial states that are no zeros."""

from typing import TypeVar

import torch

from ernn.nn.recurrent import RecurrentModel

M = TypeVar("M", bound=RecurrentModel)


def begun(model: M, scale: float = 2.0) -> M:
    """The same network, its layers with random states, beyond what its outputs reach."""
    generator = torch.Generator().manual_seed(1)
    for layer in model.layers:
        sizes = (layer.outputs, *[layer.weight_ih.rows] * (layer.cell == "lstm"))
        layer.begin_with(*(scale * torch.randn(size, generator=generator) for size in sizes))
    return model
