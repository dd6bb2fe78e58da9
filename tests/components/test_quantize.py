"""The stage by its command line, on a toy corpus: what it writes, what it says, and how it refuses."""

import csv
import json

import numpy as np
import pytest
import yaml

from components import stage
from components.quantize import quantize
from ernn.data.dataset import Dataset
from ernn.nn import model_file
from ernn.nn.recurrent import make_circulant
from ernn.params import BlockSizes, Scoring, Training
from ernn.program import files
from ernn.quantization import chain, evaluate
from ernn.scoring.doubts import of_integers
from ernn.training import outcome, session
from ernn.training.loop import Phase
from tests import toy

PARAMS = {
    "version": 1,
    "training": {"epochs": 5, "batch_utterances": 5, "learning_rate": 0.02, "threads": 1},
    "scoring": {"bootstrap_samples": 50},
    "quantization": {"calibration_utterances": 8, "budget_points": 100.0},
    "programs": {
        "wide": {"design": "lstm"},
        "searched": {"design": "lstm", "transform": "fourier", "search": True},
        "narrow": {"design": "lstm", "bits": dict.fromkeys(("weights", "activations", "accumulators", "cell"), 4)},
    },
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A feature folder, a model trained on it and its scores."""
    folder = tmp_path_factory.mktemp("trained")
    data = toy.make(folder / "data", utterances=24)
    options = Training(epochs=20, batch_utterances=2, learning_rate=0.05, threads=1)
    model = session.fresh_model(toy.network(layers=1, cells=16), data, options)
    make_circulant(model, (BlockSizes(recurrent=2),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ERNN_CHECKPOINTS", str(folder / "checkpoints"))
        session.open_run(data, options, Scoring(), test="quantize").fit(model, Phase("direct", 0, 20, 20))
    model_file.save(model, folder / "model")
    outcome.measure(model, data.split("test"), Scoring(bootstrap_samples=50), folder / "float.json")
    return folder


@pytest.fixture
def folder(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    for name in ("data", "model", "float.json"):
        (tmp_path / name).symlink_to(trained / name)
    return tmp_path


def run(program, to="out", **changed):
    paths = {
        "dataset": "data",
        "model": "model",
        "float-scores": "float.json",
        "program-file": f"{to}/program",
    } | changed
    paths |= {name: f"{to}/{name}" for name in ("scores", "curve", "metrics")}
    stage.main(
        quantize, ["--program", program, *(part for name, path in paths.items() for part in (f"--{name}", path))]
    )


def test_program_scores_and_metrics_agree(folder):
    run("wide")
    metrics, scores = (json.loads((folder / "out" / name).read_text()) for name in ("metrics", "scores"))
    program = files.load(folder / "out/program")
    data = Dataset.open(folder / "data")
    score, _ = evaluate.score(program, data.split("test"), Scoring())
    assert metrics["per_integer"] == score.per
    assert scores["with_silences"]["lengths"] == score.with_silences.lengths.tolist()
    assert metrics["deletions_integer"] == outcome.kinds(score)["deletions"]
    assert metrics["integer_loss_low"] <= metrics["integer_loss"] <= metrics["integer_loss_high"]
    assert metrics["weight_bits"] == 12 * sum(matrix.stored_words for matrix in program.matrices.values())
    assert program.name == "wide"


def test_search_leaves_its_steps_and_the_narrowest_program(folder):
    run("searched")
    with (folder / "out/curve").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["phase"] for row in rows[:-1]] == ["search"] * (len(rows) - 1)
    assert {rows[-1][group] for group in ("weights", "activations", "accumulators", "cell")} == {"4"}  # budget: 100
    assert all(matrix.words.format.bits == 4 for matrix in files.load(folder / "out/program").matrices.values())


def test_scores_that_are_doubtful_are_logged(folder, caplog):
    run("narrow")
    metrics = json.loads((folder / "out/metrics").read_text())
    said = [each.message for each in caplog.records if each.levelname == "WARNING" and each.message.startswith("test:")]
    assert said == [f"test: {doubt}" for doubt in of_integers(metrics)]
    assert said


def test_a_program_that_loses_too_much_is_trained_with_its_rounding(folder):
    tight = PARAMS | {"quantization": PARAMS["quantization"] | {"budget_points": 1e-6, "finetune_epochs": 1}}
    (folder / "params.yaml").write_text(yaml.safe_dump(tight))
    run("narrow")
    with (folder / "out/curve").open() as file:
        phases = [row["phase"] for row in csv.DictReader(file)]
    assert phases == ["trained", "finetuned"]
    assert json.loads((folder / "out/metrics").read_text())["finetuned"] == 1
    assert not any((folder / "checkpoints").iterdir())


def test_a_second_run_writes_the_same_bytes(folder):
    for to in ("out", "again"):
        run("wide", to)
    for name in ("scores", "curve", "metrics", "program"):
        assert (folder / "out" / name).read_bytes() == (folder / "again" / name).read_bytes()


def refusal(capsys, *arguments, **changed):
    with pytest.raises(SystemExit) as left:
        run(*arguments, **changed)
    assert left.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_bad_inputs_are_one_line(folder, capsys):
    assert "no such file; name another, or make it" in refusal(capsys, "wide", model="nowhere")
    assert "`programs` has no entry 'other'; it has narrow, searched, wide" in refusal(capsys, "other")
    (folder / "half.json").write_text('{"with_silences": {')
    assert "half.json: not JSON" in refusal(capsys, "wide", **{"float-scores": "half.json"})
    odd = PARAMS | {"programs": {"odd": {"design": "lstm", "bits": {"weights": 3}}}}
    (folder / "params.yaml").write_text(yaml.safe_dump(odd))
    assert "programs.odd: bits.weights: Input should be greater than or equal to 4, got 3" in refusal(capsys, "odd")
    assert not (folder / "out/program").exists()


@pytest.mark.parametrize(("changes", "message"), toy.OTHER_MODELS.values(), ids=toy.OTHER_MODELS)
def test_a_model_of_other_speech_is_refused(folder, capsys, monkeypatch, changes, message):
    toy.other_model(folder / "other", **changes)
    monkeypatch.setattr(Dataset, "split", lambda self, name: pytest.fail("work was begun"))
    assert refusal(capsys, "wide", model="other") == f"quantize: other {message}"
    assert not (folder / "out").exists()


def test_scores_of_other_utterances_are_refused(folder, capsys, monkeypatch):
    monkeypatch.setattr(chain, "Quantizer", lambda *arguments: pytest.fail("work was begun"))
    score = json.loads((folder / "float.json").read_text())
    for errors in (score["with_silences"], score["without_silences"]):
        errors["lengths"] = (np.array(errors["lengths"]) + 1).tolist()
    (folder / "other.json").write_text(json.dumps(score))
    renamed = json.loads((folder / "float.json").read_text())
    renamed["utterances"] = renamed["utterances"][::-1]
    (folder / "renamed.json").write_text(json.dumps(renamed))
    for file in ("other.json", "renamed.json"):
        assert refusal(capsys, "wide", **{"float-scores": file}) == (
            f"quantize: {file}: a score of other utterances than the 24 of the test split; "
            "score the network on these features (`dvc repro`)"
        )
    (folder / "none.json").write_text("{}")
    assert refusal(capsys, "wide", **{"float-scores": "none.json"}).startswith("quantize: none.json: not a score")
