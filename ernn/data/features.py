"""From 16 kHz samples to the vectors that the network sees."""

import functools

import numpy as np
from jaxtyping import Float, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft

from ernn.data.corpus import SAMPLE_RATE, Segment
from ernn.data.phones import class_of
from ernn.data.vectors import Given
from ernn.errors import UserError
from ernn.params import Features

Frames = Float[np.ndarray, "frames dimension"]
_LOW_HZ, _HIGH_HZ, _PREEMPHASIS = 20.0, 8000.0, 0.97
_FLOOR = np.finfo(np.float32).eps
_DELTA = 2  # frames to each side
_MELS_OF_153 = 50
UNALIGNED = -1


def dimension(settings: Features) -> int:
    """Width of one vector, stacking included."""
    return settings.stacked


def check(settings: Features) -> None:
    """Refuse more mel filters than the transform of a window can fill.

    Raises:
        UserError: a filter lies between two of its frequencies and would be zero for any sound.
    """
    if settings.kind == "given":
        return
    mels, setting, cure = settings.mels, f"features.mels={settings.mels}", "lower features.mels or "
    if settings.kind == "ernn153":
        mels, setting, cure = _MELS_OF_153, f"features.kind=ernn153 with {_MELS_OF_153} mel filters", ""
    size = _transform_size(_samples(settings.window_ms))
    if mels > size // 2 or not _mel_matrix(size, mels).any(axis=0).all():
        raise UserError(
            f"{setting}: some filters are narrower than the {SAMPLE_RATE / size:g} Hz between two frequencies of "
            f"features.window_ms={settings.window_ms:g} and stay empty; {cure}raise features.window_ms"
        )


def given(settings: Features) -> Given | None:
    """What is said of vectors that the user brings; None: they are made of audio."""
    return Given(settings.dimension, _samples(settings.shift_ms)) if settings.kind == "given" else None


def feature_vectors(samples: Float[np.ndarray, " samples"], settings: Features, where: str) -> Frames:
    """One utterance's vectors before stacking: (frames, mels) or (frames, 153).

    Args:
        where: the utterance, for messages.

    Raises:
        UserError: the utterance is shorter than one frame.
    """
    shift = _samples(settings.shift_ms)
    if len(samples) < _samples(settings.window_ms):
        raise UserError(
            f"{where}: {1000 * len(samples) / SAMPLE_RATE:.1f} ms of audio are shorter than one frame of "
            f"features.window_ms={settings.window_ms:g}; leave the utterance out of the corpus"
        )
    frames = _frames(samples, _samples(settings.window_ms), shift)
    if settings.kind == "logmel":
        return _log_mel(frames, settings.mels)[0]
    static = np.column_stack(_log_mel(frames, _MELS_OF_153))
    first = differences(static)
    return np.concatenate([static, first, differences(first)], axis=1)


def differences(frames: Frames) -> Frames:
    """Slope of a line through the five frames around each (HTK's deltas), the ends repeated."""
    padded = np.pad(frames, ((_DELTA, _DELTA), (0, 0)), mode="edge")
    steps = range(1, _DELTA + 1)
    middle = np.arange(len(frames)) + _DELTA
    slope = sum(n * (padded[middle + n] - padded[middle - n]) for n in steps)
    return (slope / (2 * sum(n * n for n in steps))).astype(np.float32)


def stack(frames: Frames, settings: Features) -> Frames:
    """`stack` neighbouring frames in one vector, one vector every `skip` frames, the last frame repeated."""
    starts = np.arange(0, len(frames), settings.skip)
    picked = np.minimum(starts[:, None] + np.arange(settings.stack), len(frames) - 1)
    return frames[picked].reshape(len(starts), -1)


def labels(segments: tuple[Segment, ...], count: int, settings: Features) -> Int[np.ndarray, " frames"]:
    """Class of the phone at the centre of each of `count` stacked vectors; `q` counts to the phone before it.

    Without segments every frame is -1.
    """
    if not segments:
        return np.full(count, UNALIGNED, np.int16)
    shift = _samples(settings.shift_ms)
    centres = (np.arange(count) * settings.skip + settings.stack / 2) * shift
    kept = [(segment.start, phone) for segment in segments if (phone := class_of(segment.label)) is not None]
    starts, classes = np.array(kept, np.int64).reshape(-1, 2).T
    return classes[np.maximum(np.searchsorted(starts, centres, side="right") - 1, 0)].astype(np.int16)


def _samples(milliseconds: float) -> int:
    return round(milliseconds * SAMPLE_RATE / 1000)


def _frames(samples: np.ndarray, window: int, shift: int) -> Frames:
    """Windows around (t + 1/2) * shift, the ends mirrored: Kaldi's snip_edges=false; (frames, window)."""
    count = (len(samples) + shift // 2) // shift
    before = window // 2 - shift // 2
    after = max(0, (count - 1) * shift - before + window - len(samples))
    padded = np.pad(samples * np.float32(32_768), (before, after), mode="symmetric")
    return sliding_window_view(padded, window)[: (count - 1) * shift + 1 : shift]


def _log_mel(frames: np.ndarray, mels: int) -> tuple[np.ndarray, np.ndarray]:
    """Kaldi's log-mel energies (frames, mels) and log energy (frames,): offset removed, pre-emphasis, Povey window."""
    window = frames.shape[1]
    centred = frames - frames.mean(axis=1, keepdims=True)
    energy = np.log(np.maximum((centred**2).sum(axis=1), _FLOOR))
    emphasised = centred.copy()
    emphasised[:, 1:] -= np.float32(_PREEMPHASIS) * centred[:, :-1]
    emphasised[:, 0] *= np.float32(1 - _PREEMPHASIS)
    size = _transform_size(window)
    spectrum = fft.rfft(emphasised * _povey(window), size)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(np.maximum(power @ _mel_matrix(size, mels), _FLOOR)), energy


def _transform_size(window: int) -> int:
    """The power of two that holds a window."""
    return 1 << (window - 1).bit_length()


@functools.cache
def _povey(window: int) -> Float[np.ndarray, " window"]:
    return np.hanning(window).astype(np.float32) ** np.float32(0.85)


@functools.cache
def _mel_matrix(size: int, mels: int) -> Float[np.ndarray, "bins mels"]:
    """Triangles that are equally wide on the mel scale, 20 to 8000 Hz."""
    edges = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), mels + 2)
    bins = _mel(np.arange(size // 2 + 1) * (SAMPLE_RATE / size))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0).astype(np.float32)


def _mel(hertz: float | np.ndarray) -> np.ndarray:
    return 1127 * np.log1p(np.asarray(hertz) / 700)
