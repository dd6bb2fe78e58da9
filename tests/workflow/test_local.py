"""The chain on one machine by real DVC, several processes at a time."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
import yaml

from workflow.declaration import load
from workflow.local import changed

ROOT = Path(__file__).parents[2]


STAGE = '''\
"""A stage that writes a file once another stage has begun."""

import argparse
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser()
for flag in ("--mine", "--other", "--out"):
    parser.add_argument(flag, type=Path)
given = parser.parse_args()
given.mine.touch()
until = time.monotonic() + 60
while given.other.name != "nobody" and not given.other.exists():
    if time.monotonic() > until:
        sys.exit("the other stage has not begun")
    time.sleep(0.01)
if Path("broken").exists() and given.out.name == Path("broken").read_text():
    sys.exit("broken: a rule, a value, a cure")
while Path("hold").exists():
    time.sleep(0.01)
given.out.write_text(given.mine.name)
print("wrote", given.out, flush=True)
'''


def stage(mine: str, other: str, deps: list[str]) -> dict:
    cmd = f"python -m components.meet --mine begun-{mine} --other {other} --out {mine}.txt"
    return {"cmd": cmd, "meta": {"image": "train"}, "deps": deps, "outs": [f"{mine}.txt"]}


@pytest.fixture
def folder(tmp_path):
    """Two stages, each of which waits until the other has begun, and one that reads what they write."""
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "__init__.py").touch()
    (tmp_path / "components" / "meet.py").write_text(STAGE)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    stages = {
        "left": stage("left", "begun-right", []),
        "right": stage("right", "begun-left", []),
        "both": stage("both", "nobody", ["left.txt", "right.txt"]),
    }
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (tmp_path / "params.yaml").write_text("version: 1\n")
    yield tmp_path
    for pid in _inside(tmp_path):  # whatever a test that failed has left
        os.kill(pid, signal.SIGKILL)


def start(
    folder: Path,
    *arguments: str,
    interrupts: signal.Handlers = signal.SIG_DFL,
    output: int | IO[str] = subprocess.PIPE,
) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "workflow.local", "--jobs", "2", *arguments]
    handlers = (signal.SIGINT, interrupts), (signal.SIGHUP, signal.SIG_DFL)
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(*each) for each in handlers],
    )


def held(folder: Path, interrupts: signal.Handlers = signal.SIG_DFL) -> subprocess.Popen:
    """A chain whose first two stages have begun, and end when `hold` is gone."""
    (folder / "hold").touch()
    process = start(folder, interrupts=interrupts)
    until = time.monotonic() + 100
    while not (folder / "begun-left").exists() or not (folder / "begun-right").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def stages(said: str) -> set[str]:
    """Names of the stages that have a line with a number."""
    return {found[1] for found in re.finditer(r"(?m)^\d of \d  (\w+) +\d+ s", said)}


@pytest.mark.system
def test_stages_run_side_by_side_and_only_those_that_have_changed(folder):
    said, _ = (process := start(folder)).communicate(timeout=200)
    assert process.returncode == 0, said
    assert stages(said) == {"left", "right", "both"}
    assert len(said.splitlines()) == 4
    assert max(map(len, said.splitlines())) <= 80
    log = (folder / "build" / "run.log").read_text().splitlines()
    assert {"left: wrote left.txt", "right: wrote right.txt", "both: wrote both.txt"} <= set(log)
    assert changed(folder, load(folder)) == set()
    for name in ("left", "right"):
        (folder / f"begun-{name}").unlink()
    said, _ = (process := start(folder)).communicate(timeout=200)
    assert process.returncode == 0
    assert said.startswith("no stage had to run")
    (folder / "left.txt").unlink()
    assert changed(folder, load(folder)) == {"left", "both"}


@pytest.mark.system
def test_after_a_failure_what_runs_ends_and_is_kept_and_nothing_more_begins(folder):
    (folder / "broken").write_text("left.txt")
    said, mistakes = (process := start(folder)).communicate(timeout=200)
    assert process.returncode == 1
    assert re.search(r"(?m)^ +left +\d+ s  failed$", said)
    first, second = mistakes.splitlines()
    assert first == "broken: a rule, a value, a cure"
    assert second.startswith("workflow.local: left: failed with exit code 1, see above; all of it is in build/run.log")
    assert (folder / "right.txt").exists()
    assert not (folder / "begun-both").exists()
    (folder / "broken").unlink()
    assert changed(folder, load(folder)) == {"left", "both"}


@pytest.mark.system
@pytest.mark.parametrize(
    ("interrupts", "number", "code"),
    [
        (signal.SIG_DFL, signal.SIGINT, 130),
        (signal.SIG_DFL, signal.SIGTERM, 143),
        (signal.SIG_DFL, signal.SIGHUP, 129),  # as a terminal that is closed
        (signal.SIG_IGN, signal.SIGTERM, 143),  # as a shell starts what runs in the background
    ],
)
def test_an_interrupted_chain_leaves_no_process_and_goes_on(folder, interrupts, number, code):
    process = held(folder, interrupts)
    process.send_signal(number)
    _, mistakes = process.communicate(timeout=100)
    assert process.returncode == code
    assert "Traceback" not in mistakes
    assert not _inside(folder)
    assert not (folder / "left.txt").exists()
    (folder / "hold").unlink()
    again, _ = (second := start(folder)).communicate(timeout=200)
    assert second.returncode == 0, again
    assert (folder / "both.txt").exists()


@pytest.mark.system
def test_a_chain_that_nobody_reads_any_more_ends(folder):
    """As `make run | head` leaves it: stages must not wait for ever for a reader."""
    process = held(folder)
    process.stdout.close()
    (folder / "hold").unlink()
    mistakes = process.stderr.read()
    assert process.wait(100) == 128 + signal.SIGPIPE
    assert not mistakes
    assert not _inside(folder)


@pytest.mark.system
def test_a_full_disk_for_what_is_printed_is_one_line(folder):
    with Path("/dev/full").open("w") as full:
        _, mistakes = (process := start(folder, output=full)).communicate(timeout=100)
    assert process.returncode == 2
    assert mistakes.startswith("workflow.local: standard output: No space left on device; what is finished is kept")
    assert mistakes.count("\n") == 1
    assert not _inside(folder)


def _inside(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            found += [int(link.parent.name)] if link.readlink() == folder else []
    return found


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("dvc.yaml", None, "dvc.yaml: no such file"),
        ("dvc.yaml", "stages: {a: {cmd: echo}}", r"cmd is `python -m MODULE"),
        ("params.yaml", "[", "params.yaml"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(folder, file, text, message):
    (folder / file).unlink()
    if text is not None:
        (folder / file).write_text(text)
    _, said = (process := start(folder)).communicate(timeout=100)
    assert process.returncode == 2
    assert re.search(message, said)
    assert said.count("\n") == 1


GATE = '''\
"""A stage that refuses while a file is there."""

import sys
from pathlib import Path

if Path("bad").exists():
    sys.exit("check: a rule, a value, a cure")
Path(sys.argv[2]).write_text("good")
'''


@pytest.fixture
def gated(folder):
    """The folder with a stage that may refuse in front of the others."""
    (folder / "components" / "check.py").write_text(GATE)
    stages = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    gate = {"cmd": "python -m components.check --checked checked", "meta": {"image": "train", "gate": True}}
    stages |= {"check": gate | {"deps": ["params.yaml"], "outs": ["checked"]}}
    for name in ("left", "right"):
        stages[name]["deps"].append("checked")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    return folder


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("params", ["version: 1\n", "version: 1\ndesigns: 5\n", "["])
def test_a_stage_that_refuses_ends_all_before_dvc_begins_whatever_else_is_wrong(gated, jobs, params):
    (gated / "bad").touch()
    (gated / "params.yaml").write_text(params)
    said, mistakes = (process := start(gated, "--jobs", jobs)).communicate(timeout=100)
    assert (process.returncode, said, mistakes) == (1, "", "check: a rule, a value, a cure\n")
    assert not (gated / "begun-left").exists()
    assert not (gated / "dvc.lock").exists()


@pytest.mark.system
def test_what_reads_a_gates_file_does_not_run_with_it(gated):
    said, _ = (process := start(gated)).communicate(timeout=200)
    assert process.returncode == 0, said
    (gated / "params.yaml").write_text("version: 1  # edited\n")
    assert changed(gated, load(gated)) == {"check"}
    (gated / "left.txt").unlink()
    assert changed(gated, load(gated)) == {"check", "left", "both"}


def test_jobs_are_at_least_one(folder):
    _, said = (process := start(folder, "--jobs", "0")).communicate(timeout=100)
    rule = "python -m workflow.local: --jobs: must be a whole number of 1 or more, got '0'"
    assert (process.returncode, said) == (2, f"{rule}; see python -m workflow.local --help\n")
