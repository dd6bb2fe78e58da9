"""Examples run as they are, with less data."""

import subprocess
import sys
from pathlib import Path

import pytest

from ernn.data import preparation
from ernn.params import Corpus, Features

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def said(*words: object) -> list[str]:
    """The lines that an example prints, which ends in an equal simulation."""
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "the Verilog gives exactly what the program predicts"
    return lines


def percents(lines: list[str], of: str) -> dict[str, float]:
    """The number before `% OF` in the line of each network."""
    found = {line.split(":")[0]: float(line.split(f" % {of}")[0].split()[-1]) for line in lines if f"% {of}" in line}
    assert found.keys() == {"dense", "circulant", "integers"}
    return found


def test_vibration_sensors():
    right = percents(said("examples/vibration.py", "--epochs", 4, "--sequences", 600), "right")
    assert right["dense"] > 60  # of five kinds, 20 by chance
    assert right["integers"] > right["circulant"] - 5


def test_keywords_of_voices_that_were_not_trained_on():
    right = percents(said("examples/keywords.py", "--epochs", 10, "--speakers", 40), "right")
    assert right["dense"] > 60  # of seven classes, 25 by the most frequent one
    assert right["integers"] > right["circulant"] - 5


def test_synthetic_speech_in_the_layout_of_timit(tmp_path):
    """Audio that is kept lies as TIMIT does."""
    sizes = {"train_speakers": 24, "dev_speakers": 1, "test_speakers": 4, "utterances_per_speaker": 6}
    corpus = Corpus(kind="synthetic", path=str(tmp_path / "TIMIT"), workers=1, **sizes)
    preparation.prepare(corpus, Features(), tmp_path / "features")
    lines = said("examples/timit.py", tmp_path / "TIMIT", "--cells", 32, "--epochs", 15)
    assert lines[0] == "144 utterances to train on, 24 to test"
    errors = percents(lines, "phone errors")
    assert errors["dense"] < 75  # a network that has learnt nothing: 95
    assert errors["integers"] < errors["circulant"] + 5
