"""The stage by its command line: an accelerator that is the integer model, and one that is not."""

import json
import re
import shutil
from pathlib import Path

import pytest

from components import stage
from components.generate import generate
from components.simulate import simulate
from ernn import artifacts
from ernn.data.dataset import Dataset
from ernn.hw import design
from ernn.program import files
from tests import programs, toy
from tests.components import accelerators


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Inputs and the project of `small`."""
    folder = tmp_path_factory.mktemp("generated")
    accelerators.make(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        artifacts.write_record(folder / "choice.json", design.Choice("transformed"))
        paths = ["--program-file", "program", "--choice", "choice.json", "--project", "project", "--metrics", "m.json"]
        stage.main(generate, ["--accelerator", "small", *paths])
    return folder


@pytest.fixture
def entered(generated, monkeypatch):
    monkeypatch.chdir(generated)
    return generated


def run(project="project", to="out", program="program", dataset="data"):
    paths = {"dataset": dataset, "program-file": program, "project": project}
    paths |= {"outcome": f"{to}/outcome.json", "metrics": f"{to}/metrics.json"}
    arguments = [part for name, path in paths.items() for part in (f"--{name}", path)]
    stage.main(simulate, arguments)


def test_metrics_and_outcome_of_an_accelerator(entered):
    run()
    metrics, outcome = (json.loads((entered / f"out/{name}.json").read_text()) for name in ("metrics", "outcome"))
    registers = outcome.pop("registers")
    assert outcome == metrics | {"version": 1}
    assert metrics["simulated_frames"] == registers["frames_out"] == 2 * 6
    assert 0 < metrics["multiplier_utilization"] <= 1
    assert metrics["cycles_per_frame"] < metrics["latency_cycles"]
    assert 1 <= metrics["toggle_frames"] < metrics["simulated_frames"]
    assert metrics["register_toggles_per_frame"] > metrics["cycles_per_frame"]
    assert list(registers) == sorted(design.read(entered / "project").registers)


@pytest.mark.system
def test_a_wrong_weight_is_one_line_that_names_the_first_inner_value(entered, capsys):
    wrong = entered / "wrong"
    (wrong / "memory").mkdir(parents=True)
    for name in ("rtl", "tb", design.ACCELERATOR, design.MODULES):
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
    assert "nowhere/accelerator.json: no such file; name another, or make it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"phones": ["b", "a", "c"]}, "has the phones in another order than features: class 0 is 'a', there 'b'"),
        ({"phones": ["a", "b"]}, "has 3 phones, features has 2"),
        ({"dimension": 7}, "has vectors of 6 elements, features of 7"),
    ],
)
def test_features_of_other_speech_are_refused(entered, capsys, monkeypatch, changes, difference):
    shutil.copytree(entered / "data", entered / "features", dirs_exist_ok=True)
    toy.other_speech(entered / "features", **changes)
    monkeypatch.setattr(Dataset, "split", lambda self, name: pytest.fail("work was begun"))
    with pytest.raises(SystemExit) as left:
        run(to="refused", dataset="features")
    assert left.value.code == 2
    cure = "give the program that was quantized on these features (`dvc repro`)"
    assert capsys.readouterr().err.strip() == f"simulate: program {difference}; {cure}"


def refusal(capsys, monkeypatch, program) -> str:
    """What simulation says of a project that is not of this program; it does not get as far as the features."""
    files.save(program, Path("other"))
    monkeypatch.setattr(Dataset, "open", lambda path: pytest.fail("work was begun"))
    with pytest.raises(SystemExit) as left:
        run(program="other", to="refused")
    assert left.value.code == 2
    assert not Path("refused").exists()
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_a_program_of_equal_sizes_and_other_biases_is_refused(entered, capsys, monkeypatch):
    line = refusal(capsys, monkeypatch, programs.build(**accelerators.STRUCTURE, seed=1))
    assert line.startswith("simulate: project: its digest `shape` (sizes, formats and constants) must be that of ")
    assert line.endswith("; generate it again (in the pipeline: `dvc repro`)")


def test_a_stale_project_of_a_program_with_other_weights_is_refused(entered, capsys, monkeypatch):
    line = refusal(capsys, monkeypatch, programs.other_words(programs.build(**accelerators.STRUCTURE)))
    assert line.startswith("simulate: project: its digest `program` (weights and everything else) must be that of ")
