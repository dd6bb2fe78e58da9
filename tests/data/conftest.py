"""Small corpora on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ernn.data.corpus import SAMPLE_RATE, Segment, Utterance


def noise(samples: int = 8000, seed: int = 0) -> np.ndarray:
    """White noise on the grid of 16-bit audio."""
    values = np.random.default_rng(seed).integers(-3000, 3000, samples)
    return (values / 32_768).astype(np.float32)


def utterance(name: str = "mabc0_sx1", seed: int = 0) -> Utterance:
    """Half a second: h# aa tcl t h#."""
    cuts = [0, 1600, 4000, 5200, 6400, 8000]
    labels = ["h#", "aa", "tcl", "t", "h#"]
    segments = tuple(Segment(a, b, label) for a, b, label in zip(cuts[:-1], cuts[1:], labels, strict=True))
    words = (Segment(1600, 6400, "ought"),)
    return Utterance(name, noise(8000, seed), tuple(labels), segments, words, "Ought.")


@pytest.fixture
def kaldi_folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a Kaldi corpus with `speakers` (split -> names), each with one utterance `NAME-1` of half a second."""

    def make(train: str = "anna ben", dev: str = "cleo", test: str = "dan", phones: str = "AA1 T") -> Path:
        for split, names in (("train", train), ("dev", dev), ("test", test)):
            folder = tmp_path / "kaldi" / split
            for index, name in enumerate(names.split()):
                folder.mkdir(parents=True, exist_ok=True)
                soundfile.write(folder / f"{name}.wav", noise(seed=index), SAMPLE_RATE, "PCM_16")
                for table, value in (("wav.scp", f"{name}.wav"), ("utt2spk", name), ("text-phone", phones)):
                    with (folder / table).open("a") as stream:
                        stream.write(f"{name}-1 {value}\n")
        return tmp_path / "kaldi"

    return make
