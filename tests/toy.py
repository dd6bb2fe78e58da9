"""A tiny corpus of noisy one-hot phones that small networks learn in seconds."""

from pathlib import Path

import numpy as np

from ernn import artifacts
from ernn.data import dataset
from ernn.data.dataset import Dataset, Example
from ernn.data.phones import PHONES48
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
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


def other_speech(path: Path, **changes: object) -> None:
    """Say other things of a feature folder's vectors or phones, as a folder of another corpus would."""
    file = path / "manifest.json"
    artifacts.write_json(file, artifacts.read_json(file) | changes)


ORDERED = "give a model of these features, its classes in the order of `phones` in data/manifest.json"
SWAPPED = (PHONES48[1], PHONES48[0], *PHONES48[2:])
OTHER_MODELS = {  # what a model of other speech has, and what is said of it beside the features in `data`
    "order": (
        {"phones": SWAPPED},
        f"has the phones in another order than data: class 0 is 'ae', there 'aa'; {ORDERED}",
    ),
    "phones": (
        {"phones": ("a", *PHONES48[1:])},
        f"has other phones than data: class 0 is 'a', there 'aa'; {ORDERED}",
    ),
    "fewer": ({"phones": PHONES48[:9]}, f"has 9 phones, data has 48; {ORDERED}"),
    "narrow": ({"dimension": 5}, f"has vectors of 5 elements, data of 12; {ORDERED}"),
    "wide": ({"dimension": 24}, f"has vectors of 24 elements, data of 12; {ORDERED}"),
    "criterion": (
        {"criterion": "ctc"},
        "is a model of training.criterion=ctc, got training.criterion=frames; set training.criterion: ctc, "
        "or give a model of the other one",
    ),
}


def other_model(path: Path, **changes: object) -> None:
    """A model file that fits the corpus but for the changes."""
    speech = {"dimension": DIMENSION, "phones": PHONES48, "criterion": "frames"} | changes
    model_file.save(AcousticModel(network(), **speech), path)


def network(**changes: object) -> Network:
    """A network small enough for tests."""
    return Network.model_validate({"cell": "lstm", "layers": 2, "cells": 8} | changes)
