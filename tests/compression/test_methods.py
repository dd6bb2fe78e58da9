"""The four methods: equal epochs, the right structure, the same learning rates."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.compression import methods
from ernn.compression.methods import compress
from ernn.nn.acoustic import AcousticModel
from ernn.nn.circulant import project
from ernn.params import Compression, Design, Scoring, Training
from ernn.params.compression import kept_blocks
from ernn.params.methods import OF_DESIGNS
from ernn.training import session
from ernn.training.dense import Division, train_dense
from ernn.training.schedule import learning_rate
from tests import toy

OPTIONS = Compression(dense_share=0.25, finetune_share=0.5)


@given(epochs=st.integers(1, 60), dense=st.floats(0.01, 0.6), finetune=st.floats(0.01, 0.39))
def test_the_parts_sum_to_all_epochs(epochs, dense, finetune):
    cut = Division.of(epochs, Compression(dense_share=dense, finetune_share=finetune))
    assert 0 <= cut.dense < cut.compressed <= cut.total == epochs


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 500), st.integers(1, 5000))
def test_learning_rate_falls_from_its_peak_to_zero(early, late, step, steps):
    early, late = sorted((early, late))
    assert 0 <= learning_rate(1.0, late, step, steps) <= learning_rate(1.0, early, step, steps) <= 1.0
    assert learning_rate(1.0, 1.0, step, steps) == pytest.approx(0, abs=1e-12)
    assert learning_rate(1.0, 0.0, steps, steps) == 1.0


@pytest.fixture
def dense(tmp_path, monkeypatch):
    """A toy data set, and a dense network at the epoch where compression starts and after all its epochs."""
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    dataset = toy.make(tmp_path / "data", utterances=10)
    run = open_run(dataset, "dense")
    at_cut, final = train_dense(session.fresh_model(toy.network(), dataset, run.training), OPTIONS, run)
    return dataset, run, at_cut, final


def open_run(dataset, name, dropout=0.0):
    training = Training(epochs=8, batch_utterances=5, learning_rate=0.02, dropout=dropout, threads=1)
    return session.open_run(dataset, training, Scoring(), name=name)


def kinds(model: AcousticModel) -> set[str]:
    return {matrix.kind for _, matrix in model.matrices()}


@pytest.mark.parametrize(
    ("method", "epochs", "phases", "kind"),
    [
        ("admm", 6, ["admm"] * 2 + ["finetune"] * 4, "circulant"),
        ("prune", 6, ["prune"] * 2 + ["finetune"] * 4, "pruned"),
        ("direct", 8, ["direct"] * 8, "circulant"),
        ("project", 0, [], "circulant"),
    ],
)
def test_each_method_ends_with_the_epochs_of_the_dense_network(dense, method, epochs, phases, kind):
    dataset, dense_run, at_cut, final = dense
    run = open_run(dataset, method)
    ratio = {"pruning_ratio": 4.0} if method == "prune" else {"block_size": 4}
    design = Design.model_validate({"network": "lstm", "method": method} | ratio)
    result = compress(at_cut, final, design, OPTIONS, run)
    assert kinds(result) == {kind}
    assert result.stored_words < final.stored_words or method == "project"
    assert [row["phase"] for row in run.rows] == phases
    assert len(run.rows) == epochs
    if run.rows:
        assert run.rows[-1]["epoch"] == dense_run.rows[-1]["epoch"] == 8
        assert run.rows[-1]["learning_rate"] == pytest.approx(dense_run.rows[-1]["learning_rate"], rel=0.5)


@pytest.mark.parametrize("method", ["admm", "prune", "direct"])
@pytest.mark.parametrize(("ours", "wanted"), [(None, 0.3), (0.0, 0.0), (0.1, 0.1)])
def test_compressed_networks_have_a_dropout_of_their_own(dense, method, ours, wanted):
    dataset, _, at_cut, final = dense
    run, found = open_run(dataset, method, dropout=0.3), set()
    ratio = {"pruning_ratio": 2.0} if method == "prune" else {"block_size": 4}
    at_cut.register_forward_hook(lambda model, *_: found.add(model.dropout))
    design = Design.model_validate({"network": "lstm", "method": method} | ratio)
    compress(at_cut, final, design, OPTIONS.model_copy(update={"dropout": ours}), run)
    assert found == {wanted}


@pytest.mark.parametrize("method", ["admm", "prune", "direct"])
@pytest.mark.parametrize("shape", [{"cell": "rnn"}, {"cells": (8, 4)}])
def test_other_networks_are_compressed_as_well(tmp_path, monkeypatch, method, shape):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    dataset = toy.make(tmp_path / "data", utterances=10)
    run, ratio = open_run(dataset, "dense"), {"pruning_ratio": 2.0} if method == "prune" else {"block_size": 4}
    fresh = session.fresh_model(toy.network(**shape), dataset, run.training)
    at_cut, final = train_dense(fresh, OPTIONS, run)
    assert run.rows[-1]["train_loss"] < 0.9 * run.rows[0]["train_loss"]
    design = Design.model_validate({"network": "n", "method": method} | ratio)
    rows = open_run(dataset, method)
    result = compress(at_cut, final, design, OPTIONS, rows)
    assert kinds(result) == {"pruned" if method == "prune" else "circulant"}
    assert rows.rows[-1]["train_loss"] < run.rows[0]["train_loss"]


def test_the_checkpoint_is_the_dense_network_of_the_cut(dense):
    _, run, at_cut, final = dense
    assert [row["epoch"] for row in run.rows] == list(range(1, 9))
    assert not torch.equal(at_cut.output.weight, final.output.weight)


def test_dense_training_paused_at_the_cut_goes_on_from_there(dense):
    dataset, _, at_cut, final = dense
    fresh = session.fresh_model(toy.network(), dataset, open_run(dataset, "paused").training)
    paused = train_dense(copy.deepcopy(fresh), OPTIONS, open_run(dataset, "paused"), until_cut=True)
    run = open_run(dataset, "paused")
    resumed = train_dense(fresh, OPTIONS, run)
    assert [row["epoch"] for row in run.rows] == list(range(1, 9))
    for found, expected in zip((*paused, *resumed), (at_cut, at_cut, at_cut, final), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(found.parameters(), expected.parameters(), strict=True))


def test_direct_does_not_depend_on_the_dense_network(dense):
    dataset, _, at_cut, final = dense
    design = Design(network="lstm", method="direct", block_size=4)
    results = [
        compress(start, start, design, OPTIONS, open_run(dataset, name))
        for start, name in ((at_cut, "a"), (final, "b"))
    ]
    assert all(torch.equal(a, b) for a, b in zip(results[0].parameters(), results[1].parameters(), strict=True))


def test_admm_above_its_tolerance_says_so(dense, caplog):
    dataset, _, at_cut, final = dense
    options = OPTIONS.model_copy(update={"admm": OPTIONS.admm.model_copy(update={"rho_start": 1e-6, "rho_end": 1e-6})})
    design = Design(network="lstm", method="admm", block_size=4)
    compress(at_cut, final, design, options, open_run(dataset, "weak"))
    assert "ADMM ended above its tolerance: residual" in caplog.text
    assert "raise compression.admm.rho_end or training.epochs" in caplog.text


def test_admm_within_its_tolerance_is_silent(dense, caplog):
    dataset, _, at_cut, final = dense
    options = OPTIONS.model_copy(update={"admm": OPTIONS.admm.model_copy(update={"rho_start": 100.0, "rho_end": 1e4})})
    design = Design(network="lstm", method="admm", block_size=4)
    compress(at_cut, final, design, options, open_run(dataset, "strong"))
    assert "tolerance" not in caplog.text


@pytest.mark.parametrize(("block_size", "pattern"), [(4, "gate"), (4, "cell"), (1, "gate")])
def test_a_density_leaves_its_share_of_the_blocks(dense, block_size, pattern):
    dataset, _, at_cut, final = dense
    run, sizes = open_run(dataset, "sparse"), {"block_size": block_size, "density": 0.5, "pattern": pattern}
    result = compress(at_cut, final, Design.model_validate({"network": "lstm", **sizes}), OPTIONS, run)
    assert kinds(result) == {"sparse"}
    assert [row["phase"] for row in run.rows] == ["admm"] * 2 + ["finetune"] * 4
    assert run.rows[-1]["train_loss"] < run.rows[0]["train_loss"]
    for place, matrix in result.matrices():
        blocks = matrix.mask.shape[2]
        assert (matrix.mask.sum(-1) == kept_blocks(blocks, 0.5)).all(), place
        assert pattern == "gate" or (matrix.mask == matrix.mask[:1]).all()
        expanded = matrix().detach().unflatten(0, (matrix.gates, matrix.rows))
        assert not project(expanded, block_size)[~matrix.mask].any()


def test_every_method_of_designs_can_be_trained():
    assert set(methods.WAYS) == set(OF_DESIGNS)
