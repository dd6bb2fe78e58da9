"""Time-major batches of sequences of different lengths."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check(x: Float[Tensor, "T B N"], lengths: Int[Tensor, " B"] | None) -> None:
    """Refuse what has no last step.

    Raises:
        ValueError: no steps at all, or a length outside 1 to T.
    """
    steps, batch = x.shape[:2]
    if not steps:
        raise ValueError("x has 0 steps; a sequence needs one at least")
    if lengths is None:
        return
    if len(lengths) != batch:
        raise ValueError(f"lengths has {len(lengths)} entries for {batch} sequences")
    if batch and not 1 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise ValueError(f"lengths must lie in 1 to {steps}, the steps of x; got {lengths.tolist()}")


def last(steps: Float[Tensor, "T B N"], lengths: Int[Tensor, " B"] | None) -> Float[Tensor, "B N"]:
    """Each sequence's own last step in a batch padded on the right; `lengths` None means that none is padded."""
    if lengths is None:
        return steps[-1]
    return steps[lengths - 1, torch.arange(len(lengths), device=steps.device)]
