"""The stage by its command line: an accelerator that is the integer model, and one that is not."""

import json
import re

import pytest

from components import stage
from components.generate import generate
from components.simulate import simulate
from tests.components import accelerators


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Inputs and the project of `small`."""
    folder = tmp_path_factory.mktemp("generated")
    accelerators.make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "choice.json").write_text('{"weights": "transformed"}')
        paths = ["--integer", "program", "--choice", "choice.json", "--project", "project", "--metrics", "m.json"]
        stage.main(generate, ["--accelerator", "small", *paths])
    return folder


@pytest.fixture
def entered(generated, monkeypatch):
    monkeypatch.chdir(generated)
    return generated


def run(project="project", to="out"):
    paths = {"dataset": "data", "integer": "program", "project": project}
    paths |= {"outcome": f"{to}/outcome.json", "metrics": f"{to}/metrics.json"}
    arguments = ["--accelerator", "small", *(part for name, path in paths.items() for part in (f"--{name}", path))]
    stage.main(simulate, arguments)


def test_metrics_and_outcome_of_an_accelerator(entered):
    run()
    metrics, outcome = (json.loads((entered / f"out/{name}.json").read_text()) for name in ("metrics", "outcome"))
    registers = outcome.pop("registers")
    assert outcome == metrics
    assert metrics["simulated_frames"] == registers["frames_out"] == 2 * 6
    assert 0 < metrics["multiplier_utilization"] <= 1
    assert metrics["cycles_per_frame"] < metrics["latency_cycles"]
    assert 1 <= metrics["toggle_frames"] < metrics["simulated_frames"]
    assert metrics["register_toggles_per_frame"] > metrics["cycles_per_frame"]
    assert list(registers) == sorted(json.loads((entered / "project/design.json").read_text())["registers"])


def test_a_wrong_weight_is_one_line_that_names_the_first_inner_value(entered, capsys):
    wrong = entered / "wrong"
    (wrong / "memory").mkdir(parents=True)
    for name in ("rtl", "tb", "design.json", "modules.json"):
        (wrong / name).symlink_to(entered / "project" / name)
    for image in (entered / "project/memory").iterdir():
        (wrong / "memory" / image.name).write_text(image.read_text())
    path = wrong / "memory/layer0_weights_7.hex"  # of gate o
    path.write_text("".join(f"{int(line, 16) ^ 0x20:x}\n" for line in path.read_text().splitlines()))
    with pytest.raises(SystemExit) as left:
        run("wrong", "bad")
    assert left.value.code == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.fullmatch(
        r"simulate: utterance 0, frame 0, layers\.0\.a_o\[\d\]: expected -?\d+, got -?\d+; "
        r"seen as frame \d+, logit \d: expected -?\d+, got -?\d+",
        line,
    )
    assert not (entered / "bad").exists()


def test_a_project_that_is_not_there_is_one_line(entered, capsys):
    with pytest.raises(SystemExit) as left:
        run("nowhere")
    assert left.value.code == 2
    assert "nowhere/design.json: no such file; run the stage that makes it" in capsys.readouterr().err
