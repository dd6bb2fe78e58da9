"""A split scored in batches against utterance by utterance."""

import pytest
import torch
import torch.nn.functional as F

from ernn.data import phones
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.params import Scoring
from ernn.records.decoding import Decoding
from ernn.scoring import decoding, phone_errors, tuning
from ernn.training.evaluate import choose_decoding, count_statistics, evaluate, missing_share
from tests import toy


@pytest.fixture
def split(tmp_path):
    return toy.make(tmp_path / "data").split("dev")


def fresh(split, criterion: str) -> AcousticModel:
    """Random weights with the statistics of the split."""
    model = AcousticModel(toy.network(layers=1, cells=32), toy.DIMENSION, phones.PHONES48, criterion)
    count_statistics(model, split)
    return model


TUNED = Decoding(bigram_scale=0.5, insertion_penalty=-2.0)


@pytest.mark.parametrize(("criterion", "settings"), [("frames", None), ("ctc", None), ("ctc", TUNED)])
def test_batches_give_the_loss_and_the_score_of_single_utterances(split, criterion, settings):
    model, options = fresh(split, criterion), Scoring(bigram_scale=3.0)
    model.decoding = settings
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
            if settings is None:
                hypotheses += decoding.ctc_greedy([posteriors])
            else:
                hypotheses += decoding.ctc_viterbi([posteriors], model.bigram, settings)
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


def test_a_ctc_network_chooses_the_settings_with_the_fewest_errors_on_the_dev_split(split):
    model = fresh(split, "ctc")
    rates = {}
    for options in tuning.grid():
        model.decoding = options
        rates[options] = evaluate(model, split, Scoring())[1].per
    assert len(set(rates.values())) > 3
    model.decoding = None
    choose_decoding(model, split)
    assert rates[model.decoding] == min(rates.values())


def test_a_network_that_was_trained_by_frames_has_no_settings_of_its_own(split):
    model = fresh(split, "frames")
    choose_decoding(model, split)
    assert model.decoding is None


def test_what_ctc_leaves_out_by_itself_is_that_of_greedy_decoding(split):
    model = fresh(split, "ctc")
    errors = evaluate(model, split, Scoring())[1].with_silences
    deleted = 100 * errors.deletions.sum() / errors.lengths.sum()
    assert 0 < deleted < 100
    model.decoding = Decoding(bigram_scale=0.25, insertion_penalty=-40.0)
    assert missing_share(model, split) == pytest.approx(deleted)
    model.output.bias.data[-1] = 9.0  # a blank above all phones, which the decoder pays more for
    assert missing_share(model, split) == 100
    assert evaluate(model, split, Scoring())[1].with_silences.deletions.sum() < 0.9 * errors.lengths.sum()
