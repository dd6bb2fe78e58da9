"""Decoders against the best of all paths, laws of their scales, and input that is refused."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.params import Scoring
from ernn.records.decoding import Decoding
from ernn.scoring import decoding

SEEDS = st.integers(0, 2**32 - 1)


def whole(random: np.random.Generator, *shape: int) -> torch.Tensor:
    return torch.tensor(random.integers(-9, 9, shape), dtype=torch.float32)


def without_runs(path) -> list[int]:
    return [phone for phone, _ in itertools.groupby(path)]


def language_score(phones: list[int], bigram: torch.Tensor, scoring: Scoring | Decoding) -> float:
    before = [-1, *phones]  # the last row begins an utterance
    pairs = zip(before, phones, strict=False)
    return sum(scoring.bigram_scale * bigram[pair].item() - scoring.insertion_penalty for pair in pairs)


SCALES = [
    Scoring(prior_scale=prior, bigram_scale=bigram, insertion_penalty=penalty)
    for prior, bigram, penalty in [(0.0, 1.0, 0.0), (0.5, 1.0, 3.0), (1.0, 2.0, -2.0), (0.5, 0.5, 0.0)]
]
DECODINGS = [
    Decoding(bigram_scale=scale, insertion_penalty=penalty)
    for scale, penalty in [(1.0, 0.0), (1.0, 3.0), (2.0, -2.0), (0.5, 0.0)]
]
PLAIN = Decoding(bigram_scale=1.0, insertion_penalty=0.0)
over_scales = pytest.mark.parametrize("scoring", SCALES, ids=str)
over_seeds = pytest.mark.parametrize("seed", range(5))


@over_scales
@over_seeds
@pytest.mark.parametrize(("classes", "frames"), [(3, 5), (1, 3), (3, 1)])
def test_viterbi_finds_the_phones_of_the_best_path(seed, classes, frames, scoring):
    random = np.random.default_rng(seed)
    posteriors, priors, bigram = (
        whole(random, frames, classes),
        whole(random, classes),
        whole(random, classes + 1, classes),
    )
    best: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(classes), repeat=frames):
        phones = without_runs(path)
        acoustic = sum((posteriors[t, c] - scoring.prior_scale * priors[c]).item() for t, c in enumerate(path))
        total = acoustic + language_score(phones, bigram, scoring)
        best[tuple(phones)] = max(total, best.get(tuple(phones), -math.inf))
    (found,) = decoding.viterbi([posteriors], priors, bigram, scoring)
    assert best[tuple(found)] == max(best.values())


@pytest.mark.parametrize("scoring", DECODINGS, ids=str)
@over_seeds
@pytest.mark.parametrize(("phones", "frames"), [(2, 6), (1, 6), (2, 1)])
def test_ctc_viterbi_finds_the_phones_of_the_best_path(seed, phones, frames, scoring):
    random = np.random.default_rng(seed)
    posteriors, bigram = whole(random, frames, phones + 1), whole(random, phones + 1, phones)
    best: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(phones + 1), repeat=frames):
        spelt = [phone for phone in without_runs(path) if phone != phones]
        total = sum(posteriors[t, c].item() for t, c in enumerate(path)) + language_score(spelt, bigram, scoring)
        best[tuple(spelt)] = max(total, best.get(tuple(spelt), -math.inf))
    (found,) = decoding.ctc_viterbi([posteriors], bigram, scoring)
    assert best[tuple(found)] == max(best.values())


@given(seed=SEEDS, lengths=st.lists(st.integers(0, 9), max_size=6))
def test_every_decoder_gives_alone_what_it_gives_in_any_company(seed, lengths):
    random = np.random.default_rng(seed)
    batch = [whole(random, length, 4) for length in lengths]
    priors, of_four, of_three = whole(random, 4), whole(random, 5, 4), whole(random, 4, 3)
    order = random.permutation(len(batch))
    for decode in (
        lambda utterances: decoding.viterbi(utterances, priors, of_four, Scoring()),
        lambda utterances: decoding.ctc_viterbi(utterances, of_three, PLAIN),
        decoding.ctc_greedy,
    ):
        assert decode([batch[index] for index in order]) == [decode([batch[index]])[0] for index in order]


@given(seed=SEEDS)
def test_a_higher_penalty_never_gives_more_phones(seed):
    random = np.random.default_rng(seed)
    posteriors = torch.tensor(random.normal(size=(12, 5)))
    bigram = torch.tensor(random.normal(size=(6, 5)))
    counts = [
        len(decoding.viterbi([posteriors], torch.zeros(5), bigram, Scoring(insertion_penalty=penalty))[0])
        for penalty in (-50.0, -1.0, 0.0, 1.0, 2.0, 50.0)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 12
    assert counts[-1] == 1


@given(seed=SEEDS, frames=st.integers(0, 15))
def test_without_a_language_model_ctc_viterbi_is_greedy(seed, frames):
    posteriors = torch.tensor(np.random.default_rng(seed).normal(size=(frames, 4))).log_softmax(1)
    assert decoding.ctc_viterbi([posteriors], torch.zeros(4, 3), PLAIN) == decoding.ctc_greedy([posteriors])


@pytest.mark.parametrize(
    ("path", "phones"),
    [([], []), ([2, 2], []), ([0, 0, 2, 0], [0, 0]), ([2, 0, 1, 1, 2, 2, 0], [0, 1, 0]), ([1, 1, 0, 0], [1, 0])],
)
def test_ctc_collapses_runs_and_then_drops_blanks(path, phones):
    posteriors = torch.eye(3)[torch.tensor(path, dtype=torch.int64)]
    assert decoding.ctc_greedy([posteriors]) == [phones]


def test_the_bigram_overrules_one_doubtful_frame():
    posteriors = torch.tensor([[0.9, 0.1], [0.45, 0.55], [0.9, 0.1]]).log()
    bigram = decoding.bigram([[0]] * 9, 2)
    assert decoding.viterbi([posteriors], torch.zeros(2), bigram, Scoring()) == [[0]]
    assert without_runs(posteriors.argmax(1).tolist()) == [0, 1, 0]


def test_arrays_and_gradients_are_taken_as_well():
    posteriors = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    bigram = decoding.bigram([[0, 1, 2]], 3)
    ours = decoding.viterbi([posteriors], torch.zeros(3), bigram, Scoring())
    assert ours == decoding.viterbi([posteriors.detach().numpy()], torch.zeros(3), bigram, Scoring())


def test_bigram_counts_with_one_added():
    found = decoding.bigram([[0, 1, 1], [1], []], 2).exp()
    expected = torch.tensor([[1 / 3, 2 / 3], [1 / 3, 2 / 3], [2 / 4, 2 / 4]])  # after 0, after 1, first
    torch.testing.assert_close(found, expected)


@given(st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=5))
def test_every_row_of_the_bigram_sums_to_one(transcripts):
    torch.testing.assert_close(decoding.bigram(transcripts, 5).exp().sum(1), torch.ones(6))


def test_priors_are_shares_of_the_aligned_frames_with_one_added():
    found = decoding.log_priors(np.array([0, 0, -1, 2]), 3).exp()
    torch.testing.assert_close(found, torch.tensor([3 / 6, 1 / 6, 2 / 6]))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("names", "name"), [(None, "1"), (["one", "two"], "two")])
def test_posteriors_that_are_not_finite_name_their_utterance(bad, names, name):
    posteriors = [torch.zeros(4, 3), torch.zeros(5, 3)]
    posteriors[1][3, 2] = bad
    message = (
        f"utterance {name}: log posteriors must be finite, got {bad:g} at frame 3, class 2; the network has diverged"
    )
    for decode in (
        lambda: decoding.viterbi(posteriors, torch.zeros(3), torch.zeros(4, 3), Scoring(), names),
        lambda: decoding.ctc_viterbi(posteriors, torch.zeros(3, 2), PLAIN, names),
        lambda: decoding.ctc_greedy(posteriors, names),
    ):
        with pytest.raises(UserError, match=message):
            decode()


def test_posteriors_of_other_phones_are_refused():
    with pytest.raises(
        UserError, match=r"utterance u: log posteriors of shape \(4, 49\) where \(frames, 48\) is needed"
    ):
        decoding.viterbi([torch.zeros(4, 49)], torch.zeros(48), torch.zeros(49, 48), Scoring(), ["u"])


@pytest.mark.parametrize(
    ("priors", "bigram", "message"),
    [
        (torch.zeros(4), torch.zeros(4, 3), "one finite log prior is needed for each of the 3 phones"),
        (
            torch.tensor([0.0, -math.inf, 0.0]),
            torch.zeros(4, 3),
            "one finite log prior is needed for each of the 3 phones",
        ),
        (
            torch.zeros(3),
            torch.zeros(3, 3),
            r"a bigram of shape \(3, 3\) is not a finite \(phones \+ 1, phones\) table",
        ),
        (torch.zeros(3), torch.full((4, 3), math.nan), r"a bigram of shape \(4, 3\) is not a finite"),
    ],
)
def test_unfit_priors_and_bigrams_are_refused(priors, bigram, message):
    with pytest.raises(UserError, match=message):
        decoding.viterbi([torch.zeros(4, 3)], priors, bigram, Scoring())


def test_classes_out_of_range_are_refused():
    with pytest.raises(
        UserError, match=r"transcript 1: class -1 is not one of the 3 phones \(0..2\); run prepare again"
    ):
        decoding.bigram([[0], [1, -1]], 3)
    with pytest.raises(
        UserError, match=r"frame labels: class 3 is not one of the 3 phones \(0..2\); run prepare again"
    ):
        decoding.log_priors(np.array([0, -1, 3]), 3)
