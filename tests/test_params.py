"""Numbers that no stage could work with are refused where they are read."""

import math

import pytest
from pydantic import ValidationError

from ernn.params import Admm, Augmentation, Corpus, Features, Scoring, Section, Training


def refused(section: type[Section], message: str, **values: object) -> None:
    with pytest.raises(ValidationError) as error:
        section.model_validate(values)
    (found,) = error.value.errors()
    assert found["msg"].removeprefix("Value error, ") == message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("section", "key"),
    [
        (Augmentation, "snr_db_min"),
        (Augmentation, "snr_db_max"),
        (Augmentation, "noise_floor_db"),
        (Features, "window_ms"),
        (Features, "shift_ms"),
        (Training, "learning_rate"),
        (Scoring, "insertion_penalty"),
        (Admm, "rho_end"),
    ],
)
def test_numbers_that_are_not_finite(section, key, value):
    refused(section, "Input should be a finite number", **{key: value})


@pytest.mark.parametrize("section", [Corpus, Training])
def test_seeds(section):
    refused(section, "Input should be greater than or equal to 0", seed=-1)
    refused(section, "Input should be less than 4294967296", seed=2**32)
    assert section(seed=0).seed == 0


@pytest.mark.parametrize("key", ["snr_db_min", "snr_db_max", "noise_floor_db"])
def test_decibels(key):
    refused(Augmentation, "Input should be less than or equal to 200", **{key: 1e300})
    refused(Augmentation, "Input should be greater than or equal to -200", **{key: -1e300})


@pytest.mark.parametrize("key", ["window_ms", "shift_ms"])
def test_times_below_a_sample(key):
    refused(Features, "Input should be greater than or equal to 0.0625", **{key: 0.01})


def test_shifts_above_the_window():
    message = "shift_ms=20 must not exceed window_ms=5: no window would see the audio between"
    refused(Features, message, window_ms=5, shift_ms=20)
    assert Features(window_ms=20, shift_ms=20).shift_ms == 20
