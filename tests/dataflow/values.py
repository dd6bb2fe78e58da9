"""Typed values, Fourier specs and strategies that the tests of the kernels share."""

import math
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Fourier
from ernn.devices.limits import BLOCK_SIZES
from ernn.golden.integers import Integers, Log

SEEDS = st.integers(0, 2**16)
LENGTHS = st.sampled_from(BLOCK_SIZES)
FORMATS = st.builds(Format, st.integers(2, 12), st.integers(0, 12))
WIDE_SUMS = Format(48, 24)
ONLY_WIDE = st.just(WIDE_SUMS)


def typed(array: np.ndarray, format: Format) -> Integers:
    return Integers(np.asarray(array, np.int64), format.low, format.high, format.fraction, Log())


def every(low: int, high: int, fraction: int) -> Integers:
    """All integers of a range."""
    return Integers(np.arange(low, high + 1), low, high, fraction, Log())


def arrays(seed: int, format: Format, *shape: int) -> np.ndarray:
    """Integers of a format; for every third seed only its ends, which reach the ends of derived ranges."""
    generator = np.random.default_rng(seed)
    if seed % 3 == 0:
        return generator.choice([format.low, format.high], shape)
    return generator.integers(format.low, format.high, shape, endpoint=True)


def block(array: np.ndarray, format: Format) -> list[Integers]:
    """The rows of `array`, (k, columns), as k values."""
    return [typed(row, format) for row in array]


def checked(values: Sequence[Integers]) -> np.ndarray:
    """Integers of values, (k, columns), with the ranges that the values claim verified."""
    for value in values:
        assert value.low <= value.array.min()
        assert value.array.max() <= value.high
    return np.stack([value.array for value in values])


def dense(columns: np.ndarray) -> np.ndarray:
    """W[r, s] = c[(r - s) mod k] in each block: (p, q, k) to (p k, q k)."""
    p, q, k = columns.shape
    rows, cols = np.indices((k, k))
    return columns[..., (rows - cols) % k].transpose(0, 2, 1, 3).reshape(p * k, q * k)


def fourier_of(
    k: int,
    fraction: int,
    forward: Sequence[int] | None = None,
    inverse: Sequence[int] | None = None,
    sums: Format = WIDE_SUMS,
    products: int = 4,
) -> Fourier:
    """Transforms of length k with rounded twiddle factors, without shifts unless given."""
    cosines = [math.cos(2 * math.pi * j / k) for j in range(1, k // 4)]
    none = (0,) * (k.bit_length() - 1)
    return Fourier(
        products=products,
        twiddles=tuple(min(round(c * 2**fraction), 2**fraction - 1) for c in cosines),
        twiddle_fraction=fraction,
        forward_shifts=none if forward is None else tuple(forward),
        inverse_shifts=none if inverse is None else tuple(inverse),
        sums=sums,
    )


@st.composite
def specs(draw: st.DrawFn, sums: st.SearchStrategy[Format] = ONLY_WIDE) -> tuple[int, Fourier]:
    """A block size, and transforms of it with any shifts."""
    k = draw(LENGTHS)
    stages = k.bit_length() - 1
    forward, inverse = (draw(st.lists(st.integers(0, 2), min_size=stages, max_size=stages)) for _ in range(2))
    return k, fourier_of(k, draw(st.integers(1, 16)), forward, inverse, draw(sums))
