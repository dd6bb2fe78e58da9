"""The chain on a small disk, full at every stage: one line, and the same command goes on once there is space."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import full
from tests.workflow import chains, tiny
from workflow import lockfile, presets

ROOT = Path(__file__).parents[2]
SIZE = 32 << 20
LOGGED = re.compile(r"\d\d:\d\d:\d\d |\d{4}/\d\d/\d\d ")  # of ernn, of MLflow
STAGE = '''\
"""Writes 640 kB that follow from what it reads."""

import hashlib
from pathlib import Path

from components.stage import main
from ernn import artifacts


def write(*, given: Path, out: Path) -> None:
    first = hashlib.sha256(given.read_bytes() + out.name.encode()).digest()
    with artifacts.atomic(out) as temporary:
        temporary.write_bytes(b"".join(hashlib.sha256(first + bytes([n])).digest() * 1000 for n in range(20)))


if __name__ == "__main__":
    main(write)
'''


def chain(folder: Path) -> None:
    """A stage, two that read what it writes, and one more."""
    (folder / "components").symlink_to(ROOT / "components")
    chains.write(folder, STAGE, {"a": "params.yaml", "b": "a.bin", "c": "a.bin", "d": "b.bin"})


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "PYTHONPATH": f"{folder}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DVC_SITE_CACHE_DIR": str(folder / ".site"),
    }
    command = [sys.executable, "-m", "workflow.local", "--jobs", "2"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("a.bin", "b.bin", "c.bin", "d.bin", "dvc.lock")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    chain(folder)
    assert run(folder).returncode == 0
    return results(folder)


@pytest.mark.slow
@pytest.mark.timeout(900)
# The first stage fits, but not its copy in DVC's cache; then the second stage, its copy, the last ones.
@pytest.mark.parametrize("left", [900_000, 1_500_000, 2_100_000, 2_700_000, 3_300_000, 4_300_000])
def test_a_full_disk_is_one_line_and_the_same_command_goes_on(tmp_path, undisturbed, left):
    with full.small_disk(tmp_path / "disk", SIZE) as folder:
        chain(folder)
        ballast = full.fill(folder, left)
        first = run(folder)
        assert first.returncode == 2
        (line,) = first.stderr.splitlines()
        assert line.startswith("workflow.local: ")
        assert "no space left on device to write it (" in line
        assert "free some space and run the same command again" in line
        assert "Traceback" not in first.stdout
        ballast.unlink()
        second = run(folder)
        assert second.returncode == 0, second.stdout + second.stderr
        _same(results(folder), undisturbed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("damaged", ["", "schema: '2.0'\nstages:\n  a:\n    cmd: pyth"])
def test_a_lock_that_was_cut_off_is_put_back_by_the_next_run(tmp_path, undisturbed, damaged):
    chain(tmp_path)
    assert run(tmp_path).returncode == 0
    (tmp_path / lockfile.NAME).write_text(damaged)
    again = run(tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stderr.startswith("workflow.local: dvc.lock was cut off")
    assert again.stdout.startswith("no stage had to run")
    _same(results(tmp_path), undisturbed)


STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
DESIGN = "gru-k4-admm"
KEPT = (".cache", "mlflow.db", "mlflow.db.lock", "mlartifacts")  # checkpoints and runs, with which the command goes on


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny chain in which every stage has run."""
    return tiny.by_dvc(tiny.values() | {"sensitivities": [DESIGN]}, tmp_path_factory.mktemp("finished"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_is_one_line_of_every_stage_that_leaves_nothing(tmp_path, finished, stage):
    entries = yaml.safe_load((finished / lockfile.NAME).read_text())["stages"]
    (entry,) = [each for name, each in entries.items() if name.split("@")[0] == stage]
    outputs = {each["path"]: each["size"] for each in entry["outs"]}
    with full.small_disk(tmp_path / "disk", 2 * SIZE) as folder:
        for name in ("data", "sensitivities", "choices", "simulations", "synthesis", "report", *presets.FOLDERS):
            shutil.copytree(finished / name, folder / name)
        shutil.copy(finished / "params.yaml", folder)
        (folder / "tmp").mkdir()
        for path in outputs:
            shutil.rmtree(folder / path) if (folder / path).is_dir() else (folder / path).unlink(missing_ok=True)
        before = set(_files(folder))
        for left in (0, sum(outputs.values()) // 2):  # nothing can be begun, and not all can be written
            ballast = full.fill(folder, left)
            done = _stage(entry["cmd"], folder)
            ballast.unlink()
            lines = [line for line in done.stderr.splitlines() if not LOGGED.match(line)]
            if done.returncode == 0 and left:  # files of less than a page
                break
            assert (done.returncode, len(lines)) == (2, 1), done.stderr
            assert lines[0].startswith(f"{stage}: ")
            assert "no space left on device to write it (" in lines[0]
            written = [path for path in outputs if (folder / path).exists()]
            assert all(_contents(folder / path) == _contents(finished / path) for path in written)
            assert set(_files(folder)) - before <= {
                each for path in [*written, *KEPT] for each in _files(folder / path)
            }
        assert _stage(entry["cmd"], folder).returncode == 0
        for path in outputs if stage != "publish" else ():  # names runs of its own store
            assert _contents(folder / path) == _contents(finished / path)


def _stage(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, *command.split()[1:]]
    environment = tiny.environment(folder) | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600, check=False)


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]


def _contents(path: Path) -> dict[str, bytes]:
    return {str(each.relative_to(path)): each.read_bytes() for each in _files(path)}


def _same(found: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    """Stages that run side by side are entered in the lock in the order in which they end."""
    for name, content in wanted.items():
        if name == lockfile.NAME:
            assert yaml.safe_load(found[name]) == yaml.safe_load(content)
        else:
            assert found[name] == content
