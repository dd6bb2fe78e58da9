"""The stage by its command line: the rows that the library makes of its inputs, and one line for bad ones."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from components.benchmark import benchmark
from components.stage import main
from ernn import artifacts
from ernn.program import files
from ernn.records.synthesis import SynthesisRecord
from tests import programs
from tests.components.conftest import ROWS, SIMULATED

NAME, PROGRAM = "lstm-k4-small", "lstm-k4-12"
FLAGS = {
    "program-file": f"programs/{PROGRAM}",
    "project": f"hardware/{NAME}",
    "outcome": f"simulations/{NAME}.json",
    "synthesized": f"synthesis/{NAME}.json",
    "quality": f"metrics/quantize/{PROGRAM}.json",
    "table": "made/rows.json",
    "metrics": "made/metrics.json",
}


def run(rows=ROWS, simulated=SIMULATED):
    artifacts.write_record(Path(FLAGS["outcome"]), simulated)
    artifacts.write_record(Path(FLAGS["synthesized"]), SynthesisRecord(tuple(rows)))
    main(benchmark, [word for name, path in FLAGS.items() for word in (f"--{name}", path)])


def test_rows_and_metrics_of_an_accelerator(finished):
    run()
    assert json.loads(Path("made/rows.json").read_text()) == json.loads(Path(f"benchmarks/{NAME}.json").read_text())
    metrics = json.loads(Path("made/metrics.json").read_text())
    assert metrics == json.loads(Path(f"metrics/benchmark/{NAME}.json").read_text())
    assert metrics["frames_per_s"] == 50e6 / 250


def test_a_program_that_the_project_was_not_generated_from_is_refused(finished, capsys):
    file = finished / FLAGS["program-file"]
    files.save(programs.other_words(files.load(file)), file)
    with pytest.raises(SystemExit) as left:
        run()
    assert left.value.code == 2
    line = capsys.readouterr().err.strip()
    assert line.startswith(f"benchmark: hardware/{NAME}: its digest `program` (weights and everything else) must be ")
    assert not Path("made").exists()


def test_a_device_that_nobody_knows_is_one_line(finished, capsys):
    with pytest.raises(SystemExit) as left:
        run([replace(ROWS[0], device="abacus")])
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("benchmark: device=abacus must be one of xcku060, ")
    assert not Path("made").exists()


def test_a_simulation_of_another_version_is_one_line(finished, capsys):
    with pytest.raises(SystemExit) as left:
        run(simulated=replace(SIMULATED, version=2))
    assert left.value.code == 2
    assert capsys.readouterr().err.strip() == (
        f"benchmark: simulations/{NAME}.json: file of version 2, this ernn reads version 1; "
        "a newer ernn made it: install that"
    )
