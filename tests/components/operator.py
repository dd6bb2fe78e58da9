"""An API server with a Training Operator behind it: PyTorchJobs over HTTP, their pods as processes or as a script.

Environment, conditions and refusals are those of Training Operator 1.9 (pkg/controller.v1/pytorch, pkg/webhooks).
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
NAMESPACE, CLAIM, IMAGE = "speech", "a-claim", "ernn-train:0123"
PLACE = f"/apis/kubeflow.org/v1/namespaces/{NAMESPACE}/pytorchjobs"


class Pods(Protocol):
    """The replicas of a job."""

    def state(self) -> tuple[str, str]:
        """Type and message of the newest condition."""

    def stop(self) -> None:
        """Kill them."""


def containers(manifest: dict) -> list[dict]:
    """The container of every pod, the master's first."""
    specs = manifest["spec"]["pytorchReplicaSpecs"]
    return [
        specs[kind]["template"]["spec"]["containers"][0]
        for kind in ("Master", "Worker")
        if kind in specs
        for _ in range(specs[kind]["replicas"])
    ]


def outputs(manifest: dict) -> list[Path]:
    """What the pods are to write."""
    command = containers(manifest)[0]["command"]
    return [Path(word.partition("=")[2] or word) for word in command if "/outputs/" in word]


class Script:
    """Pods that go through conditions, one each time they are looked at; those that succeed write `text`."""

    def __init__(self, manifest: dict, *states: str, text: str = '{"per": 18.5}') -> None:
        self.manifest, self.states, self.text = manifest, list(states), text

    def state(self) -> tuple[str, str]:
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if now == "Succeeded":
            for path in outputs(self.manifest):
                path.write_text(self.text)
        return now, f"PyTorchJob {self.manifest['metadata']['name']} is {now}."

    def stop(self) -> None:
        pass


