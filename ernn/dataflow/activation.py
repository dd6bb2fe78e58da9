"""Sigmoid and tanh as piecewise-linear tables over the magnitude of the input.

    |a| in segment s:    f(|a|) = slope_s |a| + offset_s,    f(-a) = 1 - f(a) for sigma, -f(a) for tanh

A segment ends where the next bound is reached. One table may serve both: tanh(a) = 2 sigma(2a) - 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeVar

from ernn.dataflow.formats import LARGEST_BITS, Format
from ernn.dataflow.value import Constant, Number, Value

V = TypeVar("V", bound=Value)
N = TypeVar("N", bound=Number)
_WORD = 1 << 31


@dataclass(frozen=True)
class Table:
    """Segments of a function, as the hardware holds them.

    Raises:
        ValueError: lists of different lengths, bounds that do not increase, or lines finer than a product can be.
    """

    function: Literal["sigmoid", "tanh"]
    input: Format
    output: Format
    bounds: tuple[int, ...]  # first magnitude of each segment but the first, as integers of `input`
    slopes: tuple[int, ...]
    slope_fraction: int
    offsets: tuple[int, ...]
    offset_fraction: int

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not len(self.slopes) == len(self.offsets) == len(self.bounds) + 1:
            raise ValueError(
                f"a table of {len(self.slopes)} slopes needs as many offsets and one bound less, "
                f"got {len(self.offsets)} and {len(self.bounds)}"
            )
        if any(b <= a for a, b in zip((0, *self.bounds), self.bounds, strict=False)):
            raise ValueError(f"bounds must increase from above 0, got {list(self.bounds)}")
        if not 0 <= self.slope_fraction <= LARGEST_BITS:
            raise ValueError(f"slope_fraction lies in 0..{LARGEST_BITS}, got {self.slope_fraction}")
        if any(not -_WORD <= word < _WORD for word in (*self.slopes, *self.offsets)):
            raise ValueError("slopes and offsets of a table have 32 bits at most")
        if self.output.fraction < 1:
            raise ValueError(f"output has a fraction of 1 bit or more, got {self.output.fraction}")
        if not self.output.fraction <= self.offset_fraction <= self.slope_fraction + self.input.fraction:
            raise ValueError(
                f"offset_fraction={self.offset_fraction} must lie between the output's fraction "
                f"({self.output.fraction}) and that of slope times input "
                f"({self.slope_fraction + self.input.fraction})"
            )

    @property
    def rounding_offsets(self) -> tuple[tuple[int, ...], int]:
        """Offsets plus half of the output's last place, and their fraction: `floor` rounds a line of them."""
        exact = self.slope_fraction + self.input.fraction  # of slope |a|
        fraction = min(max(self.offset_fraction, self.output.fraction + 1), exact)
        places, half = fraction - self.offset_fraction, (1 << (fraction - self.output.fraction)) >> 1
        return tuple((offset << places) + half for offset in self.offsets), fraction


def activate(a: V, table: Table, name: str) -> V:
    """The table's function of `a`, which is of the table's input format, rounded once, halves upwards."""
    magnitude = a.magnitude()
    segment = magnitude.segment(table.bounds)
    slope, offset = segment.read(table.slopes, table.slope_fraction), segment.read(*table.rounding_offsets)
    positive = (slope * magnitude + offset).floor(table.output.fraction).requantize(table.output)
    mirrored = -positive if table.function == "tanh" else -positive.plus(Constant(-1, 0))
    return mirrored.where_negative(a, positive).requantize(table.output).named(name)


def tanh_by_sigmoid(a: V, sigmoid: Table, name: str) -> V:
    """2 sigma(2a) - 1 by the table of sigma, whose input format must hold 2a."""
    return (
        activate(a.scaled(1).to_fraction(sigmoid.input.fraction), sigmoid, "")
        .scaled(1)
        .plus(Constant(-1, 0))
        .named(name)
    )


class Functions(Protocol[N]):
    """The two functions of a network, and the format of what they take."""

    @property
    def preactivation(self) -> Format:
        """Format of the input."""

    def sigmoid(self, a: N, name: str) -> N:
        """sigma(a)."""

    def tanh(self, a: N, name: str) -> N:
        """tanh(a)."""


@dataclass(frozen=True)
class Activations:
    """`Functions` by tables; without one for tanh, by sigma's.

    Raises:
        ValueError: tables that do not take the pre-activation.
    """

    preactivation: Format
    sigmoid_table: Table
    tanh_table: Table | None

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        twice = Format(self.preactivation.bits + 1, self.preactivation.fraction)
        wanted = {"sigmoid_table": (self.sigmoid_table, "sigmoid", self.preactivation if self.tanh_table else twice)}
        if self.tanh_table:
            wanted["tanh_table"] = (self.tanh_table, "tanh", self.preactivation)
        for field, (table, function, format) in wanted.items():
            if table.function != function or table.input != format:
                raise ValueError(f"{field} must be of {function} for {format}, got {table.function} for {table.input}")

    def sigmoid(self, a: V, name: str) -> V:
        """sigma(a)."""
        return activate(a, self.sigmoid_table, name)

    def tanh(self, a: V, name: str) -> V:
        """tanh(a)."""
        return activate(a, self.tanh_table, name) if self.tanh_table else tanh_by_sigmoid(a, self.sigmoid_table, name)
