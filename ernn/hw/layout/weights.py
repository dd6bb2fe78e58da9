"""What the memories of an array hold: the weights of all of its threads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ernn.hw.graph.ranges import Range, stored
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.store import Store

_HALF_PORT = 36  # bits


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
    def store(self) -> Store:
        """Of all threads."""
        return self.threads[0].store

    @cached_property
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

    @property
    def block_bits(self) -> int:
        """Of a block's words."""
        return self.block_words * self.word_bits

    @property
    def shared(self) -> bool:
        """Whether the lanes of all gates of a cell read the same blocks of the vector, by one index."""
        return all(thread.alike for thread in self.threads)

    @property
    def _index(self) -> int:
        """Bits of the number of a block's column; 0 where none is stored."""
        return self.store.index_bits(max(thread.block_columns for thread in self.threads))

    @property
    def index_bits(self) -> int:
        """Bits of the block's column that follow the weights; 0 where none is stored, or lanes share it."""
        return 0 if self.shared else self._index

    @property
    def fetches(self) -> int:
        """Places at which the lanes of all gates share what they read; 0 where each reads for itself."""
        return self.threads[0].rows_in_group if self.shared else 0

    @property
    def fetch_bits(self) -> int:
        """Of the indices of all columns in a step, which lanes share."""
        return self.array.columns * self._index

    @property
    def load_bits(self) -> int:
        """Of a word of the widest memory."""
        return max(self.together * self.column_bits, self.fetch_bits if self.shared else 0)

    @property
    def column_bits(self) -> int:
        """Of a column's weights in a step: the words of a block, and above them its index."""
        return self.block_bits + self.index_bits

    def base(self, thread: Thread) -> int:
        """Address of a thread's first weights."""
        return sum(each.length for each in self.threads[: self.threads.index(thread)])

    @property
    def depth(self) -> int:
        """Words in a memory."""
        return sum(thread.length for thread in self.threads)

    @property
    def together(self) -> int:
        """Columns that share a memory: one, or all where one alone would leave a block RAM half empty."""
        return self.array.columns if self.column_bits <= _HALF_PORT else 1

    @property
    def weight_memories(self) -> int:
        """Memories of weights."""
        return self.array.lanes * self.array.columns // self.together

    @property
    def memories(self) -> int:
        """Memories of weights, lane by lane; behind them those of indices that lanes share."""
        return self.weight_memories + self.fetches

    def images(self) -> list[str]:
        """Every memory, lane by lane: a hexadecimal word a line, the first column in the lowest bits."""
        columns = np.concatenate([self._columns(thread) for thread in self.threads], axis=1)
        bits = [self.word_bits] * self.block_words + [self.index_bits] * self._beside
        weights = [
            image(lane[:, first : first + self.together].reshape(len(lane), -1), bits * self.together, self.load_bits)
            for lane in columns
            for first in range(0, self.array.columns, self.together)
        ]
        return weights + [image(lane, [self._index] * self.array.columns, self.load_bits) for lane in self._fetched()]

    @property
    def _beside(self) -> bool:
        """Whether each block has its index beside its words."""
        return self.store.indexed and not self.shared

    def _fetched(self) -> list[np.ndarray]:
        """Indices that lanes share, (steps, columns): those of the first gate's."""
        if not self.shared:
            return []
        return list(np.concatenate([thread.indices() for thread in self.threads], axis=1)[: self.fetches])

    def _columns(self, thread: Thread) -> np.ndarray:
        """Stored words and, where there is one, the index of each column, (lanes, steps, columns, integers)."""
        words = thread.words()
        words = words @ thread.product.weight_map().T if self.transformed else words
        return np.concatenate([words, thread.indices()[..., None]], axis=-1) if self._beside else words


def image(words: np.ndarray, bits: Sequence[int], least: int = 0) -> str:
    """Memory words of integers, (words, integers), each of its bits, as $readmemh reads them.

    Args:
        least: bits of a word, zeros above the integers.
    """
    digits = -(-max(least, sum(bits)) // 4)
    return "".join(f"{pack(row, bits):0{digits}x}\n" for row in words.tolist())


def pack(integers: Sequence[int], bits: Sequence[int]) -> int:
    """Two's complement integers side by side, each of its bits, the first lowest.

    >>> hex(pack([1, -1], [4, 8]))
    '0xff1'
    """
    result = 0
    for integer, width in zip(reversed(integers), reversed(bits), strict=True):
        result = result << width | (integer & (1 << width) - 1)
    return result
