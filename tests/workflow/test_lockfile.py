"""dvc.lock is whole, or its last whole copy is put back."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workflow import lockfile
from workflow.lockfile import Keeper, is_whole

LOCK = """schema: '2.0'
stages:
  prepare:
    cmd: python -m components.prepare --dataset data
    deps:
    - path: components
      hash: md5
      md5: 90367f08aef46fe685955573a58b89b8.dir
      size: 3064
      nfiles: 2
    params:
      params.yaml:
        corpus:
          kind: synthetic
    outs:
    - path: data
      hash: md5
      md5: c5a19ca3b2ee2a7fc9ea98b8ba23fcd9
      size: 5
  report:
    cmd: python -m components.report --report report
    outs:
    - path: report
      hash: md5
      md5: c5a19ca3b2ee2a7fc9ea98b8ba23fcd9
      size: 6
"""


@given(st.integers(0, len(LOCK)))
def test_what_counts_as_whole_is_what_dvc_reads(length):
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    text = LOCK[:length]
    if is_whole(text):
        COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(text))
        assert text.endswith("\n")
    assert is_whole(LOCK)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / ".dvc" / "tmp").mkdir(parents=True)
    (tmp_path / lockfile.NAME).write_text(LOCK)
    return tmp_path


@pytest.mark.parametrize("damaged", ["", LOCK[:40], LOCK[:-3], "- a\n", "schema: '2.0'\nstages:\n", "\x00" * 9])
def test_a_damaged_lock_is_put_back_in_one_line(folder, capfd, damaged):
    keeper = Keeper(folder)
    keeper.keep()
    (folder / lockfile.NAME).write_text(damaged)
    keeper.keep()  # no damaged copy takes the place of a whole one
    keeper.mend()
    assert (folder / lockfile.NAME).read_text() == LOCK
    said = capfd.readouterr().err
    assert said == "workflow.local: dvc.lock was cut off, as by a full disk: its last whole copy was put back\n"
    keeper.mend()
    assert not capfd.readouterr().err


def test_a_damaged_lock_without_a_copy_begins_anew(folder, capfd):
    (folder / lockfile.NAME).write_text("")
    Keeper(folder).mend()
    assert not (folder / lockfile.NAME).exists()
    assert "there was no copy, it begins anew" in capfd.readouterr().err


def test_the_copy_follows_the_lock(folder):
    keeper = Keeper(folder)
    keeper.keep()
    longer = LOCK + "  publish:\n    cmd: python -m components.publish\n"
    (folder / lockfile.NAME).write_text(longer)
    keeper.keep()
    assert (folder / lockfile.COPY).read_text() == longer
    (folder / lockfile.NAME).unlink()  # as whoever wants everything anew does
    keeper.keep()
    keeper.mend()
    assert not (folder / lockfile.NAME).exists()


def test_dvc_refuses_the_lock_that_is_mended(folder):
    """The reason for all of this; a DVC that writes its lock whole would make it needless."""
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    (folder / "dvc.yaml").write_text("stages:\n  a:\n    cmd: 'true'\n")
    (folder / lockfile.NAME).write_text("")
    said = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert said.returncode
    assert "validation failed" in said.stderr


def test_what_a_killed_dvc_has_noted_is_cleared(folder):
    note = folder / ".dvc" / "tmp" / "rwlock"
    note.write_text('{"write": {"data": {"pid"')
    Keeper(folder).mend()
    assert not note.exists()
    assert Path(folder / lockfile.NAME).exists()
