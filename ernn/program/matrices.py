"""Numbers and matrices of a program."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ernn.dataflow.formats import LARGEST_BITS, Format
from ernn.dataflow.transforms import Exact, Fourier, Transform
from ernn.devices.limits import BLOCK_SIZES

CONFIG: dict[str, object] = {"extra": "forbid", "arbitrary_types_allowed": True}
BY_KIND = Field(discriminator="kind")


@dataclass(frozen=True, eq=False)
class Numbers:
    """Integers of one format, as int64.

    Raises:
        ValueError: one that the format does not hold.
    """

    format: Format
    integers: np.ndarray

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        if self.integers.dtype != np.int64:
            raise ValueError(f"numbers are int64, got {self.integers.dtype}")
        once = self.integers[tuple(slice(None if step else 1) for step in self.integers.strides)]  # of a broadcast
        low, high = int(once.min(initial=0)), int(once.max(initial=0))
        if low < self.format.low or high > self.format.high:
            raise ValueError(f"integers of {low}..{high} do not fit in {self.format.bits} bits")

    @property
    def values(self) -> np.ndarray:
        """Values of the integers, float64."""
        return self.integers * self.format.resolution


@dataclass(frozen=True, eq=False)
class Circulant:
    """`gates` stacked matrices of rows x cols in blocks of k x k; k = 1 is a dense matrix.

    Words are (gates, ceil(rows / k), ceil(cols / k), k): first columns for `Exact`, packed spectra for `Fourier`.

    Raises:
        ValueError: a block size or shapes that do not fit each other.
    """

    rows: int
    cols: int
    block_size: int
    transform: Annotated[Transform, BY_KIND]
    words: Numbers
    kind: Literal["circulant"] = "circulant"

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        k = self.block_size
        if k not in BLOCK_SIZES:
            raise ValueError(f"block_size={k} must be one of {', '.join(map(str, BLOCK_SIZES))}")
        wanted = (-(-self.rows // k), -(-self.cols // k), k)
        if self.words.integers.ndim != 4 or self.words.integers.shape[1:] != wanted or min(self.rows, self.cols) < 1:
            raise ValueError(
                f"words of a {self.rows}x{self.cols} matrix in blocks of {k} have shape (gates, "
                f"{', '.join(map(str, wanted))}), got {self.words.integers.shape}"
            )
        if isinstance(self.transform, Fourier):
            _check_fourier(self.transform, k)

    @property
    def gates(self) -> int:
        """Number of stacked matrices."""
        return self.words.integers.shape[0]

    def filled(self) -> "Circulant":
        """The matrix with every block: itself."""
        return self

    @property
    def kept(self) -> np.ndarray:
        """Which blocks are stored, bool of (gates, block rows, block columns)."""
        return np.ones(self.words.integers.shape[:3], bool)

    @property
    def shared(self) -> bool:
        """Whether all gates store the same blocks."""
        return bool((self.kept == self.kept[:1]).all())

    @property
    def longest_row(self) -> int:
        """Stored blocks of the block row with most."""
        return self.words.integers.shape[2]

    @property
    def stored_words(self) -> int:
        """Words in the hardware's memory, padding included."""
        return self.words.integers.size


@dataclass(frozen=True, eq=False)
class _Filled(Circulant):
    """Blocks of a `Sparse` matrix, and zeros where it has none."""

    stored: np.ndarray = field(kw_only=True)

    @property
    def kept(self) -> np.ndarray:
        """Which blocks are stored."""
        return self.stored

    @property
    def longest_row(self) -> int:
        """Stored blocks of the block row with most, one at least."""
        return max(1, int(self.stored.sum(axis=2).max()))


