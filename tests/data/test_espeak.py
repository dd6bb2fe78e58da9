from itertools import pairwise

import numpy as np
import pytest

from ernn.data import espeak, espeak_phones, vocabulary, voices
from ernn.data.phones import TIMIT61
from ernn.data.voices import ACCENTS
from ernn.errors import UserError

PLAIN = "pitch 90 130\n"
TEXT = "Please pack the big dog a butter cookie at the church."


def spoken(text=TEXT, variant=PLAIN, accent="en-us", rate=160, seed=5):
    with espeak.engine(variant, accent, rate, seed) as engine:
        return engine.speak(text)


def test_phonemes_and_words_come_in_order_inside_the_audio():
    speech = spoken()
    starts = [mark.start for mark in speech.phonemes]
    assert starts == sorted(starts)
    assert 0 <= starts[0] < starts[-1] <= len(speech.samples)
    assert [mark.label for mark in speech.words] == TEXT.rstrip(".").split()
    assert np.abs(speech.samples).max() > 3000


def test_the_bytes_follow_from_the_arguments_whoever_spoke_before():
    breathy = PLAIN + "breath 3 3 3 3 3 3 3 3\n"
    first = spoken(variant=breathy).samples
    spoken(variant="klatt 3\necho 140 10\n", accent="en-029", seed=9)
    np.testing.assert_array_equal(spoken(variant=breathy).samples, first)


def test_more_voices_than_espeaks_list_holds():
    rng = np.random.default_rng(0)
    for index in range(340):
        voice = voices.voice(rng)
        assert len(spoken("No.", voice.variant, voice.accent, voice.words_per_minute, index + 1).samples) > 2000


def test_variants_rates_and_accents_are_heard():
    assert len(spoken(rate=240).samples) < 0.8 * len(spoken(rate=120).samples)
    deep, high = (spoken(variant=f"pitch {hz} {hz + 5}\n").samples for hz in (80, 200))
    assert dominant_period(deep) > 1.8 * dominant_period(high)
    american, caribbean = (spoken("the", accent=accent).phonemes[0].label for accent in ("en-us", "en-029"))
    assert american != caribbean


def dominant_period(samples):
    """Lag of the strongest autocorrelation between 60 and 300 Hz, in samples."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float), 2 * len(samples))) ** 2
    lags = np.fft.irfft(spectrum)
    shortest = espeak.SAMPLE_RATE // 300
    return shortest + int(np.argmax(lags[shortest : espeak.SAMPLE_RATE // 60]))


def test_an_unknown_accent_is_refused():
    with pytest.raises(UserError, match="eSpeak NG has no voice 'xx-yy'; reinstall espeakng-loader"):
        spoken(accent="xx-yy")


@pytest.mark.parametrize("rate", [99, 251])
def test_rates_that_move_the_times_are_refused(rate):
    with pytest.raises(ValueError, match=f"words_per_minute={rate} must be 100 to 250"):
        spoken(rate=rate)


@pytest.mark.parametrize("accent", ACCENTS)
def test_every_word_of_the_vocabulary_becomes_timit_labels_without_gaps(accent):
    words = sorted(vocabulary.all_words())
    labels = set()
    with espeak.engine(PLAIN, accent, 180, 1) as engine:
        for start in range(0, len(words), 40):
            speech = engine.speak(", ".join(words[start : start + 40]) + ".")
            found = espeak_phones.segments(speech)
            assert found[0].start == 0
            assert all(before.end == after.start for before, after in pairwise(found))
            assert all(segment.end > segment.start for segment in found)
            labels |= {segment.label for segment in found}
    assert labels <= set(TIMIT61)
    assert len(labels) >= 46


def test_neighbours_differ_and_inner_silence_is_a_pause():
    found = [segment.label for segment in espeak_phones.segments(spoken("Nine new warm rooms, and some space."))]
    assert all(before != after for before, after in pairwise(found))
    assert ("pau" in found, "h#" in found[1:-1], found[-1]) == (True, False, "h#")


@pytest.mark.parametrize("seed", range(8))
def test_voiceless_closures_are_silent_and_their_bursts_are_not(seed):
    voice = voices.voice(np.random.default_rng(seed))
    speech = spoken("Keep a copper kettle at the top.", voice.variant.replace("echo", "#"), voice.accent)
    level = np.sqrt((speech.samples.astype(float) ** 2).mean())
    levels = {"pcl": [], "tcl": [], "kcl": [], "p": [], "t": [], "k": []}
    for start, end, label in espeak_phones.segments(speech):
        if label in levels:
            levels[label].append(np.sqrt((speech.samples[start:end].astype(float) ** 2).mean()) / level)
    closures, bursts = levels["pcl"] + levels["kcl"] + levels["tcl"], levels["p"] + levels["k"] + levels["t"]
    assert len(closures) >= 4
    assert max(closures) < 0.25
    assert np.median(bursts) > 4 * np.median(closures)
