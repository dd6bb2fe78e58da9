"""The stage by its command line, on a toy corpus: each matrix alone, and nothing of the model is changed."""

import pytest
import torch
import yaml

from components import stage
from components.sensitivity import sensitivity
from ernn import artifacts
from ernn.data.dataset import Dataset
from ernn.data.phones import PHONES48
from ernn.explore.sensitivity import measure
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight
from ernn.nn.recurrent import make_circulant
from ernn.params import BlockSizes, HeadSpec, Scoring, Training
from ernn.records.sensitivity import SensitivityRecord
from ernn.training import session
from ernn.training.evaluate import evaluate
from tests import toy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A feature folder, and a network with k = 2 in one matrix."""
    folder = tmp_path_factory.mktemp("sensitivity")
    data = toy.make(folder / "data", utterances=24)
    model = session.fresh_model(toy.network(layers=1, cells=16), data, Training(threads=1))
    make_circulant(model, (BlockSizes(recurrent=2),))
    model_file.save(model, folder / "model")
    (folder / "params.yaml").write_text(yaml.safe_dump({"version": 1, "training": {"threads": 1}, "scoring": {}}))
    return folder


def run(folder, monkeypatch, model="model"):
    monkeypatch.chdir(folder)
    words = ["--dataset", "data", "--model", model, "--table", "table.json"]
    stage.main(sensitivity, words)
    return artifacts.read_record(folder / "table.json", SensitivityRecord)


def test_every_matrix_has_twice_its_block_size_alone(folder, monkeypatch):
    found = run(folder, monkeypatch)
    assert [(row.layer, row.kind, row.block_size) for row in found.rows] == [(0, "input", 2), (0, "recurrent", 4)]
    model, dev = model_file.load(folder / "model"), Dataset.open(folder / "data").split("dev")
    assert found.dev_per == evaluate(model, dev, Scoring())[1].per
    for row, (place, matrix) in zip(found.rows, list(model.matrices()), strict=True):
        model.replace(place, CirculantWeight.nearest(matrix, row.block_size))
        assert row.dev_per == evaluate(model, dev, Scoring())[1].per
        model.replace(place, matrix)


def test_a_head_is_projected_with_the_last_input_matrix(folder):
    torch.manual_seed(1)
    model = AcousticModel(toy.network(), toy.DIMENSION, PHONES48, head=(HeadSpec(outputs=8, low=0.0),))
    dev = Dataset.open(folder / "data").split("dev")
    rows = measure(model, dev, Scoring()).rows
    places = [(row.layer, row.kind) for row in rows]
    assert places == [(0, "input"), (0, "recurrent"), (1, "input"), (1, "recurrent")]
    matrices = {str(place): (place, matrix) for place, matrix in model.matrices()}
    for name in ("layers.1.weight_ih", "head.0.weight"):
        place, matrix = matrices[name]
        model.replace(place, CirculantWeight.nearest(matrix, 2))
    assert rows[2].dev_per == evaluate(model, dev, Scoring())[1].per


def test_the_model_stays_as_it_was(folder):
    model, dev = model_file.load(folder / "model"), Dataset.open(folder / "data").split("dev")
    before = [type(matrix) for _, matrix in model.matrices()]
    measure(model, dev, Scoring())
    assert [type(matrix) for _, matrix in model.matrices()] == before


def test_a_model_that_is_not_there_is_one_line(folder, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(folder, monkeypatch, "none")
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
