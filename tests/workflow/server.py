"""A server of Kubeflow Pipelines' v2beta1 API for its client: bodies must be the models of kfp-server-api."""

import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import kfp_server_api as api

TOKEN = "a-token"


def wire(model: Any) -> Any:
    """A model as JSON, with the API's own names."""
    return api.ApiClient().sanitize_for_serialization(model)


def parsed(kind: str, body: bytes) -> Any:
    """A body as a model; a key that the model does not know is an error."""
    value = json.loads(body)
    unknown = set(value) - set(getattr(api, kind).attribute_map.values())
    assert not unknown, f"{kind} has no {unknown}"

    class Response:
        data = body.decode()

    return api.ApiClient().deserialize(Response, kind)


class Backend:
    """What the server keeps, and how it shall fail."""

    def __init__(self) -> None:
        self.pipelines: dict[str, Any] = {}
        self.versions: dict[str, list[Any]] = {}
        self.uploaded: list[bytes] = []
        self.experiments: list[Any] = []
        self.runs: list[Any] = []
        self.states: list[str] = ["PENDING", "RUNNING", "SUCCEEDED"]  # of a run, one for each time it is asked for
        self.failures: list[tuple[str, int]] = []  # the next requests whose path has this get this status
        self.hides_versions = 0  # listings that do not show a version that is there
        self.asked: list[str] = []
        self.begun: Callable[[Any, bytes], None] = lambda run, pipeline: None  # what a run does, of the newest version

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Status and answer."""
        place = path.removeprefix("/apis/v2beta1")
        if place == "/healthz":
            return 200, {"multi_user": False}
        if place == "/pipelines" and method == "GET":
            name = json.loads(query["filter"])["predicates"][0][
                "string_value" if "string_value" in query["filter"] else "stringValue"
            ]
            return 200, {"pipelines": [wire(each) for each in self.pipelines.values() if each.display_name == name]}
        if place == "/pipelines/upload":
            self.uploaded.append(body)
            made = api.V2beta1Pipeline(pipeline_id="p1", display_name=query["name"])
            self.pipelines["p1"], self.versions["p1"] = made, []
            return 200, wire(made)
        if place == "/pipelines/upload_version":
            return self._upload_version(query, body)
        if found := re.fullmatch(r"/pipelines/(\w+)/versions", place):
            self.hides_versions -= 1
            listed = [] if self.hides_versions >= 0 else self.versions[found[1]]
            return 200, {"pipeline_versions": [wire(each) for each in listed]}
        if place == "/experiments" and method == "GET":
            return 200, {"experiments": [wire(each) for each in self.experiments]}
        if place == "/experiments":
            made = parsed("V2beta1Experiment", body)
            made.experiment_id = f"e{len(self.experiments)}"
            self.experiments.append(made)
            return 200, wire(made)
        if place == "/runs" and method == "GET":
            (predicate,) = json.loads(query["filter"])["predicates"]
            assert query["sort_by"] == "created_at desc"
            assert predicate["key"] == "name"
            named = [each for each in self.runs[::-1] if each.display_name == predicate["stringValue"]]
            return 200, {"runs": [wire(each) for each in named]}
        if place == "/runs":
            run = parsed("V2beta1Run", body)
            run.run_id, run.state = f"r{len(self.runs)}", "PENDING"
            self.runs.append(run)
            self.begun(run, self.uploaded[-1])
            return 200, wire(run)
        if found := re.fullmatch(r"/runs/(\w+)", place):
            return 200, self._run(found[1])
        return 404, {"message": f"no {method} {path}"}

    def _upload_version(self, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        known = self.versions[query["pipelineid"]]
        if any(each.display_name == query["name"] for each in known):
            return 409, {"message": f"a version {query['name']} is there already"}
        self.uploaded.append(body)
        made = api.V2beta1PipelineVersion(
            pipeline_id=query["pipelineid"], pipeline_version_id=f"v{len(known)}", display_name=query["name"]
        )
        known.append(made)
        return 200, wire(made)

    def _run(self, run_id: str) -> Any:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        next(each for each in self.runs if each.run_id == run_id).state = state
        details = None
        if state == "FAILED":
            error = api.GoogleRpcStatus(code=2, message="exit code 2: disk full")
            task = api.V2beta1PipelineTaskDetail(display_name="compress@lstm-k8-admm", state="FAILED", error=error)
            details = api.V2beta1RunDetails(task_details=[task])
        return wire(api.V2beta1Run(run_id=run_id, state=state, run_details=details))


@contextmanager
def serve(backend: Backend) -> Iterator[str]:
    """The address of a server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            backend.asked.append(f"{self.command} {url.path}")
            status, value = self._failure(url.path) or backend.answer(
                self.command, url.path, dict(urllib.parse.parse_qsl(url.query)), body
            )
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _failure(self, path: str) -> tuple[int, Any] | None:
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return 401, {"message": "the token is missing or has expired"}
            if backend.failures and backend.failures[0][0] in path:
                return backend.failures.pop(0)[1], {"message": "try again"}
            return None

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
