"""How pruned matrices are laid out over an array, after ESE (arXiv:1612.00694).

A lane does one row at a time, with `columns` of its values in a step; a group of rows takes as many steps as the one
with most values. A word of weights holds for each value its column behind it.
"""

from dataclasses import dataclass, field

import numpy as np

from ernn.dataflow.transforms import Exact
from ernn.hw.layout.array import Layout, Thread, image
from ernn.program.matrices import Circulant, Numbers, Pruned


def as_dense(matrix: Pruned) -> Circulant:
    """The same matrix with its zeros, whose ranges are those of the pruned one."""
    words = matrix.dense().reshape(matrix.gates, matrix.rows, matrix.cols, 1)
    return Circulant(matrix.rows, matrix.cols, 1, Exact(), Numbers(matrix.values.format, words))


@dataclass(frozen=True)
class SparseThread(Thread):
    """Products of a pruned matrix; zeros take no step."""

    per_group: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        counts = [max(self._entries(group).max(initial=0), 1) for group in range(self.groups)]
        object.__setattr__(self, "per_group", tuple(-(-int(count) // self.array.columns) for count in counts))

    @property
    def length(self) -> int:
        """Steps of a frame."""
        return sum(self.per_group)

    @property
    def steps(self) -> int:
        """Steps of the longest group."""
        return max(self.per_group)

    @property
    def products(self) -> int:
        """Multiplications of a frame that are necessary."""
        return int(np.count_nonzero(self.matrix.words.integers[list(self.sections)]))

    def words(self) -> np.ndarray:
        """Weights of every lane and their columns, (lanes, length, columns, 2)."""
        width = self.array.columns
        result = np.zeros((self.array.lanes, self.length * width, 2), np.int64)
        for lane in range(self.array.lanes):
            start = 0
            for group, steps in enumerate(self.per_group):
                if (place := self.block_row(group, lane)) is not None:
                    row = self.matrix.words.integers[place].reshape(-1)
                    found = np.flatnonzero(row)
                    result[lane, start : start + len(found)] = np.stack([row[found], found], axis=1)
                start += steps * width
        return result.reshape(self.array.lanes, self.length, width, 2)

    def _entries(self, group: int) -> np.ndarray:
        places = [self.block_row(group, lane) for lane in range(self.array.lanes)]
        return np.array([np.count_nonzero(self.matrix.words.integers[place]) for place in places if place is not None])


@dataclass(frozen=True)
class SparseLayout(Layout):
    """All threads of an array for pruned matrices."""

    @property
    def index_bits(self) -> int:
        """Of a column."""
        return max(1, max(thread.block_columns - 1 for thread in self.threads).bit_length())

    @property
    def column_bits(self) -> int:
        """Of a value and its column."""
        return self.word_bits + self.index_bits

    def images(self) -> list[str]:
        """Every memory, lane by lane: value and column side by side, the value in the lowest bits."""
        words = np.concatenate([thread.words() for thread in self.threads], axis=1)
        bits, mask = self.word_bits, (1 << self.word_bits) - 1
        packed = (words[..., 0] & mask) | words[..., 1] << bits
        parts = range(0, self.array.columns, self.together)
        return [
            image(lane[:, first : first + self.together], bits + self.index_bits) for lane in packed for first in parts
        ]
