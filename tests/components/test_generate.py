"""The stage by its command line: a project that is whole, the same every time, or not there."""

import json
from pathlib import Path

import pytest

from components import stage
from components.generate import generate
from ernn.artifacts import Texts
from ernn.hw import design
from tests.components import accelerators


@pytest.fixture
def folder(tmp_path, monkeypatch):
    accelerators.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(accelerator="small", to="out", program="program", weights="words"):
    Path("choice.json").write_text(json.dumps({"weights": weights, "version": 1}))
    paths = {
        "program-file": program,
        "choice": "choice.json",
        "project": f"{to}/project",
        "metrics": f"{to}/metrics.json",
    }
    arguments = ["--accelerator", accelerator, *(part for name, path in paths.items() for part in (f"--{name}", path))]
    stage.main(generate, arguments)


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refusal(capsys, **arguments):
    with pytest.raises(SystemExit) as left:
        run(**arguments)
    assert left.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_two_runs_give_equal_trees_whose_digest_stands_beside_them(folder):
    run()
    run(to="again")
    assert tree(folder / "out") == tree(folder / "again")
    files = {path: text.decode() for path, text in tree(folder / "out/project").items()}
    assert files.pop("digest.txt") == Texts(files).digest() + "\n"


def test_metrics_are_sums_over_the_layers_of_the_description(folder):
    run()
    metrics, found = json.loads((folder / "out/metrics.json").read_text()), design.read(folder / "out/project")
    assert metrics == {
        "multiplications_per_frame": round(sum(found.work.multiplications.values())),
        "multipliers": sum(layer.multipliers.total for layer in found.layers),
        "weight_memory_bits": sum(layer.weight_memory_bits for layer in found.layers),
    }
    assert (found.program, found.clock_mhz, found.streams, found.weights) == ("small", 150.0, 2, "words")
    assert "-period 6.667 " in (folder / "out/project/constraints/ernn.xdc").read_text()


def test_a_second_run_replaces_the_first_whole(folder):
    run()
    first = tree(folder / "out/project")
    (folder / "out/project/rtl/old.v").write_text("module old; endmodule\n")
    run()
    assert tree(folder / "out/project") == first


def test_what_a_killed_run_left_is_cleared_away(folder):
    left = folder / "out/.project.tmp/rtl"
    left.mkdir(parents=True)
    (left / "half.v").write_text("module ha")
    run()
    assert names(folder / "out") == ["metrics.json", "project"]
    assert not (folder / "out/project/rtl/half.v").exists()


def test_a_failed_run_leaves_no_half_written_folder(folder, capsys, monkeypatch):
    def full(files, folder):
        raise OSError(28, "No space left on device", "out/project/digest.txt")

    monkeypatch.setattr(Texts, "write", full)
    assert "out/project: no space left on device to write it" in refusal(capsys)
    assert names(folder / "out") == []


def test_a_failed_run_keeps_the_project_before_it(folder, capsys, monkeypatch):
    run()
    before = tree(folder / "out")
    monkeypatch.setattr(Texts, "write", lambda files, folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run()
    assert tree(folder / "out") == before
    assert names(folder / "out") == ["metrics.json", "project"]


def test_bad_inputs_are_one_line(folder, capsys):
    assert "`accelerators` has no entry 'other'; it has odd, small" in refusal(capsys, accelerator="other")
    assert refusal(capsys, accelerator="odd") == "generate: layer 0: lanes=6 must be a multiple of 4, an LSTM's gates"
    assert "no such file; quantize the network again" in refusal(capsys, program="nowhere")
    (folder / "program").unlink()
    assert not (folder / "out").exists()


def test_weights_are_stored_as_the_choice_says(folder):
    run(weights="transformed")
    assert design.read(folder / "out/project").weights == "transformed"


def test_a_choice_of_something_else_is_refused(folder, capsys):
    wanted = (
        "generate: choice.json: weights: Input should be 'words' or 'transformed', got 'both'; "
        "make it again (in the pipeline: `dvc repro`)"
    )
    assert refusal(capsys, weights="both") == wanted
