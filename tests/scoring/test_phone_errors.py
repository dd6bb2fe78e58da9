"""Counts against a plain dynamic programme, laws of an edit distance, conventions, intervals, and bad scores."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ernn.data import phones
from ernn.errors import UserError
from ernn.scoring import phone_errors

CLASSES, SILENCE = 6, 5
SAME = np.arange(CLASSES)  # every class is scored as itself
TRANSCRIPTS = st.lists(st.integers(0, CLASSES - 2), max_size=8)
LOUD = st.lists(st.integers(0, CLASSES - 2), min_size=1, max_size=8)  # with a phone to count
PAIRS = st.lists(st.tuples(LOUD, TRANSCRIPTS), min_size=1, max_size=5)


def errors_of(pairs) -> phone_errors.Errors:
    references, hypotheses = zip(*pairs, strict=True)
    return phone_errors.score(references, hypotheses, SAME, SILENCE).with_silences


def plain(reference: list[int], hypothesis: list[int]) -> tuple[int, int, int]:
    """(S, D, I) of the alignment with the fewest errors and then the fewest gaps, cell by cell."""
    best = {(0, 0): (0, 0, 0, 0, 0)}  # errors, gaps, S, D, I
    for i in range(len(reference) + 1):
        for j in range(len(hypothesis) + 1):
            ways = [best[i, j]] if (i, j) in best else []
            if i and j:
                e, g, s, d, n = best[i - 1, j - 1]
                wrong = int(reference[i - 1] != hypothesis[j - 1])
                ways.append((e + wrong, g, s + wrong, d, n))
            if i:
                e, g, s, d, n = best[i - 1, j]
                ways.append((e + 1, g + 1, s, d + 1, n))
            if j:
                e, g, s, d, n = best[i, j - 1]
                ways.append((e + 1, g + 1, s, d, n + 1))
            best[i, j] = min(ways)
    return best[len(reference), len(hypothesis)][2:]


@pytest.mark.parametrize("seed", range(40))
def test_counts_are_those_of_the_plain_programme(seed):
    random = np.random.default_rng(seed)
    reference = random.integers(0, 3, random.integers(1, 12)).tolist()
    hypothesis = random.integers(0, 3, random.integers(0, 12)).tolist()
    errors = errors_of([(reference, hypothesis)])
    assert (errors.substitutions[0], errors.deletions[0], errors.insertions[0]) == plain(reference, hypothesis)


@given(reference=LOUD, hypothesis=TRANSCRIPTS)
def test_counts_agree_with_the_distance_and_the_lengths(reference, hypothesis):
    errors = errors_of([(reference, hypothesis)])
    assert errors.counts[0] == Levenshtein.distance(reference, hypothesis)
    assert len(hypothesis) == len(reference) - errors.deletions[0] + errors.insertions[0]


@given(reference=LOUD, hypothesis=LOUD)
def test_to_exchange_the_sides_exchanges_deletions_and_insertions(reference, hypothesis):
    errors, exchanged = errors_of([(reference, hypothesis)]), errors_of([(hypothesis, reference)])
    assert errors.substitutions == exchanged.substitutions
    assert errors.deletions == exchanged.insertions
    assert errors.insertions == exchanged.deletions


@given(st.lists(LOUD, min_size=1, max_size=4))
def test_identical_transcripts_have_no_error(transcripts):
    found = phone_errors.score(transcripts, [np.array(each) for each in transcripts], SAME, SILENCE)
    assert found.per == found.without_silences.per == 0
    assert found.interval(20, 0) == (0, 0)


@given(pairs=PAIRS, seed=st.integers(0, 99))
def test_the_order_of_the_utterances_does_not_matter(pairs, seed):
    order = np.random.default_rng(seed).permutation(len(pairs))
    errors, other = errors_of(pairs), errors_of([pairs[index] for index in order])
    assert errors.per == other.per
    np.testing.assert_array_equal(errors.counts[order], other.counts)


def test_the_rate_weighs_utterances_by_their_phones():
    errors = errors_of([([0, 1, 2], [0, 1, 2]), ([3], [4]), ([0, 1], [0, 1, 2])])
    assert errors.per == pytest.approx(100 * 2 / 6)
    assert errors.counts.tolist() == [0, 1, 1]
    assert errors.lengths.tolist() == [3, 1, 2]


def test_both_conventions_of_silence():
    s = SILENCE
    found = phone_errors.score([[s, s, 0, s, 1, 1, s]], [[s, 0, 1, 1, s, s, s]], SAME, s)
    assert found.with_silences.lengths.tolist() == [6]  # s 0 s 1 1 s: only silences merge
    assert found.with_silences.deletions.tolist() == [1]
    assert found.without_silences.lengths.tolist() == [3]
    assert found.without_silences.per == 0
    assert found.per == pytest.approx(100 / 6)


@given(reference=LOUD, hypothesis=TRANSCRIPTS, places=st.lists(st.integers(0, 7), max_size=4))
def test_silences_anywhere_change_nothing_without_silences_and_next_to_silences_nothing_at_all(
    reference, hypothesis, places
):
    def scattered(transcript, run):
        copy = list(transcript)
        for place in sorted({min(place, len(transcript)) for place in places}, reverse=True):
            copy[place:place] = [SILENCE] * run
        return copy

    clean = phone_errors.score([reference], [hypothesis], SAME, SILENCE)
    short = phone_errors.score([scattered(reference, 1)], [scattered(hypothesis, 1)], SAME, SILENCE)
    long = phone_errors.score([scattered(reference, 3)], [scattered(hypothesis, 2)], SAME, SILENCE)
    assert short.to_json()["without_silences"] == clean.to_json()["without_silences"]
    assert long.to_json() == short.to_json()


def test_closures_and_silence_are_one_phone_of_the_39_and_confusions_inside_a_phone_are_no_errors():
    def classes(text: str) -> list[int]:
        return [phones.PHONES48.index(label) for label in text.split()]

    found = phone_errors.score(
        [classes("sil vcl b ix cl k el zh sil")], [classes("cl b ih k l sh sil")], phones.to_39, phones.SILENCE
    )
    assert found.with_silences.lengths.tolist() == [8]
    assert found.with_silences.counts.tolist() == [1]  # the closure before k
    assert found.without_silences.per == 0


def test_a_paired_interval_of_a_system_with_itself_is_nothing():
    errors = errors_of([([0, 1, 2], [0, 2]), ([3], [4]), ([1, 1], [1, 1])])
    assert phone_errors.paired_interval(errors, errors, 50, 1) == (0, 0)


@given(pairs=PAIRS, seed=st.integers(0, 99))
def test_a_paired_interval_holds_the_difference_and_changes_sign_with_it(pairs, seed):
    ours, theirs = errors_of(pairs), errors_of([(reference, reference[1:]) for reference, _ in pairs])
    low, high = phone_errors.paired_interval(ours, theirs, 40, seed)
    assert low - 1e-9 <= ours.per - theirs.per <= high + 1e-9
    assert phone_errors.paired_interval(theirs, ours, 40, seed) == pytest.approx((-high, -low))


def test_what_two_systems_share_is_not_doubt_about_their_difference():
    random = np.random.default_rng(1)
    lengths = np.full(200, 40)
    hard = random.integers(0, 20, 200)  # utterances differ much, the systems by one error each
    none = np.zeros_like(hard)
    ours, theirs = phone_errors.Errors(hard, none, none, lengths), phone_errors.Errors(hard, none, none + 1, lengths)
    assert phone_errors.paired_interval(theirs, ours, 100, 1) == pytest.approx((2.5, 2.5))
    low, high = ours.interval(100, 1)
    assert high - low > 1


def test_pooled_seeds_have_the_mean_rate():
    runs = [errors_of([([0, 1, 2], hypothesis), ([3], [3])]) for hypothesis in ([0], [0, 1, 2], [1, 2])]
    assert phone_errors.pooled(runs).per == pytest.approx(np.mean([run.per for run in runs]))
    assert phone_errors.pooled(runs).lengths.tolist() == [9, 3]


def test_scores_of_other_utterances_are_neither_paired_nor_pooled():
    one, two = errors_of([([0], [0])]), errors_of([([0], [0]), ([0, 1], [])])
    message = (
        "two scores of the same utterances, got 1 utterances of 1 phones and 2 of 3; score both on the same features"
    )
    with pytest.raises(UserError, match=message):
        phone_errors.paired_interval(one, two, 10, 1)
    with pytest.raises(UserError, match="only runs over the same utterances can be pooled"):
        phone_errors.pooled([one, two])


@given(PAIRS)
def test_json_gives_the_score_back(pairs):
    references, hypotheses = zip(*pairs, strict=True)
    found = phone_errors.score(references, hypotheses, SAME, SILENCE)
    again = phone_errors.Score.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    assert again.to_json() == found.to_json()
    assert again.interval(30, 7) == found.interval(30, 7)


def damaged(kind: str, value) -> dict:
    counts = {"substitutions": [0], "deletions": [0], "insertions": [0], "lengths": [1]}
    return {"with_silences": counts | {kind: value}, "without_silences": counts}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "not a score"),
        (None, "not a score"),
        ({"with_silences": {}}, r"not a score \(KeyError: 'substitutions'\); score again"),
        (damaged("lengths", 3), "not a score"),
        (damaged("lengths", ["x"]), "not a score.*counts must be whole numbers"),
        (damaged("insertions", [0.5]), "not a score.*counts must be whole numbers"),
        (damaged("insertions", [0, 0]), "four lists of counts of one length"),
        (damaged("insertions", [-1]), "each count 0 or more"),
        (damaged("deletions", [2]), "more substitutions and deletions than reference phones"),
        (damaged("lengths", [0]), "no reference has a phone"),
    ],
)
def test_a_damaged_score_is_refused(value, message):
    with pytest.raises(UserError, match=message):
        phone_errors.Score.from_json(value)


@pytest.mark.parametrize(
    ("references", "hypotheses", "message"),
    [
        ([[0]], [], "1 references for 0 hypotheses: score the split that was decoded"),
        ([[0], [6]], [[0], [0]], r"reference 1: class 6 is not one of the 6 phones \(0..5\)"),
        ([[0], [0]], [[0], [-1]], r"hypothesis 1: class -1 is not one of the 6 phones \(0..5\)"),
        ([], [], "no reference has a phone"),
        ([[SILENCE]], [[0]], "no reference has a phone, so there is no phone error rate; check the transcripts"),
    ],
)
def test_what_cannot_be_scored_is_refused(references, hypotheses, message):
    with pytest.raises(UserError, match=message):
        phone_errors.score(references, hypotheses, SAME, SILENCE)
