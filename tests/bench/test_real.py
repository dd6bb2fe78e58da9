"""`bench.real` on a toy corpus, and its preparation of recorded speech."""

import sys

import pytest

from bench import networks, real
from bench.record import record
from ernn import artifacts
from ernn.params import Training
from tests import toy
from tests.data.test_kaldi import SPEECHOCEAN

TRAINING = Training(criterion="ctc", epochs=3, batch_utterances=5, threads=1)


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The benchmark with small networks and two schedules of direct training, in a folder of its own."""
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setattr(networks, "commit", lambda: "c0de")
    monkeypatch.setattr(real, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(real, "NETWORK", toy.network())
    monkeypatch.setattr(real, "DIRECT_SCHEDULES", ((0.05, 5), (0.01, 2)))
    return toy.make(tmp_path / "data", utterances=10)


def train(data, folder, *names: str, seeds: int = 1) -> None:
    for seed in range(1, seeds + 1):
        for name in names:
            for job in real.jobs_of(name, seed, TRAINING, data.digest):
                real.run(job, data.path, folder)


def rows(data, folder, seeds: int = 1) -> dict:
    return {(row["method"], row["block_size"]): row for row in real.rows(folder, seeds, TRAINING, data.digest)}


def test_every_design_has_a_row_beside_its_dense_network(small, tmp_path):
    train(small, tmp_path, *real.DESIGNS)
    found = rows(small, tmp_path)
    assert list(found) == [
        ("dense", 1), ("admm", 4), ("admm", 8), ("direct", 8), ("sparse", 4), ("sparse", 2), ("admm-pruned", 1),
        ("prune", 1),
    ]  # fmt: skip
    assert len({row["decoder"] for row in found.values()}) == 1  # that of the dense network
    for row in found.values():
        assert row["per_low"] <= row["per"] <= row["per_high"]
        assert row["degradation_low"] <= row["degradation"] <= row["degradation_high"]
        assert (row["seeds"], row["commit"]) == (1, "c0de")
    assert found["dense", 1]["degradation"] == 0
    assert found["prune", 1]["density"] == found["admm-pruned", 1]["density"] == 0.125
    assert found["prune", 1]["bits_with_indices"] > 12 * found["prune", 1]["stored_weights"]


def test_direct_training_has_the_schedule_with_the_fewest_errors_on_dev(small, tmp_path):
    train(small, tmp_path, "dense", "direct-k8")
    jobs = real.jobs_of("direct-k8", 1, TRAINING, small.digest)
    assert [(job.training.learning_rate, job.training.batch_utterances) for job in jobs] == [(0.05, 5), (0.01, 2)]
    best = min(jobs, key=lambda job: job.result(tmp_path)["dev_per"])
    assert rows(small, tmp_path)["direct", 8]["learning_rate"] == best.training.learning_rate


def test_rows_pool_the_seeds_that_are_finished(small, tmp_path):
    train(small, tmp_path, "dense", "admm-k8")
    train(small, tmp_path, "dense", seeds=2)
    found = rows(small, tmp_path, seeds=2)
    assert (found["dense", 1]["seeds"], found["admm", 8]["seeds"]) == (2, 1)


def test_a_row_without_its_dense_network_is_left_out(small, tmp_path):
    train(small, tmp_path, "dense", "admm-k8")
    (tmp_path / "dense-s1.json").unlink()
    assert not rows(small, tmp_path)


@pytest.mark.system
@pytest.mark.skipif(not SPEECHOCEAN.exists(), reason="shared/data has no sample of speechocean762")
def test_recorded_speech_is_trained_on_and_the_table_names_its_licence(small, tmp_path, monkeypatch):
    monkeypatch.setattr(real, "record", lambda *given, **more: record(*given, **more, folder=tmp_path))
    words = ["real", str(SPEECHOCEAN), "--rows", "dense", "--epochs", "2", "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", words)
    real.main()
    text = (tmp_path / "real.md").read_text()
    assert "allowed to be used freely for commercial and non-commercial purposes" in text
    assert "2 epochs" in text
    assert "90 train, 10 dev, 50 test" in text
    assert [row["method"] for row in artifacts.read_json(tmp_path / "real.json")["rows"]] == ["dense"]


def test_a_folder_that_is_no_corpus_is_one_line(small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["real", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit) as left:
        real.main()
    said = capsys.readouterr().err
    assert (left.value.code, said.count("\n")) == (2, 1)
    assert f"{tmp_path / 'nothing'}' is no folder" in said
