"""Utterances of a split as padded, time-major batches, in an order that seed and epoch decide."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ernn.data.dataset import Split

POOL = 20  # batches that are sorted by length together: little padding, much of the shuffle kept


@dataclass(frozen=True)
class Batch:
    """Some utterances side by side; padded frames carry the label -1."""

    indices: np.ndarray
    x: Float[Tensor, "time batch dimension"]
    labels: Int[Tensor, "time batch"]
    lengths: Int[Tensor, " batch"]
    transcripts: list[Int[Tensor, " phones"]]

    def to(self, device: torch.device) -> "Batch":
        """The same batch with its tensors on `device`."""
        transcripts = [transcript.to(device) for transcript in self.transcripts]
        return Batch(self.indices, self.x.to(device), self.labels.to(device), self.lengths, transcripts)


def order(lengths: np.ndarray, size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Utterance indices batch by batch: a shuffle, sorted by length within pools, the batches shuffled again."""
    generator = np.random.default_rng((seed, epoch))
    shuffled = generator.permutation(len(lengths))
    pools = [shuffled[start : start + size * POOL] for start in range(0, len(shuffled), size * POOL)]
    batches = []
    for pool in pools:
        ranked = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [ranked[start : start + size] for start in range(0, len(ranked), size)]
    return [batches[index] for index in generator.permutation(len(batches))]


def by_length(lengths: np.ndarray, size: int) -> list[np.ndarray]:
    """Every utterance once, longest first: the order for evaluation."""
    ranked = np.argsort(-lengths, kind="stable")
    return [ranked[start : start + size] for start in range(0, len(ranked), size)]


def gather(split: Split, indices: np.ndarray) -> Batch:
    """The utterances at `indices`, zero-padded at the end to the longest."""
    lengths = split.offsets[indices + 1] - split.offsets[indices]
    steps = int(lengths.max(initial=0))
    x = np.zeros((steps, len(indices), split.features.shape[1]), dtype=np.float32)
    labels = np.full((steps, len(indices)), -1, dtype=np.int64)
    for column, (index, length) in enumerate(zip(indices, lengths, strict=True)):
        start = split.offsets[index]
        x[:length, column] = split.features[start : start + length]
        labels[:length, column] = split.labels[start : start + length]
    transcripts = [torch.from_numpy(split.transcript(int(index)).astype(np.int64)) for index in indices]
    return Batch(indices, torch.from_numpy(x), torch.from_numpy(labels), torch.from_numpy(lengths), transcripts)


def batches(split: Split, plan: list[np.ndarray]) -> Iterator[Batch]:
    """The batches of `plan`, one after the other."""
    return (gather(split, indices) for indices in plan)
