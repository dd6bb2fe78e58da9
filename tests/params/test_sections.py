"""Numbers that no stage could work with are refused where they are read."""

import math

import pytest
from pydantic import ValidationError

from ernn.params import Admm, Augmentation, Corpus, Features, Network, Scoring, Section, Training


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


@pytest.mark.parametrize("cell", ["lstm", None])  # an LSTM is also what is meant where no cell is named
def test_an_lstm_has_no_reset(cell):
    named = {} if cell is None else {"cell": cell}
    refused(Network, "cell=lstm has no reset gate; leave reset out", reset="after", **named)
    assert Network(reset="before", **named).reset == "before"


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("extra", [{"projection": 4}, {"peepholes": True}])
def test_a_gru_has_neither_projection_nor_peepholes(reset, extra):
    message = "cell=gru has neither projection nor peepholes; set projection: 0 and peepholes: false"
    refused(Network, message, cell="gru", reset=reset, **extra)
    assert Network(cell="gru", reset=reset).reset == reset


@pytest.mark.parametrize("reset", ["During", "", None, True])
def test_other_places_of_the_reset(reset):
    refused(Network, "Input should be 'before' or 'after'", cell="gru", reset=reset)


@pytest.mark.parametrize("projection", [8, 9])
def test_projections_that_do_not_shrink(projection):
    message = f"projection={projection} must be smaller than cells=8; 0 means none"
    refused(Network, message, cells=8, projection=projection)


def test_later_keys_of_a_corpus_stand_in_its_values_only_where_they_say_something():
    values = Corpus(labels={"sp": "sil"}, overlap_ms=1).model_dump(mode="json")
    assert Corpus.model_validate(values) == Corpus(labels={"sp": "sil"}, overlap_ms=1)
    assert not {"labels", "overlap_ms"} & Corpus().model_dump(mode="json").keys()
    refused(Corpus, "Input should be greater than or equal to 0", overlap_ms=-1)
    assert values.pop("labels") == {"sp": "sil"}
    assert values.pop("overlap_ms") == 1.0
    assert values == Corpus().model_dump(mode="json")
