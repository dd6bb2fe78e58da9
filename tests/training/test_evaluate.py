"""A split scored in batches against utterance by utterance."""

import pytest
import torch
import torch.nn.functional as F

from ernn.data import phones
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring
from ernn.scoring import decoding, phone_errors
from ernn.training.evaluate import count_statistics, evaluate
from tests import toy


@pytest.fixture
def split(tmp_path):
    return toy.make(tmp_path / "data").split("dev")


def fresh(split, criterion: str) -> AcousticModel:
    """Random weights with the statistics of the split."""
    model = AcousticModel(toy.network(layers=1, cells=32), toy.DIMENSION, phones.PHONES48, criterion)
    count_statistics(model, split)
    return model


@pytest.mark.parametrize("criterion", ["frames", "ctc"])
def test_batches_give_the_loss_and_the_score_of_single_utterances(split, criterion):
    model, options = fresh(split, criterion), Scoring()
    loss, found = evaluate(model, split, options)
    losses, things, hypotheses = 0.0, 0, []
    for index in range(len(split)):
        with torch.no_grad():
            posteriors = model(torch.tensor(split.feature(index))[:, None])[:, 0].log_softmax(-1)
        reference = torch.tensor(split.transcript(index), dtype=torch.int64)
        if criterion == "frames":
            labels = torch.tensor(split.label(index), dtype=torch.int64)
            losses, things = losses + F.nll_loss(posteriors, labels, reduction="sum"), things + len(labels)
            hypotheses += decoding.viterbi([posteriors], model.log_priors, model.bigram, options)
        else:
            sizes = torch.tensor([len(posteriors)]), torch.tensor([len(reference)])
            losses = losses + F.ctc_loss(posteriors[:, None], reference[None], *sizes, blank=48, reduction="sum")
            things += 1
            hypotheses += decoding.ctc_viterbi([posteriors], model.bigram, options)
    references = [split.transcript(index) for index in range(len(split))]
    assert loss == pytest.approx(float(losses) / things, rel=1e-5)
    assert found.to_json() == phone_errors.score(references, hypotheses, phones.to_39, phones.SILENCE).to_json()


def test_a_diverged_model_is_refused_with_the_name_of_an_utterance(split):
    model = fresh(split, "frames")
    model.output.bias.data[0] = torch.nan
    with pytest.raises(
        UserError, match=r"utterance dev\d+: log posteriors must be finite, got nan at frame 0, class 0"
    ):
        evaluate(model, split, Scoring())
