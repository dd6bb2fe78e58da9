"""Time-major batches of sequences of different lengths, and the shapes that the cells' kernels count on."""

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


def check_shapes(**tensors: tuple[Tensor | None, tuple[int, ...]]) -> None:
    """Refuse tensors of other shapes than the given ones; None is a tensor that is not there.

    torch's fused kernels do not look: with a narrower x or state they read and write beyond the end of their tensors.

    Raises:
        ValueError: the first tensor of another shape, by name.
    """
    for name, (tensor, shape) in tensors.items():
        if tensor is not None and tensor.shape != shape:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, the other tensors of the cell call for {shape}")


def last(steps: Float[Tensor, "T B N"], lengths: Int[Tensor, " B"] | None) -> Float[Tensor, "B N"]:
    """Each sequence's own last step in a batch padded on the right; `lengths` None means that none is padded."""
    if lengths is None:
        return steps[-1]
    return steps[lengths - 1, torch.arange(len(lengths), device=steps.device)]
