"""Temporary folders go with their process, at the latest with the next run."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ernn import artifacts
from ernn.artifacts import scratch
from ernn.errors import UserError
from ernn.tools import process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_empty_and_goes_with_its_block(here):
    with scratch.folder("a-") as folder:
        assert list(folder.iterdir()) == []
        (folder / "file").touch()
        scratch.sweep()
        assert (folder / "file").exists()
    assert list(here.iterdir()) == []


def test_what_a_message_names_stays(here):
    with pytest.raises(UserError), process.work_folder() as folder:
        raise UserError(f"see {folder}/log")
    scratch.sweep()
    assert folder.is_dir()


HOLDS = """
import os, subprocess, sys, time
from ernn.artifacts import scratch
with scratch.folder("espeak-") as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    time.sleep(100)
"""
RUNS = """
import sys
from pathlib import Path
from ernn.tools import process
process.run(["sh", "-c", "mktemp -d -t yowasp_XXXX; exec sleep 100"], Path.cwd(), Path("log"))
"""


@pytest.mark.parametrize("program", [HOLDS, RUNS])
def test_only_folders_of_processes_that_are_gone_are_swept(here, program):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(here)}
    command = [sys.executable, "-c", program]
    holder = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    try:
        while not (inside := [*here.glob("ernn-*/*")]):
            assert holder.poll() is None
        scratch.sweep()
        assert inside[0].exists()
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
    scratch.sweep()
    assert not [*here.glob("ernn-*")]


def test_what_a_killed_process_left_of_a_file_goes_when_it_is_written_again(tmp_path):
    program = "import os; from ernn import artifacts; from pathlib import Path\n"
    program += "with artifacts.atomic(Path('a[1]')) as file: file.touch(); os.kill(os.getpid(), 9)"
    subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    (left,) = tmp_path.iterdir()
    mine = tmp_path / left.name.replace(left.name.split(".")[-2], str(os.getppid()))
    mine.touch()  # of a process that lives
    artifacts.write_json(tmp_path / "a[1]", 1)
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a[1]", mine])
