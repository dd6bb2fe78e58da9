"""A PyTorchJob of the Kubeflow Training Operator (kubeflow.org/v1), from what a stage asks for.

The operator gives every pod PET_MASTER_ADDR, PET_MASTER_PORT, PET_NNODES, PET_NODE_RANK and PET_NPROC_PER_NODE, which
are torchrun's own options: the command needs none of them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from components import attempts

GROUP, VERSION, PLURAL = "kubeflow.org", "v1", "pytorchjobs"
DIGEST = "ernn.io/digest"  # label: of what a job computes
SECRET = "ernn"  # holds the variables of `Replica.environment`
VOLUME = "shared"
KEPT_S = 24 * 3600  # how long a failed job and the logs of its pods stay


class Replica(BaseModel):
    """What each pod of a job asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: float = Field(1, gt=0)
    memory: str = "2G"
    gpu: int = Field(0, ge=0)
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[dict[str, str], ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)  # variable -> KEY of the secret `ernn`


@dataclass(frozen=True)
class Job:
    """What a job is to do.

    Args:
        name: a DNS label of at most 50 characters: the operator appends to it.
        digest: of what it computes; equal ones are the same job.
        command: of every pod.
        mistake: file that takes a user's mistake.
        image: of every pod.
        claim: the ReadWriteMany volume of all pods.
        mount: where it is in them.
        nodes: pods.
        workers: processes of each.
        seconds: how long it may run.
        owner: name and uid of the pod that it ends with.
    """

    name: str
    digest: str
    command: tuple[str, ...]
    mistake: Path
    image: str
    claim: str
    mount: Path
    nodes: int
    workers: int
    seconds: int
    replica: Replica
    owner: tuple[str, str] | None = None

    def manifest(self) -> dict[str, Any]:
        """As the API server takes it: one master, `nodes` - 1 workers, all alike.

        A pod that fails is not started again, since the others of its group cannot take it back: the job fails, and
        the task's next attempt goes on from the checkpoint.
        """
        meta: dict[str, Any] = {"name": self.name, "labels": {"app.kubernetes.io/part-of": "ernn", DIGEST: self.digest}}
        if self.owner is not None:
            name, uid = self.owner
            meta["ownerReferences"] = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}]
        replicas = {"Master": 1, "Worker": self.nodes - 1}
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "PyTorchJob",
            "metadata": meta,
            "spec": {
                "nprocPerNode": str(self.workers),
                "runPolicy": {
                    "activeDeadlineSeconds": self.seconds,
                    "cleanPodPolicy": "Running",
                    "ttlSecondsAfterFinished": KEPT_S,
                },
                "pytorchReplicaSpecs": {
                    kind: {"replicas": count, "restartPolicy": "Never", "template": self._template()}
                    for kind, count in replicas.items()
                    if count
                },
            },
        }

    def _template(self) -> dict[str, Any]:
        asked = self.replica
        resources = {"cpu": f"{asked.cpu:g}", "memory": asked.memory}
        variables: list[dict[str, Any]] = [
            # On the claim: every pod resumes where the first one left its checkpoint.
            {"name": "ERNN_CHECKPOINTS", "value": str(self.mount / "checkpoints")},
            {"name": attempts.MISTAKE, "value": str(self.mistake)},
        ] + [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": SECRET, "key": key}}}
            for name, key in asked.environment.items()
        ]
        container = {
            "name": "pytorch",  # the name that the operator looks for
            "image": self.image,
            "command": list(self.command),
            "env": variables,
            "resources": {
                "requests": resources,
                "limits": resources | ({"nvidia.com/gpu": str(asked.gpu)} if asked.gpu else {}),
            },
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": VOLUME, "mountPath": str(self.mount)}],
        }
        spec: dict[str, Any] = {
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": VOLUME, "persistentVolumeClaim": {"claimName": self.claim}}],
        }
        if asked.node_selector:
            spec["nodeSelector"] = dict(asked.node_selector)
        if asked.tolerations:
            spec["tolerations"] = [dict(each) for each in asked.tolerations]
        # A sidecar would stand between the processes of the group, and outlive them.
        return {"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}, "spec": spec}
