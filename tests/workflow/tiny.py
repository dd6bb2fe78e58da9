"""The chain of the smoke preset made tiny: every stage in a minute."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from workflow import presets

ROOT = Path(__file__).parents[2]
SMALLEST = {"lanes": 1, "columns": 1}
TINY = {
    "corpus": {"train_speakers": 6, "dev_speakers": 2, "test_speakers": 2, "utterances_per_speaker": 3},
    "training": {"epochs": 3},
    "networks": {"gru": {"cell": "gru", "layers": 1, "cells": 16}},
    "designs": {"gru-k4-admm": {"network": "gru", "method": "admm", "block_size": 4}},
    "programs": {"gru-k4-admm": {"design": "gru-k4-admm"}},
    "accelerators": {"gru-k4-admm": {"program": "gru-k4-admm", "array": SMALLEST, "output": SMALLEST}},
}


def values() -> dict[str, Any]:
    """Of its params.yaml."""
    files = [yaml.safe_load((ROOT / name).read_text()) for name in ("params.yaml", "presets/smoke.yaml")]
    return presets.merge(presets.merge(*files), TINY)


def copy_checkout(folder: Path) -> None:
    """What a checkout has."""
    for name in (*presets.CODE, "presets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in presets.FILES:
        shutil.copy(ROOT / name, folder / name)
    for name in presets.FOLDERS:
        (folder / name).mkdir()


def by_dvc(values: dict[str, Any], folder: Path) -> Path:
    """A working copy in which DVC has run everything."""
    copy_checkout(folder)
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=folder, check=True, env=environment(folder))
    return folder


def environment(folder: Path) -> dict[str, str]:
    """In which stages run, with runs of MLflow in the folder."""
    return os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
