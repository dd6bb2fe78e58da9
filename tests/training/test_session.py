"""What the start of a run refuses."""

from dataclasses import replace

import numpy as np
import pytest

from ernn.data import dataset
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.params import Scoring, Training
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
