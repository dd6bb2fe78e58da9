"""Weight matrices by structure: dense, block-circulant, block-circulant with some of the blocks, pruned.

A matrix of a recurrent layer stacks `gates` matrices of rows x cols; each gate has blocks of its own. Calling a matrix
gives the stacked dense tensor, differentiable with respect to what is stored, so that one cell kernel serves them all.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ernn.nn import circulant, sparse

# Most of what one step may move a sum over a row of first columns by, in learning rates: cols, sqrt(k) times surer than
# dense weights, times their scale. LSTM 2x512 diverges at 4096 (docs/decisions/0013).
FASTEST_SUM = 2048


class Weight(nn.Module):
    """`gates` stacked matrices of rows x cols; the subclasses say what is stored of them."""

    kind: str

    def __init__(self, gates: int, rows: int, cols: int) -> None:
        super().__init__()
        self.gates, self.rows, self.cols = gates, rows, cols

    def forward(self) -> Float[Tensor, "gates*rows cols"]:
        """The dense tensor."""
        raise TypeError(f"{type(self).__name__} stores nothing; use DenseWeight, CirculantWeight or PrunedWeight")

    @property
    def stored_words(self) -> int:
        """Weights kept in memory by the hardware, padding included."""
        return self.gates * self.rows * self.cols

    def learning_rate_scale(self, parameter: str, columns_exponent: float) -> float:
        """What multiplies the learning rate of a parameter; for first columns k ** `columns_exponent` at most."""
        return 1.0


class DenseWeight(Weight):
    """Every weight of its own."""

    kind = "dense"

    def __init__(self, gates: int, rows: int, cols: int) -> None:
        super().__init__(gates, rows, cols)
        self.weight = nn.Parameter(torch.empty(gates * rows, cols))

    def forward(self) -> Float[Tensor, "gates*rows cols"]:
        """The weights themselves."""
        return self.weight


class CirculantWeight(Weight):
    """First columns of blocks of `block_size`, shape (gates, p, q, k)."""

    kind = "circulant"

    def __init__(self, gates: int, rows: int, cols: int, block_size: int) -> None:
        super().__init__(gates, rows, cols)
        self.block_size = block_size
        p, q = circulant.blocks_of(rows, block_size), circulant.blocks_of(cols, block_size)
        self.columns = nn.Parameter(torch.empty(gates, p, q, block_size))

    @property
    def first_columns(self) -> Float[Tensor, "gates p q k"]:
        """Those of all blocks, as they multiply."""
        return self.columns

    @classmethod
    def nearest(cls, matrix: Weight, block_size: int) -> "CirculantWeight":
        """The projection of `matrix`, gate by gate."""
        result = cls(matrix.gates, matrix.rows, matrix.cols, block_size)
        with torch.no_grad():
            dense = matrix().detach().unflatten(0, (matrix.gates, matrix.rows))
            result.columns = nn.Parameter(circulant.project(dense, block_size))
        return result

    def forward(self) -> Float[Tensor, "gates*rows cols"]:
        """The blocks, expanded."""
        return circulant.expand(self.first_columns, self.rows, self.cols).flatten(0, 1)

    @property
    def stored_words(self) -> int:
        """One word for every entry of the first columns."""
        return self.columns.numel()

    def learning_rate_scale(self, parameter: str, columns_exponent: float) -> float:
        """More than 1 for first columns: their gradient is a sum of k, its noise grows by sqrt(k) only.

        Bounded where many columns move a sum together.
        """
        if parameter != "columns":
            return 1.0
        return float(min(self.block_size**columns_exponent, FASTEST_SUM / (self.cols * self.block_size**0.5)))


class SparseWeight(CirculantWeight):
    """First columns of blocks of which some are kept, `mask`, and the others are zeros.

    With blocks of one element it is a pruned matrix.
    """

    kind = "sparse"
    mask: Tensor

    def __init__(self, gates: int, rows: int, cols: int, block_size: int) -> None:
        super().__init__(gates, rows, cols, block_size)
        self.register_buffer("mask", torch.zeros(self.columns.shape[:3], dtype=torch.bool))

    @classmethod
    def of(
        cls, matrix: CirculantWeight, columns: Float[Tensor, "gates p q k"], mask: Bool[Tensor, "gates p q"]
    ) -> "SparseWeight":
        """Some of these blocks, in the place of `matrix`."""
        result = cls(matrix.gates, matrix.rows, matrix.cols, matrix.block_size)
        result.columns = nn.Parameter(torch.where(mask[..., None], columns, 0.0))
        result.mask = mask.clone()
        return result

    @property
    def first_columns(self) -> Float[Tensor, "gates p q k"]:
        """Those of all blocks: zeros outside the pattern."""
        return self.columns * self.mask[..., None]

    @property
    def stored_words(self) -> int:
        """Words of the blocks that are kept; the index that each of them carries in memory is not counted here."""
        return int(self.mask.sum()) * self.block_size


class RelaxedWeight(CirculantWeight):
    """A dense matrix as a block-circulant one plus an offset, which ADMM drives to zero."""

    kind = "relaxed"

    def __init__(self, gates: int, rows: int, cols: int, block_size: int) -> None:
        super().__init__(gates, rows, cols, block_size)
        self.offset = nn.Parameter(torch.empty(gates * rows, cols))

    @classmethod
    def split(cls, matrix: Weight, block_size: int) -> "RelaxedWeight":
        """`matrix` as its projection and the rest."""
        result = cls(matrix.gates, matrix.rows, matrix.cols, block_size)
        with torch.no_grad():
            result.columns.zero_()
            result.offset.copy_(matrix())
            result.fold()
        return result

    def forward(self) -> Float[Tensor, "gates*rows cols"]:
        """The sum of both parts."""
        offset = self.offset.unflatten(0, (self.gates, self.rows))
        return circulant.expand(self.first_columns, self.rows, self.cols, offset).flatten(0, 1)

    @torch.no_grad()
    def fold(self) -> None:
        """Move the circulant part of the offset to the first columns; the sum stays."""
        part = circulant.project(self.offset.unflatten(0, (self.gates, self.rows)), self.block_size)
        self.columns.add_(part)
        self.offset.sub_(circulant.expand(part, self.rows, self.cols).flatten(0, 1))


class RelaxedSparseWeight(RelaxedWeight):
    """A dense matrix as some circulant blocks plus an offset, which ADMM drives to zero."""

    mask: Tensor

    def __init__(self, gates: int, rows: int, cols: int, block_size: int) -> None:
        super().__init__(gates, rows, cols, block_size)
        self.register_buffer("mask", torch.ones(self.columns.shape[:3], dtype=torch.bool))

    @property
    def first_columns(self) -> Float[Tensor, "gates p q k"]:
        """Those of all blocks: zeros outside the pattern, where the offset has everything."""
        return self.columns * self.mask[..., None]

    @torch.no_grad()
    def keep(self, u: Float[Tensor, "gates*rows cols"], kept: int, together: bool, settled: bool) -> None:
        """Make the blocks the nearest to the sum of the matrix and `u`, and the offset what is left; the sum stays.

        Args:
            kept: blocks of each block row.
            together: the gates keep the same blocks.
            settled: the same blocks as before, if there are as many.
        """
        before = self.first_columns
        whole = (self.offset + u).unflatten(0, (self.gates, self.rows))
        columns = before + circulant.project(whole, self.block_size)
        if not settled or (self.mask.sum(-1) != kept).any():
            self.mask.copy_(sparse.largest(sparse.energies(columns, self.rows, self.cols), kept, together))
        self.columns.copy_(columns * self.mask[..., None])
        self.offset.add_(circulant.expand(before - self.columns, self.rows, self.cols).flatten(0, 1))


class PrunedWeight(Weight):
    """Weights with a fixed pattern of zeros."""

    kind = "pruned"
    mask: Tensor

    def __init__(self, gates: int, rows: int, cols: int) -> None:
        super().__init__(gates, rows, cols)
        self.weight = nn.Parameter(torch.empty(gates * rows, cols))
        self.register_buffer("mask", torch.zeros(gates * rows, cols, dtype=torch.bool))

    @classmethod
    def masked(cls, matrix: Weight, mask: Bool[Tensor, "gates*rows cols"]) -> "PrunedWeight":
        """`matrix` with the weights outside `mask` removed."""
        result = cls(matrix.gates, matrix.rows, matrix.cols)
        result.weight = nn.Parameter(torch.where(mask, matrix().detach(), 0.0))
        result.mask = mask.clone()
        return result

    def forward(self) -> Float[Tensor, "gates*rows cols"]:
        """The weights, zero outside the pattern."""
        return self.weight * self.mask

    @property
    def stored_words(self) -> int:
        """Non-zeros; the index that each of them carries in memory is not counted here."""
        return int(self.mask.sum())
