"""`python -m bench.stages [--preset NAME]`: time, processor, memory and output of every stage, for `pipeline.py plan`.

Stages run one after the other in a folder of their own; a row is the mean over the tasks of a stage.
"""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from bench.record import record
from ernn.arguments import Parser
from workflow import declaration, presets

ROOT = Path(__file__).parents[1]
MEASURES = ("components", "dvc.yaml", "ernn")
NOTE = """\
Means over the tasks of a stage in preset {preset}, run one after the other on an otherwise idle machine; `peak_mb` is
the largest memory of a process of any of them. `pipeline.py plan` reads this file."""


def measure(task: declaration.Task, folder: Path) -> dict[str, float]:
    """One task, run as DVC runs it."""
    words = [sys.executable, "-m", f"components.{task.stage}"]
    words += [word for flag, value in task.flags.items() for word in (f"--{flag}", value)]
    print(f"{task.name}: {shlex.join(words[1:])[:100]}", flush=True)
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    started = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{task.name} failed: {said[-500:]}")
    return {
        "wall_s": time.perf_counter() - started,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1000,
        "output_mb": sum(_size(folder / path) for path in task.outs) / 1e6,
    }


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return sum(each.stat().st_size for each in files)


def main() -> None:
    """Run every task and record the stages."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="default", help="of presets/; default: default, which is params.yaml")
    preset = parser.parse_args().preset
    values = presets.parameters(ROOT, preset)
    declared = declaration.load(ROOT, values)
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in presets.CODE:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
        for task in declared.ordered():
            found[task.stage].append(measure(task, folder))
    rows: list[dict[str, Any]] = []
    for stage, each in found.items():
        means = {key: round(sum(row[key] for row in each) / len(each), 2) for key in ("wall_s", "cpu_s", "output_mb")}
        rows.append(
            {"stage": stage, "tasks": len(each), **means, "peak_mb": round(max(row["peak_mb"] for row in each))}
        )
    record("stages", rows, note=NOTE.format(preset=preset))


if __name__ == "__main__":
    main()
