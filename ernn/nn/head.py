"""Linear layers with a function each, behind the recurrent layers: the hidden ones of a head, and perhaps its last."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ernn.nn.matrices import DenseWeight, Weight
from ernn.params import HeadSpec


class HeadLayer(nn.Module):
    """A linear layer and its function.

    Args:
        inputs: elements of a vector.
        spec: its outputs and function.
    """

    def __init__(self, inputs: int, spec: HeadSpec) -> None:
        super().__init__()
        self.spec = spec
        self.weight: Weight = DenseWeight(1, spec.outputs, inputs)
        self.bias = nn.Parameter(torch.empty(spec.outputs))
        self.reset()

    def reset(self) -> None:
        """torch's initialisation."""
        bound = 1 / math.sqrt(self.weight.cols)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def function(self, a: Tensor) -> Tensor:
        """The function of every element."""
        if self.spec.function == "clip":
            low, high = self.spec.bounds
            return a if low is high is None else a.clamp(low, high)
        return torch.sigmoid(a) if self.spec.function == "sigmoid" else torch.tanh(a)

    def forward(self, x: Float[Tensor, "*steps inputs"]) -> Float[Tensor, "*steps outputs"]:
        """The function of W x + b."""
        return self.function(F.linear(x, self.weight(), self.bias))
