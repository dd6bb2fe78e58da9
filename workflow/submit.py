"""A compiled pipeline on a cluster: a version of it, an experiment, a run."""

import hashlib
import json
import os
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ernn.errors import UserError

if TYPE_CHECKING:  # importing kfp takes seconds
    from kfp import Client

TOKEN, SERVICE_TOKEN = "KFP_TOKEN", "KF_PIPELINES_SA_TOKEN_PATH"
ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")
ATTEMPTS = 4  # of a request that the server answers with 5xx
_REFUSED = "{host} refused the token ({status}); set KFP_TOKEN to one that is valid"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """A run on a cluster, and whether it had succeeded when it was asked for."""

    id: str
    link: str
    succeeded: bool = False


class Cluster:
    """Kubeflow Pipelines behind an address.

    A token comes from KFP_TOKEN, or is that of the pod's service account (KF_PIPELINES_SA_TOKEN_PATH).

    Args:
        pause_s: before the first repetition of a request that failed; it doubles.

    Raises:
        UserError: nobody answers, or not to us.
    """

    def __init__(self, host: str, namespace: str = "kubeflow", pause_s: float = 1.0) -> None:
        self._host, self._namespace, self._pause_s = host.rstrip("/"), namespace, pause_s
        self._check_token()
        self._client = self._asked(self._connect)

    def submit(self, file: Path, pipeline: str, experiment: str, name: str, arguments: Mapping[str, Any]) -> Run:
        """Upload a pipeline unless this very version is there, and start a run of it.

        Args:
            arguments: parameters that differ from the pipeline's own.

        Raises:
            UserError: the server refuses.
        """
        version = self._version(file, pipeline)
        found = self._asked(lambda: self._client.create_experiment(experiment, namespace=self._namespace))
        body = self._body(found.experiment_id, name, version, arguments)
        return self._run(self._asked(lambda: self._client._run_api.run_service_create_run(run=body)))

    def find(self, name: str) -> Run | None:
        """The newest run of a name that has succeeded, or still may.

        Raises:
            UserError: the server refuses.
        """
        wanted = {"predicates": [{"key": "name", "operation": "EQUALS", "stringValue": name}]}
        listed = self._asked(
            lambda: self._client.list_runs(
                sort_by="created_at desc", namespace=self._namespace, filter=json.dumps(wanted)
            )
        ).runs
        going = [each for each in listed or [] if each.state not in ("FAILED", "CANCELED", "CANCELING", "SKIPPED")]
        return self._run(going[0]) if going else None

    def wait(
        self, run: Run, timeout_s: float, poll_s: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Return when a run has succeeded.

        Raises:
            UserError: it failed (the message names the tasks), was cancelled, or takes too long.
        """
        until = clock() + timeout_s
        while True:
            found = self._asked(lambda: self._client.get_run(run.id))
            if found.state in ENDED:
                break
            if clock() > until:
                raise UserError(f"run {run.id} is still {found.state} after {timeout_s:g} s; see {run.link}")
            time.sleep(poll_s)
        if found.state != "SUCCEEDED":
            raise UserError(f"run {run.id} ended with {found.state}{_failures(found)}; see {run.link}")

    def _run(self, found: Any) -> Run:
        return Run(found.run_id, f"{self._host}/#/runs/details/{found.run_id}", found.state == "SUCCEEDED")

    def _check_token(self) -> None:
        """Ask once, since the client tries for half a minute before it gives up a refused token."""
        token = os.environ.get(TOKEN)
        head = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            request = urllib.request.Request(f"{self._host}/apis/v2beta1/healthz", headers=head)
            with urllib.request.urlopen(request, timeout=30):
                pass
        except urllib.error.HTTPError as error:
            if error.code in (401, 403) and (token or not os.environ.get(SERVICE_TOKEN)):
                raise UserError(_REFUSED.format(host=self._host, status=error.code)) from None
        except (OSError, ValueError) as error:
            raise UserError(f"--host {self._host}: nobody answers ({error}); check the address") from None

    def _connect(self) -> "Client":
        import kfp

        token = os.environ.get(TOKEN)
        credentials = None
        if token is None and os.environ.get(SERVICE_TOKEN):
            from kfp.client import ServiceAccountTokenVolumeCredentials

            credentials = ServiceAccountTokenVolumeCredentials(path=os.environ[SERVICE_TOKEN])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return kfp.Client(host=self._host, namespace=self._namespace, existing_token=token, credentials=credentials)

    def _version(self, file: Path, pipeline: str) -> Any:
        """The version of a pipeline with this content."""
        name = f"{pipeline}-{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}"
        known = self._asked(lambda: self._client.get_pipeline_id(pipeline))
        if known is None:
            made = self._asked(lambda: self._client.upload_pipeline(str(file), pipeline_name=pipeline))
            known = made.pipeline_id
        if (found := self._known_version(known, name)) is not None:
            return found
        try:
            return self._asked(lambda: self._client.upload_pipeline_version(str(file), name, pipeline_id=known))
        except _Conflict:  # somebody was faster, or the answer to an earlier attempt was lost
            found = self._known_version(known, name)
            if found is None:
                raise UserError(f"{self._host} has another version called {name}; delete it there") from None
            return found

    def _known_version(self, pipeline_id: str, name: str) -> Any:
        wanted = {"predicates": [{"key": "name", "operation": "EQUALS", "stringValue": name}]}
        listed = self._asked(
            lambda: self._client.list_pipeline_versions(pipeline_id, filter=json.dumps(wanted))
        ).pipeline_versions
        return next((each for each in listed or [] if each.display_name == name or each.name == name), None)

    def _body(self, experiment_id: str, name: str, version: Any, arguments: Mapping[str, Any]) -> Any:
        from kfp_server_api import V2beta1PipelineVersionReference, V2beta1Run, V2beta1RuntimeConfig

        return V2beta1Run(
            experiment_id=experiment_id,
            display_name=name,
            pipeline_version_reference=V2beta1PipelineVersionReference(
                pipeline_id=version.pipeline_id, pipeline_version_id=version.pipeline_version_id
            ),
            runtime_config=V2beta1RuntimeConfig(parameters=dict(arguments)),
        )

    def _asked(self, request: Callable[[], Result]) -> Result:
        """The answer to a request; one that fails on the server's side is repeated."""
        from kfp_server_api import ApiException
        from urllib3.exceptions import HTTPError

        for attempt in range(ATTEMPTS):
            try:
                return request()
            except ApiException as error:
                if error.status is not None and error.status >= 500 and attempt + 1 < ATTEMPTS:
                    time.sleep(self._pause_s * 2**attempt)
                    continue
                raise _refusal(self._host, error) from None
            except (HTTPError, OSError) as error:
                raise UserError(
                    f"--host {self._host}: nobody answers ({type(error).__name__}); check the address"
                ) from None
        raise AssertionError("the last attempt returns or raises")


class _Conflict(UserError):
    """The server has something of this name."""


def _refusal(host: str, error: Any) -> UserError:
    try:
        reason = json.loads(error.body).get("message", "")
    except (TypeError, ValueError, AttributeError):
        reason = str(error.reason or "")
    if error.status in (401, 403):
        return UserError(_REFUSED.format(host=host, status=error.status))
    if error.status == 409:
        return _Conflict(f"{host}: {reason}")
    return UserError(f"{host} answered {error.status}: {reason}")


def _failures(run: Any) -> str:
    """Tasks that failed, and why."""
    details = getattr(run.run_details, "task_details", None) or []
    found = [
        f"{task.display_name}" + (f" ({task.error.message})" if task.error and task.error.message else "")
        for task in details
        if task.state == "FAILED"
    ]
    return f": {'; '.join(found)}" if found else ""
