"""Two sides of one speech pass; the first difference of two others is said."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.records.speech import Speech, check

PHONES = st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=6, unique=True).map(tuple)
SPEECH = st.builds(Speech, st.just("here"), st.integers(1, 3), PHONES)


@given(SPEECH, SPEECH)
def test_only_equal_speech_passes(one, other):
    if (one.dimension, one.phones) == (other.dimension, other.phones):
        check(one, other, "cure")
    else:
        with pytest.raises(UserError, match=r"^here has "):
            check(one, other, "cure")


@given(SPEECH, st.randoms(use_true_random=False))
def test_where_it_lies_does_not_matter_and_the_order_does(speech, random):
    phones = list(speech.phones)
    random.shuffle(phones)
    there = Speech(Path("there"), speech.dimension, tuple(phones))
    if there.phones == speech.phones:
        check(speech, there, "cure")
    else:
        with pytest.raises(UserError, match="has the phones in another order"):
            check(speech, there, "cure")


@pytest.mark.parametrize(
    ("dimension", "phones", "message"),
    [
        (80, "a b c", "model has vectors of 40 elements, data of 80; mend it"),
        (40, "a b", "model has 3 phones, data has 2; mend it"),
        (40, "a c b", "model has the phones in another order than data: class 1 is 'b', there 'c'; mend it"),
        (40, "a b d", "model has other phones than data: class 2 is 'c', there 'd'; mend it"),
    ],
)
def test_the_first_difference_is_named(dimension, phones, message):
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        check(Speech("model", 40, ("a", "b", "c")), Speech("data", dimension, tuple(phones.split())), "mend it")
