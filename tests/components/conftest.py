"""Finished results of a small sweep, written by the functions that the stages write them with."""

import shutil

import numpy as np
import pytest
import yaml

from ernn import artifacts
from ernn.data.phones import PHONES48, SILENCE, to_39
from ernn.nn import model_file, scoring
from ernn.nn.acoustic import AcousticModel, make_circulant
from ernn.params import Design, Network, Scoring
from ernn.training import outcome

PARAMS = {
    "corpus": {"kind": "synthetic"},
    "features": {"kind": "logmel"},
    "training": {"epochs": 4},
    "scoring": {"bootstrap_samples": 50},
    "compression": {"dense_share": 0.25, "finetune_share": 0.5},
    "networks": {"lstm": {"cells": 8}, "gru": {"cell": "gru", "cells": 8}},
    "designs": {
        "lstm-k2": {"network": "lstm", "block_size": 2},
        "lstm-k4": {"network": "lstm", "block_size": 4},
        "lstm-k4-direct": {"network": "lstm", "method": "direct", "block_size": 4},
        "gru-mixed": {"network": "gru", "block_size": {"input": 2, "recurrent": 4}},
        "lstm-pruned": {"network": "lstm", "method": "prune", "pruning_ratio": 4.0},
    },
}
UTTERANCES = 30
ERRORS = {"lstm": 6, "gru": 7, "lstm-k2": 7, "lstm-k4": 9, "lstm-k4-direct": 12, "gru-mixed": 10, "lstm-pruned": 8}


def scored(name: str) -> scoring.Score:
    """A score with `ERRORS[name]` wrong phones or so in every utterance of 40."""
    random = np.random.default_rng(0)
    references = [random.integers(48, size=40) for _ in range(UTTERANCES)]
    hypotheses = [reference.copy() for reference in references]
    for number, hypothesis in enumerate(hypotheses):
        hypothesis[: ERRORS[name] + number % 3] += 1
    return scoring.score(references, [each % 48 for each in hypotheses], to_39, SILENCE)


def curve(method: str) -> list[dict[str, float | str]]:
    """Four epochs as `Run` notes them."""
    phases = {"admm": ["admm", "finetune", "finetune"], "prune": ["prune", "finetune", "finetune"]}
    rows: list[dict[str, float | str]] = []
    for epoch, phase in enumerate(phases.get(method, [method] * 4), start=2 if method in phases else 1):
        row: dict[str, float | str] = {"epoch": epoch, "phase": phase, "train_loss": 3 / epoch, "dev_loss": 3.5 / epoch}
        row |= {"dev_per": 60 / epoch + len(phase), "learning_rate": 0.001}
        if phase == "admm":
            row |= {"rho": 0.3, "residual": 0.04, "residual/0.input": 0.01, "residual/0.recurrent": 0.04}
        rows.append(row)
    return rows


def write_result(folder, name: str, dense: bool, design: Design | None, network: Network) -> None:
    model = AcousticModel(network, 8, PHONES48)
    words = model.stored_words
    if design is not None:
        make_circulant(model, design.blocks(network.layers))
    score, options = scored(name), Scoring(bootstrap_samples=50)
    metrics = outcome.rates(score, options) | {"test_loss": 1.0, "stored_weights": model.stored_words}
    if not dense:
        metrics["compression"] = words / model.stored_words
    kind = "pretrain" if dense else "compress"
    artifacts.write_json(folder / "scores" / ("dense" if dense else "") / f"{name}.json", score.to_json())
    artifacts.write_json(folder / "metrics" / kind / f"{name}.json", metrics)
    (folder / "curves" / kind).mkdir(parents=True, exist_ok=True)
    outcome.write_curve(folder / "curves" / kind / f"{name}.csv", curve(design.method if design else "dense"))
    model_file.save(model, folder / "models" / ("dense" if dense else "") / name)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A folder with params.yaml, metrics, curves, scores and models; to be read only."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    networks = {name: Network(**value) for name, value in PARAMS["networks"].items()}
    for name, network in networks.items():
        write_result(folder, name, True, None, network)
    for name, value in PARAMS["designs"].items():
        design = Design(**value)
        write_result(folder, name, False, design, networks[design.network])
    return folder


@pytest.fixture
def finished(results, tmp_path, monkeypatch):
    """A copy of `results`, entered."""
    folder = shutil.copytree(results, tmp_path / "finished")
    monkeypatch.chdir(folder)
    return folder
