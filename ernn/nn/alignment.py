"""Labels for frames from a transcript without times: left-to-right Viterbi."""

import numpy as np
from jaxtyping import Int

from ernn.errors import UserError
from ernn.nn.decoding import LogPosteriors, Transcript, check_classes, check_posteriors


def force_align(log_posteriors: LogPosteriors, transcript: Transcript, name: str = "0") -> Int[np.ndarray, " frames"]:
    """The class of each frame on the best path that takes the phones of `transcript` in order, a frame or more each.

    Only the columns of the transcript's phones are read. So a CTC model aligns without its blank, which is the same as
    renormalising its phones in each frame; and scaled priors may be taken off before. Of equal paths the one that
    enters each phone earliest wins.

    Args:
        log_posteriors: (frames, classes).
        transcript: class indices.
        name: the utterance's, for messages.

    Raises:
        UserError: fewer frames than phones, no phones, or values that are not finite or not classes.
    """
    phones = np.asarray(transcript, dtype=np.int64)
    frames = check_posteriors([log_posteriors], log_posteriors.shape[-1], [name])[0].numpy()
    check_classes(phones, frames.shape[1], f"utterance {name}")
    if not len(phones):
        raise UserError(f"utterance {name}: the transcript is empty, nothing to align; remove the utterance")
    if len(frames) < len(phones):
        raise UserError(
            f"utterance {name}: {len(frames)} frames are too few for the {len(phones)} phones of its transcript; "
            "lower features.skip, or correct or remove the utterance"
        )
    return phones[_positions(frames[:, phones].astype(np.float64))]


def _positions(scores: np.ndarray) -> np.ndarray:
    """Position in the transcript at each frame, from scores (frames, phones)."""
    best = np.full(scores.shape[1] + 1, -np.inf)  # one impossible position before the first phone
    best[1] = scores[0, 0]
    entered = np.zeros(scores.shape, dtype=bool)
    for frame in range(1, len(scores)):
        entered[frame] = best[:-1] > best[1:]
        best[1:] = np.maximum(best[1:], best[:-1]) + scores[frame]
    positions = np.empty(len(scores), dtype=np.int64)
    position = scores.shape[1] - 1
    for frame in reversed(range(len(scores))):
        positions[frame] = position
        position -= entered[frame, position]
    return positions
