"""Scores that are not what they seem."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data.phones import SILENCE, to_39
from ernn.scoring.doubts import IMPORTED, constant_per, doubts, of_integers
from ernn.scoring.phone_errors import score

TRANSCRIPTS = st.lists(st.lists(st.integers(0, 47), min_size=1, max_size=6), min_size=1, max_size=5)


@given(references=TRANSCRIPTS)
def test_the_constant_phone_is_the_best_of_all(references):
    rates = [score(references, [[phone]] * len(references), to_39, SILENCE).per for phone in range(48)]
    assert constant_per(references, to_39, SILENCE) == min(rates)


def metrics(per: float, deletions: float, **more: float) -> dict[str, float]:
    return {"per": per, "deletions": deletions, **more}


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (metrics(20.0, 8.0, constant_per=95.0), []),
        (metrics(88.0, 75.0, constant_per=97.0), ["85 % of the errors are deletions"]),
        (metrics(96.0, 20.0, constant_per=95.0), ["96.0 % is no better than one phone for every utterance (95.0 %)"]),
        (metrics(130.0, 0.0), ["130.0 % is no better than one phone for every utterance (100.0 %)"]),
        (metrics(98.0, 90.0, constant_per=95.0), ["98.0 % is no better", "92 % of the errors are deletions"]),
        (metrics(88.4, 46.6, constant_per=95.7, greedy_deletions=98.9), []),
        (metrics(88.4, 46.6, constant_per=95.7, greedy_deletions=99.0), ["the blank is likeliest in nearly"]),
        (metrics(100.0, 100.0, constant_per=95.0, greedy_deletions=100.0), ["every output is empty"]),
        (metrics(100.0, 100.0, constant_per=95.0), ["every output is empty; nothing was learnt (CTC stays on its"]),
    ],
)
def test_doubts(found, wanted):
    sentences = doubts(found)
    assert len(sentences) == len(wanted)
    assert all(start in sentence for start, sentence in zip(wanted, sentences, strict=True))


@pytest.mark.parametrize("found", [metrics(98.0, 90.0, constant_per=95.0), metrics(100.0, 100.0)])
def test_a_network_of_elsewhere_is_not_cured_by_training_here(found):
    """Its epochs are no parameter."""
    assert any("training." in each or "train longer" in each for each in doubts(found))
    for sentence in doubts(found, IMPORTED):
        assert "training." not in sentence
        assert "train longer, and" not in sentence
    assert "order of phones with those that it was trained with" in doubts(found, IMPORTED)[0]


def test_an_empty_output_is_found_from_its_score():
    references = [[1, 2, 3], [4, 5]]
    errors = score(references, [[], []], to_39, SILENCE).with_silences
    share = 100 * float(errors.deletions.sum() / errors.lengths.sum())
    (sentence,) = doubts(metrics(errors.per, share))
    assert sentence.startswith("every output is empty")
    assert np.isclose(share, 100)


def test_an_integer_network_is_told_to_take_more_bits():
    found = {"per_integer": 96.0, "deletions_integer": 80.0, "constant_per": 95.0}
    sentences = of_integers(found)
    assert [each.split(";")[0] for each in sentences] == [
        "96.0 % is no better than one phone for every utterance (95.0 %)",
        "83 % of the errors are deletions: the decoder drops phones",
    ]
    assert all("more bits (`programs`)" in each and "epochs" not in each for each in sentences)
    assert of_integers({"per_integer": 21.0, "deletions_integer": 8.0, "constant_per": 95.0}) == []
