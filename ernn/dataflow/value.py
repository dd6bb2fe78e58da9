"""Typed fixed-point values: what the kernels are written on.

A value is integer * 2^-fraction and knows the range low..high of its integer, so every width is derived and
nothing overflows unseen. What the integer is depends on the interpretation: arrays of numbers in the integer model,
wires in the hardware generator. An interpretation implements the methods with a leading underscore, on operands that
are already aligned; all rules (alignment, ranges, rounding half up, saturation) stand here.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from ernn.dataflow.formats import Format, signed_bits


@dataclass(frozen=True)
class Constant:
    """An integer that the hardware holds, standing for integer * 2^-fraction."""

    integer: int
    fraction: int


class Number(Protocol):
    """What the kernels of cells need of a number: fixed-point values have it, and so have the floats of training."""

    def __add__(self, other: Self, /) -> Self: ...

    def __sub__(self, other: Self, /) -> Self: ...

    def __mul__(self, other: Self, /) -> Self: ...

    def requantize(self, format: Format, name: str = "", counted: bool = True) -> Self:
        """The nearest value of a format."""


class Value(ABC):
    """A fixed-point number of known range; see the module."""

    def __init__(self, low: int, high: int, fraction: int) -> None:
        self.low, self.high, self.fraction = low, high, fraction

    @property
    def bits(self) -> int:
        """Bits of the narrowest signed integer that holds the range."""
        return signed_bits(self.low, self.high)

    def __add__(self, other: Self) -> Self:
        """The exact sum."""
        a, b = self._aligned(other)
        return a._add(b, a.low + b.low, a.high + b.high)

    def __sub__(self, other: Self) -> Self:
        """The exact difference."""
        a, b = self._aligned(other)
        return a._subtract(b, a.low - b.high, a.high - b.low)

    def __neg__(self) -> Self:
        """The negative, whose range is the mirrored one."""
        return self._negate(-self.high, -self.low)

    def __mul__(self, other: Self) -> Self:
        """The exact product."""
        return self._multiply(other, *_product_range(self, other), self.fraction + other.fraction)

    def times(self, constant: Constant) -> Self:
        """The exact product with a constant."""
        ends = (constant.integer * self.low, constant.integer * self.high)
        return self._times(constant.integer, min(ends), max(ends), self.fraction + constant.fraction)

    def plus(self, constant: Constant) -> Self:
        """The exact sum with a constant whose fraction is at most that of the value."""
        integer = constant.integer << (self.fraction - constant.fraction)
        return self._plus(integer, self.low + integer, self.high + integer)

    def scaled(self, exponent: int) -> Self:
        """The value times 2^exponent; the integer stays as it is, so it costs nothing."""
        return self._retyped(self.low, self.high, self.fraction - exponent)

    def halved(self) -> Self:
        """Half of a value whose integer the kernel knows to be even."""
        return self._shift_right(1, self.low >> 1, self.high >> 1, self.fraction)

    def to_fraction(self, fraction: int) -> Self:
        """The nearest value with this fraction, halves upwards: floor(x + 1/2); exact where no bits are dropped."""
        drop = self.fraction - fraction
        if drop == 0:
            return self
        if drop < 0:
            return self._shift_left(-drop, self.low << -drop, self.high << -drop, fraction)
        half = 1 << (drop - 1)
        return self._plus(half, self.low + half, self.high + half).floor(fraction)

    def floor(self, fraction: int) -> Self:
        """The largest value with this fraction that is not above; it has no more bits behind the point than before."""
        drop = self.fraction - fraction
        return self._shift_right(drop, self.low >> drop, self.high >> drop, fraction) if drop else self

    def requantize(self, format: Format, name: str = "", counted: bool = True) -> Self:
        """The nearest value of `format`, halves upwards, saturated; with a name, saturated values are counted.

        Args:
            counted: False for a value that may saturate, and that neither counters nor traces know.
        """
        name = name if counted else ""
        rounded = self.to_fraction(format.fraction)
        if format.low <= rounded.low and rounded.high <= format.high:
            return rounded.named(name) if name else rounded
        low, high = (min(max(end, format.low), format.high) for end in (rounded.low, rounded.high))
        return rounded._saturate(low, high, name)

    def clipped(self, low: int | None, high: int | None) -> Self:
        """The value between two integers of its fraction, where they are given; no saturation is counted."""
        least, most = (self.low if low is None else low), (self.high if high is None else high)
        if least <= self.low and self.high <= most:
            return self
        low, high = (min(max(end, least), most) for end in (self.low, self.high))
        return self._saturate(low, high, "")

    def named(self, name: str) -> Self:
        """The same value, called `name` in traces and in generated sources."""
        return self

    def _aligned(self, other: Self) -> tuple[Self, Self]:
        """Both with the larger of the two fractions."""
        if self.fraction == other.fraction:
            return self, other
        fraction = max(self.fraction, other.fraction)
        return self.to_fraction(fraction), other.to_fraction(fraction)

    @abstractmethod
    def _add(self, other: Self, low: int, high: int) -> Self: ...

    @abstractmethod
    def _subtract(self, other: Self, low: int, high: int) -> Self: ...

    @abstractmethod
    def _negate(self, low: int, high: int) -> Self: ...

    @abstractmethod
    def _multiply(self, other: Self, low: int, high: int, fraction: int) -> Self: ...

    @abstractmethod
    def _times(self, integer: int, low: int, high: int, fraction: int) -> Self: ...

    @abstractmethod
    def _plus(self, integer: int, low: int, high: int) -> Self: ...

    @abstractmethod
    def _shift_left(self, places: int, low: int, high: int, fraction: int) -> Self: ...

    @abstractmethod
    def _shift_right(self, places: int, low: int, high: int, fraction: int) -> Self:
        """Towards minus infinity."""

    @abstractmethod
    def _saturate(self, low: int, high: int, name: str) -> Self: ...

    @abstractmethod
    def _retyped(self, low: int, high: int, fraction: int) -> Self: ...

    @abstractmethod
    def magnitude(self) -> Self:
        """The absolute value."""

    @abstractmethod
    def where_negative(self, sign: Self, otherwise: Self) -> Self:
        """`self` where `sign` is below zero, else `otherwise`; both have one fraction."""

    @abstractmethod
    def segment(self, bounds: Sequence[int]) -> Self:
        """How many of the increasing `bounds` the integer reaches: an index."""

    @abstractmethod
    def read(self, words: Sequence[int], fraction: int) -> Self:
        """Entry of a table of constants at this index."""


def _product_range(a: Value, b: Value) -> tuple[int, int]:
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(corners), max(corners)
