"""What differs between kinds of matrices in an array: which blocks its memories hold, and what is stored with each.

A new kind of matrix needs an entry in `_STORES`, and a class here where no other one does for it.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ernn.program.matrices import Circulant, Matrix


class Store(ABC):
    """How an array holds the blocks of matrices of one kind.

    Without an index, step n of every block row multiplies the same blocks of the vector, which go to all lanes. With
    one, a stored block has the number of its block column with its words, and lanes fetch the vector's blocks by
    themselves, from copies of their own.
    """

    indexed: ClassVar[bool]
    fixed: ClassVar[bool] = False  # blocks are those of a pattern, whatever is in them
    ports: ClassVar[int] = 1  # memories that a copy is made of, each for every so manieth block; a power of two

    @abstractmethod
    def stored(self, matrix: Circulant) -> np.ndarray:
        """Which blocks take a place in memory, bool of (gates, block rows, block columns)."""

    @property
    def by_step(self) -> bool:
        """Whether all groups can take a column of the vector before the next one comes."""
        return not self.indexed

    def index_bits(self, columns: int) -> int:
        """Bits of the index of a block, for vectors of so many blocks; 0 without an index."""
        return max(1, (columns - 1).bit_length()) if self.indexed else 0

    def writes(self, columns: int) -> int:
        """Blocks of a vector that are written at a time, at most, in an array of so many columns: copies take few."""
        return self.ports if self.indexed else columns


class Dense(Store):
    """Every block, in the order of the columns."""

    indexed = False

    def stored(self, matrix: Circulant) -> np.ndarray:
        """All."""
        return matrix.kept


class Chosen(Store):
    """Blocks of a pattern, each with its column; a row takes as many steps whatever is loaded into its blocks."""

    indexed = fixed = True
    ports = 4

    def stored(self, matrix: Circulant) -> np.ndarray:
        """Those of the pattern."""
        return matrix.kept


class Sparse(Store):
    """Blocks that are not zero, each with its column, after ESE (arXiv:1612.00694)."""

    indexed = True

    def stored(self, matrix: Circulant) -> np.ndarray:
        """Those with a word that is not zero."""
        return np.asarray(matrix.words.integers.any(axis=3))


DENSE, CHOSEN, SPARSE = Dense(), Chosen(), Sparse()
_STORES: dict[str, Store] = {"circulant": DENSE, "sparse": CHOSEN, "pruned": SPARSE}


def store_of(matrix: Matrix) -> Store:
    """That of the matrix's kind."""
    return _STORES[matrix.kind]
