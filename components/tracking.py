"""MLflow: finished runs are written whole and once, wherever MLFLOW_TRACKING_URI points."""

import contextlib
import json
import logging
import os
import re
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from components import registered
from ernn import artifacts
from ernn.artifacts import Record, disk
from ernn.records.times import Times

if TYPE_CHECKING:  # importing MLflow takes seconds
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

DEFAULT_URI = "sqlite:///mlflow.db"
EXPERIMENT, ROUNDS = "ernn", "ernn rounds of searches"
SAY_AFTER_S = 5.0  # that nothing has answered
ENVIRONMENT = {  # a server that hangs costs seconds; nothing is sent to anyone else
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_NOTE, _KIND, _TRAINING = "mlflow.note.content", "mlflow.experimentKind", "custom_model_development"
_VIEW = {"workflowType": "machine_learning"}  # of MLflow's pages; they open in one for chat bots
BATCH = 1000  # MLflow's limit of one log_batch
_A_DATABASE = "MLFLOW_TRACKING_URI must name a database that can be written, as sqlite:///mlflow.db"
_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")
_SQLITE = b"SQLite format 3\0"  # how a database begins
Table = dict[str, list[str | float]]
Parameters = dict[str, str | float | None]


class Unreachable(Exception):
    """The tracking store did not take the runs.

    Args:
        problem: one line.
        cure: what has to be done before it can; nothing where another try may do.
    """

    def __init__(self, problem: str, cure: str = "") -> None:
        super().__init__(problem)
        self.cure = cure


@dataclass(frozen=True)
class Run:
    """Everything that one run shows; two with one `fingerprint` are the same."""

    name: str
    fingerprint: str
    tags: dict[str, str]
    parameters: Parameters
    metrics: dict[str, float]
    curve: Sequence[tuple[int, dict[str, float]]]  # (epoch, metrics)
    tables: dict[str, Table]
    folder: Path  # files to keep with the run
    description: str = ""  # Markdown
    data: Sequence[registered.Data] = ()
    model: registered.Served | None = None
    times: Times | None = None  # of the training; without them the run is of the time of its publication


@dataclass(frozen=True)
class Published:
    """Where the runs are."""

    experiment_id: str
    runs: dict[str, str]  # name -> MLflow's run id


@dataclass(frozen=True)
class Receipt(Record):
    """Where the runs of a sweep are, MLflow's ids by name; or what the problem was."""

    experiment: str
    sweep: str
    published: bool
    problem: str = ""
    cure: str = ""
    experiment_id: str = ""
    runs: Mapping[str, str] = field(default_factory=dict)
    integer_runs: Mapping[str, str] = field(default_factory=dict)
    accelerator_runs: Mapping[str, str] = field(default_factory=dict)
    block_runs: Mapping[str, str] = field(default_factory=dict)  # of `runs`, those that have a block size


def uri() -> str:
    """The tracking store: MLFLOW_TRACKING_URI, or a database in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI


def shown(store: str) -> str:
    """An address without its password.

    >>> shown("postgresql://ernn:secret@db:5432/mlflow"), shown("sqlite:///mlflow.db")
    ('postgresql://ernn:***@db:5432/mlflow', 'sqlite:///mlflow.db')
    """
    return re.sub(r"^([^:/]+://[^:/@]*):[^/]*@", r"\1:***@", store)


def publish(experiment: str, runs: Iterator[Run], description: str = "") -> Published:
    """Write every run that the store does not hold yet.

    Args:
        description: of the experiment, Markdown.

    Raises:
        Unreachable: the store failed, whatever the reason; the message is one line.
        disk.DiskFull: there is no space for the store, or here for the files of a run.
    """
    with _opened() as (client, store):
        experiment_id = _experiment(client, store, experiment)
        for key, value in {_NOTE: description, _KIND: _TRAINING}.items():
            client.set_experiment_tag(experiment_id, key, value)
        return Published(experiment_id, {run.name: _write(client, experiment_id, run) for run in runs})


def fetch(experiment: str, fingerprint: str, folder: Path) -> bool:
    """Copy the files of a finished run into a folder; False where there is no such run.

    Raises:
        Unreachable, disk.DiskFull: as `publish`.
    """
    with _opened() as (client, store):
        kept = client.search_runs([_experiment(client, store, experiment)], f"tags.fingerprint = '{fingerprint}'")
        finished = [run.info.run_id for run in kept if run.info.status == "FINISHED"]
        if finished:
            client.download_artifacts(finished[0], "", str(folder))
        return bool(finished)


def mark(tags: Mapping[str, Mapping[str, str]]) -> None:
    """Give runs further tags, by their ids.

    Raises:
        Unreachable, disk.DiskFull: as `publish`.
    """
    with _opened() as (client, _):
        for run_id, each in tags.items():
            for key, value in each.items():
                client.set_tag(run_id, key, value)


@contextlib.contextmanager
def _opened() -> "Iterator[tuple[MlflowClient, str]]":
    """A client of the store, and its address; errors of any kind inside become one of ours."""
    _set_environment()
    store = uri()
    database = _database(store)
    waiting = threading.Timer(SAY_AFTER_S, log.info, ("%s has not answered yet; still trying", shown(store)))
    waiting.daemon = True
    try:
        if database is None and store.startswith("sqlite:"):
            raise Unreachable(f"{shown(store)} names no file", _A_DATABASE)
        _check_file(database)
        from mlflow import MlflowClient

        waiting.start()
        with _alone(database):
            client = MlflowClient(tracking_uri=store)
            client.get_experiment_by_name(EXPERIMENT)  # whether anybody answers
            waiting.cancel()
            yield client, store
    except Unreachable:
        raise
    except Exception as error:  # MLflow, requests, SQLAlchemy: training must not depend on which
        if database is not None and (disk.is_full(error) or disk.is_short(database)):
            raise disk.DiskFull.at(database) from error
        if isinstance(error, OSError) and error.errno is not None and disk.is_full(error):
            raise  # of a file here; a server's own disk is the server's matter
        reason = str(error).strip().splitlines() or [""]
        problem = f"{type(error).__name__}: {reason[0]}"[:300]
        raise Unreachable(problem.replace(store, shown(store)), _cure(store, error)) from error
    finally:
        waiting.cancel()


def _cure(store: str, error: Exception) -> str:
    """What has to be done about an error that another try would meet again."""
    if "out-of-date database schema" in str(error):
        return f"back it up and run `mlflow db upgrade {shown(store)}`; one of a newer MLflow needs that MLflow"
    if isinstance(error, ImportError):
        return "install that package"
    if re.split("[:+]", store)[0].lower() not in _SCHEMES:
        return "MLFLOW_TRACKING_URI must be a server, as http://HOST:PORT, or a database, as sqlite:///mlflow.db"
    return ""


def comparison(base: str, experiment_id: str, runs: Sequence[str]) -> str:
    """Address of the page that compares `runs` on the server at `base`.

    >>> comparison("http://127.0.0.1:5000", "1", ["ab"])
    'http://127.0.0.1:5000/#/compare-runs?runs=%5B%22ab%22%5D&experiments=%5B%221%22%5D&workflowType=machine_learning'
    """
    query = {"runs": list(runs), "experiments": [experiment_id]}
    compact = {key: json.dumps(value, separators=(",", ":")) for key, value in query.items()}
    return f"{base.rstrip('/')}/#/compare-runs?{urllib.parse.urlencode(compact | _VIEW)}"


def page(base: str, experiment_id: str) -> str:
    """Address of the page of an experiment, in the view for training models.

    >>> page("http://127.0.0.1:5000/", "1")
    'http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning'
    """
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs?{urllib.parse.urlencode(_VIEW)}"


def serve(port: int) -> None:
    """Become MLflow's server on loopback, over the store of `uri`; returns never."""
    _set_environment()
    options = ["--backend-store-uri", uri(), "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", "server", *options])


