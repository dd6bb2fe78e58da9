"""The two training stages by their command lines, on a toy corpus: what they write, and how they refuse."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from components import stage
from components.compress import compress
from components.pretrain import pretrain
from ernn import artifacts
from ernn.data.dataset import Dataset
from ernn.data.phones import PHONES48
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import Network, NetworkSpec
from ernn.scoring import tuning
from ernn.training import session
from tests import toy

PARAMS = {
    "version": 1,
    "training": {"epochs": 5, "batch_utterances": 5, "learning_rate": 0.02, "threads": 1},
    "compression": {"dense_share": 0.2, "finetune_share": 0.4},
    "scoring": {"bootstrap_samples": 50},
    "networks": {"lstm": {"cells": 8}},
    "designs": {
        "admm": {"network": "lstm", "block_size": 4},
        "mixed": {"network": "lstm", "block_size": [{"input": 2, "recurrent": 4}, {"recurrent": 8}]},
        "pruned": {"network": "lstm", "method": "prune", "pruning_ratio": 3},
    },
}
OUTPUTS = ("model", "checkpoint_at_cut", "scores", "curve", "metrics")
COMPRESSED = ("model", "scores", "curve", "metrics")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    toy.make(tmp_path / "data", utterances=10)
    return tmp_path


def outputs(to: str, *names: str) -> list[str]:
    """Flags and files in the folder `to` of the outputs of a stage."""
    return [part for name in names for part in (f"--{name.replace('_', '-')}", f"{to}/{name}")]


def models(folder: str) -> list[str]:
    """Flags of `compress` for the two models of `pretrain` in a folder."""
    return ["--dense", f"{folder}/model", "--checkpoint-at-cut", f"{folder}/checkpoint_at_cut"]


def run_pretrain(to="dense"):
    stage.main(pretrain, ["--network", "lstm", "--dataset", "data", *outputs(to, *OUTPUTS)])


def run_compress(design, to="compressed", start="dense"):
    stage.main(compress, ["--design", design, "--dataset", "data", *models(start), *outputs(to, *COMPRESSED)])


def read_curve(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("design", "phase"), [("admm", "admm"), ("mixed", "admm"), ("pruned", "prune")])
def test_dense_then_compressed(folder, design, phase):
    run_pretrain()
    run_compress(design)
    dense, compressed = model_file.load(folder / "dense/model"), model_file.load(folder / "compressed/model")
    metrics = json.loads((folder / "compressed/metrics").read_text())
    assert metrics["stored_weights"] == compressed.stored_words < dense.stored_words
    assert metrics["compression"] == pytest.approx(dense.stored_words / compressed.stored_words)
    assert metrics["per_low"] <= metrics["per"] <= metrics["per_high"]
    assert metrics["per"] == pytest.approx(sum(metrics[kind] for kind in ("substitutions", "deletions", "insertions")))
    assert [row["phase"] for row in read_curve(folder / "dense/curve")] == ["dense"] * 5
    assert [row["phase"] for row in read_curve(folder / "compressed/curve")] == [phase] * 2 + ["finetune"] * 2
    assert len(json.loads((folder / "compressed/scores").read_text())["utterances"]) == 10
    assert not any((folder / "checkpoints").iterdir())


@pytest.fixture
def entry(folder):
    """A network that was trained elsewhere, as an entry of `networks`."""
    torch.manual_seed(4)
    data = Dataset.open(folder / "data")
    model_file.save(AcousticModel(Network(cells=8), data.dimension, data.phones), folder / "mine")
    return {"file": "mine", "sha256": artifacts.sha256(folder / "mine"), "cells": 8}


def test_an_imported_network_is_the_baseline_and_the_start_of_its_designs(folder, entry):
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"networks": {"lstm": entry}}))
    run_pretrain()
    given, dense = (model_file.load(folder / name) for name in ("mine", "dense/model"))
    weights = {name: tensor for name, tensor in dense.state_dict().items() if name not in ("log_priors", "bigram")}
    assert all(torch.equal(tensor, given.state_dict()[name]) for name, tensor in weights.items())
    assert not torch.equal(dense.bigram, given.bigram)  # it is that of the transcripts
    assert (folder / "dense/checkpoint_at_cut").read_bytes() == (folder / "dense/model").read_bytes()
    assert [(row["epoch"], row["phase"]) for row in read_curve(folder / "dense/curve")] == [("0", "imported")]
    run_compress("admm")
    metrics = json.loads((folder / "compressed/metrics").read_text())
    assert metrics["compression"] > 1
    assert [row["phase"] for row in read_curve(folder / "compressed/curve")] == ["admm"] * 2 + ["finetune"] * 2


HEAD = [{"outputs": 12, "low": 0.0}]


@pytest.mark.parametrize("trained", [False, True])
def test_a_head_is_compressed_with_the_recurrent_layers(folder, trained):
    """In blocks of the last layer's input matrix."""
    entry = {"cells": 8, "head": HEAD}
    data, spec = Dataset.open(folder / "data"), NetworkSpec(**entry)
    if not trained:
        torch.manual_seed(4)
        given = AcousticModel(spec.network, data.dimension, data.phones, head=spec.head)
        model_file.save(given, folder / "mine")
        entry |= {"file": "mine", "sha256": artifacts.sha256(folder / "mine")}
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"networks": {"lstm": entry}}))
    run_pretrain()
    assert model_file.load(folder / "dense/model").specs == spec.head
    run_compress("mixed")
    compressed = model_file.load(folder / "compressed/model")
    assert compressed.specs == spec.head
    matrices = {str(place): getattr(matrix, "block_size", 1) for place, matrix in compressed.matrices()}
    assert (matrices["layers.0.weight_ih"], matrices["head.0.weight"]) == (2, 1)
    run_compress("admm", "again")
    assert dict(model_file.load(folder / "again/model").matrices()).popitem()[1].block_size == 4


