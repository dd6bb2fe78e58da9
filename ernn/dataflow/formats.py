"""Fixed-point formats: signed integers of some bits with the value integer times 2^-fraction."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

LARGEST_BITS = 48


@dataclass(frozen=True)
class Format:
    """Signed two's complement: an integer n of `bits` bits has the value n * 2^-fraction.

    >>> Format(12, 8).resolution, Format(12, 8).limit
    (0.00390625, 7.99609375)

    Raises:
        ValueError: bits or fraction out of range.
    """

    bits: int
    fraction: int

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= LARGEST_BITS:
            raise ValueError(f"a format has 2 to {LARGEST_BITS} bits, got {self.bits}")
        if not -LARGEST_BITS <= self.fraction <= LARGEST_BITS:
            raise ValueError(f"a format's fraction lies in -{LARGEST_BITS} to {LARGEST_BITS}, got {self.fraction}")

    @property
    def low(self) -> int:
        """The smallest integer."""
        return -(1 << (self.bits - 1))

    @property
    def high(self) -> int:
        """The largest integer."""
        return (1 << (self.bits - 1)) - 1

    @property
    def resolution(self) -> float:
        """Value of one step of the integer."""
        return 2.0**-self.fraction

    @property
    def limit(self) -> float:
        """Value of the largest integer."""
        return self.high * self.resolution

    def __str__(self) -> str:
        return f"{self.bits} bits, {self.fraction} of them fraction"


def nearest(values: np.ndarray, format: Format) -> np.ndarray:
    """The integers (int64) of the nearest values of `format`, halves upwards, saturated.

    >>> nearest(np.array([0.49, 0.5, -0.5, 99.0]), Format(4, 0))
    array([0, 1, 0, 7])
    """
    scaled = np.clip(values.astype(np.float64) * 2.0**format.fraction, format.low, format.high)
    below = np.floor(scaled)
    return (below + (scaled - below >= 0.5)).astype(np.int64)  # adding 1/2 would itself round


def signed_bits(low: int, high: int) -> int:
    """Bits of the narrowest signed integer that holds low..high.

    >>> signed_bits(-128, 127), signed_bits(0, 128), signed_bits(0, 0)
    (8, 9, 1)
    """
    return 1 + max((~low).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0)
