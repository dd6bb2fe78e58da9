"""Formats: what their integers stand for, and what is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ernn.dataflow.formats import LARGEST_BITS, Format, signed_bits

INTEGERS = st.integers(-(2**50), 2**50)


@given(bits=st.integers(2, LARGEST_BITS), fraction=st.integers(-LARGEST_BITS, LARGEST_BITS))
def test_ends_are_those_of_twos_complement(bits, fraction):
    format = Format(bits, fraction)
    assert format.high - format.low == 2**bits - 1
    assert format.high == ~format.low
    assert format.limit == format.high * 2.0**-fraction
    assert format.resolution * 2.0**fraction == 1
    assert signed_bits(format.low, format.high) == bits


@given(ends=st.tuples(INTEGERS, INTEGERS).map(sorted))
@example(ends=[0, 0])
@example(ends=[0, 1])
@example(ends=[-1, 0])
def test_signed_bits_are_the_fewest_that_hold_a_range(ends):
    low, high = ends

    def hold(bits: int) -> bool:
        return -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1)

    bits = signed_bits(low, high)
    assert hold(bits)
    assert bits == 1 or not hold(bits - 1)


def test_text_is_that_of_messages():
    assert str(Format(12, 8)) == "12 bits, 8 of them fraction"


@pytest.mark.parametrize(
    ("bits", "fraction", "message"),
    [
        (1, 0, "a format has 2 to 48 bits, got 1"),
        (49, 0, "a format has 2 to 48 bits, got 49"),
        (8, 49, "a format's fraction lies in -48 to 48, got 49"),
        (8, -49, "a format's fraction lies in -48 to 48, got -49"),
    ],
)
def test_refusals_name_the_range(bits, fraction, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Format(bits, fraction)
