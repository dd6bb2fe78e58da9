import re

import kaldi_native_fbank
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data import features
from ernn.data.corpus import Segment
from ernn.data.phones import PHONES48
from ernn.errors import UserError
from ernn.params import Features
from tests.data.conftest import noise


def kaldi(samples: np.ndarray, mels: int, use_energy: bool = False) -> np.ndarray:
    """kaldi-native-fbank without dither; with energy as column 0."""
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = mels
    options.use_energy = use_energy
    options.energy_floor = 0
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(16_000, (samples * 32_768).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(frame) for frame in range(fbank.num_frames_ready)])


@given(length=st.integers(400, 9000), seed=st.integers(0, 99), mels=st.sampled_from([23, 40, 80]))
def test_log_mel_agrees_with_kaldi(length, seed, mels):
    samples = noise(length, seed)
    ours = features.feature_vectors(samples, Features(mels=mels), "a")
    np.testing.assert_allclose(ours, kaldi(samples, mels), atol=1e-3)
    assert ours.dtype == np.float32


def test_log_mel_of_silence_agrees_with_kaldi():
    silence = np.zeros(4000, np.float32)
    np.testing.assert_allclose(features.feature_vectors(silence, Features(), "a"), kaldi(silence, 40), atol=1e-5)


def test_153_dimensions_are_50_log_mel_and_energy_with_differences():
    samples = noise(20_000)
    ours, theirs = features.feature_vectors(samples, Features(kind="ernn153"), "a"), kaldi(samples, 50, use_energy=True)
    static = np.roll(theirs, -1, axis=1)  # energy last
    np.testing.assert_allclose(ours[:, :51], static, atol=2e-4)
    np.testing.assert_allclose(ours[:, 51:102], plain_differences(static), atol=2e-4)
    np.testing.assert_allclose(ours[:, 102:], plain_differences(plain_differences(static)), atol=2e-4)


def plain_differences(frames: np.ndarray) -> np.ndarray:
    """sum_n n (x[t + n] - x[t - n]) / (2 sum_n n^2), one frame at a time."""
    last = len(frames) - 1
    return np.stack(
        [
            sum(n * (frames[min(t + n, last)] - frames[max(t - n, 0)]) for n in (1, 2)) / 10
            for t in range(len(frames))
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            Features(mels=400),
            "features.mels=400: some filters are narrower than the 31.25 Hz between two frequencies of "
            "features.window_ms=25 and stay empty; lower features.mels or raise features.window_ms",
        ),
        (Features(mels=127), "features.mels=127: some filters are narrower than the 31.25 Hz"),
        (Features(mels=71, window_ms=16), "features.mels=71: some filters are narrower than the 62.5 Hz"),
        (
            Features(window_ms=5, shift_ms=5, kind="ernn153"),
            "features.kind=ernn153 with 50 mel filters: some filters are narrower than the 125 Hz between two "
            "frequencies of features.window_ms=5 and stay empty; raise features.window_ms",
        ),
        (Features(mels=1, window_ms=1 / 16, shift_ms=1 / 16), "features.mels=1: some filters are narrower"),
        (Features(mels=1024), "features.mels=1024: some filters are narrower"),
    ],
)
def test_empty_filters_are_refused(settings, message):
    with pytest.raises(UserError, match=re.escape(message)):
        features.check(settings)


@pytest.mark.parametrize(
    "settings", [Features(mels=126), Features(mels=70, window_ms=16), Features(kind="ernn153"), Features(mels=1)]
)
def test_filters_that_all_hear_something_pass(settings):
    features.check(settings)


def test_differences_of_a_line_are_its_slope():
    line = np.arange(20.0)[:, None] * 3
    np.testing.assert_allclose(features.differences(line)[2:-2], 3)


@given(count=st.integers(1, 30), stack=st.integers(1, 4), skip=st.integers(1, 4))
def test_stacking_equals_a_loop(count, stack, skip):
    frames = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    expected = [
        np.concatenate([frames[min(start + place, count - 1)] for place in range(stack)])
        for start in range(0, count, skip)
    ]  # fmt: skip
    np.testing.assert_array_equal(features.stack(frames, Features(stack=stack, skip=skip)), expected)


@pytest.mark.parametrize(("kind", "expected"), [("logmel", 120), ("ernn153", 459)])
def test_dimension_counts_the_stack(kind, expected):
    settings = Features(kind=kind, stack=3)
    assert features.dimension(settings) == expected
    assert features.stack(features.feature_vectors(noise(), settings, "a"), settings).shape[1] == expected


def test_labels_are_the_phones_at_the_centres():
    segments = (Segment(0, 1600, "h#"), Segment(1600, 1760, "q"), Segment(1760, 3200, "aa"), Segment(3200, 4000, "t"))
    found = features.labels(segments, 13, Features(stack=2, skip=2))  # centres at 160, 480, 800 ... samples
    names = [PHONES48[label] for label in found]
    assert names == ["sil"] * 5 + ["aa"] * 5 + ["t"] * 3  # 1760 is aa's first sample


def test_labels_count_whole_samples_as_frames_do():
    segments = (Segment(0, 16_090, "aa"), Segment(16_090, 32_000, "t"))
    found = features.labels(segments, 200, Features(shift_ms=10.02, stack=1, skip=1))  # 160 samples, not 160.32
    assert [PHONES48[label] for label in found[[100, 101]]] == ["aa", "t"]  # centres at 16,080 and 16,240


def test_frames_of_a_deleted_stop_go_to_the_phone_before():
    segments = (Segment(0, 320, "aa"), Segment(320, 960, "q"), Segment(960, 1600, "iy"))
    found = features.labels(segments, 10, Features(stack=1, skip=1))
    assert [PHONES48[label] for label in found] == ["aa"] * 6 + ["iy"] * 4


def test_without_segments_labels_are_minus_one():
    np.testing.assert_array_equal(features.labels((), 3, Features()), [-1, -1, -1])


def test_an_utterance_shorter_than_a_frame_is_refused():
    message = r"a.wav: 24.9 ms of audio are shorter than one frame of features.window_ms=25; leave the utterance out"
    with pytest.raises(UserError, match=message):
        features.feature_vectors(noise(399), Features(), "a.wav")
    assert len(features.feature_vectors(noise(400), Features(), "a.wav")) == 3
