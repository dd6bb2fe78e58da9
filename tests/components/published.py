"""What the tests of publishing share: command lines, and names of what is published."""

import json
from pathlib import Path

FOLDERS = ["--metrics-folder", "metrics", "--curves", "curves", "--scores", "scores"]
FOLDERS += ["--benchmarks", "benchmarks", "--report", "report"]
FLAGS = [*FOLDERS, "--models", "models", "--programs-folder", "programs", "--hardware-folder", "hardware"]
FLAGS += ["--receipt", "build/published.json"]
NAMES = ["lstm", "gru", "lstm-k2", "lstm-k4", "lstm-k4-direct", "gru-mixed", "lstm-pruned"]
INTEGERS = ["lstm-k4-12 (integer)", "lstm-k2-narrow (integer)"]
ACCELERATORS = ["lstm-k4-small (accelerator)"]
ALL = [*NAMES, *INTEGERS, *ACCELERATORS, "report"]
BEGUN = 1_700_000_000_000  # of every training, milliseconds since 1970


def receipt():
    return json.loads(Path("build/published.json").read_text())
