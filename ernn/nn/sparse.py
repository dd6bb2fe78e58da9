"""Block-circulant matrices of which only some blocks are kept, equally many in each block row.

The nearest such matrix in the Frobenius norm has the blocks of the nearest block-circulant one: what a block is
replaced by does not depend on the others, so the error grows by the norm of every block that is left out, and the
largest are kept.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ernn.nn import circulant


def energies(first_columns: Float[Tensor, "*batch p q k"], rows: int, cols: int) -> Float[Tensor, "*batch p q"]:
    """Squared Frobenius norms of the blocks of rows x cols matrices, without what lies in the padding."""
    k = first_columns.shape[-1]
    count = circulant.diagonal_sums(torch.ones(rows, cols, dtype=first_columns.dtype, device=first_columns.device), k)
    return (first_columns.square() * count).sum(-1)


def largest(energy: Float[Tensor, "gates p q"], kept: int, together: bool = False) -> Bool[Tensor, "gates p q"]:
    """Where the blocks of largest norm are, `kept` in each block row.

    Args:
        energy: squared norms of the blocks.
        kept: blocks of a row, at most all.
        together: all gates keep the same blocks, those with the largest sum over the gates.
    """
    chosen = energy.sum(0, keepdim=True).expand_as(energy) if together else energy
    mask = torch.zeros_like(energy, dtype=torch.bool)
    return mask.scatter_(-1, chosen.topk(kept, dim=-1).indices, True)


def project(
    weight: Float[Tensor, "gates rows cols"], block_size: int, kept: int, together: bool = False
) -> tuple[Float[Tensor, "gates p q k"], Bool[Tensor, "gates p q"]]:
    """Nearest matrices to `weight` with `kept` circulant blocks in each block row: first columns, zeros where none is
    kept, and which are kept.

    Args:
        weight: dense matrices of all gates.
        block_size: k, in elements.
        kept: blocks of a block row.
        together: the gates keep the same blocks.
    """
    columns = circulant.project(weight, block_size)
    mask = largest(energies(columns, *weight.shape[-2:]), kept, together)
    return columns * mask[..., None], mask