def test_an_imported_network_of_other_phones_is_refused(folder, entry, capsys):
    data = Dataset.open(folder / "data")
    model_file.save(AcousticModel(Network(cells=8), data.dimension, data.phones[::-1]), folder / "mine")
    entry["sha256"] = artifacts.sha256(folder / "mine")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS | {"networks": {"lstm": entry}}))
    assert refusal(capsys, run_pretrain).startswith("pretrain: mine has ")
    assert not (folder / "dense").exists()


def test_all_designs_of_a_ctc_network_are_decoded_as_it_is(folder, caplog):
    changed = PARAMS | {"training": PARAMS["training"] | {"criterion": "ctc"}, "scoring": {"bigram_scale": 9.0}}
    (folder / "params.yaml").write_text(yaml.safe_dump(changed))
    run_pretrain()
    run_compress("admm")
    names = ("dense/model", "dense/checkpoint_at_cut", "compressed/model")
    chosen = {model_file.load(folder / name).decoding for name in names}
    assert len(chosen) == 1
    assert chosen <= set(tuning.grid())


def test_a_second_run_writes_the_same_bytes(folder):
    for to in ("dense", "again"):
        run_pretrain(to)
    for name in OUTPUTS:
        assert (folder / "dense" / name).read_bytes() == (folder / "again" / name).read_bytes()


@pytest.mark.system
def test_two_processes_of_torchrun_write_the_models_of_one(folder):
    root = Path(stage.__file__).parents[1]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]
    variables = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    variables["ERNN_CHECKPOINTS"] = str(folder / "checkpoints-of-two")
    run_pretrain()
    run_compress("admm")
    command = [*launch, "components.pretrain", "--network", "lstm", "--dataset", "data"]
    command += outputs("two/dense", *OUTPUTS)
    subprocess.run(command, env=variables, check=True)
    command = [*launch, "components.compress", "--design", "admm", "--dataset", "data"]
    command += [*models("two/dense"), *outputs("two/compressed", *COMPRESSED)]
    subprocess.run(command, env=variables, check=True)
    for place in ("dense", "compressed"):
        one, two = (model_file.load(folder / each / "model").state_dict() for each in (place, f"two/{place}"))
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, atol=1e-4, rtol=0)


def refusal(capsys, call, *arguments):
    with pytest.raises(SystemExit) as left:
        call(*arguments)
    assert left.value.code == 2
    lines = capsys.readouterr().err.strip().splitlines()
    return lines[-1]


def test_without_features(folder, capsys):
    (folder / "data/manifest.json").unlink()
    assert "data/manifest.json: no such file; name another, or make it" in refusal(capsys, run_pretrain)


