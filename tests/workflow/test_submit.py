"""Submission against a server of the v2beta1 API."""

import pytest

from ernn.errors import UserError
from tests.workflow.server import TOKEN, Backend, serve
from workflow.submit import Cluster


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def host(backend):
    with serve(backend) as address:
        yield address


@pytest.fixture
def cluster(host, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KFP_TOKEN", TOKEN)
    return Cluster(host, pause_s=0)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text("pipelineInfo: {name: ernn}\n")
    return path


def submit(cluster, file, **arguments):
    return cluster.submit(file, "ernn", "an experiment", "a run", arguments)


def test_a_run_has_a_version_an_experiment_and_its_parameters(cluster, file, backend, host):
    run = submit(cluster, file, training={"epochs": 3})
    assert run.link == f"{host}/#/runs/details/{run.id}"
    (sent,) = backend.runs
    (version,) = backend.versions["p1"]
    assert sent.display_name == "a run"
    assert sent.pipeline_version_reference.pipeline_version_id == version.pipeline_version_id
    assert sent.runtime_config.parameters == {"training": {"epochs": 3}}
    assert [each.display_name for each in backend.experiments] == ["an experiment"]
    assert all(b"pipelineInfo: {name: ernn}" in body for body in backend.uploaded)


def test_the_same_pipeline_is_uploaded_once_and_another_is_a_new_version(cluster, file, backend):
    submit(cluster, file)
    submit(cluster, file)
    assert len(backend.versions["p1"]) == 1
    file.write_text("pipelineInfo: {name: ernn}\nroot: {}\n")
    submit(cluster, file)
    assert len(backend.versions["p1"]) == 2
    assert len(backend.experiments) == 1


def test_a_version_that_somebody_else_has_just_uploaded_is_used(cluster, file, backend):
    submit(cluster, file)
    backend.hides_versions = 1
    submit(cluster, file)
    assert [run.pipeline_version_reference.pipeline_version_id for run in backend.runs] == ["v0", "v0"]


@pytest.mark.parametrize("place", ["experiments", "runs", "upload_version", "pipelines"])
def test_requests_that_fail_on_the_servers_side_are_repeated(cluster, file, backend, place):
    backend.failures = [(place, 500), (place, 503)]
    assert submit(cluster, file).id == "r0"
    assert backend.failures == []


def test_a_server_that_keeps_failing_is_named(cluster, file, backend, host):
    backend.failures = [("runs", 500)] * 4
    with pytest.raises(UserError, match=f"^{host} answered 500: try again$"):
        submit(cluster, file)


def test_a_token_that_is_refused_is_one_line(host, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KFP_TOKEN", "old")
    with pytest.raises(UserError, match=r"refused the token \(401\); set KFP_TOKEN"):
        Cluster(host, pause_s=0)


def test_a_token_is_read_from_the_file_of_a_service_account(host, backend, monkeypatch, tmp_path, file):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KFP_TOKEN", raising=False)
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    assert submit(Cluster(host, pause_s=0), file).id == "r0"


def test_an_address_where_nobody_answers_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="nobody answers"):
        Cluster("http://127.0.0.1:1", pause_s=0)


def test_waiting_ends_when_the_run_has_succeeded(cluster, file, backend):
    run = submit(cluster, file)
    cluster.wait(run, 60, poll_s=0)
    assert backend.asked.count(f"GET /apis/v2beta1/runs/{run.id}") == 3


def test_a_run_that_fails_names_its_tasks(cluster, file, backend):
    backend.states = ["RUNNING", "FAILED"]
    with pytest.raises(UserError, match=r"FAILED: compress@lstm-k8-admm \(exit code 2: disk full\); see http"):
        cluster.wait(submit(cluster, file), 60, poll_s=0)


def test_a_run_that_is_cancelled_or_takes_too_long_is_an_error(cluster, file, backend):
    backend.states = ["CANCELED"]
    with pytest.raises(UserError, match="ended with CANCELED"):
        cluster.wait(submit(cluster, file), 60, poll_s=0)
    backend.states = ["RUNNING"]
    with pytest.raises(UserError, match="still RUNNING after 0 s"):
        cluster.wait(submit(cluster, file), 0, poll_s=0)
