"""A stage as a PyTorchJob: files to the pods and back, and every way in which a job or its server can fail."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from components import cluster as api
from components import exchange, job
from tests.components import operator
from tests.components.operator import CLAIM, IMAGE, Operator, Script, serve

SCRIPT = ("Created", "Running", "Succeeded")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A pod with a volume, an input file and an input folder."""
    monkeypatch.setattr(api, "POLL_S", 0.01)
    monkeypatch.setattr(api, "PAUSE_S", 0.001)
    for name, value in {"SHARED": str(tmp_path / "shared"), "CLAIM": CLAIM, "IMAGE": IMAGE}.items():
        monkeypatch.setenv(f"ERNN_{name}", value)
    monkeypatch.setenv("POD_NAME", "task-pod")
    monkeypatch.setenv("POD_UID", "7a5c")
    (tmp_path / "shared").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shard").write_text("features")
    (tmp_path / "dense").write_text("a model")
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


def executor_input(folder, inputs, outputs):
    def listed(names):
        return {name: {"artifacts": [{"name": name, "uri": f"{folder}/{name}"}]} for name in names}

    return {
        "inputs": {"artifacts": listed(inputs)},
        "outputs": {"artifacts": listed(outputs), "outputFile": f"{folder}/deep/executor_output.json"},
    }


def words(folder, *extra, spaces=None):
    """A task's command line: a folder and a file to read, two files to write."""
    given = json.dumps(executor_input(folder, ["data", "dense"], ["model", "metrics"]), indent=spaces)
    paths = {name: str(folder / name) for name in ("data", "dense")}
    paths |= {name: str(folder / "out" / name) for name in ("model", "metrics")}
    flags = [part for name, path in paths.items() for part in (f"--{name}", path)]
    return ["--nodes", "2", *extra, "--", "components.compress", "--executor-input", given, "--design", "k4", *flags]


def call(arguments):
    """The exit code."""
    try:
        job.main(arguments)
    except SystemExit as left:
        return left.code
    return 0


@contextmanager
def cluster(folder, monkeypatch, *states):
    kept = Operator(lambda manifest: Script(manifest, *(states or SCRIPT)), folder / "shared")
    with serve(kept, folder) as config:
        monkeypatch.setenv("KUBECONFIG", str(config))
        yield kept


def one_line(capsys):
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def nothing_is_left(folder, kept):
    assert not kept.jobs
    assert not list((folder / "shared" / "jobs").iterdir())


def test_files_go_to_the_pods_and_back(folder, monkeypatch):
    seen = {}

    def start(manifest):
        command = operator.containers(manifest)[0]["command"]
        flags = dict(zip(command[5::2], command[6::2], strict=True))
        seen.update(flags, data_shard=(Path(flags["--data"]) / "shard").read_text())
        assert command[:5] == ["python3", "-m", "torch.distributed.run", "-m", "components.compress"]
        return Script(manifest, *SCRIPT)

    with cluster(folder, monkeypatch) as kept:
        kept.start = start
        assert call(words(folder, "--workers", "3")) == 0
    assert seen.keys() == {"--design", "--data", "--dense", "--model", "--metrics", "data_shard"}
    assert (seen["--design"], seen["data_shard"]) == ("k4", "features")
    assert (folder / "out/model").read_text() == (folder / "out/metrics").read_text() == '{"per": 18.5}'
    said = json.loads((folder / "deep/executor_output.json").read_text())["artifacts"]
    assert said["metrics"]["artifacts"][0]["metadata"] == {"per": 18.5}
    nothing_is_left(folder, kept)
    (manifest,) = kept.manifests
    assert len(operator.containers(manifest)) == 2
    assert manifest["spec"]["nprocPerNode"] == "3"
    assert manifest["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Pod", "name": "task-pod", "uid": "7a5c"}
    ]


