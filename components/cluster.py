"""PyTorchJobs at the API server of Kubernetes: the only `import kubernetes`."""

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from components.pytorchjob import DIGEST, GROUP, PLURAL, VERSION, Job
from ernn.errors import UserError

NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
POLL_S = 5.0
PAUSE_S = 1.0  # before the first repetition of a request; it doubles
ATTEMPTS = 8  # two minutes without the API server are no reason to give up hours of training
TIMEOUT_S = 30.0  # of one request
Result = TypeVar("Result")
State = Literal["Waiting", "Running", "Succeeded", "Failed", "Deleted"]


@dataclass(frozen=True)
class Status:
    """How far a job is, and what the operator says of it."""

    state: State
    message: str = ""


class JobFailed(Exception):
    """A job that ended without results: one line."""


class Unreachable(JobFailed):
    """The API server does not answer; the job may go on."""


class Cluster:
    """The PyTorchJobs of this pod's namespace, or of the one that the file in KUBECONFIG names.

    Raises:
        UserError: there is no cluster around.
    """

    def __init__(self) -> None:
        from kubernetes import client, config
        from kubernetes.config import ConfigException

        try:
            configuration = client.Configuration()
            if os.environ.get("KUBECONFIG"):
                config.load_kube_config(os.environ["KUBECONFIG"], client_configuration=configuration)
                (_, context) = config.list_kube_config_contexts(os.environ["KUBECONFIG"])
                self.namespace = str(context["context"].get("namespace", "default"))
            else:
                config.load_incluster_config(configuration)
                self.namespace = NAMESPACE.read_text().strip()
        except (ConfigException, OSError) as error:
            raise UserError(
                f"no cluster: {error}; run it in a pod with a service account, or set KUBECONFIG to a file"
            ) from None
        configuration.retries = False  # requests are repeated here
        self._api = client.CustomObjectsApi(client.ApiClient(configuration))

    def find(self, job: Job) -> Status | None:
        """The job as the server has it; None if it has none.

        Raises:
            UserError: another job has this name, or the server refuses.
        """
        try:
            found = self._asked(self._api.get_namespaced_custom_object, name=job.name)
        except _Missing:
            return None
        if found["metadata"].get("labels", {}).get(DIGEST) != job.digest:
            raise UserError(
                f"PyTorchJob {job.name} of namespace {self.namespace} is somebody else's: it lacks the label "
                f"{DIGEST}={job.digest}; delete or rename it"
            )
        return _status(found)

    def create(self, job: Job) -> None:
        """Create the job; one that is there already, as after an answer that was lost, is taken if it is this one.

        Raises:
            UserError: another job has this name, or the server refuses.
        """
        try:
            self._asked(self._api.create_namespaced_custom_object, body=job.manifest())
        except _Missing:
            raise UserError(
                "this cluster has no PyTorchJobs: install the Training Operator (deploy/README.md), or set "
                "meta.nodes: 1"
            ) from None
        except _Conflict:
            if self.find(job) is None:
                raise JobFailed(f"PyTorchJob {job.name} was deleted while it was created; run it again") from None

    def wait(self, job: Job, clock: Callable[[], float] = time.monotonic) -> None:
        """Return when the job has succeeded.

        Raises:
            JobFailed: it failed, was deleted, or has not ended a minute after its time.
            UserError: the server refuses.
        """
        until = clock() + job.seconds + 60  # the operator ends it in time; this is for one that does not
        while True:
            found = self.find(job) or Status("Deleted")
            if found.state == "Succeeded":
                return
            if found.state == "Failed":
                raise JobFailed(f"{found.message or f'PyTorchJob {job.name} failed'}; {self._logs(job)}")
            if found.state == "Deleted":
                raise JobFailed(f"PyTorchJob {job.name} was deleted before it ended; run it again")
            if clock() > until:
                self.delete(job)
                raise JobFailed(
                    f"PyTorchJob {job.name} has not ended after {job.seconds} s "
                    f"({found.message or 'nothing is said of it: is the Training Operator running?'}); "
                    "raise meta.timeout_minutes, or see why its pods do not start"
                )
            time.sleep(POLL_S)

    def delete(self, job: Job, gone_within_s: float = 0.0) -> None:
        """Delete the job and its pods, if it is there.

        Args:
            gone_within_s: wait for this long until it is gone.

        Raises:
            JobFailed: it is still there.
        """
        try:
            self._asked(self._api.delete_namespaced_custom_object, name=job.name, propagation_policy="Foreground")
        except _Missing:
            return
        until = time.monotonic() + gone_within_s
        while gone_within_s and self.find(job) is not None:
            if time.monotonic() > until:
                raise JobFailed(f"PyTorchJob {job.name} of an earlier attempt is still being deleted; delete it")
            time.sleep(POLL_S)

    def _logs(self, job: Job) -> str:
        label = f"training.kubeflow.org/job-name={job.name}"
        return f"see `kubectl logs -n {self.namespace} -l {label} --prefix`"

    def _asked(self, request: Callable[..., Result], **arguments: Any) -> Result:
        """The answer to a request; one that fails on the server's side, or on the way, is repeated."""
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        place = {"group": GROUP, "version": VERSION, "namespace": self.namespace, "plural": PLURAL}
        for attempt in range(ATTEMPTS):
            last = attempt + 1 == ATTEMPTS
            try:
                return request(**place, **arguments, _request_timeout=TIMEOUT_S)
            except ApiException as error:
                if last or not (error.status == 429 or (error.status or 0) >= 500):
                    raise _refusal(error) from None
            except (HTTPError, OSError) as error:
                if last:
                    raise Unreachable(f"the API server does not answer ({type(error).__name__})") from None
            time.sleep(PAUSE_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


class _Missing(UserError):
    """The server has nothing of this name."""


class _Conflict(UserError):
    """The server has something of this name."""


def _refusal(error: Any) -> Exception:
    try:
        reason = str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        reason = str(error.reason or "")
    if error.status == 404:
        return _Missing(reason)
    if error.status == 409:
        return _Conflict(reason)
    if error.status in (401, 403):
        return UserError(f"{reason or error.status}; bind the role `ernn-train` of deploy/base/access.yaml")
    if error.status == 429 or (error.status or 0) >= 500:
        return Unreachable(f"the API server answers {error.status}: {reason}")
    return UserError(f"the API server refuses the PyTorchJob ({error.status}): {reason}")


def _status(found: Mapping[str, Any]) -> Status:
    if found["metadata"].get("deletionTimestamp"):
        return Status("Deleted")
    conditions = {each["type"]: each for each in (found.get("status") or {}).get("conditions") or []}
    states: tuple[State, ...] = ("Failed", "Succeeded", "Running")
    for state in states:
        if conditions.get(state, {}).get("status") == "True":
            return Status(state, conditions[state].get("message", ""))
    said = [each.get("message", "") for each in conditions.values()]
    return Status("Waiting", said[-1] if said else "")
