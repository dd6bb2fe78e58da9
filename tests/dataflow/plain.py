"""Fixed-point arithmetic in plain Python integers, slow; of `ernn` it takes constants and no arithmetic.

A number v is the integer v * 2^SCALE, whatever its format: sums need no alignment, and rounding is to a multiple.
"""

from collections.abc import Sequence
from itertools import chain

from ernn.dataflow.activation import Table
from ernn.dataflow.transforms import Fourier

SCALE = 200
Bin = tuple[int, int]  # real and imaginary part


def number(integer: int, fraction: int) -> int:
    """What an integer with so many bits of fraction stands for."""
    return int(integer) << (SCALE - fraction)


def integer(v: int, fraction: int) -> int:
    """The integer that stands for `v`, which has no finer bits."""
    quotient, rest = divmod(v, 1 << (SCALE - fraction))
    assert rest == 0
    return quotient


def product(a: int, b: int) -> int:
    return integer(a * b, 0)


def rounded(v: int, fraction: int) -> int:
    """The nearest multiple of 2^-fraction, halves upwards."""
    step = 1 << (SCALE - fraction)
    return (v + step // 2) // step * step


def fitted(v: int, bits: int, fraction: int) -> tuple[int, bool]:
    """The nearest number of a format, and whether it is the format's end instead."""
    nearest, end = rounded(v, fraction), 1 << (bits - 1)
    inside = min(max(nearest, number(-end, fraction)), number(end - 1, fraction))
    return inside, inside != nearest


def table(a: int, table: Table) -> int:
    """One line of a table at |a|, mirrored for negative a."""
    magnitude, segment = abs(a), 0
    while segment < len(table.bounds) and magnitude >= number(table.bounds[segment], table.input.fraction):
        segment += 1
    slope, offset = number(table.slopes[segment], table.slope_fraction), table.offsets[segment]
    line = product(slope, magnitude) + number(offset, table.offset_fraction)
    positive, _ = fitted(line, table.output.bits, table.output.fraction)
    if a >= 0:
        return positive
    mirrored = -positive if table.function == "tanh" else number(1, 0) - positive
    return fitted(mirrored, table.output.bits, table.output.fraction)[0]


def tanh_by_sigmoid(a: int, sigmoid: Table) -> int:
    """2 sigma(2a) - 1."""
    return 2 * table(2 * a, sigmoid) - number(1, 0)


def packed(bins: Sequence[Bin]) -> list[int]:
    """Bins 0 .. k/2 as the k words that are stored: the two real ones, then real and imaginary parts of the others."""
    ends = [bins[0][0]] if len(bins) == 1 else [bins[0][0], bins[-1][0]]
    return ends + list(chain.from_iterable(bins[1:-1]))


def unpacked(words: Sequence[int]) -> list[Bin]:
    """Bins 0 .. k/2 from their k words."""
    ends = [(word, 0) for word in words[:2]]
    return [*ends[:1], *zip(words[2::2], words[3::2], strict=True), *ends[1:]]


def rows(words: Sequence[Sequence[int]], x: Sequence[Sequence[int]], fraction: int, spec: Fourier) -> list[int]:
    """The k rows of one row of blocks, from the packed spectra of its weights, times the blocks of x."""
    re, im = ([0] * (len(x[0]) // 2 + 1) for _ in range(2))
    for weight, block in zip(words, x, strict=True):
        bins, _ = spectrum(block, fraction, spec)
        for m, ((a, b), (c, d)) in enumerate(zip(unpacked(weight), bins, strict=True)):
            re[m] += product(a, c) - product(b, d)
            im[m] += product(a, d) + product(b, c)
    narrow = [
        tuple(fitted(v, spec.sums.bits, spec.sums.fraction)[0] for v in each) for each in zip(re, im, strict=True)
    ]
    return values(narrow, spec.sums.fraction, spec)


def spectrum(x: Sequence[int], fraction: int, spec: Fourier) -> tuple[list[Bin], int]:
    """Bins 0 .. k/2 of the k values and their fraction, by the graph that `ernn.dataflow.fourier` describes."""
    return _spectrum(x, fraction, spec, len(x))


def values(bins: Sequence[Bin], fraction: int, spec: Fourier) -> list[int]:
    """The k values of bins 0 .. k/2."""
    return _values(bins, fraction, spec, _length(bins))


def _spectrum(x: Sequence[int], fraction: int, spec: Fourier, k: int) -> tuple[list[Bin], int]:
    n = len(x)
    if n == 1:
        return [(x[0], 0)], fraction
    (even, fraction), (odd, _) = (_spectrum(part, fraction, spec, k) for part in (x[0::2], x[1::2]))
    bins = []
    for m in range(n // 2 + 1):
        mirror = min(m, n // 2 - m)
        (e_re, e_im), (o_re, o_im) = even[mirror], _turned(odd[mirror], -mirror * k // n, k, fraction, spec)
        bins.append((e_re + o_re, e_im + o_im) if m == mirror else (e_re - o_re, o_im - e_im))
    fraction -= spec.forward_shifts[n.bit_length() - 2]
    return _rounded(bins, fraction), fraction


def _values(bins: Sequence[Bin], fraction: int, spec: Fourier, k: int) -> list[int]:
    n = _length(bins)
    if n == 1:
        return [bins[0][0]]
    even, odd = [], []
    for m in range(n // 4 + 1):
        (a_re, a_im), (b_re, b_im) = bins[m], bins[n // 2 - m]
        even.append((_half(a_re + b_re), _half(a_im - b_im)))
        odd.append(_turned((_half(a_re - b_re), _half(a_im + b_im)), m * k // n, k, fraction + 1, spec))
    fraction += 1 - spec.inverse_shifts[n.bit_length() - 2]
    parts = [_values(_rounded(part, fraction), fraction, spec, k) for part in (even, odd)]
    return list(chain.from_iterable(zip(*parts, strict=True)))


def _turned(z: Bin, j: int, k: int, fraction: int, spec: Fourier) -> Bin:
    """z exp(2 pi i j / k) with |j| <= k/4, rounded to `fraction` unless the turn is none or a right angle."""
    (re, im), sign = z, 1 if j > 0 else -1
    if j == 0:
        return z
    if 4 * abs(j) == k:
        return -sign * im, sign * re
    cos = number(spec.twiddles[abs(j) - 1], spec.twiddle_fraction)
    sin = sign * number(spec.twiddles[k // 4 - abs(j) - 1], spec.twiddle_fraction)
    return _rounded([(product(re, cos) - product(im, sin), product(re, sin) + product(im, cos))], fraction)[0]


def _rounded(bins: Sequence[Bin], fraction: int) -> list[Bin]:
    return [(rounded(re, fraction), rounded(im, fraction)) for re, im in bins]


def _half(v: int) -> int:
    assert v % 2 == 0
    return v // 2


def _length(bins: Sequence[Bin]) -> int:
    return max(2 * len(bins) - 2, 1)
