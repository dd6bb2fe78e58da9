"""Trials by DVC: some tasks of a chain, one that is stopped and goes on later, and curves that are not finished."""

import threading
import time

import pytest
import torch

from ernn.errors import UserError
from ernn.training.checkpoint import Checkpoints
from tests.workflow import chains
from workflow import local
from workflow.trials import StageTrials, curve_so_far

SCRIPT = """\
import argparse
import time
from pathlib import Path

parser = argparse.ArgumentParser()
for flag in ("--given", "--out"):
    parser.add_argument(flag, type=Path)
given = parser.parse_args()
Path("begun-" + given.out.name).touch()
while Path("hold").exists():
    time.sleep(0.01)
given.out.write_text(given.given.name)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "source").write_text("a")
    chains.write(tmp_path, SCRIPT, {"one": "source", "two": "one.bin", "other": "source"})
    return tmp_path


@pytest.mark.parametrize("jobs", [1, 2])
def test_targets_are_run_with_what_they_read_and_nothing_else(folder, jobs):
    assert local.repro(folder, jobs, 1, ["two"]) == 0
    assert (folder / "two.bin").read_text() == "one.bin"
    assert not (folder / "other.bin").exists()


def test_a_target_that_is_no_task_is_refused(folder):
    with pytest.raises(UserError, match=r"^dvc.yaml has no stage three$"):
        local.repro(folder, 1, 1, ["three"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_stopped_leaves_no_output_and_goes_on_later(folder, jobs):
    (folder / "hold").touch()
    begun = threading.Event()

    def stop() -> bool:
        if (folder / "begun-one.bin").exists():
            begun.set()
        return begun.is_set()

    before = time.monotonic()
    assert local.repro(folder, jobs, 1, ["one"], stop) == local.STOPPED
    assert time.monotonic() - before < 60
    assert not (folder / "one.bin").exists()
    (folder / "hold").unlink()
    assert local.repro(folder, jobs, 1, ["one"]) == 0
    assert (folder / "one.bin").read_text() == "source"


def test_the_curve_of_a_training_under_way_is_that_of_its_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path))
    kept, state = Checkpoints.of(design="a"), {"w": torch.zeros(2)}
    assert curve_so_far(tmp_path) == []
    pull = [{"epoch": epoch, "phase": "admm", "dev_per": 30.0} for epoch in (3, 4)]
    final = [{"epoch": epoch, "phase": "finetune", "dev_per": 20.0} for epoch in (5, 6)]
    kept.write("finetune", state, {"epochs": 2, "rows": final})
    path = kept.write("admm", state, {"epochs": 2, "rows": pull})
    assert curve_so_far(tmp_path) == [*pull, *final]
    path.write_bytes(path.read_bytes()[:10])
    assert curve_so_far(tmp_path) == []  # nothing can be said


class Made:
    """A chain of which everything was made before."""

    def __init__(self, folder):
        self.folder = folder

    def make(self, values, targets, hopeless=None):
        return True


@pytest.mark.parametrize(
    "damaged", [None, "", "epoch,dev_per\n", "epoch\n1\n", "epoch,dev_per\n1\n", "epoch,dev_per\n1,x\n"]
)
def test_a_damaged_curve_is_one_line(tmp_path, damaged):
    trials = StageTrials(Made(tmp_path), {"networks": {"gru": {}}})
    if damaged is not None:
        file = tmp_path / "curves" / "pretrain" / "gru.csv"
        file.parent.mkdir(parents=True)
        file.write_text(damaged)
    with pytest.raises(UserError, match=r"gru\.csv: missing, or no curve of a training; remove .* and run the same"):
        trials.dense()
