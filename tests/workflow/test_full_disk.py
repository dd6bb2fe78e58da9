"""The chain on a small disk, full at every stage: one line, and the same command goes on once there is space."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests import full
from tests.workflow import chains
from workflow import lockfile

ROOT = Path(__file__).parents[2]
SIZE = 32 << 20
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
    assert "Running stage" not in again.stdout
    _same(results(tmp_path), undisturbed)


def _same(found: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    """Stages that run side by side are entered in the lock in the order in which they end."""
    for name, content in wanted.items():
        if name == lockfile.NAME:
            assert yaml.safe_load(found[name]) == yaml.safe_load(content)
        else:
            assert found[name] == content
