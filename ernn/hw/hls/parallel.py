"""How many blocks the C++ of a layer multiplies in a cycle: the lanes and columns of an accelerator's array."""

from collections.abc import Mapping
from dataclasses import dataclass

from ernn.program.matrices import Circulant, Matrix


@dataclass(frozen=True)
class Parallel:
    """Sizes of an array, as loops are unrolled.

    Args:
        lanes: block rows of gates that are summed at a time; 0: all gates of one block row.
        columns: blocks of each that are multiplied in a cycle.
    """

    lanes: int = 0
    columns: int = 1

    def rows(self, gates: int, block_rows: int) -> int:
        """Block rows at a time, of all gates each."""
        return min(max(1, self.lanes // gates), block_rows)

    def gates(self, gates: int) -> int:
        """Gates at a time: all, or with fewer lanes the most that divide them."""
        if self.lanes == 0 or self.lanes >= gates:
            return gates
        return max(each for each in range(1, self.lanes + 1) if gates % each == 0)

    def over(self, matrix: Matrix) -> "Parallel":
        """What a matrix takes of it: entries and blocks that are kept are read one after the other, row by row."""
        return self if isinstance(matrix, Circulant) else Parallel(1, 1)


@dataclass(frozen=True)
class LayerParallel:
    """The arrays of one layer.

    Args:
        main: of its recurrent products, and of all others that have no array of their own.
        x: of the products with its inputs.
        projection: of its projection.
    """

    main: Parallel = Parallel()
    x: Parallel = Parallel()
    projection: Parallel = Parallel()

    @classmethod
    def of(cls, name: str, arrays: Mapping[str, Parallel]) -> "LayerParallel":
        """Those of layer `name` among all arrays of an accelerator, by the names of their modules."""
        main = arrays.get(name, Parallel())
        return cls(main, arrays.get(f"{name}_x", main), arrays.get(f"{name}_y", main))
