"""The real Fourier transform of a block in fixed point, with a shift after each stage, and its inverse.

A spectrum of k real values is k real words, packed as

    X_0, X_{k/2}, re X_1, im X_1, ..., re X_{k/2-1}, im X_{k/2-1}.

Forward is decimation in time: a stage joins the spectra E and O of the even and odd elements,

    X_m = E_m + w^m O_m,    X_{n/2-m} = conj(E_m - w^m O_m),    w = exp(-2 pi i / n),

and the inverse runs the same graph backwards. Stages of length 2 and 4 have no multiplications. A product with a
twiddle factor is rounded to the fraction it came with; after stage s the values lose `shifts[s]` bits, rounded.

Error of one component against the exact transform of the same integers, where u_s is the resolution after stage s,
A_s = 2^s |x|_max bounds a magnitude, and t is the resolution of the twiddle factors, of which one component is off by
t/2 at most and one by t, where it is held below 1; d = sqrt(5)/2 t bounds both together:

    e_0 = 0,    e_s = g_s e_{s-1} + [s > 2] (d A_{s-1} + u_{s-1} / 2) + [shifts[s] > 0] u_s / 2

with g_s = 2 for the stages without multiplications and 1 + sqrt(2) for the others (a rotated error of two components).
`forward_error` computes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ernn.dataflow.value import Constant, Value

V = TypeVar("V", bound=Value)
_OFF = math.sqrt(5) / 2  # resolutions that a twiddle factor is off at most


@dataclass(frozen=True)
class Rotation:
    """w^m of one stage as cos and -sin; both are products with constants."""

    real: Constant
    imaginary: Constant


def rotations(length: int, twiddles: Sequence[Constant], block_size: int) -> list[Rotation]:
    """w^m for m = 1 .. length/4 - 1, read from `twiddles`: cos(2 pi j / k) for j = 1 .. k/4 - 1."""
    places = range(block_size // length, block_size // 4, block_size // length)
    return [Rotation(twiddles[j - 1], _negative(twiddles[block_size // 4 - j - 1])) for j in places]


def forward(block: Sequence[V], twiddles: Sequence[Constant], shifts: Sequence[int]) -> list[V]:
    """Packed spectrum of k real values; `shifts` has an entry for each of the log2(k) stages."""
    return _forward(block, twiddles, shifts, len(block))


def inverse(spectrum: Sequence[V], twiddles: Sequence[Constant], shifts: Sequence[int]) -> list[V]:
    """The k real values of a packed spectrum; `shifts[s]` is of the stage that splits length 2^(s+1)."""
    return _inverse(spectrum, twiddles, shifts, len(spectrum))


def _forward(block: Sequence[V], twiddles: Sequence[Constant], shifts: Sequence[int], block_size: int) -> list[V]:
    n = len(block)
    if n == 1:
        return list(block)
    even = _forward(block[0::2], twiddles, shifts, block_size)
    odd = _forward(block[1::2], twiddles, shifts, block_size)
    if n == 2:
        joined = [even[0] + odd[0], even[0] - odd[0]]
    else:
        joined = [even[0] + odd[0], even[0] - odd[0], *_joined(even, odd, rotations(n, twiddles, block_size))]
    return _shifted(joined, shifts[n.bit_length() - 2])


def _joined(even: Sequence[V], odd: Sequence[V], turns: Sequence[Rotation]) -> list[V]:
    """Bins 1 .. n/2 - 1 from packed half spectra; bin n/4 is E - i O of their last real bins."""
    rising: list[V] = []
    falling: list[V] = []
    for m, turn in enumerate(turns, start=1):
        real, imaginary = even[2 * m], even[2 * m + 1]
        turned_real, turned_imaginary = _rotate(odd[2 * m], odd[2 * m + 1], turn)
        rising += [real + turned_real, imaginary + turned_imaginary]
        falling = [real - turned_real, turned_imaginary - imaginary, *falling]
    return [*rising, even[1], -odd[1], *falling]


def _inverse(spectrum: Sequence[V], twiddles: Sequence[Constant], shifts: Sequence[int], block_size: int) -> list[V]:
    n = len(spectrum)
    if n == 1:
        return list(spectrum)
    first, last = spectrum[0], spectrum[1]
    even, odd = [(first + last).scaled(-1)], [(first - last).scaled(-1)]
    if n > 2:
        middle = n // 2  # packed place of bin n/4
        even.append(spectrum[middle])
        odd.append(-spectrum[middle + 1])
        for m, turn in enumerate(rotations(n, twiddles, block_size), start=1):
            a_real, a_imaginary = spectrum[2 * m], spectrum[2 * m + 1]
            b_real, b_imaginary = spectrum[n - 2 * m], spectrum[n - 2 * m + 1]
            even += [(a_real + b_real).scaled(-1), (a_imaginary - b_imaginary).scaled(-1)]
            difference = (a_real - b_real).scaled(-1), (a_imaginary + b_imaginary).scaled(-1)
            odd += _rotate(*difference, Rotation(turn.real, _negative(turn.imaginary)))
    shift = shifts[n.bit_length() - 2]
    parts = [_inverse(_shifted(part, shift), twiddles, shifts, block_size) for part in (even, odd)]
    return [value for pair in zip(*parts, strict=True) for value in pair]


def _rotate(real: V, imaginary: V, turn: Rotation) -> list[V]:
    """(re + i im) (c + i s), each component rounded to the fraction that it came with; c = -s needs two products."""
    fraction = real.fraction
    if turn.real.integer == -turn.imaginary.integer:
        a, b = (real + imaginary).times(turn.real), (imaginary - real).times(turn.real)
    elif turn.real.integer == turn.imaginary.integer:
        a, b = (real - imaginary).times(turn.real), (imaginary + real).times(turn.real)
    else:
        a = real.times(turn.real) - imaginary.times(turn.imaginary)
        b = real.times(turn.imaginary) + imaginary.times(turn.real)
    return [a.to_fraction(fraction), b.to_fraction(fraction)]


def _shifted(values: Sequence[V], shift: int) -> list[V]:
    fraction = max(value.fraction for value in values) - shift
    return [value.to_fraction(fraction) for value in values]


def _negative(constant: Constant) -> Constant:
    return Constant(-constant.integer, constant.fraction)


def multiplications(block_size: int, products: int) -> int:
    """Real products of one block of spectra, with 3 or 4 for a complex one.

    >>> [multiplications(k, 4) for k in (1, 2, 4, 8, 16, 32)], multiplications(8, 3)
    ([1, 2, 6, 14, 30, 62], 11)
    """
    return min(block_size, 2) + products * max(block_size // 2 - 1, 0)


def twiddle_multiplications(block_size: int) -> int:
    """Products with constants in one transform.

    >>> [twiddle_multiplications(k) for k in (2, 4, 8, 16, 32)]
    [0, 0, 2, 14, 54]
    """
    if block_size < 8:
        return 0
    turns = block_size // 4 - 1
    return 2 * twiddle_multiplications(block_size // 2) + 4 * turns - 2  # one of them is by 45 degrees


def forward_error(
    block_size: int, limit: float, resolution: float, twiddle_fraction: int, shifts: Sequence[int]
) -> float:
    """Bound of the error of one component of `forward`, in units of the input; see the module for its derivation.

    Args:
        limit: largest magnitude of an input value.
        resolution: of the input values.
        twiddle_fraction: of the twiddle factors.
        shifts: as `forward` takes them.
    """
    error, twiddle = 0.0, 2.0**-twiddle_fraction
    for stage, shift in enumerate(shifts[: _stages(block_size)], start=1):
        if stage > 2:
            error += math.sqrt(2) * error + _OFF * twiddle * limit * 2.0 ** (stage - 1) + resolution / 2
        else:
            error *= 2
        resolution *= 2.0**shift
        error += resolution / 2 if shift else 0.0
    return error


def inverse_error(
    block_size: int, limit: float, resolution: float, twiddle_fraction: int, shifts: Sequence[int]
) -> float:
    """Bound of the error of one value of `inverse`, in its units, for spectra whose components are at most `limit`.

    Backwards through the graph a stage halves sums, so e_s = g_s e + [s > 2] (d A + u / 4) + [shifts[s] > 0]
    u_s / 2 with g_s = 1 or sqrt(2), where u_s = u 2^(shifts[s] - 1) and A = sqrt(2) limit bounds every magnitude.
    """
    error, twiddle = 0.0, 2.0**-twiddle_fraction
    for stage in reversed(range(1, _stages(block_size) + 1)):
        if stage > 2:
            error = math.sqrt(2) * error + _OFF * twiddle * math.sqrt(2) * limit + resolution / 4
        resolution *= 2.0 ** (shifts[stage - 1] - 1)
        error += resolution / 2 if shifts[stage - 1] else 0.0
    return error


def _stages(block_size: int) -> int:
    return block_size.bit_length() - 1