@dataclass(frozen=True, eq=False)
class Sparse:
    """`gates` stacked matrices of rows x cols, of whose blocks of k x k only some are stored, as compressed rows.

    Block row r of gate g holds the blocks `words[starts[n]:starts[n + 1]]` at the block columns `columns[...]`,
    n = g * block rows + r. Words are (count, k), as in `Circulant`. A block may be stored and hold zeros.

    Raises:
        ValueError: pointers, columns or words that describe no matrix.
    """

    rows: int
    cols: int
    gates: int
    block_size: int
    transform: Annotated[Transform, BY_KIND]
    words: Numbers
    columns: np.ndarray
    starts: np.ndarray
    kind: Literal["sparse"] = "sparse"

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        k = self.block_size
        if k not in BLOCK_SIZES:
            raise ValueError(f"block_size={k} must be one of {', '.join(map(str, BLOCK_SIZES))}")
        if self.words.integers.ndim != 2 or self.words.integers.shape[1] != k:
            raise ValueError(f"words of blocks of {k} have shape (count, {k}), got {self.words.integers.shape}")
        sizes = -(-self.rows // k), -(-self.cols // k)
        _check_places(len(self.words.integers), self.columns, self.starts, self.gates, *sizes, _OF_BLOCKS)
        if isinstance(self.transform, Fourier):
            _check_fourier(self.transform, k)

    def filled(self) -> Circulant:
        """The matrix with every block: zeros where none is stored."""
        k = self.block_size
        shape = self.gates, -(-self.rows // k), -(-self.cols // k)
        kept, words = np.zeros(shape, bool), np.zeros((*shape, k), np.int64)
        lines, flat = kept.reshape(-1, shape[2]), words.reshape(-1, shape[2], k)
        line = np.repeat(np.arange(len(lines)), np.diff(self.starts))
        lines[line, self.columns], flat[line, self.columns] = True, self.words.integers
        numbers = Numbers(self.words.format, words)
        return _Filled(self.rows, self.cols, k, self.transform, numbers, stored=kept)

    @property
    def longest_row(self) -> int:
        """Blocks of the block row with most, one at least."""
        return max(1, int(np.diff(self.starts).max()))

    @property
    def shared(self) -> bool:
        """Whether all gates have the same blocks; False for a single one."""
        counts, each = np.diff(self.starts).reshape(self.gates, -1), len(self.columns) // self.gates
        if self.gates == 1 or (counts != counts[:1]).any():
            return False
        return bool((self.columns.reshape(self.gates, each) == self.columns[:each]).all())

    @property
    def stored_words(self) -> int:
        """Words in the hardware's memory; each block is stored with its index."""
        return self.words.integers.size


@dataclass(frozen=True, eq=False)
class Pruned:
    """`gates` stacked sparse matrices of rows x cols, as compressed rows.

    Row r of gate g holds `values[starts[n]:starts[n + 1]]` at `columns[...]`, n = g * rows + r.

    Raises:
        ValueError: pointers or columns that describe no matrix.
    """

    rows: int
    cols: int
    gates: int
    values: Numbers
    columns: np.ndarray
    starts: np.ndarray
    kind: Literal["pruned"] = "pruned"

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        if self.values.integers.ndim != 1:
            raise ValueError(f"a pruned matrix has one column for each of its {self.values.integers.size} values")
        count = self.values.integers.size
        _check_places(count, self.columns, self.starts, self.gates, self.rows, self.cols, _OF_VALUES)

    @property
    def block_size(self) -> int:
        """1: each entry is a block by itself."""
        return 1

    @property
    def transform(self) -> Exact:
        """Of such a block."""
        return Exact()

    def filled(self) -> Circulant:
        """The matrix with every block: its zeros too."""
        words = self.dense().reshape(self.gates, self.rows, self.cols, 1)
        return Circulant(self.rows, self.cols, 1, Exact(), Numbers(self.values.format, words))

    def dense(self) -> np.ndarray:
        """The integers of all entries, (gates * rows, cols)."""
        result = np.zeros((self.gates * self.rows, self.cols), np.int64)
        result[np.repeat(np.arange(len(result)), np.diff(self.starts)), self.columns] = self.values.integers
        return result

    @property
    def stored_words(self) -> int:
        """Values in the hardware's memory; each is stored with its column index."""
        return self.values.integers.size


Matrix = Annotated[Circulant | Sparse | Pruned, BY_KIND]


def shares_sums(a: Matrix, b: Matrix) -> bool:
    """Whether the products of two matrices for the same rows go into the same sums, before one inverse transform."""
    return a.kind == b.kind and a.block_size == b.block_size and a.transform == b.transform


_OF_VALUES = ("a pruned matrix", "values", "rows")
_OF_BLOCKS = ("a sparse matrix", "blocks", "block rows")


def _check_places(
    count: int,
    columns: np.ndarray,
    starts: np.ndarray,
    gates: int,
    rows: int,
    cols: int,
    names: tuple[str, str, str],
) -> None:
    """Refuse columns and starts that are no compressed rows of `count` things.

    Args:
        names: of a matrix, of the things, and of their rows.
    """
    matrix, things, lines = names
    if columns.dtype != np.int64 or starts.dtype != np.int64:
        raise ValueError(f"columns and starts are int64, got {columns.dtype} and {starts.dtype}")
    if columns.shape != (count,):
        raise ValueError(f"{matrix} has one column for each of its {count} {things}")
    if min(rows, cols, gates) < 1 or starts.shape != (gates * rows + 1,):
        raise ValueError(f"starts of {gates} gates of {rows} {lines} has one entry a row and one more")
    if starts[0] != 0 or starts[-1] != count or (starts[1:] < starts[:-1]).any():
        raise ValueError(f"starts must rise from 0 to {count}")
    row = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    rising = (row[1:] > row[:-1]) | (columns[1:] > columns[:-1])
    if not rising.all() or ((columns < 0) | (columns >= cols)).any():
        raise ValueError(f"columns must rise within a row and lie in 0..{cols - 1}")


def _check_fourier(transform: Fourier, block_size: int) -> None:
    stages, turns = block_size.bit_length() - 1, max(block_size // 4 - 1, 0)
    parts = (transform.forward_shifts, transform.inverse_shifts, transform.twiddles)
    if (lengths := tuple(map(len, parts))) != (stages, stages, turns):
        raise ValueError(
            f"a transform of {block_size} has {stages} shifts forward, {stages} back and {turns} twiddle factors, "
            f"got {lengths}"
        )
    shifts = (*transform.forward_shifts, *transform.inverse_shifts)
    if not all(0 <= shift <= LARGEST_BITS for shift in shifts):
        raise ValueError(f"shifts of a transform's stages lie in 0..{LARGEST_BITS}, got {list(shifts)}")
    if not 0 <= transform.twiddle_fraction <= LARGEST_BITS:
        raise ValueError(f"twiddle_fraction lies in 0..{LARGEST_BITS}, got {transform.twiddle_fraction}")
    if any(abs(twiddle) > 1 << transform.twiddle_fraction for twiddle in transform.twiddles):
        raise ValueError(f"twiddles are cosines times 2^{transform.twiddle_fraction}, got {list(transform.twiddles)}")
