"""What the start of a run refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ernn.data import dataset
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import HeadSpec, Scoring, Training
from ernn.training import session
from tests import toy


@pytest.mark.parametrize(("vectors", "fits"), [(5, True), (4, False)])
@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_ctc_refuses_utterances_shorter_than_their_transcripts(tmp_path, monkeypatch, split, vectors, fits):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    generator = np.random.default_rng(1)
    long = toy.example("long", generator)
    short = replace(
        toy.example("short", generator),
        features=np.zeros((vectors, toy.DIMENSION), np.float32),
        labels=np.zeros(vectors, np.int16),
        phones=np.array([3, 3, 1, 2]),  # four phones and a blank between the equal ones
    )
    shards = [(name, [long, short] if name == split else [long]) for name in ("train", "dev", "test")]
    dataset.write(tmp_path / "data", {"kind": "logmel", "dimension": toy.DIMENSION, "frame_shift_ms": 20.0}, shards)
    settings = Training(criterion="ctc", threads=1)
    opened = Dataset.open(tmp_path / "data")
    if fits:
        assert session.open_run(opened, settings, Scoring()).training == settings
        return
    message = (
        rf"^training.criterion=ctc: 1 of 2 {split} utterances are too short for their transcripts, the first is short "
        r"\(4 vectors, 5 needed\); lower features.skip, or leave them out of the corpus$"
    )
    with pytest.raises(UserError, match=message):
        session.open_run(opened, settings, Scoring())


def test_models_of_one_training_have_equal_sizes_and_heads():
    relu, tanh = (HeadSpec(outputs=6, **function) for function in ({"low": 0.0}, {"function": "tanh"}))
    models = {
        "plain": AcousticModel(toy.network(), toy.DIMENSION, ["a", "b"]),
        "wide": AcousticModel(toy.network(cells=16), toy.DIMENSION, ["a", "b"]),
        "one": AcousticModel(toy.network(), toy.DIMENSION, ["a", "b"], "frames", (relu,)),
        "two": AcousticModel(toy.network(), toy.DIMENSION, ["a", "b"], "frames", (relu, tanh)),
    }
    files = {name: (Path(name), model) for name, model in models.items()}
    for name in files:
        session.check_networks(files[name], files[name])
    for one, other, said in (
        ("plain", "wide", "plain is a network of cells=8, wide one of cells=16"),
        ("plain", "one", "plain is a network of head=none, one one of head=6 (relu)"),
        ("two", "one", "two is a network of head=6 (relu), 6 (tanh), one one of head=6 (relu)"),
    ):
        with pytest.raises(UserError) as error:
            session.check_networks(files[one], files[other])
        assert str(error.value) == f"{said}; give both files of one training"
