"""`make containers`: images built for real, and the smoke pipeline in them, file for file what DVC gives.

Needs a Docker engine. The working copy runs/smoke is what `make run PRESET=smoke` has left.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.record import record
from workflow import checkout, declaration, presets

ROOT = Path(__file__).parents[1]
WHEELS = ROOT / "docker" / "wheels"
SMOKE = ROOT / "runs" / "smoke"
OUTPUTS = ROOT / "build" / "kubeflow"
LIMIT_MB = {"hardware": 1200}
MEASURES = ("components", "docker", "ernn", "workflow")
NOTE = """\
Every image runs as a user of its own under a read-only root file system. `differing_files` counts files of the smoke
preset that are not byte for byte those of `dvc repro` on the same machine; the receipt of MLflow, which names runs of
its own store, is not compared. Sizes are uncompressed."""


def docker(*arguments: str) -> str:
    """What a docker command prints."""
    return subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def copy_wheel() -> None:
    """torch's wheel from the folder that pip is configured to look into, if there is one."""
    for place in (":env:.find-links", "global.find-links"):
        command = [sys.executable, "-m", "pip", "config", "get", place]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        for wheel in Path(found).glob("torch-*.whl") if found else ():
            if not (WHEELS / wheel.name).exists():
                shutil.copy(wheel, WHEELS)


def build(image: str, tag: str) -> dict[str, Any]:
    """Build one image and look at it."""
    started = time.perf_counter()
    arguments = ["--build-arg", f"REVISION={tag}", "-f", f"docker/{image}.Dockerfile", "-t", f"ernn-{image}:{tag}"]
    subprocess.run(["docker", "build", "-q", *arguments, "."], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    (found,) = json.loads(docker("image", "inspect", f"ernn-{image}:{tag}"))
    assert found["Config"]["User"] not in ("", "0", "root"), f"{image} runs as root"
    size = found["Size"] / 1e6
    assert size < LIMIT_MB.get(image, 1e9), f"{image} is {size:.0f} MB, more than {LIMIT_MB[image]}"
    docker("run", "--rm", "--read-only", "--tmpfs", "/tmp", *check(image, tag))
    return {"what": f"image {image}", "seconds": round(seconds, 1), "size_mb": round(size), "differing_files": 0}


def check(image: str, tag: str) -> list[str]:
    """A command that shows that an image works."""
    name = f"ernn-{image}:{tag}"
    return [name, "mlflow", "--version"] if image == "mlflow" else [name]


def pipeline(tag: str) -> dict[str, Any]:
    """The smoke preset, stage by stage in containers, and how many of its files differ from DVC's."""
    shutil.rmtree(OUTPUTS, ignore_errors=True)
    started = time.perf_counter()
    command = [sys.executable, "pipeline.py", "run", "--preset", "smoke", "--tag", tag, "--root", str(OUTPUTS)]
    subprocess.run(command, check=True, cwd=ROOT)
    seconds = time.perf_counter() - started
    (run,) = OUTPUTS.iterdir()
    return {
        "what": "smoke pipeline",
        "seconds": round(seconds, 1),
        "size_mb": round(sum(each.stat().st_size for each in run.rglob("*") if each.is_file()) / 1e6),
        "differing_files": len(differences(run)),
    }


def differences(run: Path) -> list[str]:
    """Files that differ from those of DVC; a run numbers the tasks of a stage in the order in which they were made."""
    declared = declaration.load(ROOT, presets.parameters(ROOT, "smoke"))
    found, counts = [], dict[str, int]()
    for task in declared.ordered():
        counts[task.stage] = counts.get(task.stage, 0) + 1
        folder = task.stage if counts[task.stage] == 1 else f"{task.stage}-{counts[task.stage]}"
        for path in task.outs:
            flag = task.flag(path)
            assert flag is not None
            if path != "build/published.json":
                ours, theirs = digests(run / folder / flag.replace("-", "_")), digests(SMOKE / path)
                found += [f"{path}/{name}" for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)]
    for name in found:
        print(f"differs: {name}")
    return found


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file in a folder."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(each.relative_to(path)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def main() -> None:
    """Build, run, compare, record."""
    os.chdir(ROOT)
    tag = checkout.tag(ROOT)
    copy_wheel()
    images = sorted(each.name.removesuffix(".Dockerfile") for each in (ROOT / "docker").glob("*.Dockerfile"))
    rows = [build(image, tag) for image in images]
    rows.append(pipeline(tag))
    record("containers", rows, note=NOTE)
    if rows[-1]["differing_files"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