def _experiment(client: "MlflowClient", store: str, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    database = _database(store)
    location = (database.parent / "mlartifacts").resolve().as_uri() if database else None
    return str(client.create_experiment(name, artifact_location=location))


def _write(client: "MlflowClient", experiment_id: str, run: Run) -> str:
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking.context import registry

    for found in client.search_runs([experiment_id], f"tags.fingerprint = '{run.fingerprint}'"):
        if found.info.status == "FINISHED":
            return str(found.info.run_id)
        client.delete_run(found.info.run_id)  # left by a publisher that was killed
    made = _commit() | registry.resolve_tags()
    made |= {"mlflow.source.name": "components.publish", "mlflow.source.type": "LOCAL"}
    tags = {**made, **run.tags, _NOTE: run.description, "fingerprint": run.fingerprint}
    begun = None if run.times is None else run.times.begun
    run_id = str(client.create_run(experiment_id, start_time=begun, run_name=run.name).info.run_id)
    ended = {} if run.times is None else run.times.ended
    last = max(ended.values(), default=int(time.time() * 1000))
    points = [Metric(key, value, last, 0) for key, value in run.metrics.items()]
    points += [
        Metric(key, value, ended.get(str(epoch), last), epoch) for epoch, row in run.curve for key, value in row.items()
    ]
    parameters = [Param(key, str(value)) for key, value in run.parameters.items()]
    client.log_batch(run_id, params=parameters, tags=[RunTag(key, value) for key, value in tags.items()])
    for first in range(0, len(points), BATCH):
        client.log_batch(run_id, metrics=points[first : first + BATCH])
    for name, table in run.tables.items():
        client.log_table(run_id, table, name)
    registered.log_data(client, run_id, run.data)
    if run.model is not None:
        registered.save(run.model, run.folder)
    client.log_artifacts(run_id, str(run.folder))
    if run.model is not None:
        registered.register(client, run_id, run.model, run.description)
    client.set_terminated(run_id, end_time=None if run.times is None else last)
    return run_id


def _commit() -> dict[str, str]:
    """The commit of the checkout around this folder; MLflow passes over folders that git ignores, as runs/PRESET."""
    import git  # of MLflow

    try:
        found = git.Repo(Path.cwd(), search_parent_directories=True).head.commit.hexsha
    except (git.GitError, ValueError, OSError):  # no checkout, or one without a commit
        return {}
    return {"mlflow.source.git.commit": found}


@contextlib.contextmanager
def _alone(database: Path | None) -> Iterator[None]:
    """One process at a time on a database, and a whole one: the first use creates it, two at once would crash."""
    if database is None:
        yield
        return
    from filelock import FileLock

    with FileLock(f"{database}.lock", timeout=300):
        if not database.exists():
            _create(database)
        yield


def _check_file(database: Path | None) -> None:
    """Refuse what can be no database of SQLite, for which MLflow would try for minutes.

    Raises:
        Unreachable: a folder, another file, or one that cannot be written.
    """
    if database is None:
        return
    problem = ""
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        if not database.exists():
            Path(f"{database}.lock").open("a").close()  # of `_alone`, in the same folder
        else:
            with database.open("r+b") as file:
                if file.read(len(_SQLITE)) not in (b"", _SQLITE):
                    problem = f"{database}: no database of SQLite"
    except OSError as error:
        problem = f"{str(error.filename).removesuffix('.lock')}: {(error.strerror or str(error)).lower()}"
    if problem:
        raise Unreachable(problem, _A_DATABASE)


def _create(database: Path) -> None:
    """All tables or no file: MLflow refuses a database in which some are missing."""
    from mlflow import MlflowClient

    with artifacts.atomic(database) as temporary:
        try:
            MlflowClient(tracking_uri=f"sqlite:///{temporary}").get_experiment("0")
        finally:
            temporary.with_name(f"{temporary.name}-journal").unlink(missing_ok=True)


def _database(store: str) -> Path | None:
    """The file of an SQLite database; the address may end in options."""
    file = store.removeprefix("sqlite:///").partition("?")[0]
    return Path(file) if store.startswith("sqlite:///") and file not in ("", ":memory:") else None


def _set_environment() -> None:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
