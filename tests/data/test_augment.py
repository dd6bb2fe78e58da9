import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.data.augment import augment, pink, quantise, room_response
from ernn.params import Augmentation
from tests.data.conftest import noise

DRY = Augmentation(reverberation_probability=0, channel_probability=0, snr_db_min=20, snr_db_max=20, noise_floor_db=-90)
TONE = np.sin(np.arange(32_000) * 0.1).astype(np.float32)


def power(samples: np.ndarray) -> float:
    return float((samples.astype(np.float64) ** 2).mean())


def changed(settings: Augmentation, seed: int = 0, speech: np.ndarray = TONE) -> np.ndarray:
    return augment(speech, noise(5000, 9), settings, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("snr_db", [0, 10, 30])
def test_noise_stands_at_the_asked_distance(snr_db, seed):
    found = changed(DRY.model_copy(update={"snr_db_min": snr_db, "snr_db_max": snr_db}), seed)
    scale = found @ TONE / (TONE @ TONE)
    residual = found - scale * TONE
    assert 10 * np.log10(power(scale * TONE) / power(residual)) == pytest.approx(snr_db, abs=0.5)


def test_silence_is_never_digital():
    speech = np.concatenate([np.zeros(16_000, np.float32), TONE])
    quiet = Augmentation(snr_db_min=90, snr_db_max=90, noise_floor_db=-45)
    for seed in range(6):
        found = changed(quiet, seed, speech)
        blocks = (found[:15_500].reshape(-1, 100) ** 2).mean(axis=1)
        assert blocks.min() > 0


@given(length=st.integers(500, 40_000), seed=st.integers(0, 50))
def test_length_and_type_stay(length, seed):
    found = changed(Augmentation(), seed, TONE[:1000].repeat(40)[:length])
    assert (found.shape, found.dtype) == ((length,), np.float32)
    assert np.abs(found).max() < 1


def test_the_direct_sound_comes_first_so_times_stay():
    click = np.zeros(16_000, np.float32)
    click[3000] = 1
    wet = Augmentation(reverberation_probability=1, channel_probability=0, snr_db_min=60, snr_db_max=60)
    for seed in range(6):
        assert np.argmax(np.abs(changed(wet, seed, click))) == 3000


def test_a_room_decays_by_60_db_in_its_reverberation_time():
    tail = room_response(0.4, 6.0, np.random.default_rng(0))
    assert (len(tail), tail[0]) == (6400, 1)
    assert power(tail[1:]) * (len(tail) - 1) == pytest.approx(10**-0.6, rel=1e-3)
    early, late = power(tail[100:740]), power(tail[-640:])
    assert 10 * np.log10(early / late) == pytest.approx(60 * 5660 / 6400, abs=2)


def test_the_channel_moves_bands_by_up_to_9_db_and_nothing_else():
    speech = noise(64_000, 3)
    flat = np.abs(np.fft.rfft(speech))
    channel = DRY.model_copy(update={"channel_probability": 1, "snr_db_min": 80, "snr_db_max": 80})
    gains = []
    for seed in range(6):
        ratio = np.abs(np.fft.rfft(changed(channel, seed, speech))) / flat
        gains.append(20 * np.log10(ratio[1:].reshape(32, -1).mean(axis=1)))
    spread = np.ptp(gains, axis=1)
    assert spread.min() > 2
    assert spread.max() < 18.5


def test_pink_noise_has_equal_power_per_octave():
    spectrum = np.abs(np.fft.rfft(pink(np.random.default_rng(0).standard_normal(65_536).astype(np.float32)))) ** 2
    octaves = [spectrum[2**n : 2 ** (n + 1)].sum() for n in range(8, 15)]
    assert max(octaves) / min(octaves) < 1.3


def test_loud_audio_is_scaled_not_clipped():
    found = quantise(3 * TONE)
    assert np.abs(found).max() == pytest.approx(1, abs=1e-3)
    assert np.corrcoef(found, TONE)[0, 1] > 0.99999
    np.testing.assert_array_equal(found * 32_768, np.round(found * 32_768))
