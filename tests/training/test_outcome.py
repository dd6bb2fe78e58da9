"""What is said of a trained network's scores."""

import pytest
import torch

from ernn.data.phones import PHONES48
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring
from ernn.records.decoding import Decoding
from ernn.training import outcome
from ernn.training.evaluate import count_statistics
from tests import toy


@pytest.mark.parametrize(("blank", "learnt"), [(9.0, False), (-9.0, True)])
def test_a_ctc_network_on_its_blank_has_learnt_nothing_whatever_its_decoder_gives(tmp_path, caplog, blank, learnt):
    split = toy.make(tmp_path / "data").split("test")
    model = AcousticModel(toy.network(layers=1, cells=32), toy.DIMENSION, PHONES48, "ctc")
    count_statistics(model, split)
    with torch.no_grad():
        model.output.bias[-1] = blank
    model.decoding = Decoding(bigram_scale=0.25, insertion_penalty=-40.0)
    metrics = outcome.measure(model, split, Scoring(bootstrap_samples=10), tmp_path / "scores")
    said = [line for line in caplog.messages if "nothing was learnt (CTC stays on its blank)" in line]
    assert (len(said) == 0) == learnt
    assert (metrics["greedy_deletions"] < 100) == learnt
    assert metrics["deletions"] < 90


def test_networks_that_were_trained_by_frames_have_no_blank(tmp_path):
    split = toy.make(tmp_path / "data").split("test")
    model = AcousticModel(toy.network(layers=1, cells=8), toy.DIMENSION, PHONES48)
    count_statistics(model, split)
    metrics = outcome.measure(model, split, Scoring(bootstrap_samples=10), tmp_path / "scores")
    assert "greedy_deletions" not in metrics
