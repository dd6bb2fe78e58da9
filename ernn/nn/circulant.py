"""Block-circulant matrices: project, expand, multiply.

The convention, here and everywhere below: a block is held by its first column `c`, so that

    W[r, s] = c[(r - s) mod k]    and    W x = IFFT(FFT(c) * FFT(x)).

A side that `block_size` does not divide is padded to the next multiple (the paper pads 153 to 160): padded inputs are
zero and padded outputs are dropped, so the entries of the padding are free and take no part in the projection.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def blocks_of(size: int, block_size: int) -> int:
    """Blocks that cover `size` elements, the last one padded where `block_size` does not divide `size`."""
    return math.ceil(size / block_size)


def stored_words(rows: int, cols: int, block_size: int) -> int:
    """Words that hold a block-circulant rows x cols matrix: k a block; k = 1 is a dense matrix."""
    return blocks_of(rows, block_size) * blocks_of(cols, block_size) * block_size


def project(weight: Float[Tensor, "*batch rows cols"], block_size: int) -> Float[Tensor, "*batch p q k"]:
    """Nearest block-circulant matrix to `weight` in the Frobenius norm.

    Every entry is the mean of one wrapped diagonal of its block,

        c[i, j, d] = mean over n of weight[i*k + (n + d) % k, j*k + n],

    which is the Z-update of block-circulant ADMM (E-RNN, arXiv:1812.07106). Where a block reaches into the padding the
    mean runs over the entries that exist; a diagonal without any is zero.

    Args:
        weight: dense matrices, (..., rows, cols).
        block_size: k, in elements.

    Returns:
        First columns of the blocks, (..., ceil(rows/k), ceil(cols/k), k), in the dtype of `weight`.

    Raises:
        ValueError: `block_size` is below 1.
    """
    if block_size < 1:
        raise ValueError(f"block_size={block_size} must be at least 1")
    rows, cols = weight.shape[-2:]
    total = diagonal_sums(weight, block_size)
    if rows % block_size == 0 and cols % block_size == 0:
        return total / block_size
    count = diagonal_sums(torch.ones(rows, cols, dtype=weight.dtype, device=weight.device), block_size)
    return total / count.clamp(min=1)


def expand(
    first_columns: Float[Tensor, "*batch p q k"],
    rows: int,
    cols: int,
    offset: Float[Tensor, "*batch rows cols"] | None = None,
) -> Float[Tensor, "*batch rows cols"]:
    """Dense matrices of the blocks with these first columns, plus `offset`, the padding cut off; differentiable.

    Raises:
        ValueError: (p, q, k) does not cover rows x cols.
    """
    p, q, k = first_columns.shape[-3:]
    if (p, q) != (blocks_of(rows, k), blocks_of(cols, k)):
        raise ValueError(
            f"{p}x{q} blocks of {k} do not cover a {rows}x{cols} matrix: "
            f"{blocks_of(rows, k)}x{blocks_of(cols, k)} blocks do"
        )
    return _Expand.apply(first_columns, rows, cols, offset)


def multiply(
    first_columns: Float[Tensor, "p q k"], x: Float[Tensor, "*batch cols"], rows: int
) -> Float[Tensor, "*batch rows"]:
    """Block-circulant matrix times vectors by q forward and p inverse transforms (C-LSTM, arXiv:1803.06305).

    Args:
        first_columns: first columns of the blocks.
        x: vectors of at most q*k elements, zero-padded to q*k here.
        rows: elements of the product, at most p*k.

    Raises:
        ValueError: the vectors or `rows` are longer than the blocks reach.
    """
    p, q, k = first_columns.shape
    if x.shape[-1] > q * k or rows > p * k:
        raise ValueError(f"{p}x{q} blocks of {k} cannot map {x.shape[-1]} elements to {rows}")
    blocks = F.pad(x, (0, q * k - x.shape[-1])).unflatten(-1, (q, k))
    spectrum = torch.einsum("pqf,...qf->...pf", torch.fft.rfft(first_columns), torch.fft.rfft(blocks))
    return torch.fft.irfft(spectrum, n=k).flatten(-2)[..., :rows]


def diagonal_sums(weight: Float[Tensor, "*batch rows cols"], block_size: int) -> Float[Tensor, "*batch p q k"]:
    """Sum of every wrapped diagonal of every block: `block_size` times `project` where nothing is padded."""
    k = block_size
    rows, cols = weight.shape[-2:]
    p, q = blocks_of(rows, k), blocks_of(cols, k)
    if (p * k, q * k) != (rows, cols):
        weight = F.pad(weight, (0, q * k - cols, 0, p * k - rows))
    blocks = weight.unflatten(-1, (q, k)).unflatten(-3, (p, k))  # (..., p, r, q, s)
    unrolled = weight.new_zeros(*weight.shape[:-2], p, q, 2 * k)  # entry j: the sum where s - r = j - (k - 1)
    for r in range(k):
        unrolled[..., k - 1 - r : 2 * k - 1 - r] += blocks[..., r, :, :]
    return (unrolled[..., :k] + unrolled[..., k:]).flip(-1)


class _Expand(torch.autograd.Function):
    """`expand`, and its gradient, row by row of all blocks at once: a gather goes element by element."""

    @staticmethod
    def forward(ctx: Any, first_columns: Tensor, rows: int, cols: int, offset: Tensor | None) -> Tensor:
        p, q, k = first_columns.shape[-3:]
        ctx.block_size, ctx.has_offset = k, offset is not None
        dense = first_columns.new_empty(*first_columns.shape[:-3], p * k, q * k)
        blocks = dense.unflatten(-1, (q, k)).unflatten(-3, (p, k))  # (..., p, r, q, s)
        unrolled = first_columns.flip(-1).repeat(*[1] * (first_columns.ndim - 1), 2)  # entry j: c[(-1 - j) mod k]
        for r in range(k):
            blocks[..., r, :, :] = unrolled[..., k - 1 - r : 2 * k - 1 - r]
        inside = dense[..., :rows, :cols]
        return inside.contiguous() if offset is None else inside + offset

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, Tensor | None]:
        return diagonal_sums(gradients[0], ctx.block_size), None, None, gradients[0] if ctx.has_offset else None
