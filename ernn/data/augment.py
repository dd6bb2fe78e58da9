"""Rooms, channels and noise: what a recording has that a synthetic voice lacks."""

import numpy as np
from jaxtyping import Float
from scipy import fft

from ernn.data.corpus import SAMPLE_RATE
from ernn.params import Augmentation

Samples = Float[np.ndarray, " samples"]
_BANDS_HZ = np.array([0, 150, 400, 1000, 2200, 4000, 6000, 8000])
_NOISES = ("white", "pink", "babble")


def augment(speech: Samples, babble: Samples, settings: Augmentation, rng: np.random.Generator) -> Samples:
    """Reverberation, channel and noise by the settings' odds, then a random level; the length stays, times too.

    Args:
        speech: clean speech at 16 kHz.
        babble: several voices at once, longer than nothing; a random stretch of it is used.

    Returns:
        float32 samples on the grid of 16-bit audio, in [-1, 1).
    """
    noisy = _room_and_channel(speech, settings, rng)
    level = np.sqrt((noisy**2).mean()) + 1e-9
    noise = _noise(len(speech), babble, rng)
    snr_db = rng.uniform(settings.snr_db_min, settings.snr_db_max)
    noisy = noisy + noise * (level * 10 ** (-snr_db / 20) / (np.sqrt((noise**2).mean()) + 1e-9))
    noisy += rng.standard_normal(len(noisy), np.float32) * (level * 10 ** (settings.noise_floor_db / 20))
    return quantise(noisy * (10 ** (rng.normal(-26, 3) / 20) / level))


def quantise(samples: Samples) -> Samples:
    """Samples as 16-bit audio keeps them: rounded, and scaled down where they would clip."""
    peak = np.abs(samples).max(initial=0.0)
    scaled = samples * (32_767 / max(32_768 * peak, 32_767))
    return (np.round(scaled * 32_768) / 32_768).astype(np.float32)


def room_response(t60_s: float, direct_db: float, rng: np.random.Generator) -> Samples:
    """An impulse and, `direct_db` under it in energy, noise that falls by 60 dB in `t60_s` seconds."""
    length = int(t60_s * SAMPLE_RATE)
    tail = rng.standard_normal(length, np.float32) * np.exp(-6.9 * np.arange(length, dtype=np.float32) / length)
    tail[: SAMPLE_RATE // 500] = 0  # 2 ms until the first reflection
    tail *= 10 ** (-direct_db / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1
    return tail


def _room_and_channel(speech: Samples, settings: Augmentation, rng: np.random.Generator) -> Samples:
    """Convolution with a room and a smooth equaliser of +-9 dB, in one transform."""
    room = room_response(rng.uniform(0.1, 0.5), rng.uniform(0, 12), rng)
    gains_db = rng.uniform(-9, 9, len(_BANDS_HZ))
    has_room, has_channel = rng.random(2) < (settings.reverberation_probability, settings.channel_probability)
    if not has_room and not has_channel:
        return speech
    size = fft.next_fast_len(len(speech) + len(room), real=True)
    spectrum = fft.rfft(speech, size)
    if has_room:
        spectrum *= fft.rfft(room, size)
    if has_channel:
        coarse_hz = np.linspace(0, SAMPLE_RATE / 2, 128)
        gain = 10 ** (np.interp(coarse_hz, _BANDS_HZ, gains_db) / 20)
        spectrum *= np.interp(np.linspace(0, 1, len(spectrum)), coarse_hz / coarse_hz[-1], gain).astype(np.float32)
    return fft.irfft(spectrum, size)[: len(speech)]


def _noise(length: int, babble: Samples, rng: np.random.Generator) -> Samples:
    kind = _NOISES[rng.integers(len(_NOISES))]
    if kind == "babble":
        return np.take(babble, np.arange(length) + rng.integers(len(babble)), mode="wrap")
    white = rng.standard_normal(length, np.float32)
    return white if kind == "white" else pink(white)


def pink(white: Samples) -> Samples:
    """White noise shaped to equal power per octave."""
    size = fft.next_fast_len(len(white), real=True)
    spectrum = fft.rfft(white, size)
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum), dtype=np.float32), 1))
    return fft.irfft(spectrum, size)[: len(white)]