def test_damaged_features(folder, capsys):
    shard = next((folder / "data").glob("train*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "train-000.safetensors: sha256 is not the manifest's" in refusal(capsys, run_pretrain)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("blocked", ["file/new", "folder"])
def test_outputs_that_cannot_be_written_are_refused_before_the_epochs(folder, capsys, monkeypatch, output, blocked):
    (folder / "file").write_text("")
    (folder / "folder").mkdir()
    monkeypatch.setattr(session, "open_run", lambda *arguments, **identity: pytest.fail("work was begun"))
    arguments = ["--network", "lstm", "--dataset", "data", *outputs("dense", *OUTPUTS)]
    arguments[arguments.index(f"dense/{output}")] = blocked
    assert refusal(capsys, stage.main, pretrain, arguments).startswith(f"pretrain: {blocked}: ")
    assert not (folder / "dense").exists()


def test_checkpoints_without_a_place_are_refused_before_the_epochs(folder, capsys, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("ERNN_CHECKPOINTS", "file")
    assert re.match("pretrain: file/.*: .*/file takes no files", refusal(capsys, run_pretrain))
    assert not (folder / "dense").exists()


def test_loss_that_diverges(folder, capsys, monkeypatch):
    fresh = session.fresh_model

    def wild(*arguments):
        model = fresh(*arguments)
        model.output.weight.data.fill_(3e38)  # sums of products overflow
        return model

    monkeypatch.setattr(session, "fresh_model", wild)
    assert "the loss is no longer finite in epoch 1" in refusal(capsys, run_pretrain)
    assert not (folder / "dense/model").exists()


def test_without_the_dense_network(folder, capsys):
    assert "dense/checkpoint_at_cut: no such file; name another, or make it" in refusal(capsys, run_compress, "admm")


@pytest.mark.parametrize("other", ["model", "checkpoint_at_cut"])
@pytest.mark.parametrize(("changes", "message"), toy.OTHER_MODELS.values(), ids=toy.OTHER_MODELS)
def test_a_model_of_other_speech(folder, capsys, monkeypatch, other, changes, message):
    for name in ("model", "checkpoint_at_cut"):
        toy.other_model(folder / "dense" / name, **(changes if name == other else {}))
    monkeypatch.setattr(session, "open_run", lambda *arguments, **identity: pytest.fail("work was begun"))
    assert refusal(capsys, run_compress, "admm") == f"compress: dense/{other} {message}"
    assert not (folder / "compressed").exists()


def test_two_models_of_different_networks(folder, capsys):
    toy.other_model(folder / "dense/model")
    wide = AcousticModel(toy.network(cells=16), toy.DIMENSION, PHONES48)
    model_file.save(wide, folder / "dense/checkpoint_at_cut")
    line = refusal(capsys, run_compress, "admm")
    assert line == (
        "compress: dense/checkpoint_at_cut is a network of cells=16, dense/model one of cells=8; "
        "give both files of one training"
    )


@pytest.mark.parametrize("phones", [toy.SWAPPED, PHONES48[:20]])
def test_features_whose_phones_are_not_those_that_are_scored(folder, capsys, phones):
    toy.other_speech(folder / "data", phones=phones)
    line = refusal(capsys, run_pretrain)
    assert re.match("pretrain: data has .*the table of scored phones.*; delete data and run `dvc repro prepare`$", line)
    assert not (folder / "dense").exists()


def test_truncated_dense_network(folder, capsys):
    run_pretrain()
    path = folder / "dense/checkpoint_at_cut"
    path.write_bytes(path.read_bytes()[:500])
    assert "dense/checkpoint_at_cut: not a whole safetensors file" in refusal(capsys, run_compress, "admm")


@pytest.mark.parametrize("block_size", [0, 65, 2.5])
def test_block_size_out_of_range(folder, capsys, block_size):
    odd = PARAMS | {"designs": {"odd": {"network": "lstm", "block_size": block_size}}}
    (folder / "params.yaml").write_text(yaml.safe_dump(odd))
    assert "designs.odd" in refusal(capsys, run_compress, "odd")


def test_more_block_sizes_than_layers(folder, capsys):
    run_pretrain()
    odd = PARAMS | {"designs": {"odd": {"network": "lstm", "block_size": [{"input": 2}] * 3}}}
    (folder / "params.yaml").write_text(yaml.safe_dump(odd))
    assert "block_size has 3 entries; network lstm has 2 layers" in refusal(capsys, run_compress, "odd")
