"""Vectors by the command line: read back by the board's driver, they are the integer model's."""

import numpy as np
import pytest

from ernn.data.dataset import Dataset
from ernn.golden.model import Golden
from ernn.hw import design
from ernn.hw.project import rtl_project
from ernn.program import files
from ernn.simulate import board_vectors
from tests import programs, toy
from tests.components import accelerators
from tests.hw import board_driver, designs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    accelerators.make(tmp_path)
    program = programs.build(**accelerators.STRUCTURE)
    rtl_project(designs.network(program, streams=2)).write(tmp_path / "project")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*more: str) -> None:
    board_vectors.main(
        ["--project", "project", "--program-file", "program", "--dataset", "data", "--vectors", "out/vectors", *more]
    )


def test_the_driver_reads_utterances_and_their_logits(folder, capsys):
    run("--utterances", "2")
    assert capsys.readouterr().out == "12 frames\n"
    described, golden = design.read(folder / "project"), Golden(files.load(folder / "program"))
    driver = board_driver.driver(folder / "out/vectors/ernn_driver.py")
    found = driver.BoardVectors.load(folder / "out/vectors", described.input.size, described.logits.size)
    split = Dataset.open(folder / "data").split("test")
    for stream in range(2):
        x = golden.quantize(split.feature(stream))
        rows = found.stream == stream
        assert (found.x[rows] == x).all()
        assert (found.logits[rows] == golden.run(x[:, None])[0][:, 0]).all()
        assert np.flatnonzero(found.first[rows]).tolist() == [0]


def test_more_utterances_than_there_are_are_all(folder, capsys):
    run("--utterances", "99")
    assert capsys.readouterr().out == "18 frames\n"


@pytest.mark.slow
def test_toggles_are_recorded_on_request(folder):
    run("--utterances", "1", "--saif", "out/activity.saif")
    assert "(INSTANCE dut" in (folder / "out/activity.saif").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--utterances", "0"], "--utterances: must be a whole number of 1 or more, got '0'"),
        (["--program-file", "none"], "none"),
        (["--dataset", "none"], "none"),
        (["--project", "none"], "none"),
    ],
)
def test_what_is_missing_is_one_line(folder, capsys, more, message):
    with pytest.raises(SystemExit) as left:
        run(*more)
    lines = capsys.readouterr().err.strip().splitlines()
    assert left.value.code == 2
    assert len(lines) == 1
    assert message in lines[0]


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"phones": ["a", "b", "d"]}, "has other phones than data: class 2 is 'c', there 'd'"),
        ({"dimension": 12}, "has vectors of 6 elements, data of 12"),
    ],
)
def test_features_of_other_speech_are_refused(folder, capsys, changes, difference):
    toy.other_speech(folder / "data", **changes)
    with pytest.raises(SystemExit):
        run()
    assert capsys.readouterr().err.startswith(f"vectors: program {difference}; give the program that was quantized on ")
    assert not (folder / "out").exists()


def test_another_program_is_refused(folder, capsys):
    files.save(programs.build(**accelerators.STRUCTURE, seed=1), folder / "other")
    with pytest.raises(SystemExit):
        run("--program-file", "other")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vectors: project: its digest `shape` (sizes, formats and constants) must be that of the ")
