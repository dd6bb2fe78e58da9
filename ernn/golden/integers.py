"""The interpretation of typed values on arrays of 64-bit integers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from ernn.dataflow.formats import Format, signed_bits
from ernn.dataflow.value import Value

Array = np.ndarray
_EXACT_IN_FLOAT64 = 1 << 53
_INT64 = 1 << 63


@dataclass
class Log:
    """What a run notes: values that were saturated, by name, and the named values that a trace asks for."""

    scope: str = ""
    frames: Array | None = None  # mask of the columns that count; None counts all
    saturated: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    trace: dict[str, Array] | None = None
    formats: dict[str, Format] = field(default_factory=dict)  # of what was traced

    def path(self, name: str) -> str:
        """The full name of a value: its layer and its name in the equations."""
        return f"{self.scope}.{name}" if self.scope else name

    def count(self, name: str, outside: Array) -> None:
        """Note which numbers were saturated."""
        path = self.path(name)
        counted = outside if self.frames is None else outside & self.frames
        self.saturated[path] += int(np.count_nonzero(counted))

    def note(self, name: str, integers: Array) -> None:
        """Note how many numbers there were, and the numbers themselves for a trace."""
        path = self.path(name)
        columns = integers.shape[-1] if self.frames is None else int(np.count_nonzero(self.frames))
        self.seen[path] += integers.size // max(integers.shape[-1], 1) * columns
        if self.trace is not None:
            self.trace[path] = integers


class Integers(Value):
    """Arrays of one shape, or shapes that numpy broadcasts; the last axis is the utterances."""

    def __init__(self, array: Array, low: int, high: int, fraction: int, log: Log) -> None:
        if not -_INT64 <= low <= high < _INT64:
            raise ValueError(f"integers of {low}..{high} do not fit in 64 bits; choose narrower formats")
        super().__init__(low, high, fraction)
        self.array, self.log = array, log

    def _new(self, array: Array, low: int, high: int, fraction: int) -> Self:
        return type(self)(array, low, high, fraction, self.log)

    def named(self, name: str) -> Self:
        """The same values, entered in the log under `name`."""
        if name:
            self.log.note(name, self.array)
            if self.log.trace is not None:
                bits = max(signed_bits(self.low, self.high), 2)  # of a value that is always 0, too
                self.log.formats[self.log.path(name)] = Format(bits, self.fraction)
        return self

    def magnitude(self) -> Self:
        """The absolute value."""
        return self._new(np.abs(self.array), 0, max(-self.low, self.high), self.fraction)

    def where_negative(self, sign: Self, otherwise: Self) -> Self:
        """`self` where `sign` is below zero, else `otherwise`."""
        low, high = min(self.low, otherwise.low), max(self.high, otherwise.high)
        return self._new(np.where(sign.array < 0, self.array, otherwise.array), low, high, self.fraction)

    def segment(self, bounds: Sequence[int]) -> Self:
        """How many of the increasing `bounds` are reached."""
        index = np.searchsorted(np.array(bounds, np.int64), self.array, side="right")
        return self._new(index, 0, len(bounds), 0)

    def read(self, words: Sequence[int], fraction: int) -> Self:
        """Entries of a table at these indices."""
        return self._new(np.array(words, np.int64)[self.array], min(words), max(words), fraction)

    def _add(self, other: Self, low: int, high: int) -> Self:
        return self._new(self.array + other.array, low, high, self.fraction)

    def _subtract(self, other: Self, low: int, high: int) -> Self:
        return self._new(self.array - other.array, low, high, self.fraction)

    def _negate(self, low: int, high: int) -> Self:
        return self._new(-self.array, low, high, self.fraction)

    def _multiply(self, other: Self, low: int, high: int, fraction: int) -> Self:
        return self._new(self.array * other.array, low, high, fraction)

    def _times(self, integer: int, low: int, high: int, fraction: int) -> Self:
        return self._new(self.array * integer, low, high, fraction)

    def _plus(self, integer: int, low: int, high: int) -> Self:
        return self._new(self.array + integer, low, high, self.fraction)

    def _shift_left(self, places: int, low: int, high: int, fraction: int) -> Self:
        return self._new(self.array << places, low, high, fraction)

    def _shift_right(self, places: int, low: int, high: int, fraction: int) -> Self:
        return self._new(self.array >> places, low, high, fraction)

    def _saturate(self, low: int, high: int, name: str) -> Self:
        clipped = np.clip(self.array, low, high)
        if name:
            outside = clipped != self.array
            if outside.any():
                self.log.count(name, outside)
        return self._new(clipped, low, high, self.fraction).named(name)

    def _retyped(self, low: int, high: int, fraction: int) -> Self:
        return self._new(self.array, low, high, fraction)


class Weights(Integers):
    """Factors of all weights of a matrix at one place of their blocks, (rows of blocks, columns of blocks) in float64.

    A kernel is linear in its products, so a product with the factors of a vector, (columns, utterances), is read as the
    matrix product: what the kernel makes of it is the sum over the columns of the matrix.
    """

    def __mul__(self, other: Integers) -> Integers:  # type: ignore[override]
        """Sum over the columns, exact: float64 holds every partial sum."""
        corners = [x * y for x in (self.low, self.high) for y in (other.low, other.high)]
        columns = self.array.shape[-1]
        low, high = columns * min(corners), columns * max(corners)
        if max(-low, high) > _EXACT_IN_FLOAT64:
            raise ValueError(
                f"sums of {columns} products reach {max(-low, high)}, beyond 2^53; choose narrower formats"
            )
        product = self.array @ other.array.astype(np.float64)
        return Integers(product.astype(np.int64), low, high, self.fraction + other.fraction, other.log)
