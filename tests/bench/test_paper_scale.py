"""`bench.paper_scale` at toy size."""

import math
import sys

import pytest

from bench import networks, paper_scale
from bench.record import record
from ernn import artifacts
from ernn.errors import UserError
from ernn.params import Corpus, Network, Training
from tests import toy

SIZES = {
    "lstm": Network(cell="lstm", layers=1, cells=32, projection=16, peepholes=True),
    "gru": Network(cell="gru", layers=1, cells=32),
}
TRAINING = Training(epochs=4, batch_utterances=5, threads=1)
LATEST_FILE_BYTES = 17_000_000


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return toy.make(tmp_path / "data", utterances=10)


def jobs(*rows: str):
    return [paper_scale.job_of(row, TRAINING, "toy", SIZES) for row in rows]


def test_rows_are_trained_until_the_time_is_over_and_the_next_start_continues(data, tmp_path):
    folder = tmp_path / "out"
    wanted = jobs("lstm-dense", "lstm-admm-k8")
    said = paper_scale.train(wanted, data, folder, -math.inf, "c0de")
    assert said == "lstm-dense: dense: 0 of 4 epochs are done"
    assert not list(paper_scale.rows(wanted, folder))
    assert paper_scale.train(wanted, data, folder, math.inf, "c0de") == ""
    assert [row["method"] for row in paper_scale.rows(wanted, folder)] == ["dense", "admm"]
    assert paper_scale.train(wanted, data, folder, -math.inf) == ""  # all is there


def test_every_row_of_both_cells_has_its_rival_in_fewer_or_as_many_words(data, tmp_path):
    every = jobs(*paper_scale.ROWS)
    assert paper_scale.train(every, data, tmp_path, math.inf, "c0de") == ""
    found = {(row["network"], row["block_size"], row["density"]): row for row in paper_scale.rows(every, tmp_path)}
    assert len(found) == len(paper_scale.ROWS)
    for cell in SIZES:
        published = [found[cell, k, 1.0]["published"] for k in (8, 16)]
        assert published == {"lstm": [0.14, 0.31], "gru": [0.18, 0.33]}[cell]
        assert found[cell, 8, 1.0]["confidence"] == "recalled"
        for k, density in ((4, 0.5), (2, 0.25), (4, 0.25), (2, 0.125)):
            assert found[cell, k, density]["published"] is None
            assert found[cell, k, density]["bits_with_indices"] > 12 * found[cell, k, density]["stored_weights"]


def test_a_compressed_network_needs_its_dense_one(data, tmp_path):
    with pytest.raises(UserError, match=r"no gru-dense.safetensors, which gru-admm-k8 starts from; train gru-dense"):
        paper_scale.train(jobs("gru-admm-k8"), data, tmp_path, math.inf)


@pytest.mark.parametrize("cell", SIZES)
def test_weights_of_the_dense_networks_fit_the_files_that_the_text_says(cell):
    model = networks.AcousticModel(paper_scale.NETWORKS[cell], 153, toy.PHONES48)
    assert 4 * sum(tensor.numel() for tensor in model.state_dict().values()) < LATEST_FILE_BYTES


def test_the_command_makes_its_corpus_trains_and_makes_the_table(tmp_path, monkeypatch, data):
    monkeypatch.setattr(paper_scale, "NETWORKS", SIZES)
    monkeypatch.setattr(paper_scale, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(paper_scale, "TRAINING", TRAINING)
    monkeypatch.setattr(paper_scale, "CORPUS", Corpus(dev_speakers=1, test_speakers=2, utterances_per_speaker=2))
    monkeypatch.setattr(paper_scale, "record", lambda *given, **more: record(*given, **more, folder=tmp_path))
    options = ["paper_scale", "--out", str(tmp_path / "out"), "--train-speakers", "3", "--epochs", "2"]
    monkeypatch.setattr(sys, "argv", [*options, "--rows", "gru-dense", "--minutes", "0", "--commit", "c0de"])
    with pytest.raises(SystemExit, match="paused in gru-dense: dense: 0 of 2 epochs are done"):
        paper_scale.main()
    monkeypatch.setattr(sys, "argv", [*options, "--rows", "gru-dense", "gru-sparse-8x-k4", "--commit", "c0de"])
    paper_scale.main()
    monkeypatch.setattr(sys, "argv", [*options, "--table"])
    paper_scale.main()
    table = artifacts.read_json(tmp_path / "paper_scale.json")
    assert [(row["network"], row["method"], row["pattern"]) for row in table["rows"]] == [
        ("gru", "dense", None),
        ("gru", "sparse", "cell"),
    ]
    assert "3 training and" in table["note"]
    monkeypatch.setattr(sys, "argv", [*options[:3], "--table"])  # the corpus of another size
    with pytest.raises(SystemExit) as left:
        paper_scale.main()
    assert left.value.code == 2
