"""The rules of typed values against fractions: rounding, saturation, alignment, and ranges that hold and are tight."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format, signed_bits
from ernn.dataflow.value import Constant
from ernn.golden.integers import Integers
from tests.dataflow.values import FORMATS, SEEDS, arrays, checked, every, typed

ENDS = st.tuples(st.integers(-40, 40), st.integers(-40, 40)).map(sorted)
PLACES = st.integers(-6, 6)


def step(fraction: int) -> Fraction:
    return Fraction(2) ** -fraction


def numbers(value: Integers) -> np.ndarray:
    """What the integers stand for, after a check of their range."""
    return checked([value])[0].astype(object) * step(value.fraction)


def floor(x: np.ndarray, fraction: int) -> np.ndarray:
    """floor(x 2^fraction) 2^-fraction."""
    return np.frompyfunc(math.floor, 1, 1)(x / step(fraction)) * step(fraction)


def nearest(x: np.ndarray, fraction: int) -> np.ndarray:
    """floor(x 2^fraction + 1/2) 2^-fraction."""
    return floor(x + step(fraction) / 2, fraction)


def fitted(x: np.ndarray, format: Format) -> np.ndarray:
    ends = format.low * step(format.fraction), format.high * step(format.fraction)
    return np.minimum(np.maximum(nearest(x, format.fraction), ends[0]), ends[1])


@pytest.mark.parametrize(("quarters", "whole"), [(1, 0), (2, 1), (3, 1), (6, 2), (-1, 0), (-2, 0), (-3, -1), (-6, -1)])
def test_halves_are_rounded_upwards(quarters, whole):
    assert typed([quarters], Format(8, 2)).to_fraction(0).array == [whole]


@given(ends=ENDS, fraction=PLACES, new=PLACES)
def test_rounding_is_to_the_nearest_and_its_range_is_tight(ends, fraction, new):
    value = every(*ends, fraction)
    rounded = value.to_fraction(new)
    assert rounded.fraction == new
    assert (numbers(rounded) == nearest(numbers(value), new)).all()
    assert (rounded.low, rounded.high) == (rounded.array.min(), rounded.array.max())


@given(ends=ENDS, fraction=PLACES, dropped=st.integers(0, 8))
def test_dropped_bits_leave_what_is_not_above_and_the_range_is_tight(ends, fraction, dropped):
    value = every(*ends, fraction)
    found = value.floor(fraction - dropped)
    assert found.fraction == fraction - dropped
    assert (numbers(found) == floor(numbers(value), fraction - dropped)).all()
    assert (found.low, found.high) == (found.array.min(), found.array.max())


@given(ends=ENDS, fraction=PLACES, format=st.builds(Format, st.integers(2, 6), PLACES))
def test_requantized_values_are_nearest_or_ends_of_the_format(ends, fraction, format):
    value = every(*ends, fraction)
    narrow = value.requantize(format, "a")
    assert narrow.fraction == format.fraction
    assert (numbers(narrow) == fitted(numbers(value), format)).all()
    outside = nearest(numbers(value), format.fraction) != numbers(narrow)
    assert value.log.saturated["a"] == outside.sum()
    assert value.log.seen["a"] == len(outside)


@given(a=ENDS, b=ENDS, fractions=st.tuples(PLACES, PLACES))
def test_sums_and_products_are_exact_and_their_ranges_tight(a, b, fractions):
    x, y = every(*a, fractions[0]), every(*b, fractions[1])
    x = Integers(x.array[:, None], x.low, x.high, x.fraction, x.log)
    left, right = numbers(x), numbers(y)
    results = {"sum": (x + y, left + right), "difference": (x - y, left - right), "product": (x * y, left * right)}
    for value, exact in results.values():
        assert (numbers(value) == exact).all()
        assert (value.low, value.high) == (value.array.min(), value.array.max())
    assert {results[name][0].fraction for name in ("sum", "difference")} == {max(fractions)}


@given(ends=ENDS, fraction=st.integers(0, 6), n=st.integers(-9, 9), places=st.integers(0, 6))
def test_constants_and_signs_are_exact_and_their_ranges_tight(ends, fraction, n, places):
    x = every(*ends, fraction)
    constant, exact = Constant(n, min(fraction, places)), numbers(x)
    results = [
        (-x, -exact),
        (x.times(constant), exact * n * step(constant.fraction)),
        (x.plus(constant), exact + n * step(constant.fraction)),
        (x.scaled(n), exact * Fraction(2) ** n),
    ]
    for value, expected in results:
        assert (numbers(value) == expected).all()
        assert (value.low, value.high) == (value.array.min(), value.array.max())


@given(ends=ENDS, fraction=PLACES)
def test_even_values_are_halved_exactly(ends, fraction):
    value = every(*ends, fraction)
    half = (value + value).halved()
    assert half.fraction == fraction
    assert (half.array == value.array).all()
    assert (half.low, half.high) == (value.low, value.high)


UNARY = {
    "negate": lambda v, x, n: (-v, -x),
    "magnitude": lambda v, x, n: (v.magnitude(), abs(x)),
    "halved": lambda v, x, n: ((v + v).halved(), x),
    "scaled": lambda v, x, n: (v.scaled(n), x * Fraction(2) ** n),
    "times": lambda v, x, n: (v.times(Constant(n, 3)), x * n / 8),
    "plus": lambda v, x, n: (v.plus(Constant(n, v.fraction - abs(n))), x + n * step(v.fraction - abs(n))),
    "floor": lambda v, x, n: (v.floor(v.fraction - abs(n)), floor(x, v.fraction - abs(n))),
    "round": lambda v, x, n: (v.to_fraction(v.fraction - n), nearest(x, v.fraction - n)),
    "requantize": lambda v, x, n: (v.requantize(Format(8, n)), fitted(x, Format(8, n))),
    "read": lambda v, x, n: (
        v.segment((-n * n, 0, 1 + n * n)).read((5, -9, 7, n), n),
        np.array([(5, -9, 7, n)[sum(each >= b for b in (-n * n, 0, 1 + n * n))] for each in v.array]) * step(n),
    ),
}
BINARY = {
    "add": lambda a, b, x, y: (a + b, x + y),
    "subtract": lambda a, b, x, y: (a - b, x - y),
    "multiply": lambda a, b, x, y: (a * b, x * y),
    "where_negative": lambda a, b, x, y: ((-a).where_negative(b, a), np.where(y < 0, -x, x)),
}
STEPS = st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 9), st.integers(0, 9), st.integers(-5, 5))


@given(formats=st.tuples(FORMATS, FORMATS), seed=SEEDS, steps=st.lists(STEPS, min_size=1, max_size=12))
def test_no_sequence_of_operations_leaves_its_range(formats, seed, steps):
    values = [typed(arrays(seed + 3 * n, format, 16), format) for n, format in enumerate(formats)]
    twins = [numbers(value) for value in values]
    for name, first, second, n in steps:
        i, j = first % len(values), second % len(values)
        if values[i].bits + values[j].bits + abs(values[i].fraction - values[j].fraction) > 50:
            continue  # 64 bits may not hold the result
        if name in UNARY:
            value, twin = UNARY[name](values[i], twins[i], n)
        else:
            value, twin = BINARY[name](values[i], values[j], twins[i], twins[j])
        assert (numbers(value) == twin).all()
        assert value.bits == signed_bits(value.low, value.high)
        values, twins = [*values, value], [*twins, twin]
