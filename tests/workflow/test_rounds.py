"""Rounds of a search against a server of the API, and results that come back through MLflow."""

import re
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from components import tracking
from ernn import artifacts
from ernn.errors import UserError
from tests.workflow.server import TOKEN, Backend, serve
from workflow import compiler, presets, rounds
from workflow.submit import Cluster
from workflow.trials import Failed

ROOT = Path(__file__).parents[2]
DESIGNS = {name: {"network": "gru", "method": "admm", "block_size": int(name[1:])} for name in ("k2", "k4")}
NONE = {"programs": {}, "accelerators": {}, "sensitivities": []}


@pytest.fixture(scope="module")
def values():
    given = yaml.safe_load((ROOT / "params.yaml").read_text())
    small = presets.merge(given, {"networks": {"gru": {"cell": "gru", "layers": 1, "cells": 16}}})
    return small | {"networks": {"gru": small["networks"]["gru"]}, "designs": DESIGNS} | NONE


class Delivering(Backend):
    """A cluster whose runs keep a file in MLflow and end at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.states, self.begun = folder, ["SUCCEEDED"], self._deliver

    def _deliver(self, run, pipeline):
        if self.states == ["SUCCEEDED"]:
            keep(run.display_name, self.folder)


def keep(name: str, folder: Path) -> None:
    files = folder / name
    artifacts.write_json(files / "curves" / "a.json", {"round": name})
    given = {"parameters": {}, "metrics": {}, "curve": [], "tables": {}, "tags": {}}
    tracking.publish(tracking.ROUNDS, iter([tracking.Run(name=name, fingerprint=name, folder=files, **given)]))


@pytest.fixture
def backend(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KFP_TOKEN", TOKEN)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return Delivering(tmp_path)


@pytest.fixture
def chain(backend, tmp_path):
    with serve(backend) as host:
        yield chain_of(host, tmp_path / "files")


def chain_of(host: str, folder: Path) -> rounds.ClusterChain:
    def target(part):
        return compiler.Target(compiler.images(part, "ernn-", "a"))

    said: list[str] = []
    cluster = Cluster(host, pause_s=0)
    return rounds.ClusterChain(ROOT, "explore-a", folder, cluster, target, "ernn", 60.0, said.append)


def test_a_round_has_the_tasks_that_are_wanted_what_they_read_and_one_that_keeps_their_files(chain, backend, values):
    assert chain.make(values, ["compress@k2", "compress@k4"])
    tasks = re.findall(r"taskInfo:\s+name: '?([^'\n]+)", backend.uploaded[-1].decode())
    wanted = {"check", "prepare", "pretrain@gru", "compress@k2", "compress@k4", "deliver"}
    assert set(tasks) - {compiler.STAGES, compiler.ENDED} == wanted
    assert artifacts.read_json(chain.folder / "curves" / "a.json") == {"round": backend.runs[0].display_name}


def test_what_came_back_once_is_not_made_again_and_what_reads_it_is(chain, backend, values):
    chain.make(values, ["compress@k2", "compress@k4"])
    chain.make(values, ["compress@k4"])
    chain.make(values, ["pretrain@gru"])
    more = values | {"designs": DESIGNS | {"k8": DESIGNS["k4"] | {"block_size": 8}}}
    chain.make(more, ["compress@k4"])  # though the search has grown
    assert len(backend.runs) == 1
    chain.make(values | {"training": values["training"] | {"epochs": 3}}, ["compress@k4"])
    assert len(backend.runs) == 2


def test_a_search_that_was_killed_takes_up_a_finished_round_without_another_run(chain, backend, values, tmp_path):
    chain.make(values, ["pretrain@gru"])
    again = chain_of(chain.cluster._host, tmp_path / "elsewhere")
    again.make(values, ["pretrain@gru"])
    assert len(backend.runs) == 1
    assert (again.folder / "curves" / "a.json").exists()


def test_a_round_that_is_on_its_way_is_waited_for(chain, backend, values):
    backend.states = ["RUNNING"]
    chain.timeout_s = 0.0
    with pytest.raises(Failed, match="still RUNNING after 0 s"):
        chain.make(values, ["pretrain@gru"])
    (run,) = backend.runs
    keep(run.display_name, backend.folder)
    backend.states = ["SUCCEEDED"]
    chain.make(values, ["pretrain@gru"])
    assert len(backend.runs) == 1


@pytest.mark.system
def test_a_task_that_fails_is_named_and_the_next_try_is_another_run(chain, backend, values):
    backend.states = ["FAILED"]
    with pytest.raises(
        Failed, match=r"compress@lstm-k8-admm \(exit code 2: disk full\).*the same command goes on"
    ) as failed:
        chain.make(values, ["pretrain@gru"])
    assert failed.value.code == 3
    backend.states = ["SUCCEEDED"]
    chain.make(values, ["pretrain@gru"])
    assert len(backend.runs) == 2


def test_a_store_that_is_not_the_clusters_is_one_line(chain, backend, values):
    backend.begun = lambda run, pipeline: None
    with pytest.raises(UserError, match=r"^sqlite:.*has no run explore-a-\w{12}; MLFLOW_TRACKING_URI must name"):
        chain.make(values, ["pretrain@gru"])
    assert not (chain.folder / "made.json").exists()


def test_a_store_that_does_not_answer_is_one_line_before_anything_runs(chain, backend, values, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}")
    with pytest.raises(UserError, match="set MLFLOW_TRACKING_URI"):
        chain.make(values, ["pretrain@gru"])
    assert backend.runs == []


def test_a_round_whose_files_were_removed_is_run_again(chain, backend, values):
    chain.make(values, ["pretrain@gru"])
    client = MlflowClient(tracking.uri())
    experiment = client.get_experiment_by_name(tracking.ROUNDS).experiment_id
    (kept,) = client.search_runs([experiment])
    client.delete_run(kept.info.run_id)
    (chain.folder / "made.json").unlink()
    chain.make(values, ["pretrain@gru"])
    assert len(backend.runs) == 2
    assert (chain.folder / "made.json").exists()


def test_what_came_back_is_fetched_again_where_the_list_of_it_is_damaged(chain, backend, values):
    chain.make(values, ["pretrain@gru"])
    before = (chain.folder / "made.json").read_text()
    for damaged in ("", "{", "[1]", "null"):
        (chain.folder / "made.json").write_text(damaged)
        chain.make(values, ["pretrain@gru"])
        assert (chain.folder / "made.json").read_text() == before
    assert len(backend.runs) == 1
