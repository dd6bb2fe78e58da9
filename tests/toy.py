"""A tiny corpus of noisy one-hot phones that small networks learn in seconds."""

from pathlib import Path

import numpy as np

from ernn.data import dataset
from ernn.data.dataset import Dataset, Example
from ernn.params import Features, Network

DIMENSION = 12
PHONES = 10
HEADER = {"dimension": DIMENSION, "frame_shift_ms": 20.0, "features": Features().model_dump()}


def example(name: str, generator: np.random.Generator) -> Example:
    """An utterance of 5 to 9 phones of 2 to 4 frames each."""
    phones = generator.integers(0, PHONES, generator.integers(5, 10))
    phones = phones[np.append(True, phones[1:] != phones[:-1])]
    labels = np.repeat(phones, generator.integers(2, 5, len(phones)))
    features = np.eye(PHONES, DIMENSION)[labels] + 0.3 * generator.standard_normal((len(labels), DIMENSION))
    return Example(name, f"speaker-{name}", features.astype(np.float32), labels, phones, len(labels) / 50)


def make(path: Path, utterances: int = 24) -> Dataset:
    """The corpus as a feature folder at `path`."""
    generator = np.random.default_rng(7)
    shards = [
        (split, [example(f"{split}{index}", generator) for index in range(utterances)])
        for split in ("train", "dev", "test")
    ]
    dataset.write(path, HEADER, shards)
    return Dataset.open(path)


def network(**changes: object) -> Network:
    """A network small enough for tests."""
    return Network.model_validate({"cell": "lstm", "layers": 2, "cells": 8} | changes)
