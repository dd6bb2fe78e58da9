"""How a layer's matrices are laid out over an array of processing elements.

An array has `lanes` rows of `columns` processing elements each. A lane works on one block row at a time, with `columns`
blocks of it in a step; a group is the set of block rows that the lanes work on together. When a group is finished, its
sums go to `heads` kernels, one lane after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ernn.dataflow.transforms import multiplications
from ernn.hw.graph.ranges import Product, Range, stored
from ernn.program.matrices import Circulant

_HALF_PORT = 36  # bits


@dataclass(frozen=True)
class Array:
    """Sizes of the array of one layer.

    Args:
        beats: cycles in which a block of cells goes through the kernel behind a head, a share of its elements in each.

    Raises:
        ValueError: lanes that the heads do not divide, or more heads than columns take in a cycle.
    """

    lanes: int
    columns: int
    heads: int
    beats: int = 1

    def __post_init__(self) -> None:
        if min(self.lanes, self.columns, self.heads) < 1:
            raise ValueError(f"lanes, columns and heads are 1 or more, got {self.lanes}, {self.columns}, {self.heads}")
        if self.lanes % self.heads:
            raise ValueError(f"lanes={self.lanes} must be a multiple of {self.heads} heads")

    @property
    def chain(self) -> int:
        """Lanes behind each head."""
        return self.lanes // self.heads


@dataclass(frozen=True)
class Thread:
    """The products of one matrix, or of some of its gates, in the order in which they are done.

    Args:
        sections: gates one after the other, each in groups of `lanes` block rows; or, with `side_by_side`, all gates of
            a matrix together, each in its share of the lanes.
        by_step: all groups with one column before the next, for a vector that comes in slowly.
        base: first of its rows of accumulators.
    """

    name: str
    product: Product
    vector: str
    array: Array
    sections: tuple[int, ...]
    base: int
    side_by_side: bool = False
    by_step: bool = False
    continues: bool = False  # from what another thread has summed
    drains: str = ""  # what happens to finished groups; empty: they stay in the accumulators
    drains_from: int = 0  # the first group that drains

    @property
    def matrix(self) -> Circulant:
        """What it multiplies with."""
        return self.product.matrix

    @property
    def rows(self) -> int:
        """Block rows of one gate."""
        return self.matrix.words.integers.shape[1]

    @property
    def rows_in_group(self) -> int:
        """Block rows of one gate that are done together."""
        return self.array.lanes // len(self.sections) if self.side_by_side else self.array.lanes

    @property
    def groups_in_section(self) -> int:
        """Groups of one gate."""
        return -(-self.rows // self.rows_in_group)

    @property
    def groups(self) -> int:
        """Groups of a frame."""
        return self.groups_in_section * (1 if self.side_by_side else len(self.sections))

    @property
    def block_columns(self) -> int:
        """Blocks of the vector."""
        return self.product.block_columns

    @property
    def steps(self) -> int:
        """Steps of a group."""
        return -(-self.block_columns // self.array.columns)

    @property
    def length(self) -> int:
        """Steps of a frame."""
        return self.groups * self.steps

    @property
    def products(self) -> int:
        """Multiplications of a frame that are necessary: those of real blocks."""
        each = multiplications(self.matrix.block_size, self.matrix.transform)
        return len(self.sections) * self.rows * self.block_columns * each

    def block_row(self, group: int, lane: int) -> tuple[int, int] | None:
        """Gate and block row of a lane in a group; None where there is none."""
        chain, heads = self.array.chain, self.array.heads
        if self.side_by_side:
            gate, place = self.sections[lane // self.rows_in_group], lane % self.rows_in_group
            row = group * self.rows_in_group + place
        else:
            gate = self.sections[group // self.groups_in_section]
            row = group % self.groups_in_section * self.array.lanes + lane % chain * heads + lane // chain
        return (gate, row) if row < self.rows else None

    def words(self) -> np.ndarray:
        """Weights of every lane in the order of the steps, (lanes, groups * steps, columns, k)."""
        width = self.array.columns
        stored = self.matrix.words.integers
        padded = np.zeros((*stored.shape[:2], self.steps * width, stored.shape[3]), np.int64)
        padded[:, :, : stored.shape[2]] = stored
        result = np.zeros((self.array.lanes, self.groups, self.steps, width, stored.shape[3]), np.int64)
        for lane in range(self.array.lanes):
            for group in range(self.groups):
                if (place := self.block_row(group, lane)) is not None:
                    result[lane, group] = padded[place].reshape(self.steps, width, -1)
        if self.by_step:
            result = result.swapaxes(1, 2)
        return result.reshape(self.array.lanes, self.groups * self.steps, width, -1)


@dataclass(frozen=True)
class Layout:
    """All threads of an array, the one that goes first if it can at the beginning.

    Args:
        transformed: memories hold the factors of a block, more words than k, and lanes transform no weights.
    """

    array: Array
    threads: tuple[Thread, ...]
    transformed: bool = False
    accumulators: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "accumulators", max(t.base + t.groups for t in self.threads))

    @property
    def word_bits(self) -> int:
        """Of a stored word."""
        return max(each.bits for each in self._stored)

    @property
    def block_words(self) -> int:
        """Stored words of a block."""
        return len(self._stored)

    @cached_property
    def _stored(self) -> list[Range]:
        return stored([thread.product for thread in self.threads], self.transformed)

    def base(self, thread: Thread) -> int:
        """Address of a thread's first weights."""
        return sum(each.length for each in self.threads[: self.threads.index(thread)])

    @property
    def depth(self) -> int:
        """Words in a memory."""
        return sum(thread.length for thread in self.threads)

    @property
    def column_bits(self) -> int:
        """Of a column's weights in a step."""
        return self.block_words * self.word_bits

    @property
    def together(self) -> int:
        """Columns that share a memory: one, or all where one alone would leave a block RAM half empty."""
        return self.array.columns if self.column_bits <= _HALF_PORT else 1

    @property
    def memories(self) -> int:
        """Memories of weights, lane by lane."""
        return self.array.lanes * self.array.columns // self.together

    def images(self) -> list[str]:
        """Every memory, lane by lane: a hexadecimal word a line, the first weight in the lowest bits."""
        words = np.concatenate([self._words(thread) for thread in self.threads], axis=1)
        parts = range(0, self.array.columns, self.together)
        return [
            image(lane[:, first : first + self.together].reshape(len(lane), -1), self.word_bits)
            for lane in words
            for first in parts
        ]

    def _words(self, thread: Thread) -> np.ndarray:
        words = thread.words()
        return words @ thread.product.weight_map().T if self.transformed else words


def image(words: np.ndarray, bits: int) -> str:
    """Memory words of integers of some bits, (words, integers), as $readmemh reads them."""
    digits = -(-words.shape[1] * bits // 4)
    return "".join(f"{pack(row, bits):0{digits}x}\n" for row in words.tolist())


def pack(integers: Sequence[int], bits: int) -> int:
    """Two's complement integers side by side, the first in the lowest bits.

    >>> hex(pack([1, -1], 4))
    '0xf1'
    """
    mask, result = (1 << bits) - 1, 0
    for integer in reversed(integers):
        result = result << bits | (integer & mask)
    return result
