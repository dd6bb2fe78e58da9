"""Networks of benchmarks: a training that pauses, what is left in the folder, and the bits of indices."""

from functools import partial
from itertools import count

import pytest
import torch
from safetensors.torch import load_file

from bench import accuracy_sizes, networks
from bench.networks import Job, Paused, TimedRun
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import PrunedWeight, SparseWeight
from ernn.params import Compression, Design, Scoring, Training
from tests import toy

DENSE = Job(
    "dense",
    toy.network(),
    Training(epochs=5, batch_utterances=5, learning_rate=0.02, dropout=0.1, threads=1),
    Compression(dense_share=0.2, finetune_share=0.4),
    Scoring(),
    "toy",
)
SPARSE = Design(network="toy", block_size=2, density=0.5)


def compressed(design: Design, **changes: object) -> Job:
    return Job(**(vars(DENSE) | {"name": "small", "design": design, "start": "dense"} | changes))


@pytest.fixture
def data(tmp_path) -> Dataset:
    return toy.make(tmp_path / "data", utterances=10)


def trained(job: Job, data: Dataset, folder, starts: int = 1) -> int:
    """Train with two epochs a start; how many starts there were."""
    for started in count(1):
        ticks = count()  # an epoch asks the time at its begin and its end
        pace = partial(TimedRun.of, ends=3.0, clock=lambda ticks=ticks: float(next(ticks)))
        try:
            networks.train(job, data, folder, pace, code="c0de")
        except Paused:
            continue
        return started
    raise AssertionError


@pytest.mark.parametrize("design", [SPARSE, Design(network="toy", method="prune", pruning_ratio=4.0)])
def test_a_training_that_pauses_ends_with_the_same_network(data, tmp_path, monkeypatch, design):
    whole, paused = tmp_path / "whole", tmp_path / "paused"
    for folder in (whole, paused):
        monkeypatch.setenv("ERNN_CHECKPOINTS", str(folder / "checkpoints"))
        for job in (DENSE, compressed(design)):
            if folder == whole:
                networks.train(job, data, folder, code="c0de")
            else:
                assert trained(job, data, folder) > 2
    for name in ("dense", "dense-at-cut", "small"):
        ours, theirs = (load_file(folder / f"{name}.safetensors") for folder in (whole, paused))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    for job in (DENSE, compressed(design)):
        assert job.result(whole) == job.result(paused)
        assert [row["epoch"] for row in job.result(paused)["curve"]] == [1, 2, 3, 4, 5][
            -len(job.result(whole)["curve"]) :
        ]


def test_weights_and_scores_are_left_and_no_state_of_the_optimizer(data, tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    folder = tmp_path / "out"
    for job in (DENSE, compressed(SPARSE)):
        networks.train(job, data, folder, code="c0de")
    files = {path.name for path in folder.iterdir()}
    names = ("dense", "dense-at-cut", "small")
    assert files == {"dense.json", "small.json", *(f"{name}.safetensors" for name in names)}
    fresh = AcousticModel(toy.network(), toy.DIMENSION, toy.PHONES48)
    assert load_file(folder / "dense.safetensors").keys() == fresh.state_dict().keys()
    assert not list((tmp_path / "checkpoints").iterdir())
    assert DENSE.result(folder)["commit"] == "c0de"


def test_a_finished_job_is_not_trained_again_and_one_of_other_options_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    networks.train(DENSE, data, tmp_path, code="c0de")
    kept = (tmp_path / "dense.safetensors").read_bytes()
    networks.train(DENSE, data, tmp_path, pace=lambda run: pytest.fail("trained again"))
    assert (tmp_path / "dense.safetensors").read_bytes() == kept
    other = Job(**(vars(DENSE) | {"speech": "other"}))
    with pytest.raises(UserError, match=r"dense.json: of other options than those of this start; name another folder"):
        networks.train(other, data, tmp_path)


def test_rows_have_the_intervals_of_their_seeds_and_pairs():
    def result(errors: list[int], words: int) -> dict:
        counts = {"substitutions": errors, "deletions": [0] * 3, "insertions": [0] * 3, "lengths": [10] * 3}
        score = {"with_silences": counts, "without_silences": counts}
        return {"score": score, "stored_weights": words, "bits_with_indices": 12 * words, "commit": f"c{words}"}

    dense = [result([1, 2, 3], 80), result([2, 2, 2], 80)]
    small = [result([2, 3, 4], 10), result([3, 3, 3], 10)]
    row = networks.measured(small, dense)
    assert (row["seeds"], row["per"], row["degradation"], row["compression"]) == (2, 30.0, 10.0, 8.0)
    assert row["per_low"] <= row["per"] <= row["per_high"]
    assert (row["degradation_low"], row["degradation_high"]) == (10.0, 10.0)  # each utterance has one error more
    assert (row["stored_weights"], row["bits_with_indices"], row["commit"]) == (10, 120, "c10")


def test_an_index_for_each_kept_block_is_counted_and_shared_ones_once():
    model = AcousticModel(toy.network(layers=1), toy.DIMENSION, toy.PHONES48)
    assert accuracy_sizes.index_bits(model) == 0
    (of_input, matrix), (of_recurrent, other) = model.matrices()
    sparse = SparseWeight(matrix.gates, matrix.rows, matrix.cols, 2)  # 4 gates, 4 block rows of 6 blocks: 3 bits
    model.replace(of_input, sparse)
    sparse.mask[:, :, :2] = True
    assert accuracy_sizes.index_bits(model) == 4 * 2 * 3  # all gates keep the same
    sparse.mask[0, :, 1], sparse.mask[0, :, 5] = False, True
    assert accuracy_sizes.index_bits(model) == 4 * 4 * 2 * 3
    pruned = PrunedWeight(other.gates, other.rows, other.cols)  # 8 columns: 3 bits
    pruned.mask[:, :1] = True
    model.replace(of_recurrent, pruned)
    assert accuracy_sizes.index_bits(model) == 4 * 4 * 2 * 3 + 4 * 8 * 3
