"""Both training stages over two nodes: torchrun of each as a process, started as the operator starts pods."""

import json
from pathlib import Path

import pytest
import torch

from components import cluster, stage
from components.compress import compress
from components.pretrain import pretrain
from ernn.nn import model_file
from ernn.records import times
from tests import toy
from tests.components.operator import CLAIM, IMAGE, Operator, Processes, serve
from tests.components.test_job import call, executor_input, nothing_is_left, one_line
from tests.components.test_pretrain_compress import PARAMS

pytestmark = pytest.mark.system
SECTIONS = {
    pretrain: {"network": {"cells": 8}},
    compress: {"design": PARAMS["designs"]["admm"]},
}
OUTPUTS = {
    pretrain: ("model", "checkpoint_at_cut", "scores", "curve", "metrics"),
    compress: ("model", "scores", "curve", "metrics"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "POLL_S", 0.1)
    for name, value in {"SHARED": str(tmp_path / "shared"), "CLAIM": CLAIM, "IMAGE": IMAGE}.items():
        monkeypatch.setenv(f"ERNN_{name}", value)
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    for name in ("shared", "pods"):
        (tmp_path / name).mkdir()
    toy.make(tmp_path / "data", utterances=10)
    return tmp_path


def words(folder: Path, function, to: str, inputs: dict[str, str], **sections) -> list[str]:
    """The stage's words, as a compiled pipeline gives them."""
    given = {name: PARAMS[name] for name in ("training", "compression", "scoring")} | SECTIONS[function] | sections
    said = [part for name, value in given.items() for part in (f"--params.{name}", json.dumps(value))]
    paths = {name: folder / path for name, path in inputs.items()}
    paths |= {name: folder / to / name for name in OUTPUTS[function]}
    return [*said, *(part for name, path in paths.items() for part in (f"--{name.replace('_', '-')}", str(path)))]


def over_two_nodes(folder, function, to, inputs, **sections) -> int:
    task = json.dumps(executor_input(folder / to, inputs, OUTPUTS[function]))
    given = words(folder, function, to, inputs, **sections)
    return call(["--nodes", "2", "--", f"components.{function.__name__}", "--executor-input", task, *given])


def test_two_nodes_write_what_one_process_writes(folder, monkeypatch):
    data = {"dataset": "data"}
    stage.main(pretrain, words(folder, pretrain, "one/dense", data))
    dense = data | {"dense": "one/dense/model", "checkpoint_at_cut": "one/dense/checkpoint_at_cut"}
    stage.main(compress, words(folder, compress, "one/compressed", dense))
    kept = Operator(lambda manifest: Processes(manifest, folder / "pods"), folder / "shared")
    with serve(kept, folder) as config:
        monkeypatch.setenv("KUBECONFIG", str(config))
        assert over_two_nodes(folder, pretrain, "two/dense", data) == 0, logs(folder)
        both = data | {"dense": "two/dense/model", "checkpoint_at_cut": "two/dense/checkpoint_at_cut"}
        assert over_two_nodes(folder, compress, "two/compressed", both) == 0, logs(folder)
    for place, function in (("dense", pretrain), ("compressed", compress)):
        one, two = folder / "one" / place, folder / "two" / place
        written = {each.name for each in two.iterdir()} - {"deep"}
        assert written == {each.name for each in one.iterdir()} == {*OUTPUTS[function], "curve.times.json"}
        first, second = (model_file.load(each / "model").state_dict() for each in (one, two))
        for name, tensor in first.items():
            torch.testing.assert_close(second[name], tensor, atol=1e-4, rtol=0)
        said = json.loads((two / "deep/executor_output.json").read_text())["artifacts"]
        assert said["curve"]["artifacts"][0]["metadata"]["times"] == times.read(two / "curve").text()
        assert said["metrics"]["artifacts"][0]["metadata"] == json.loads((two / "metrics").read_text())
    first, second = ((folder / "pods" / f"pod-{rank}.log").read_text() for rank in (0, 1))
    assert "epoch 5/5" in first
    assert not {"epoch", "wrote"} & set(second.split())  # one group of two, of which the first writes
    nothing_is_left(folder, kept)
    assert not list((folder / "shared/checkpoints").iterdir())


def test_a_mistake_that_a_pod_meets_is_its_line_and_no_outputs(folder, monkeypatch, capsys):
    kept = Operator(lambda manifest: Processes(manifest, folder / "pods"), folder / "shared")
    with serve(kept, folder) as config:
        monkeypatch.setenv("KUBECONFIG", str(config))
        assert over_two_nodes(folder, pretrain, "two", {"dataset": "data"}, network={"cell": "elman"}) == 2
    assert one_line(capsys).startswith("job: pretrain: --params.network: cell: ")
    assert "pretrain: --params.network: cell: " in logs(folder)
    assert not (folder / "two").exists()


def logs(folder: Path) -> str:
    return "".join(each.read_text() for each in sorted((folder / "pods").iterdir()))
