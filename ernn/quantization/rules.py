"""From the values of a tensor to its fixed-point format: the number of bits is given, the binary point is chosen."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ernn.dataflow.formats import Format, nearest
from ernn.params import Quantization

Values = Float[np.ndarray, "..."]
_LARGEST_FRACTION = 40  # a tensor of zeros has no range
_TRIED = 6  # binary points below that of the largest value


def covering(limit: float, bits: int) -> Format:
    """The finest format whose largest value is `limit` or more; limits end at that of `widest`.

    >>> covering(1.0, 12), covering(0.99, 12)
    (Format(bits=12, fraction=10), Format(bits=12, fraction=11))
    """
    if not limit > 0:
        return Format(bits, _LARGEST_FRACTION)
    fraction = bits - 1 - math.ceil(math.log2(limit))
    return next(
        Format(bits, candidate)
        for candidate in range(min(fraction + 1, _LARGEST_FRACTION), -_LARGEST_FRACTION, -1)
        if Format(bits, candidate).limit >= limit
    )


def widest(bits: int) -> Format:
    """The format of this width with the largest values."""
    return Format(bits, 1 - _LARGEST_FRACTION)


def quantized(values: Values, format: Format) -> Values:
    """The nearest values of `format`, halves upwards, saturated."""
    return nearest(values, format) * format.resolution


def minmax(values: Values, bits: int, settings: Quantization) -> Format:
    """The format with the finest resolution in which no value saturates."""
    return covering(float(np.abs(values).max(initial=0.0)), bits)


def percentile(values: Values, bits: int, settings: Quantization) -> Format:
    """All but the largest `100 - percentile` % are represented."""
    return covering(float(np.percentile(np.abs(values), settings.percentile)) if values.size else 0.0, bits)


def least_squares(values: Values, bits: int, settings: Quantization) -> Format:
    """The least mean squared error of rounding and saturation together."""
    return _least(np.square, values, bits, settings)


def robust(values: Values, bits: int, settings: Quantization) -> Format:
    """The same with a smaller power than squares: a few values that saturate weigh less.

    Gates saturate anyway, and the rounding of all others costs more (docs/decisions/0099).
    """
    return _least(lambda errors: np.abs(errors) ** settings.power, values, bits, settings)


def _least(weighed: Callable[[Values], Values], values: Values, bits: int, settings: Quantization) -> Format:
    """The format with the least sum of weighed errors."""
    widest = minmax(values, bits, settings)
    tried = [Format(bits, min(widest.fraction + n, _LARGEST_FRACTION)) for n in range(_TRIED)]
    return min(tried, key=lambda format: float(weighed(quantized(values, format) - values).sum()))


RULES: dict[str, Callable[[Values, int, Quantization], Format]] = {
    "minmax": minmax,
    "percentile": percentile,
    "least_squares": least_squares,
    "robust": robust,
}


def choose(values: Values, bits: int, settings: Quantization) -> Format:
    """The format that `settings.rule` gives."""
    return RULES[settings.rule](np.asarray(values, np.float64), bits, settings)
