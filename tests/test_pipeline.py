"""pipeline.py: commands, exit codes, and one run of everything without a cluster."""

import hashlib
import json
import os
import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

import pipeline
from ernn import artifacts, params
from ernn.records.exploration import ExplorationRecord
from tests.workflow import tiny
from tests.workflow.server import TOKEN, Backend, serve
from workflow import compiler, declaration

ROOT = Path(__file__).parents[1]


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        pipeline.main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def file(tmp_path):
    assert call("compile", str(tmp_path / "pipeline.yaml"), "--tag", "a") == 0
    return tmp_path / "pipeline.yaml"


@pytest.mark.system
def test_a_compiled_file_differs_from_what_has_changed_since(file, capsys):
    assert call("diff", str(file), "--tag", "a") == 0
    assert call("diff", str(file), "--tag", "b") == 1
    assert "+        image: ernn-train:b" in capsys.readouterr().out


def test_settings_change_defaults_of_the_run(tmp_path):
    assert call("compile", str(tmp_path / "p.yaml"), "--tag", "a", "--set", "training.epochs=3") == 0
    (spec, _) = yaml.safe_load_all((tmp_path / "p.yaml").read_text())
    assert spec["root"]["inputDefinitions"]["parameters"]["training"]["defaultValue"]["epochs"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diff", "/nowhere/p.yaml"], "pipeline.py diff: /nowhere/p.yaml: no such file or directory; compile it first"),
        (["compile", "--preset", "huge"], "pipeline.py compile: PRESET=huge: there is no presets/huge.yaml"),
        (["compile", "--set", "training.epoch=3"], "training.epoch"),
        (["plan", "--times", "/nowhere/stages.json"], "no such file; make it with `python -m bench.stages`"),
        (["submit", "--host", "http://127.0.0.1:1"], "nobody answers"),
        *(
            ([*command, "--images", "A b", "--tag", "a"], "--images: 'A btrain' is no name of an image")
            for command in (["compile"], ["diff", __file__], ["run"], ["submit", "--host", "http://127.0.0.1:1"])
        ),
        *(
            (
                ["plan", "--price", given],
                f"pipeline.py plan: --price: must be a finite number of 0 or more, got '{given}'",
            )
            for given in ("nan", "inf", "-1", "much")
        ),
        *(
            (["submit", "--host", "h", "--wait", given], f"--wait: must be a finite number above 0, got '{given}'")
            for given in ("nan", "inf", "0", "-0.5", "")
        ),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(arguments, message, capsys):
    assert call(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.system
def test_a_run_on_a_cluster_gets_the_settings_as_parameters(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KFP_TOKEN", TOKEN)
    backend = Backend()
    with serve(backend) as host:
        given = ["--host", host, "--set", "training.epochs=3", "--name", "three epochs", "--tag", "a", "--wait", "60"]
        monkeypatch.setattr(pipeline.submit.Cluster.wait, "__defaults__", (0.0, pipeline.submit.time.monotonic))
        assert call("submit", *given) == 0
        assert call("submit", *given) == 0
        backend.states = ["FAILED"]
        assert call("submit", *given) == 1
    said = capsys.readouterr()
    assert "run r0 succeeded" in said.out
    assert "compress@lstm-k8-admm (exit code 2: disk full)" in said.err
    assert backend.runs[0].runtime_config.parameters["training"]["epochs"] == 3
    assert len(backend.versions["p1"]) == 1  # settings are parameters of a run, not another pipeline


def test_images_have_the_tag_that_is_printed(tmp_path, capsys):
    assert call("tag") == 0
    tag = capsys.readouterr().out.strip()
    assert call("compile", str(tmp_path / "p.yaml")) == 0
    images = set(re.findall(r"image: (\S+)", (tmp_path / "p.yaml").read_text()))
    assert images == {f"ernn-train:{tag}", f"ernn-hardware:{tag}"}


@pytest.mark.parametrize("address", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "nonsense://x"])
def test_a_run_without_an_engine_is_one_line_before_anything_is_written(tmp_path, capsys, monkeypatch, address):
    monkeypatch.setenv("DOCKER_HOST", address)
    assert call("run", "--preset", "smoke", "--root", str(tmp_path / "out")) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"pipeline\.py run: no Docker engine answers \([^\n]+\); start it, or let DOCKER_HOST name one\n", said
    )
    assert not (tmp_path / "out").exists()


class Engine(BaseHTTPRequestHandler):
    """A Docker engine that has no image, and may pull none."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answers = {"version": {"ApiVersion": "1.43"}, "_ping": {}, "info": {}, "json": []}
        self._answer(200, answers[self.path.split("?")[0].rpartition("/")[2]])

    def do_POST(self) -> None:
        self._answer(404, {"message": "pull access denied for ernn-train, repository does not exist"})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


def test_a_run_without_its_images_is_one_line(tmp_path, capsys, monkeypatch):
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        mask = os.umask(0o22)
        try:
            assert call("run", "--preset", "smoke", "--tag", "a", "--root", str(tmp_path / "out")) == 1
        finally:
            os.umask(mask)
            server.shutdown()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("pipeline.py run: 404 Client Error")
    assert "pull access denied for ernn-train" in last


def as_processes(folder: Path, monkeypatch) -> None:
    """kfp runs containers as processes once this check is gone; the commands are those of the containers."""
    from kfp.local import subprocess_task_handler

    handler = subprocess_task_handler.SubprocessTaskHandler
    monkeypatch.setattr(handler, "validate_not_container_component", lambda *_: None)
    monkeypatch.setattr(handler, "validate_image", lambda *_: None)
    for name, value in tiny.environment(folder).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT)


def by_kubeflow(values: dict, folder: Path, monkeypatch) -> dict[str, Path]:
    """Every output of a run of the compiled pipeline, by its path in dvc.yaml."""
    from kfp import local

    as_processes(folder, monkeypatch)
    declared = declaration.load(ROOT, values)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(folder))
    compiler.pipeline(declared, compiler.Target(compiler.images(declared, "", "a"), local=True))()
    found = {}
    for task in declared.tasks:  # one entry each: a task's folder is called as its stage
        for path in task.outs:
            (place,) = folder.glob(f"*/{task.stage}/{task.flag(path).replace('-', '_')}")
            found[path] = place
    return found


class Executing(Backend):
    """A cluster of one machine: a run's containers are processes, with the commands and files of the real ones."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.states, self.folder, self.begun = ["SUCCEEDED"], folder, self._execute

    def _execute(self, run, uploaded: bytes) -> None:
        from kfp import components, local

        file = self.folder / f"{run.display_name}.yaml"
        body = uploaded[uploaded.index(b"# ernn:") :]
        file.write_bytes(body[: body.rindex(b"\r\n--")])  # the last part of a form is the file
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(self.folder / "out"))
        try:
            components.load_component_from_file(str(file))()
        except RuntimeError:
            self.states = ["FAILED"]


