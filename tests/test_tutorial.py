"""docs/tutorial-search.md as a newcomer reads it: the commands run, and what the page promises is there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ernn import artifacts
from ernn.records.exploration import ExplorationRecord
from tests.repository import Repository

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tutorial-search.md").read_text()
COMMAND = re.findall(r"^    (ernn explore .*--name.*)$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A checkout without results; set-up is not repeated."""
    folder = tmp_path_factory.mktemp("clone") / "ernn"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    Repository(folder).commit()
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [sys.executable, "-m", "ernn.cli", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.system
@pytest.mark.timeout(1800)  # trains several networks
def test_the_tutorial_leads_to_a_design_for_one_device(clone):
    (command,) = COMMAND
    words = command.split()[1:]
    found = run(clone, *words)
    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-2000:]
    said = [line for line in found.stdout.splitlines() if line.startswith("explore: ")]
    for begins in ("lstm k = 2: ", "lstm: has room from ", "phase I: at most ", "trial 1: ", "phase II: "):
        assert any(line.removeprefix("explore: ").startswith(begins) for line in said), begins
        assert f"explore: {begins}" in TEXT
    folder = clone / "explored" / "tutorial"
    record = artifacts.read_record(folder / "explore.json", ExplorationRecord)
    assert record.met
    assert record.verified[0].device == "xc7z020"
    assert record.verified[0].latency_us <= 20
    assert all(each.verified for each in record.verified)
    assert str(record.chosen) in (folder / "explore.html").read_text()
    assert (folder / "explore.md").is_file()

    again = run(clone, *words)  # nothing is trained again, and the search ends the same
    assert again.returncode == 0
    assert "epoch" not in again.stdout
    same = artifacts.read_record(folder / "explore.json", ExplorationRecord)
    assert (same.chosen, same.verified, same.test) == (record.chosen, record.verified, record.test)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name", "a b"], "explore: --name: a name is letters and digits"),
        (["--device", "xc7z020"], "explore: preset default: requirement: per or per_loss must be given"),
        ([], "explore: nothing is required: give --per-loss 0.5, or another option, or a section `requirement`"),
        (["--per-loss", "0.5", "--networks", "none"], "requirement.networks: none must be one of networks: lstm, gru"),
        (["--per-loss", "0.5", "--jobs", "0"], "ernn explore: --jobs: must be a whole number of 1 or more, got '0'"),
        (["--trials", "0"], "ernn explore: --trials: must be a whole number of 1 or more, got '0'"),
        (["--per-loss", "nan"], "ernn explore: --per-loss: must be a finite number, got 'nan'"),
        (["--per-loss", "-1"], "requirement.per_loss: Input should be greater than or equal to 0, got -1"),
        (["--per-loss", "1", "--preset", "none"], "there is no presets/none.yaml"),
    ],
)
def test_a_mistake_is_one_line_before_anything_runs(clone, words, message):
    found = run(clone, "explore", *words)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1
    assert message in found.stderr
    assert not (clone / "runs" / "explore-search").exists()
