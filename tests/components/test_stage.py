"""The command line of the stages: flags from the signature, sections from params.yaml, mistakes in one line."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from components import stage
from ernn.errors import UserError
from ernn.params import Design, Training

HEAVY = {"torch", "matplotlib", "mlflow", "kfp", "kubernetes", "scipy", "numpy"}
HELPERS = {"architecture", "cluster", "exchange", "executor", "pytorchjob", "runs", "stage", "tracking"}
OF_MLFLOW = {"registered", "served", "stories"}
COMMANDS = {each.stem for each in Path("components").glob("[a-z]*.py")} - HELPERS - OF_MLFLOW
PARAMS = """
version: 1
training: {epochs: 3}
designs:
  small: {network: lstm, method: admm, block_size: 8}
  wrong: {network: lstm, block_size: 128}
"""


def train(*, design: Design, training: Training, model_file: Path) -> dict[str, float]:
    """Write what was asked for."""
    model_file.write_text(f"{design.block_size} {training.epochs}")
    return {"per": 20.0}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments, of=train):
    stage.main(of, ["--model-file", "model", "--metrics", "metrics/train.json", *arguments])


def mistake(capsys, *arguments, of=train):
    with pytest.raises(SystemExit) as left:
        run(*arguments, of=of)
    assert left.value.code == 2
    return capsys.readouterr().err.strip()


def test_signature_becomes_flags_sections_and_metrics(folder, caplog):
    with caplog.at_level("INFO"):
        run("--design", "small")
    assert (folder / "model").read_text() == "8 3"
    assert json.loads((folder / "metrics/train.json").read_text()) == {"per": 20.0}
    assert caplog.messages == ["wrote model (3 B)", "wrote metrics/train.json (17 B)"]


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_of_several_processes_alone_says_what_was_written(folder, monkeypatch, rank):
    monkeypatch.setenv("RANK", str(rank))
    task = {"outputs": {"outputFile": "said.json"}}
    run("--design", "small", "--executor-input", json.dumps(task))
    assert (folder / "metrics/train.json").exists() == (folder / "said.json").exists() == (rank == 0)


@pytest.mark.parametrize("place", ["model", "folder"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(folder, capsys, place):
    def work(*, model: stage.OutputFile, folder: stage.OutputFolder) -> None:
        pytest.fail("work was begun")

    (folder / "file").write_text("")
    paths = {"model": "new/model", "folder": "new/folder"} | {place: "file/new"}
    with pytest.raises(SystemExit) as left:
        stage.main(work, [word for name, path in paths.items() for word in (f"--{name}", path)])
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("work: file/new: ")
    assert not (folder / "new").exists()


def test_metrics_without_a_path_are_refused_before_the_work(folder, capsys):
    with pytest.raises(SystemExit) as left:
        stage.main(train, ["--model-file", "model", "--design", "small"])
    assert left.value.code == 2
    assert capsys.readouterr().err == "train: give --metrics PATH\n"
    assert not (folder / "model").exists()


def test_sections_from_the_command_line_need_no_file(folder):
    (folder / "params.yaml").unlink()
    run("--params.design", '{"network": "lstm", "block_size": 4.0}', "--params.training", '{"epochs": 5.0}')
    assert (folder / "model").read_text() == "4 5"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--design", "large"],
            "train: params.yaml: `designs` has no entry 'large'; it has small, wrong",
        ),
        (
            [],
            "train: give --design NAME, an entry of `designs` in params.yaml, or --params.design JSON",
        ),
        (
            ["--design", "small", "--params.training", '{"epochs": 0}'],
            "train: --params.training: epochs: Input should be greater than 0, got 0",
        ),
        (
            ["--design", "small", "--params.training", '{"epoch": 1}'],
            "train: --params.training: epoch: no such key; remove it or correct its spelling",
        ),
        (
            ["--design", "small", "--params.training", "{"],
            "train: --params.training: not JSON (Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1))",
        ),
        (
            ["--design", "small", "--params.training", '{"epochs": 1, "epochs": 2}'],
            "train: --params.training: not JSON (key 'epochs' is in one mapping twice)",
        ),
    ],
)
def test_wrong_parameters_are_one_line(folder, capsys, arguments, line):
    assert mistake(capsys, *arguments) == line


def test_wrong_entry_names_its_place_in_the_file(folder, capsys):
    line = mistake(capsys, "--design", "wrong")
    assert line.startswith("train: params.yaml: designs.wrong: block_size")
    assert "less than or equal to 64, got 128" in line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("version: 1", "train: params.yaml: section `training` is missing; add it"),
        (
            "training: {epochs: 3}",
            "train: params.yaml: parameters without a version, this ernn reads version 1; carry your values over to "
            "files of this ernn, which begin with `version: 1`",
        ),
        (
            "version: 2\ntraining: {epochs: 3}",
            "train: params.yaml: parameters of version 2, this ernn reads version 1; a newer ernn made it: install",
        ),
        ("training: [", "train: params.yaml: not YAML: while parsing"),
        (None, "train: params.yaml: no such file; run from the repository's root instead of "),
    ],
)
def test_broken_params_file_is_one_line(folder, capsys, text, line):
    (folder / "params.yaml").unlink()
    if text is not None:
        (folder / "params.yaml").write_text(text)
    message = mistake(capsys, "--params.design", '{"network": "lstm"}')
    assert message.startswith(line)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("rate must be\n16000"), "rate must be 16000"),
        (OSError(errno.ENOSPC, "No space", "models/x"), "models/x: no space left on device to write it ("),
        (FileNotFoundError(errno.ENOENT, "", "data/f"), "data/f: no such file or directory; run the stage that makes"),
        (PermissionError(errno.EACCES, "", "models"), "models: permission denied"),
    ],
)
def test_errors_that_a_user_can_cure_are_one_line(folder, capsys, error, line):
    def fails(*, model_file: Path) -> dict[str, float]:
        raise error

    assert mistake(capsys, of=fails).startswith(f"fails: {line}")


def test_a_bug_keeps_its_traceback(folder):
    def unregistered(*, model_file: Path) -> dict[str, float]:
        return {"goodness": 1.0}

    with pytest.raises(
        ValueError, match=r"metrics goodness have no unit and direction in ernn/report/metrics\.py; add them"
    ):
        run(of=unregistered)


def test_only_what_the_stage_wrote_is_said(folder, caplog):
    def reads(*, model_file: Path, output: Path) -> None:
        output.mkdir()
        (output / "a").write_bytes(b"x" * 1500)
        (output / "b").write_bytes(b"x" * 1500)

    (folder / "model").write_text("old")
    os.utime(folder / "model", (0, 0))
    with caplog.at_level("INFO"):
        stage.main(reads, ["--model-file", "model", "--output", "out"])
    assert caplog.messages == ["wrote out (3 kB)"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_stage_loads_nothing_heavy(name):
    code = (
        "import sys, runpy\n"
        f"sys.argv = ['components.{name}', '--help']\n"
        f"try: runpy.run_module('components.{name}', run_name='__main__')\n"
        "except SystemExit as left: assert left.code == 0\n"
        f"print(*sorted({HEAVY} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: python -m components.{name} ")
    assert done.stderr.split() == []


@pytest.mark.parametrize(("given", "kept"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_threads_sleep_at_barriers_unless_the_user_wants_otherwise(given, kept):
    script = "import os, components; print(os.environ['OMP_WAIT_POLICY'])"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"} | given
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == kept