def test_pods_get_what_meta_says(folder, monkeypatch):
    asked = {
        "cpu": 2.0,
        "memory": "4G",
        "gpu": 1,
        "node_selector": {"pool": "gpu"},
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "environment": {"MLFLOW_TRACKING_URI": "mlflow-uri"},
    }
    with cluster(folder, monkeypatch) as kept:
        assert call(words(folder, "--replica", json.dumps(asked), "--timeout-minutes", "7")) == 0
    (manifest,) = kept.manifests
    assert manifest["spec"]["runPolicy"]["activeDeadlineSeconds"] == 420
    for container in operator.containers(manifest):
        assert container["resources"]["limits"] == {"cpu": "2", "memory": "4G", "nvidia.com/gpu": "1"}
        assert container["env"] == [
            {"name": "ERNN_CHECKPOINTS", "value": str(folder / "shared/checkpoints")},
            {"name": "ERNN_MISTAKE", "value": f"{folder}/shared/jobs/{manifest['metadata']['name']}/mistake"},
            {"name": "MLFLOW_TRACKING_URI", "valueFrom": {"secretKeyRef": {"name": "ernn", "key": "mlflow-uri"}}},
        ]
    spec = manifest["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]["spec"]
    assert (spec["nodeSelector"], spec["tolerations"]) == (asked["node_selector"], asked["tolerations"])


def test_gathered_files_and_pages_go_along(folder):
    task = executor_input(folder, ["in_a"], ["page"])
    given = ["--gather", f"metrics/a.json={folder}/dense", "--page", f"report/r.md={folder}/out/page"]
    made = exchange.Exchange.of(Path("/s"), task, given)
    assert made.words == ("--gather", "metrics/a.json=/s/inputs/0-gather", "--page", "report/r.md=/s/outputs/1-page")
    assert made.inputs == {Path("/s/inputs/0-gather"): folder / "dense"}
    assert made.outputs == {Path("/s/outputs/1-page"): folder / "out/page"}


@pytest.mark.parametrize("failure", [500, 503, 429, 0])
def test_a_server_that_stumbles_is_asked_again(folder, monkeypatch, failure):
    with cluster(folder, monkeypatch) as kept:
        kept.failures = [failure, failure, failure]
        assert call(words(folder)) == 0
    nothing_is_left(folder, kept)


@pytest.mark.parametrize("failure", [500, 0])
def test_a_job_whose_creation_was_not_heard_of_is_created_once(folder, monkeypatch, failure):
    with cluster(folder, monkeypatch) as kept:
        kept.created_first = True
        kept.start = lambda manifest: kept.failures.clear() or Script(manifest, *SCRIPT)
        monkeypatch.setattr(exchange.Exchange, "fill", lambda self, fill=exchange.Exchange.fill: fill(self) or arm())
        arm = lambda: kept.failures.append(failure)  # noqa: E731
        assert call(words(folder)) == 0
    assert kept.requests.count("POST") == 2
    assert len(kept.manifests) == 1
    nothing_is_left(folder, kept)


@pytest.mark.parametrize("states", [SCRIPT, ["Succeeded"]])
def test_a_server_that_stays_away_leaves_the_job_to_the_next_attempt(folder, monkeypatch, capsys, states):
    with cluster(folder, monkeypatch, "Running") as kept:
        real = kept.read
        kept.read = lambda name: (503, {"message": "starting"}) if name in kept.jobs else real(name)
        assert call(words(folder)) == 1
        assert one_line(capsys) == "job: the API server answers 503: starting\n"
        kept.read = real
        (made,) = kept.jobs
        kept.pods[made].states = list(states)
        assert call(words(folder, spaces=1)) == 0
    assert len(kept.manifests) == 1
    nothing_is_left(folder, kept)


def test_results_count_even_if_their_job_cannot_be_deleted(folder, monkeypatch):
    with cluster(folder, monkeypatch) as kept:
        kept.delete = lambda name: (503, {"message": "starting"})
        assert call(words(folder)) == 0
    assert (folder / "deep/executor_output.json").exists()


def test_a_job_that_failed_is_one_line_without_outputs_and_makes_way_for_the_next_attempt(folder, monkeypatch, capsys):
    with cluster(folder, monkeypatch, "Running", "Failed") as kept:
        assert call(words(folder)) == 1
        (made,) = kept.jobs
        assert one_line(capsys) == (
            f"job: PyTorchJob {made} is Failed.; see `kubectl logs -n speech -l "
            f"training.kubeflow.org/job-name={made} --prefix`\n"
        )
        assert not (folder / "out").exists()
        assert not (folder / "deep").exists()
        kept.start = lambda manifest: Script(manifest, *SCRIPT)
        assert call(words(folder)) == 0
    assert len(kept.manifests) == 2
    nothing_is_left(folder, kept)


def test_a_mistake_of_the_user_in_a_pod_is_that_line_and_not_tried_again(folder, monkeypatch, capsys):
    def mistaken(manifest):
        (container, *_) = operator.containers(manifest)
        variables = {each["name"]: each.get("value", "") for each in container["env"]}
        Path(variables["ERNN_MISTAKE"]).write_text("compress: training.rate: the loss is nan; lower it")
        return Script(manifest, "Running", "Failed")

    with cluster(folder, monkeypatch) as kept:
        kept.start = mistaken
        assert call(words(folder)) == 2
        assert one_line(capsys) == "job: compress: training.rate: the loss is nan; lower it\n"
        assert not (folder / "out").exists()
        kept.start = lambda manifest: Script(manifest, *SCRIPT)
        assert call(words(folder)) == 0
    nothing_is_left(folder, kept)


def test_a_job_of_this_name_that_is_somebody_elses_stays(folder, monkeypatch, capsys):
    with cluster(folder, monkeypatch, "Running", "Failed") as kept:
        assert call(words(folder)) == 1
        (made,) = kept.jobs.values()
        made["metadata"]["labels"] = {}
        capsys.readouterr()
        assert call(words(folder)) == 2
        assert "is somebody else's: it lacks the label ernn.io/digest=" in one_line(capsys)
        assert kept.jobs


def test_a_job_that_is_deleted_is_one_line(folder, monkeypatch, capsys):
    with cluster(folder, monkeypatch, "Running") as kept:
        kept.start = lambda manifest: kept.failures.append(404) or Script(manifest, "Running")
        assert call(words(folder)) == 1
        assert "was deleted before it ended; run it again" in one_line(capsys)
    assert not (folder / "out").exists()


def test_a_job_that_wrote_nothing_is_one_line(folder, monkeypatch, capsys):
    with cluster(folder, monkeypatch) as kept:
        kept.start = lambda manifest: Script(manifest | {"spec": EMPTY}, *SCRIPT)
        assert call(words(folder)) == 1
        assert "4-model is missing: do its pods mount the claim" in one_line(capsys)
    assert not (folder / "out").exists()


EMPTY = {"pytorchReplicaSpecs": {"Master": {"replicas": 1, "template": {"spec": {"containers": [{"command": []}]}}}}}


def test_a_job_that_does_not_end_is_deleted(folder, monkeypatch, capsys):
    times = iter([0.0, 10.0, 481.0])
    monkeypatch.setattr(api.Cluster.wait, "__defaults__", (lambda: next(times),))
    with cluster(folder, monkeypatch, "Created") as kept:
        assert call(words(folder, "--timeout-minutes", "7")) == 1
        said = one_line(capsys)
        assert "has not ended after 420 s (PyTorchJob " in said
        assert "is created.); raise meta.timeout_minutes" in said
    nothing_is_left(folder, kept)


def test_a_cluster_without_the_operator_is_one_line(folder, monkeypatch, capsys):
    with cluster(folder, monkeypatch) as kept:
        kept.installed = False
        assert call(words(folder)) == 2
        assert "install the Training Operator" in one_line(capsys)


@pytest.mark.parametrize(
    ("status", "message"), [(403, "bind the role `ernn-train`"), (422, "refuses the PyTorchJob (422): a failure")]
)
def test_what_the_server_refuses_is_one_line(folder, monkeypatch, capsys, status, message):
    with cluster(folder, monkeypatch) as kept:
        kept.failures = [status]
        assert call(words(folder)) == 2
        assert message in one_line(capsys)


def test_a_launcher_that_is_stopped_deletes_its_job(folder, monkeypatch):
    root = Path(job.__file__).parents[1]
    with cluster(folder, monkeypatch, "Running") as kept:
        command = [sys.executable, "-m", "components.job", *words(folder)]
        process = subprocess.Popen(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)})
        until = time.monotonic() + 60
        while kept.requests[-2:] != ["POST", "GET"]:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
    nothing_is_left(folder, kept)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda given: ["--nodes", "0", *given[2:]], "--nodes: must be a whole number of 1 or more, got '0'"),
        (lambda given: ["--workers", "-1", *given], "--workers: must be a whole number of 1 or more, got '-1'"),
        (
            lambda given: ["--timeout-minutes", "nan", *given],
            "--timeout-minutes: must be a whole",
        ),
        (lambda given: ["--replica", '{"gpus": 1}', *given], "--replica: gpus: no such key"),
        (lambda given: ["--replica", "{", *given], "--replica: Invalid JSON"),
        (lambda given: [*given[:3], "os.system", *given[4:]], "-- components.STAGE --flag value ..: got `os.system"),
        (lambda given: given[:-1], "-- components.STAGE --flag value ..: got `components.compress"),
        (lambda given: [*given[:4], *given[6:]], "--executor-input JSON ..: it says where files are"),
        (lambda given: [*given[:5], "{}", *given[6:]], "--executor-input: JSON of an ExecutorInput"),
        (lambda given: [*given[:9], "/nowhere", *given[10:]], "/nowhere: no such file"),
    ],
)
def test_bad_input_is_one_line(folder, monkeypatch, capsys, change, message):
    with cluster(folder, monkeypatch) as kept:
        assert call(change(words(folder))) == 2
    assert message in one_line(capsys)
    assert not kept.manifests


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("ERNN_SHARED", None, "ERNN_SHARED is not set"),
        ("ERNN_SHARED", "/nowhere", "ERNN_SHARED=/nowhere: no such folder; mount the claim there"),
        ("ERNN_CLAIM", "", "ERNN_CLAIM is not set; the compiled pipeline sets it"),
        ("ERNN_IMAGE", None, "ERNN_IMAGE is not set"),
        ("KUBECONFIG", None, "no cluster: "),
        ("KUBECONFIG", "/nowhere", "no cluster: "),
    ],
)
def test_a_place_that_is_no_cluster_is_one_line(folder, monkeypatch, capsys, variable, value, message):
    with cluster(folder, monkeypatch):
        if value is None:
            monkeypatch.delenv(variable)
        else:
            monkeypatch.setenv(variable, value)
        assert call(words(folder)) == 2
    assert message in one_line(capsys)


def test_a_full_volume_is_one_line_and_leaves_no_job(folder, monkeypatch, capsys):
    def full(source, target):  # as shutil.copyfile
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(exchange.shutil, "copyfile", full)
    with cluster(folder, monkeypatch) as kept:
        assert call(words(folder)) == 2
    assert "no space left on device; make the volume of ERNN_CLAIM larger" in one_line(capsys)
    nothing_is_left(folder, kept)
