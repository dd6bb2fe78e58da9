"""Numbers that no stage could work with are refused where they are read."""

import math

import pytest
from pydantic import ValidationError

from ernn.params import Admm, Augmentation, Compression, Corpus, Features, Network, Scoring, Section, Training
from ernn.params.compression import Distillation


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
        (Distillation, "weight"),
        (Distillation, "temperature"),
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


@pytest.mark.parametrize("extra", [{"projection": 4}, {"peepholes": True}])
def test_an_rnn_has_no_more_than_its_gate(extra):
    message = "cell=rnn has neither projection nor peepholes; set projection: 0 and peepholes: false"
    refused(Network, message, cell="rnn", **extra)
    refused(Network, "cell=rnn has no reset gate; leave reset out", cell="rnn", reset="after")
    assert Network(cell="rnn").gates == 1


def test_cells_stay_as_they_are_written():
    assert Network().model_dump(mode="json")["cells"] == 128
    assert Network(cells=16).model_dump() == Network().model_dump() | {"cells": 16}
    assert Network.model_validate({"cells": [64, 32]}).model_dump(mode="json")["cells"] == [64, 32]


@pytest.mark.parametrize("cells", [16, 16.0, (16, 8), [16.0, 8]])  # Kubeflow's JSON knows no integers
def test_cells_of_all_layers_or_of_each(cells):
    network, projected = Network(cells=cells), Network(cells=cells, projection=4)
    sizes = (16, 16) if isinstance(cells, int | float) else (16, 8)
    assert (network.sizes, network.widths, network.outputs) == (sizes, sizes, sizes[-1])
    assert (projected.sizes, projected.widths, projected.outputs) == (sizes, (4, 4), 4)
    assert Network.model_validate(network.model_dump(mode="json")) == network


@pytest.mark.parametrize("cells", [[64], [64, 32, 16], []])
def test_cells_of_more_or_fewer_layers(cells):
    message = f"cells has {len(cells)} entries, layers=2: give one a layer, or one number for all"
    refused(Network, message, cells=cells)


def test_cells_that_are_no_sizes():
    refused(Network, "Input should be greater than 0", cells=[64, 0])
    refused(Network, "Input should be a valid integer", cells=[64, "32"])
    refused(Network, "Input should be a valid integer", cells="64")
    refused(Network, "projection=32 must be smaller than cells=64 + 32; 0 means none", cells=[64, 32], projection=32)


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


def test_a_distillation_of_no_weight_leaves_digests_as_they_were():
    assert "distillation" not in Compression(distillation=Distillation(temperature=3.0)).model_dump()
    taught = Compression(distillation=Distillation(weight=0.8))
    assert taught.model_dump()["distillation"] == {"weight": 0.8, "temperature": 1.0}
    assert Compression.model_validate(taught.model_dump(mode="json")) == taught
    refused(Distillation, "Input should be less than or equal to 1", weight=1.5)
    refused(Distillation, "Input should be greater than or equal to 0.1", temperature=0)


def test_no_dropout_of_compression_leaves_digests_as_they_were():
    assert "dropout" not in Compression().model_dump()
    without = Compression(dropout=0.0)
    assert without.model_dump()["dropout"] == 0.0
    assert Compression.model_validate(without.model_dump(mode="json")) == without
    refused(Compression, "Input should be less than 1", dropout=1)
    refused(Compression, "Input should be greater than or equal to 0", dropout=-0.1)
