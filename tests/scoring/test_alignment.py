"""Forced alignment against the best of all alignments."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.scoring.alignment import force_align, force_align_ctc

SEEDS = st.integers(0, 2**32 - 1)


def alignments(transcript: list[int], frames: int):
    """Every way to give each phone one frame or more."""
    for cuts in itertools.combinations(range(1, frames), len(transcript) - 1):
        ends = [0, *cuts, frames]
        yield [phone for phone, (a, b) in zip(transcript, itertools.pairwise(ends), strict=True) for _ in range(a, b)]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("phones", "frames"), [(5, 10), (4, 4), (1, 3), (1, 1)])
def test_no_alignment_is_better_than_the_one_found(seed, phones, frames):
    random = np.random.default_rng(seed)
    transcript = random.integers(0, 4, phones).tolist()
    posteriors = torch.tensor(random.integers(-9, 9, (frames, 4)), dtype=torch.float32)
    found = force_align(posteriors, transcript)

    def value(path) -> float:
        return sum(posteriors[t, c].item() for t, c in enumerate(path))

    every = list(alignments(transcript, frames))
    assert found.dtype == np.int64
    assert found.tolist() in every
    assert value(found) == max(map(value, every))


def peaks(frames: int, where: dict[int, int]) -> torch.Tensor:
    """What a CTC model says: blank (class 4), and a peak of a phone here and there."""
    logits = torch.zeros(frames, 5)
    logits[:, 4] = 8
    for frame, phone in where.items():
        logits[frame, phone] = 12
    return logits.log_softmax(1)


def test_ctc_peaks_keep_their_places_and_the_blanks_around_them_are_silence():
    labels = force_align_ctc(peaks(40, {5: 1, 20: 2, 21: 2, 34: 1}), [0, 1, 2, 1, 0])
    assert labels[[5, 20, 21, 34]].tolist() == [1, 2, 2, 1]
    assert set(labels[:5]) == set(labels[35:]) == {0}
    assert set(labels[5:35]) == {1, 2}


@given(seed=SEEDS, transcript=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_a_ctc_model_that_never_says_blank_aligns_as_any_other(seed, transcript):
    logits = torch.tensor(np.random.default_rng(seed).normal(size=(9, 5)))
    logits[:, 4] = -1000
    whole = [0, *transcript, 0]
    np.testing.assert_array_equal(force_align_ctc(logits, whole), force_align(logits, whole))


@pytest.mark.parametrize("transcript", [[2], [2, 2], [0, 1, 1, 3, 0]])
def test_ctc_alignment_fits_into_as_many_frames_as_phones(transcript):
    assert force_align_ctc(peaks(len(transcript), {}), transcript).tolist() == transcript


def test_clear_posteriors_give_their_own_boundaries():
    labels = [2, 2, 0, 1, 1, 1, 2]
    posteriors = 9 * torch.eye(3)[torch.tensor(labels)]
    assert force_align(posteriors.numpy(), [2, 0, 1, 2]).tolist() == labels


def test_of_equal_alignments_the_one_that_enters_each_phone_earliest_wins():
    assert force_align(torch.zeros(6, 3), [2, 0, 1]).tolist() == [2, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("frames", "transcript", "message"),
    [
        (2, [0, 1, 1], "utterance u: 2 frames are too few for the 3 phones of its transcript; lower features.skip"),
        (0, [0], "utterance u: 0 frames are too few for the 1 phones of its transcript"),
        (2, [], "utterance u: the transcript is empty, nothing to align"),
        (2, [0, 3], r"utterance u: class 3 is not one of the 3 phones \(0..2\)"),
    ],
)
def test_transcripts_that_cannot_be_aligned_are_refused(frames, transcript, message):
    for align, classes in ((force_align, 3), (force_align_ctc, 4)):
        with pytest.raises(UserError, match=message):
            align(torch.zeros(frames, classes), transcript, "u")


def test_posteriors_that_are_not_finite_name_their_utterance():
    posteriors = torch.zeros(3, 2)
    posteriors[1, 0] = math.nan
    with pytest.raises(UserError, match="utterance u: log posteriors must be finite, got nan at frame 1, class 0"):
        force_align(posteriors, [1], "u")
