"""Laptops and clusters share caches and runs: DVC and MLflow over a real S3 store and a real PostgreSQL."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from components import tracking
from tests.deploy import stores

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        bool(stores.missing()),
        reason=f"not installed: {', '.join(stores.missing())}; `make setup EXTRAS=stores`",
    ),
    pytest.mark.timeout(300),
]
needs_postgres = pytest.mark.skipif(stores.POSTGRES is None, reason="PostgreSQL is not installed")
DVC = """\
stages:
  make:
    cmd: python -c "import pathlib; pathlib.Path('out').mkdir(); pathlib.Path('out/a').write_text('features')"
    outs: [out]
"""


@pytest.fixture(scope="module")
def place():
    folder = Path(tempfile.mkdtemp(prefix="ernn-stores-"))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def store(place):
    import boto3

    with stores.s3(place) as server:
        client = boto3.client("s3", endpoint_url=server.address, region_name="us-east-1", **credentials())
        client.create_bucket(Bucket="ernn")
        yield server


def credentials():
    return {name.lower(): value for name, value in stores.KEYS.items()}


def dvc(folder: Path, store: str, *words: str) -> None:
    environment = {**os.environ, **stores.environment(store)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def checkout(folder: Path, store: str) -> Path:
    folder.mkdir()
    (folder / "dvc.yaml").write_text(DVC)
    dvc(folder, store, "init", "--no-scm", "-q")
    dvc(folder, store, "remote", "add", "-d", "store", "s3://ernn/dvc")
    dvc(folder, store, "remote", "modify", "store", "endpointurl", store)
    return folder


def test_a_second_machine_gets_what_the_first_has_pushed(store, tmp_path):
    first = checkout(tmp_path / "laptop", store.address)
    dvc(first, store.address, "repro", "-q")
    dvc(first, store.address, "push", "-q")
    second = checkout(tmp_path / "cluster", store.address)
    shutil.copy(first / "dvc.lock", second)
    dvc(second, store.address, "pull", "-q")
    assert (second / "out" / "a").read_text() == "features"


def a_run(folder: Path, name: str) -> tracking.Run:
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_text(f'"{name}"')
    curve = [(epoch, {"dev_per": 50.0 - epoch}) for epoch in range(3)]
    return tracking.Run(name, f"print-{name}", {"sweep": "a"}, {"block_size": 8.0}, {"per": 18.5}, curve, {}, folder)


@needs_postgres
def test_a_server_that_is_killed_between_runs_loses_none_and_publishing_again_adds_the_rest(
    store, place, tmp_path, monkeypatch
):
    port = stores.free_port()
    with stores.postgres(place) as database:
        with stores.mlflow(place, database.address, store.address, port) as server:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)

            def until_killed():
                yield a_run(tmp_path / "a", "a")
                server.kill()
                yield a_run(tmp_path / "b", "b")

            with pytest.raises(tracking.Unreachable):
                tracking.publish("ernn", until_killed())
        with stores.mlflow(place, database.address, store.address, port):
            both = [a_run(tmp_path / name, name) for name in "ab"]
            done = tracking.publish("ernn", iter(both))
            again = tracking.publish("ernn", iter(both))
            assert done.runs == again.runs
            assert seen(done, server.address, tmp_path) == {"a": 18.5, "b": 18.5}


def seen(done: tracking.Published, address: str, folder: Path) -> dict[str, float]:
    """PER of every run in the store, each with its curve and its file."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address)
    found = {}
    for run in client.search_runs([done.experiment_id]):
        name = run.info.run_name
        assert len(client.get_metric_history(run.info.run_id, "dev_per")) == 3
        (folder / f"got-{name}").mkdir()
        file = client.download_artifacts(run.info.run_id, "model.json", str(folder / f"got-{name}"))
        assert Path(file).read_text() == f'"{name}"'
        found[name] = run.data.metrics["per"]
    return found