class Processes:
    """Every replica's command as a process with the variables of the operator, on loopback."""

    def __init__(self, manifest: dict, folder: Path) -> None:
        self.name = manifest["metadata"]["name"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        pods = containers(manifest)
        each = int(manifest["spec"]["nprocPerNode"])
        self.running = []
        for rank, container in enumerate(pods):
            variables = {each["name"]: each["value"] for each in container["env"]}
            variables |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": str(rank)}
            variables |= {"PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": port, "PET_NODE_RANK": str(rank)}
            variables |= {"PET_NNODES": str(len(pods)), "PET_NPROC_PER_NODE": manifest["spec"]["nprocPerNode"]}
            variables |= {"WORLD_SIZE": str(each * len(pods)), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            words = [sys.executable if word == "python3" else word for word in container["command"]]
            kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
            log = (folder / f"pod-{rank}.log").open("w")
            self.running.append(
                subprocess.Popen(words, cwd=folder, env=kept | variables, stdout=log, stderr=subprocess.STDOUT)
            )

    def state(self) -> tuple[str, str]:
        codes = [process.poll() for process in self.running]
        failed = [rank for rank, code in enumerate(codes) if code]
        if failed:
            self.stop()
            kind = "Master" if failed[0] == 0 else "Worker"
            return "Failed", f"PyTorchJob {self.name} is failed because 1 {kind} replica(s) failed."
        if codes[0] == 0:
            return "Succeeded", f"PyTorchJob {self.name} is successfully completed."
        return "Running", f"PyTorchJob {self.name} is running."

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
            process.wait()


class Operator:
    """What the server keeps, and how it shall fail.

    Args:
        start: makes the pods of a manifest.
    """

    def __init__(self, start: Callable[[dict], Pods], mount: Path) -> None:
        self.start, self.mount = start, mount
        self.jobs: dict[str, dict] = {}
        self.pods: dict[str, Pods] = {}
        self.manifests: list[dict] = []
        self.requests: list[str] = []
        self.failures: list[int] = []  # statuses of the next answers; 0 breaks the connection
        self.created_first = False  # whether a failing POST has created the job
        self.installed = True

    def create(self, manifest: dict) -> tuple[int, dict]:
        name = manifest["metadata"]["name"]
        if name in self.jobs:
            return 409, {"message": f'pytorchjobs.kubeflow.org "{name}" already exists'}
        try:
            self.check(manifest)
        except (AssertionError, KeyError, kubernetes_validate.ValidationError) as error:
            return 422, {"message": f"invalid: {error}"}
        self.manifests.append(manifest)
        self.add(manifest)
        return 201, manifest

    def add(self, manifest: dict) -> None:
        """A job as if somebody had created it."""
        self.jobs[manifest["metadata"]["name"]] = manifest
        self.pods[manifest["metadata"]["name"]] = self.start(manifest)

    def check(self, manifest: dict) -> None:
        """The rules of the operator's webhook, and Kubernetes' own for the pods."""
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?", manifest["metadata"]["name"])
        assert all(re.fullmatch(r"[\w.-]{1,63}", each) for each in manifest["metadata"]["labels"].values())
        assert manifest["spec"].keys() == {"nprocPerNode", "runPolicy", "pytorchReplicaSpecs"}
        assert isinstance(manifest["spec"]["nprocPerNode"], str)
        assert manifest["spec"]["runPolicy"].keys() <= {
            "activeDeadlineSeconds", "cleanPodPolicy", "ttlSecondsAfterFinished"
        }  # fmt: skip
        replicas = manifest["spec"]["pytorchReplicaSpecs"]
        assert replicas.keys() <= {"Master", "Worker"}
        assert replicas["Master"]["replicas"] == 1
        for replica in replicas.values():
            assert replica["replicas"] >= 1
            assert replica["restartPolicy"] == "Never"
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"} | replica["template"]["metadata"]}
            kubernetes_validate.validate(pod | {"spec": replica["template"]["spec"]}, "1.29", strict=True)
            (container,) = replica["template"]["spec"]["containers"]
            assert (container["name"], container["image"]) == ("pytorch", IMAGE)
            (volume,) = replica["template"]["spec"]["volumes"]
            assert volume["persistentVolumeClaim"] == {"claimName": CLAIM}
            assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": str(self.mount)}]

    def read(self, name: str) -> tuple[int, dict]:
        if name not in self.jobs:
            return 404, {"message": f'pytorchjobs.kubeflow.org "{name}" not found'}
        state, message = self.pods[name].state()
        conditions = [{"type": "Created", "status": "True", "message": f"PyTorchJob {name} is created."}]
        if state != "Created":
            ended = state in ("Succeeded", "Failed")
            conditions.append({"type": "Running", "status": "False" if ended else "True", "message": message})
            conditions += [{"type": state, "status": "True", "message": message}] if ended else []
        return 200, self.jobs[name] | {"status": {"conditions": conditions}}

    def delete(self, name: str) -> tuple[int, dict]:
        if name not in self.jobs:
            return 404, {"message": f'pytorchjobs.kubeflow.org "{name}" not found'}
        self.pods.pop(name).stop()
        return 200, self.jobs.pop(name)


@contextmanager
def serve(operator: Operator, folder: Path) -> Iterator[Path]:
    """The API server on loopback; gives the KUBECONFIG file with its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, method: str, act: Callable[[], tuple[int, dict]], early: bool = False) -> None:
            operator.requests.append(method)
            failure = operator.failures.pop(0) if operator.failures else None
            if failure is not None and early:
                act()
            status, body = (failure, {"message": "a failure"}) if failure is not None else act()
            if not operator.installed:
                status, body = 404, {"message": "the server could not find the requested resource"}
            if status == 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def name(self) -> str:
            path = self.path.partition("?")[0]
            assert path.startswith(PLACE), path
            return path.removeprefix(PLACE).strip("/")

        def do_POST(self) -> None:
            manifest: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.name() == ""
            self.answer("POST", lambda: operator.create(manifest), operator.created_first)

        def do_GET(self) -> None:
            self.answer("GET", lambda: operator.read(self.name()))

        def do_DELETE(self) -> None:
            self.answer("DELETE", lambda: operator.delete(self.name()))

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    named = {"cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}, "name": "here"}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [named],
        "users": [{"name": "us", "user": {"token": "a-token"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "us", "namespace": NAMESPACE}}],
        "current-context": "here",
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    try:
        yield folder / "kubeconfig"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for pods in operator.pods.values():
            pods.stop()
