"""The stage by its command line: rows of devices, what does not fit, and wrong names."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from components import stage
from components.generate import generate
from components.synthesize import synthesize
from ernn import artifacts
from ernn.hw import design
from ernn.program import files
from ernn.records.synthesis import SynthesisRecord
from tests import programs

SMALL = {"program": "small", "array": {"lanes": 2, "columns": 1}, "output": {"lanes": 1, "columns": 1}}
PARAMS = {
    "version": 1,
    "hardware": {"clock_mhz": 150.0, "device": "xc7z020"},
    "synthesis": {},
    "accelerators": {
        "small": SMALL,
        "larger": SMALL | {"device": "xc7vx690t"},
        "misspelt": SMALL | {"device": "xc7z021"},
    },
}


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("synthesize")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    files.save(programs.build(cell="gru", block_sizes=(2, 2)), folder / "program")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        artifacts.write_record(folder / "choice.json", design.Choice("words"))
        paths = [
            "--program-file",
            "program",
            "--choice",
            "choice.json",
            "--project",
            "project",
            "--metrics",
            "generate.json",
        ]
        stage.main(generate, ["--accelerator", "small", *paths])
    return folder


def run(accelerator: str, project: str = "project") -> None:
    paths = ["--project", project, "--table", "out/table.json", "--metrics", "out/metrics.json"]
    stage.main(synthesize, ["--accelerator", accelerator, *paths])


LARGER = pytest.param("larger", "xc7vx690t", marks=[pytest.mark.system])


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("accelerator", "device"), [("small", "xc7z020"), LARGER])
def test_a_row_for_the_device_and_its_metrics(generated, monkeypatch, accelerator, device):
    monkeypatch.chdir(generated)
    run(accelerator)
    (first,) = artifacts.read_record(generated / "out/table.json", SynthesisRecord).rows
    assert (first.accelerator, first.device) == (accelerator, device)
    assert json.loads((generated / "out/metrics.json").read_text()) == asdict(first.used)
    assert first.fmax_mhz == 150.0
    assert (first.fmax_kind, first.fits, first.binds) == ("levels", True, ())
    assert (first.logic.levels, len(first.paths)) == (first.paths[0].levels, 10)
    assert first.logic.mhz >= 150
    layers = design.read(generated / "project").layers
    assert first.used.dsp >= sum(layer.multipliers.total for layer in layers)


@pytest.mark.parametrize(
    ("accelerator", "project", "message"),
    [
        ("misspelt", "project", "device=xc7z021 must be one of xcku060, "),
        ("small", "nowhere", "nowhere/accelerator.json: no such file"),
    ],
)
def test_what_is_not_there_is_one_line(generated, monkeypatch, capsys, accelerator, project, message):
    monkeypatch.chdir(generated)
    with pytest.raises(SystemExit) as left:
        run(accelerator, project)
    assert left.value.code == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("synthesize: ")
    assert message in line
