"""The two training stages by their command lines, on a toy corpus: what they write, and how they refuse."""

import csv
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors import safe_open
from safetensors.numpy import save_file

from components import stage
from components.compress import compress
from components.pretrain import pretrain
from ernn import artifacts
from ernn.nn import model_file
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


def run_compress(design, to="compressed"):
    stage.main(compress, ["--design", design, "--dataset", "data", *models("dense"), *outputs(to, *COMPRESSED)])


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
    assert "data/manifest.json: no such file; run the stage that makes it" in refusal(capsys, run_pretrain)


def test_damaged_features(folder, capsys):
    shard = next((folder / "data").glob("train*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert "train-000.safetensors: sha256 is not the manifest's" in refusal(capsys, run_pretrain)


def test_loss_that_diverges(folder, capsys):
    """No learning rate that is allowed does this; features that nobody checked do."""
    shard, manifest = next((folder / "data").glob("train*")), folder / "data/manifest.json"
    with safe_open(shard, framework="numpy") as file:
        tensors, names = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    before = artifacts.sha256(shard)
    tensors["features"][:] = math.nan
    save_file(tensors, shard, names)
    manifest.write_text(manifest.read_text().replace(before, artifacts.sha256(shard)))
    assert "the loss is no longer finite in epoch" in refusal(capsys, run_pretrain)
    assert not (folder / "dense/model").exists()


def test_without_the_dense_network(folder, capsys):
    assert "dense/checkpoint_at_cut: no such file; run the stage that makes it" in refusal(capsys, run_compress, "admm")


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
