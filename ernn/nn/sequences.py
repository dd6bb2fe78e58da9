"""Time-major batches of sequences of different lengths."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def last(steps: Float[Tensor, "T B N"], lengths: Int[Tensor, " B"] | None) -> Float[Tensor, "B N"]:
    """Each sequence's own last step in a batch padded on the right; `lengths` None means that none is padded."""
    if lengths is None:
        return steps[-1]
    return steps[lengths - 1, torch.arange(len(lengths), device=steps.device)]
