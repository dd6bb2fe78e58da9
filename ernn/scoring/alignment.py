"""Labels for frames from a transcript without times: left-to-right Viterbi."""

import numpy as np
from jaxtyping import Bool, Float, Int

from ernn.errors import UserError
from ernn.scoring.decoding import LogPosteriors, Transcript, check_classes, check_posteriors


def force_align(log_posteriors: LogPosteriors, transcript: Transcript, name: str = "0") -> Int[np.ndarray, " frames"]:
    """The class of each frame on the best path that takes the phones of `transcript` in order, a frame or more each.

    Of equal paths the one that enters each phone earliest wins.

    Args:
        log_posteriors: (frames, classes).
        transcript: class indices.
        name: the utterance's, for messages.

    Raises:
        UserError: fewer frames than phones, no phones, or values that are not finite or not classes.
    """
    frames, phones = _checked(log_posteriors, transcript, name, log_posteriors.shape[-1])
    return phones[_positions(frames[:, phones], np.zeros(len(phones), dtype=bool))]


def force_align_ctc(
    log_posteriors: LogPosteriors, transcript: Transcript, name: str = "0"
) -> Int[np.ndarray, " frames"]:
    """`force_align` for a CTC model, whose last class is the blank; `transcript` begins and ends with silence.

    CTC's phones are peaks with blank between them. So the best path with a blank allowed after each phone, and blank as
    good as silence at both ends, says where speech begins and ends; inside it the blank is left out, which renormalises
    the phones of each frame.

    Raises:
        UserError: as `force_align`.
    """
    blank = log_posteriors.shape[-1] - 1
    frames, phones = _checked(log_posteriors, transcript, name, blank)
    if len(phones) < 3:
        return force_align(frames, phones, name)
    begin, end = _speech(frames, phones, blank)
    inside = force_align(frames[begin:end], phones[1:-1], name)
    return np.concatenate([np.full(begin, phones[0]), inside, np.full(len(frames) - end, phones[-1])])


def _checked(
    log_posteriors: LogPosteriors, transcript: Transcript, name: str, classes: int
) -> tuple[Float[np.ndarray, "frames classes"], Int[np.ndarray, " phones"]]:
    """Posteriors as float64 and the transcript, if one can be aligned with the other."""
    phones = np.asarray(transcript, dtype=np.int64)
    frames = check_posteriors([log_posteriors], log_posteriors.shape[-1], [name])[0].numpy().astype(np.float64)
    check_classes(phones, classes, f"utterance {name}")
    if not len(phones):
        raise UserError(f"utterance {name}: the transcript is empty, nothing to align; remove the utterance")
    if len(frames) < len(phones):
        raise UserError(
            f"utterance {name}: {len(frames)} frames are too few for the {len(phones)} phones of its transcript; "
            "lower features.skip, or correct or remove the utterance"
        )
    return frames, phones


def _speech(
    frames: Float[np.ndarray, "frames classes"], phones: Int[np.ndarray, " phones"], blank: int
) -> tuple[int, int]:
    """First frame of the second phone and of the last one, on the best path with blanks."""
    states = np.full(2 * len(phones) - 3, blank)  # phones, and a blank between any two of them but the edges
    states[1:-1:2] = phones[1:-1]
    states[0], states[-1] = phones[0], phones[-1]
    scores = frames[:, states]
    for edge in (0, -1):
        scores[:, edge] = np.logaddexp(scores[:, edge], frames[:, blank])
    positions = _positions(scores, states == blank)
    return int(np.searchsorted(positions, 1)), int(np.searchsorted(positions, len(states) - 1))


def _positions(scores: Float[np.ndarray, "frames states"], optional: Bool[np.ndarray, " states"]) -> np.ndarray:
    """State at each frame of the best path from the first state to the last; only `optional` ones may be left out."""
    states = scores.shape[1]
    best = np.full(states + 2, -np.inf)  # two impossible states before the first
    best[2] = scores[0, 0]
    skip = np.where(np.concatenate([[False], optional[:-1]]), 0.0, -np.inf)
    steps = np.zeros(scores.shape, dtype=np.int64)
    for frame in range(1, len(scores)):
        ways = np.stack([best[2:], best[1:-1], best[:-2] + skip])
        steps[frame] = ways.argmax(axis=0)
        best[2:] = ways.max(axis=0) + scores[frame]
    positions = np.empty(len(scores), dtype=np.int64)
    position = states - 1
    for frame in reversed(range(len(scores))):
        positions[frame] = position
        position -= steps[frame, position]
    return positions