SEARCH = ("--per-loss", "100", "--device", "xc7z020", "--latency-us", "2000", "--mixing", "none", "--trials", "1")


@pytest.mark.system
@pytest.mark.timeout(1500)
def test_a_search_on_a_cluster_finds_a_design_and_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    as_processes(tmp_path, monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KFP_TOKEN", TOKEN)
    root = tmp_path / "checkout"
    tiny.copy_checkout(root)
    for name in ("params.yaml", "docs/benchmarks/stages.json"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    monkeypatch.setattr(pipeline, "ROOT", root)
    target = pipeline._target_of
    monkeypatch.setattr(pipeline, "_target_of", lambda part, options: target(part, options, True))  # no last task
    settings = [f"--set={section}={json.dumps(value)}" for section, value in tiny.TINY.items() if section != "training"]
    settings += ["--set=training.epochs=3"]
    backend = Executing(tmp_path)
    with serve(backend) as host:
        given = ("explore", "--preset", "smoke", *settings, "--host", host, "--tag", "a", "--name", "tiny", *SEARCH)
        assert call(*given) == 0
        rounds = len(backend.runs)
        said = capsys.readouterr().out
        assert call(*given) == 0
        assert len(backend.runs) == rounds
    record = artifacts.read_record(root / "explored" / "tiny" / "explore.json", ExplorationRecord)
    assert record.met
    assert all(row.verified for row in record.verified)
    assert (root / "explored" / "tiny" / "explore.html").exists()
    assert "round explore-tiny-" in said
    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    experiment = client.get_experiment_by_name("ernn").experiment_id
    reasons = {run.info.run_name: run.data.tags.get("search.tiny") for run in client.search_runs([experiment])}
    assert reasons[record.chosen].startswith("trial 1: ")
    assert reasons["gru"] == "the dense network that trials begin with"


def digest(path: Path) -> dict[str, str]:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return {str(each.relative_to(path)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


@pytest.mark.system
@pytest.mark.timeout(900)
@pytest.mark.parametrize("empty", [(), params.ENTRIES])
def test_the_compiled_pipeline_gives_the_files_of_dvc_byte_for_byte(tmp_path, monkeypatch, empty):
    values = tiny.values() | {section: {} for section in empty}
    (tmp_path / "dvc").mkdir()
    (tmp_path / "kubeflow").mkdir()
    theirs, ours = tiny.by_dvc(values, tmp_path / "dvc"), by_kubeflow(values, tmp_path / "kubeflow", monkeypatch)
    for path, place in ours.items():
        if path == "build/published.json":  # names runs of its own store
            assert (
                json.loads(place.read_text())["runs"].keys() == json.loads((theirs / path).read_text())["runs"].keys()
            )
        else:
            assert digest(place) == digest(theirs / path), path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", "no/x.yaml"], "compile: no/x.yaml: no such file or directory"),
        (["compile", "."], "compile: .: a compiled pipeline is a file NAME.yaml; name one"),
        (
            ["compile", "--tag=x y"],
            "compile: --tag: a tag has letters, digits and `_.-`, at most 128 of them, got 'x y'",
        ),
        (["diff", "bytes.yaml"], "diff: bytes.yaml: not a compiled pipeline; compile it first"),
    ],
)
def test_places_that_cannot_be_are_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(Path(pipeline.__file__).parent / name, tmp_path / name)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        pipeline.main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err == f"pipeline.py {message}\n"
