"""Products with block-circulant matrices: the arithmetic that a design chooses, behind four functions.

    factors of a block of x    factors(x)                once for all rows
    factors of the weights     weight_factors(words)     in every lane
    one block's products       products(w, x)            summed over the columns of a row
    rows of the sum            combine(sums)             once for each row

`Exact` multiplies polynomials over the integers (`ernn.dataflow.exact`): its words are the first column of each block.
`Fourier` multiplies spectra (`ernn.dataflow.fourier`, the way of C-LSTM, arXiv:1803.06305, and E-RNN,
arXiv:1812.07106): its words are the packed spectrum of the first column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

from ernn.dataflow import exact, fourier
from ernn.dataflow.formats import Format
from ernn.dataflow.value import Constant, Value

V = TypeVar("V", bound=Value)


@dataclass(frozen=True)
class Exact:
    """Cyclic convolution in integers, without rounding."""

    kind: Literal["exact"] = "exact"

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}


@dataclass(frozen=True)
class Fourier:
    """Fixed-point Fourier transforms: twiddle factors, shifts of the stages, format of the sums before the inverse."""

    products: Literal[3, 4]  # real multiplications of a complex product
    twiddles: tuple[int, ...]  # cos(2 pi j / k), j = 1 .. k/4 - 1
    twiddle_fraction: int
    forward_shifts: tuple[int, ...]  # log2(k) of them
    inverse_shifts: tuple[int, ...]
    sums: Format
    kind: Literal["fourier"] = "fourier"

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid"}

    @property
    def constants(self) -> tuple[Constant, ...]:
        """The twiddle factors as the kernels take them."""
        return tuple(Constant(twiddle, self.twiddle_fraction) for twiddle in self.twiddles)


Transform = Exact | Fourier


def factors(block: Sequence[V], transform: Transform) -> list[V]:
    """Factors of a block of k elements of a vector."""
    if isinstance(transform, Exact):
        return exact.factors(block)
    spectrum = fourier.forward(block, transform.constants, transform.forward_shifts)
    if transform.products == 4:
        return spectrum
    return spectrum[:2] + [each for re, im in _bins(spectrum) for each in (re + im, im, re)]


def weight_factors(words: Sequence[V], transform: Transform) -> list[V]:
    """Factors of a block of weights from its k stored words."""
    if isinstance(transform, Exact):
        return exact.factors(words)
    if transform.products == 4:
        return list(words)
    return [*words[:2], *(each for re, im in _bins(words) for each in (re, re + im, im - re))]


def products(weights: Sequence[V], x: Sequence[V], transform: Transform) -> list[V]:
    """One block's share of the sums that `combine` takes."""
    if sums_products(transform):
        return [w * v for w, v in zip(weights, x, strict=True)]
    real = [w * v for w, v in zip(weights[:2], x[:2], strict=True)]
    return real + [
        each
        for (w_re, w_im), (x_re, x_im) in zip(_bins(weights), _bins(x), strict=True)
        for each in (w_re * x_re - w_im * x_im, w_re * x_im + w_im * x_re)
    ]


def sums_products(transform: Transform) -> bool:
    """Whether every sum of `products` is one product of a weight's factor and the vector's."""
    return isinstance(transform, Exact) or transform.products == 3


def combine(sums: Sequence[V], block_size: int, transform: Transform, name: str) -> list[V]:
    """The k rows of a sum of products; `name.0` .. are the words of its spectrum, which may saturate."""
    if isinstance(transform, Exact):
        return exact.combine(sums, block_size)
    spectrum = list(sums)
    if transform.products == 3:
        triples = [sums[start : start + 3] for start in range(2, len(sums), 3)]
        spectrum = [*sums[:2], *(each for a, b, c in triples for each in (a - b, a + c))]
    narrow = [value.requantize(transform.sums, f"{name}.{place}") for place, value in enumerate(spectrum)]
    return fourier.inverse(narrow, transform.constants, transform.inverse_shifts)


def multiplications(block_size: int, transform: Transform) -> int:
    """Real products of one block, those with constants not counted."""
    if isinstance(transform, Exact):
        return exact.multiplications(block_size)
    return fourier.multiplications(block_size, transform.products)


def _bins(packed: Sequence[V]) -> list[tuple[V, V]]:
    """Real and imaginary parts of bins 1 .. k/2 - 1."""
    return [(packed[index], packed[index + 1]) for index in range(2, len(packed), 2)]
