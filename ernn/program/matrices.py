"""Numbers and matrices of a program."""

from dataclasses import dataclass
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
    def stored_words(self) -> int:
        """Words in the hardware's memory, padding included."""
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
        count = self.values.integers.size
        if self.columns.dtype != np.int64 or self.starts.dtype != np.int64:
            raise ValueError(f"columns and starts are int64, got {self.columns.dtype} and {self.starts.dtype}")
        if self.values.integers.shape != (count,) or self.columns.shape != (count,):
            raise ValueError(f"a pruned matrix has one column for each of its {count} values")
        if min(self.rows, self.cols, self.gates) < 1 or self.starts.shape != (self.gates * self.rows + 1,):
            raise ValueError(f"starts of {self.gates} gates of {self.rows} rows has one entry a row and one more")
        if self.starts[0] != 0 or self.starts[-1] != count or (self.starts[1:] < self.starts[:-1]).any():
            raise ValueError(f"starts must rise from 0 to {count}")
        row = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        rising = (row[1:] > row[:-1]) | (self.columns[1:] > self.columns[:-1])
        if not rising.all() or ((self.columns < 0) | (self.columns >= self.cols)).any():
            raise ValueError(f"columns must rise within a row and lie in 0..{self.cols - 1}")

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


Matrix = Annotated[Circulant | Pruned, BY_KIND]


def shares_sums(a: Matrix, b: Matrix) -> bool:
    """Whether the products of two matrices for the same rows go into the same sums, before one inverse transform."""
    return a.kind == b.kind and a.block_size == b.block_size and a.transform == b.transform


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
