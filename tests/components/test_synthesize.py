"""The stage by its command line: rows of devices, what does not fit, and wrong names."""

import json
from pathlib import Path

import pytest
import yaml

from components import stage
from components.generate import generate
from components.synthesize import synthesize
from ernn.program import files
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
        (folder / "choice.json").write_text('{"weights": "words"}')
        paths = [
            "--integer",
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


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("accelerator", "device"), [("small", "xc7z020"), ("larger", "xc7vx690t")])
def test_a_row_for_the_device_and_its_metrics(generated, monkeypatch, accelerator, device):
    monkeypatch.chdir(generated)
    run(accelerator)
    rows, metrics = (json.loads((generated / f"out/{name}.json").read_text()) for name in ("table", "metrics"))
    (first,) = rows["rows"]
    assert (first["design"], first["device"]) == (accelerator, device)
    assert metrics == {name: first[name] for name in ("lut", "ff", "dsp", "bram")}
    assert first["fmax_mhz"] == 150.0
    assert (first["fmax_kind"], first["fits"], first["binds"]) == ("levels", True, [])
    assert (first["levels"], len(first["paths"])) == (first["paths"][0]["levels"], 10)
    assert first["levels_mhz"] >= 150
    design = json.loads((generated / "project/design.json").read_text())
    assert first["dsp"] >= sum(sum(layer["multipliers"].values()) for layer in design["layers"])


@pytest.mark.parametrize(
    ("accelerator", "project", "message"),
    [
        ("misspelt", "project", "device=xc7z021 must be one of xcku060, "),
        ("small", "nowhere", "nowhere/design.json: no such file"),
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
