"""Viterbi search through the states of a Markov chain, many utterances side by side."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

CHUNK = 128  # utterances side by side: enough to fill vectors, few enough for the cache


@dataclass(frozen=True)
class Markov:
    """States of a search: the class each one emits, and log scores to begin in and to change between them."""

    emits: Int[Tensor, " states"]
    start: Float[Tensor, " states"]
    change: Float[Tensor, "states states"]  # [previous, next]


def best_paths(emissions: list[Float[Tensor, "frames classes"]], search: Markov) -> list[Int[np.ndarray, " frames"]]:
    """The best states of every utterance; utterances of like lengths go side by side."""
    order = sorted(range(len(emissions)), key=lambda index: -len(emissions[index]))
    paths: dict[int, np.ndarray] = {}
    for first in range(0, len(order), CHUNK):
        chunk = order[first : first + CHUNK]
        lengths = np.array([len(emissions[index]) for index in chunk])
        padded = pad_sequence([emissions[index] for index in chunk])[:, :, search.emits]
        states = _backtrace(_forward(padded, lengths, search), lengths, search)
        paths |= {index: states[:length, row] for row, (index, length) in enumerate(zip(chunk, lengths, strict=True))}
    return [paths[index] for index in range(len(emissions))]


def _forward(
    scores: Float[Tensor, "frames batch states"], lengths: Int[np.ndarray, " batch"], search: Markov
) -> Float[Tensor, "frames batch states"]:
    """Score of the best path that ends in each state at each frame, in place; lengths fall, so padding is a tail."""
    into = search.change.T.contiguous()  # (next, previous)
    if len(scores):
        scores[0] += search.start
    for frame in range(1, len(scores)):
        running = int((lengths > frame).sum())
        previous = scores[frame - 1, :running, None, :]
        scores[frame, :running] += (previous + into).amax(dim=2)
    return scores


def _backtrace(
    scores: Float[Tensor, "frames batch states"], lengths: Int[np.ndarray, " batch"], search: Markov
) -> Int[np.ndarray, "frames batch"]:
    """States of the best paths; each step asks again which previous state won, so no pointers are kept."""
    best, into = scores.numpy(), search.change.T.contiguous().numpy()
    states = np.zeros(best.shape[:2], dtype=np.int64)
    for frame in reversed(range(len(best))):
        candidates = best[frame].copy()
        running = int((lengths > frame + 1).sum())
        if running:
            candidates[:running] += into[states[frame + 1, :running]]
        states[frame] = candidates.argmax(axis=1)
    return states
