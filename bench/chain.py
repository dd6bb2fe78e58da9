"""What DVC costs when nothing has changed: `dvc repro` at 30 stages, and the start of `dvc` for reference.

The stages are the project's own dvc.yaml over enough designs; what they would write is there already.
"""

import copy
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from bench.record import record
from ernn import presets

STAGES = 30
REPEATS = 3
DVC = [sys.executable, "-m", "dvc"]


def lay_out(root: Path) -> Path:
    """A working copy with `STAGES` stages, all of them done."""
    for name in (*presets.CODE, "presets"):
        shutil.copytree(name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*presets.FILES, "params.yaml"):
        shutil.copy(name, root / name)
    folder = presets.lay_out(root, "smoke")
    values = yaml.safe_load((folder / "params.yaml").read_text())
    design = next(iter(values["designs"].values()))
    others = 3 + len(values["networks"])  # prepare, report, publish and the dense networks
    values["designs"] = {f"design-{number}": copy.copy(design) for number in range(STAGES - others)}
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    for path in outputs(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name}\n")
    run(folder, "commit", "--force")
    return folder


def outputs(folder: Path) -> list[Path]:
    """Everything that the stages write, as DVC itself resolves it."""
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        assert len(repo.index.stages) == STAGES
        return [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]


def run(folder: Path, *arguments: str) -> dict[str, float]:
    """Seconds of `dvc` with `arguments`, on the clock and on the processors."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([*DVC, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": time.perf_counter() - began, "cpu_s": cpu}


def measure(folder: Path, *arguments: str) -> dict[str, float]:
    """The fastest of a few runs."""
    return min((run(folder, *arguments) for _ in range(REPEATS)), key=lambda each: each["wall_s"])


def main() -> None:
    """Measure and record."""
    with tempfile.TemporaryDirectory() as name:
        folder = lay_out(Path(name))
        start, nothing = measure(folder, "version"), measure(folder, "repro")
    rows: list[dict[str, Any]] = [
        {"command": "dvc version", "stages": 0, **start, "ratio": 1.0},
        {"command": "dvc repro", "stages": STAGES, **nothing, "ratio": nothing["cpu_s"] / start["cpu_s"]},
    ]
    record("chain", rows, note="Nothing has changed and nothing runs; ratio of processor time to `dvc version`.")


if __name__ == "__main__":
    main()
