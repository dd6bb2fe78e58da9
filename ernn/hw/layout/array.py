"""How a layer's matrices are laid out over an array of processing elements.

An array has `lanes` rows of `columns` processing elements each. A lane works on one block row at a time, with `columns`
blocks of it in a step; a group is the set of block rows that the lanes work on together. When a group is finished, its
sums go to `heads` kernels, one lane after the other.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ernn.dataflow.transforms import multiplications
from ernn.hw.graph.ranges import Product
from ernn.hw.layout.store import Store
from ernn.program.matrices import Circulant


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
        store: of the array, the same for all of its threads.
        sections: gates one after the other, each in groups of `lanes` block rows; or, with `side_by_side`, all gates of
            a matrix together, each in its share of the lanes.
        by_step: all groups with one column before the next, for a vector that comes in slowly.
        base: first of its rows of accumulators.
        in_place: its vector is made anew only when all of its products are done: it has one page, not two.
    """

    name: str
    product: Product
    vector: str
    array: Array
    store: Store
    sections: tuple[int, ...]
    base: int
    side_by_side: bool = False
    by_step: bool = False
    continues: bool = False  # from what another thread has summed
    drains: str = ""  # what happens to finished groups; empty: they stay in the accumulators
    drains_from: int = 0  # the first group that drains
    in_place: bool = False

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

    @cached_property
    def steps_of_groups(self) -> tuple[int, ...]:
        """Steps of each group: as many as the block row with most stored blocks takes, one at least."""
        if not self.store.indexed:
            return (-(-self.block_columns // self.array.columns),) * self.groups
        counts = self.store.stored(self.matrix).sum(axis=2)
        rows = [[self.block_row(group, lane) for lane in range(self.array.lanes)] for group in range(self.groups)]
        most = [max(1, *(int(counts[row]) for row in group if row is not None)) for group in rows]
        return tuple(-(-count // self.array.columns) for count in most)

    @property
    def steps(self) -> int:
        """Steps of the longest group."""
        return max(self.steps_of_groups)

    @property
    def length(self) -> int:
        """Steps of a frame."""
        return sum(self.steps_of_groups)

    @property
    def products(self) -> int:
        """Multiplications of a frame that are necessary: those of stored blocks."""
        each = multiplications(self.matrix.block_size, self.matrix.transform)
        if not self.store.indexed:
            return len(self.sections) * self.rows * self.block_columns * each
        return int(self.store.stored(self.matrix)[list(self.sections)].sum()) * each

    @cached_property
    def alike(self) -> bool:
        """Whether gates that are side by side multiply the same blocks of the vector in every step."""
        if not (self.side_by_side and self.store.fixed and len(self.sections) > 1):
            return False
        return self.matrix.shared

    def block_row(self, group: int, lane: int) -> tuple[int, int] | None:
        """Gate and block row of a lane in a group; None where there is none."""
        chain, heads = self.array.chain, self.array.heads
        if self.side_by_side:
            gate, place = self.sections[lane // self.rows_in_group], lane % self.rows_in_group
            heads = heads // len(self.sections)  # of a gate: several hand on blocks that follow each other
            row = group * self.rows_in_group + place % chain * heads + place // chain
        else:
            gate = self.sections[group // self.groups_in_section]
            row = group % self.groups_in_section * self.array.lanes + lane % chain * heads + lane // chain
        return (gate, row) if row < self.rows else None

    def blocks(self) -> np.ndarray:
        """The block of every lane and column in the order of the steps, (lanes, length, columns).

        It is the number of a block among all of the matrix, gate by gate and row by row; -1 where there is none.
        """
        array, stored = self.array, self.store.stored(self.matrix)
        result: np.ndarray = np.full((array.lanes, self.length * array.columns), -1)
        start = 0
        for group, steps in enumerate(self.steps_of_groups):
            for lane in range(array.lanes):
                if (place := self.block_row(group, lane)) is not None:
                    gate, row = place
                    found = np.flatnonzero(stored[place])
                    result[lane, start : start + len(found)] = (gate * self.rows + row) * self.block_columns + found
            start += steps * array.columns
        order = np.arange(self.length)
        if self.by_step:
            order = order.reshape(self.groups, self.steps).T.ravel()
        return result.reshape(array.lanes, self.length, array.columns)[:, order]

    def words(self) -> np.ndarray:
        """Words of those blocks, (lanes, length, columns, k); zeros where there is none."""
        k = self.matrix.block_size
        return np.concatenate([self.matrix.words.integers.reshape(-1, k), np.zeros((1, k), np.int64)])[self.blocks()]

    def indices(self) -> np.ndarray:
        """Block columns of those blocks, (lanes, length, columns); 0 where there is none."""
        blocks = self.blocks()
        return np.where(blocks < 0, 0, blocks % self.block_columns)
