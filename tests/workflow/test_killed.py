"""A run that is killed, and two at once: nothing is left at work, and the same command goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.workflow import chains
from workflow import alone, guard, lockfile

ROOT = Path(__file__).parents[2]
STAGE = '''\
"""Writes half of a file, waits, and replaces it by the whole."""

import argparse
import hashlib
import os
import subprocess
import time
from pathlib import Path

from ernn import artifacts

parser = argparse.ArgumentParser()
for flag in ("--given", "--out"):
    parser.add_argument(flag, type=Path)
options = parser.parse_args()
if Path("hold").exists():
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    Path("begun").touch()
    time.sleep(1000)
first = hashlib.sha256(options.given.read_bytes() + options.out.name.encode()).digest()
with artifacts.atomic(options.out) as temporary:
    temporary.write_bytes(first)
    time.sleep(0.1)
    temporary.write_bytes(first * 1000)
'''


def chain(folder: Path) -> None:
    chains.write(folder, STAGE, {"a": "params.yaml", "b": "a.bin", "c": "a.bin"})


def start(folder: Path, *before: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*before, sys.executable, "-m", "workflow.local", "--jobs", "2"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def inside(folder: Path) -> set[int]:
    """Processes that work in a folder."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found |= {int(link.parent.name)} if link.readlink() == folder else set()
    return found


@pytest.fixture
def folder(tmp_path):
    chain(tmp_path)
    yield tmp_path
    for pid in inside(tmp_path):  # whatever a test that failed has left
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def held(folder):
    """A run whose first stage never ends."""
    (folder / "hold").touch()
    process = start(folder)
    until = time.monotonic() + 100
    while not (folder / "begun").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.system
def test_the_second_of_two_runs_is_refused_in_one_line(folder, held):
    _, said = (second := start(folder)).communicate(timeout=100)
    assert second.returncode == 2
    assert said.startswith(
        f"workflow.local: another run works in {folder} (process {held.pid}); wait until it has ended"
    )
    assert said.count("\n") == 1
    assert held.poll() is None


@pytest.mark.system
def test_a_killed_run_leaves_no_process_and_the_next_one_goes_on_at_once(folder, held):
    held.kill()
    (folder / "hold").unlink()
    said, mistakes = (second := start(folder)).communicate(timeout=200)
    assert second.returncode == 0, said + mistakes
    assert set(mistakes.splitlines()) <= {
        "workflow.local: waiting until the stages of a run that was killed have ended"
    }
    assert "busy" not in said
    assert not inside(folder)


@pytest.mark.system
def test_a_run_that_make_has_started_ends_with_make(folder):
    (folder / "hold").touch()
    (folder / "Makefile").write_text(
        f"run:\n\t@cd . && exec {sys.executable} -m workflow.local --with-parent --jobs 2\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}"}
    make = subprocess.Popen(["make", "run"], cwd=folder, env=environment)
    until = time.monotonic() + 100
    while not (folder / "begun").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    make.kill()
    make.wait()
    while inside(folder):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("cat", 0)])
def test_a_guard_gives_the_exit_code_of_its_command(script, code):
    command = [sys.executable, "-I", guard.__file__, "sh", "-c", script]
    assert subprocess.Popen(command, stdin=subprocess.PIPE).wait(20) == code


def test_a_guard_ends_what_left_its_group_and_lost_its_parent(tmp_path):
    script = "(setsid sleep 1000 & ) ; sleep 1000 & touch begun; wait"
    process = subprocess.Popen(
        [sys.executable, "-I", guard.__file__, "sh", "-c", script], cwd=tmp_path, stdin=subprocess.PIPE
    )
    while not (tmp_path / "begun").exists() or len(inside(tmp_path)) < 4:
        assert process.poll() is None
        time.sleep(0.02)
    process.stdin.close()
    assert process.wait(20) == 137
    assert not inside(tmp_path)


def test_a_folder_is_free_again_after_a_run(tmp_path):
    for _ in range(2):
        with alone.alone(tmp_path):
            pass


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments_the_end_is_that_of_an_undisturbed_run(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("undisturbed")
    chain(other)
    said, mistakes = (process := start(other)).communicate(timeout=200)
    assert process.returncode == 0, said + mistakes
    moments = random.Random(5)
    for _ in range(12):
        process = start(folder)
        with suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0, 9))
        process.kill()
        process.communicate()
        left = [*folder.glob("*.bin"), *folder.glob(lockfile.NAME)]
        assert all(each.read_bytes() for each in left if each.suffix)
    said, mistakes = (process := start(folder)).communicate(timeout=200)
    assert process.returncode == 0, said + mistakes
    for name in ("a.bin", "b.bin", "c.bin"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    locks = [yaml.safe_load((each / lockfile.NAME).read_text()) for each in (folder, other)]
    assert locks[0] == locks[1]
    assert not inside(folder)
    assert not [*folder.glob(".*.tmp")]
