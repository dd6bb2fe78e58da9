"""The table of errors: made of the recorded runs, and of networks that are compared at equal bits."""

import pytest
import torch

from bench import accuracy, accuracy_jobs, accuracy_runs, accuracy_sizes
from bench.record import FOLDER
from ernn import artifacts
from ernn.compression.admm import Pull
from ernn.compression.pruning import Pruner
from ernn.data.phones import PHONES48
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import Admm

NETWORKS = [name for name, network in accuracy_jobs.NETWORKS.items() if network.cells <= 512]


def test_every_run_has_a_name_of_its_own():
    names = [
        (job.network, job.name) for name in NETWORKS for seed in (1, 2) for job in accuracy_jobs.jobs_of(name, seed)
    ]
    assert len(set(names)) == len(names)


def test_the_committed_table_is_made_of_the_recorded_runs():
    recorded = {
        (row["network"], row["method"], row["block_size"], row.get("epochs", 16), row.get("taught", 0.0)): row
        for row in artifacts.read_json(FOLDER / "accuracy.json")["rows"]
    }
    found = accuracy.rows()
    assert found
    for row in found:
        committed = recorded[row["network"], row["method"], row["block_size"], row["epochs"], row["taught"]]
        assert {name: row[name] for name in committed if name in row} == committed


@pytest.mark.parametrize("network", ["lstm-2x128", "gru-2x256"])
@pytest.mark.parametrize("method", ["admm", "sparse", "sparse-cell", "admm-pruned", "prune"])
@pytest.mark.parametrize("equal", [8, 16])
def test_compared_networks_have_bits_that_differ_by_less_than_2_percent(network, method, equal):
    """Counted in the networks themselves."""
    size = {"admm": equal, "sparse": 2, "sparse-cell": accuracy_jobs.EQUAL[equal][0]}.get(method, 1)
    job = accuracy_jobs.Job(network, method, size, 1, equal=0 if method == "admm" else equal)
    circulant = compressed(accuracy_jobs.Job(network, "admm", equal, 1))
    found = accuracy_sizes.bits(compressed(job))
    assert found == pytest.approx(accuracy_sizes.bits(circulant), rel=0.02)


def compressed(job: accuracy_jobs.Job) -> AcousticModel:
    """A random network in the structure of a job."""
    torch.manual_seed(1)
    model = AcousticModel(accuracy_jobs.NETWORKS[job.network], accuracy_jobs.DIMENSION, PHONES48)
    design, layers = job.design, model.network.layers
    if job.method == "admm":
        make_circulant(model, design.blocks(layers))
    elif job.method == "prune":
        Pruner(model, design.pruning_ratio, 4).finish(model)
    else:
        together = design.pattern == "cell"
        Pull(model, design.blocks(layers), Admm(), design.densities(layers), together=together).finish(model)
    return model


def test_products_are_those_of_the_cheapest_transform():
    """Circulant k = 8: 14 multiplications a block exactly, 11 by a Fourier transform with three products."""
    model = compressed(accuracy_jobs.Job("lstm-2x128", "admm", 8, 1))
    words = sum(matrix.stored_words for _, matrix in model.matrices())
    assert accuracy_sizes.products(model) == words // 8 * 11


def test_runs_are_read_as_they_were_written(tmp_path, monkeypatch):
    errors = outcome().errors
    monkeypatch.setattr(accuracy_runs, "RUNS", tmp_path)
    old = accuracy_runs.Outcome(errors, 10, "abc")
    new = accuracy_runs.Outcome(errors, 10, "abc", 120, 7)
    accuracy_runs.write("lstm", "key", {"old": old, "new": new})
    found = accuracy_runs.read("lstm", "key")
    assert [(each.stored_weights, each.commit, each.bits, each.products) for each in found.values()] == [
        (10, "abc", 120, 7),
        (10, "abc", None, None),
    ]
    assert accuracy_runs.read("lstm", "another key") == {}


def outcome() -> accuracy_runs.Outcome:
    name = next(name for name in NETWORKS if accuracy_runs.read(name, accuracy_jobs.key(name)))
    return next(iter(accuracy_runs.read(name, accuracy_jobs.key(name)).values()))
