"""What the chain costs: with nothing to do at 30 stages, and the smoke preset one stage at a time and side by side.

The 30 stages are the project's own dvc.yaml over enough designs; what they would write is there already.
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
from workflow import declaration, presets
from workflow.declaration import load

ROOT = Path(__file__).parents[1]
STAGES = 30
REPEATS = 3
DVC = [sys.executable, "-m", "dvc"]
LOCAL = [sys.executable, "-m", "workflow.local"]
MEASURES = ("dvc.yaml", "workflow")
NOTE = """\
`dvc version` and the rows of 30 stages: nothing has changed and nothing runs, fastest of three; ratio of processor time
to `dvc version`. `smoke`: the preset from nothing, once each, with a cold cache of C++, beside nothing else; ratio of
the clock to `dvc repro`. `python -m workflow.local` is what `make run` calls."""


def smoke(root: Path) -> Path:
    """A working copy of the smoke preset."""
    for name in (*presets.CODE, "presets"):
        shutil.copytree(name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*presets.FILES, "params.yaml"):
        shutil.copy(name, root / name)
    return presets.lay_out(root, "smoke")


def lay_out(root: Path) -> Path:
    """A working copy with `STAGES` stages, all of them done."""
    folder = smoke(root)
    values = yaml.safe_load((folder / "params.yaml").read_text())
    design = next(iter(values["designs"].values()))
    missing = STAGES - len(load(folder).tasks)
    values["designs"] |= {f"design-{number}": copy.copy(design) for number in range(missing)}
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    for path in outputs(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.name}\n")
    for words in declaration.gates(folder):  # `workflow.local` runs them each time: what they write must be theirs
        run(folder, [sys.executable, *words[1:]])
    run(folder, [*DVC, "commit", "--force"])
    return folder


def outputs(folder: Path) -> list[Path]:
    """Everything that the stages write, as DVC itself resolves it."""
    from dvc.repo import Repo

    with Repo(str(folder)) as repo:
        assert len(repo.index.stages) == STAGES
        return [Path(out.fs_path) for stage in repo.index.stages for out in stage.outs]


def run(folder: Path, command: list[str]) -> dict[str, float]:
    """Seconds of a command, on the clock and on the processors."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db", "CCACHE_DIR": f"{folder}/ccache"}
    environment = {**os.environ, **environment, "PATH": path, "PYTHONPATH": str(ROOT)}
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": time.perf_counter() - began, "cpu_s": cpu}


def measure(folder: Path, command: list[str]) -> dict[str, float]:
    """The fastest of a few runs."""
    return min((run(folder, command) for _ in range(REPEATS)), key=lambda each: each["wall_s"])


def main() -> None:
    """Measure and record."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = lay_out(Path(name))
        start = measure(folder, [*DVC, "version"])
        rows.append({"command": "dvc version", "stages": 0, **start, "ratio": 1.0})
        for command, words in (("dvc repro", [*DVC, "repro"]), ("workflow.local", LOCAL)):
            nothing = measure(folder, words)
            rows.append({"command": command, "stages": STAGES, **nothing, "ratio": nothing["cpu_s"] / start["cpu_s"]})
    whole = {}
    for command, words in (("dvc repro", [*DVC, "repro"]), ("workflow.local", LOCAL)):
        with tempfile.TemporaryDirectory() as name:  # a cache each, or the second would have the first one's files
            folder = smoke(Path(name))
            stages = len(load(folder).tasks)
            whole[command] = run(folder, words)
        ratio = whole[command]["wall_s"] / whole["dvc repro"]["wall_s"]
        rows.append({"command": f"smoke: {command}", "stages": stages, **whole[command], "ratio": ratio})
    record("chain", rows, note=NOTE)


if __name__ == "__main__":
    main()
