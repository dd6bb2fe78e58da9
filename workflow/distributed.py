"""Tasks of several machines: their containers wait for a PyTorchJob, by `components.job`."""

import json
from typing import Any

from workflow.declaration import Task

CLAIM = "ernn-shared"  # deploy/base/shared.yaml
MOUNT = "/shared"
CPU, MEMORY = "500m", "1G"  # to wait and to copy files
SPARE_S = 600  # added to a job's own time-out, so that the task can say that it ran out


def applies(task: Task, local: bool) -> bool:
    """Whether a task becomes a PyTorchJob; a machine without a cluster runs it in one container."""
    return task.meta.nodes > 1 and not local


def command(task: Task, gpu: bool) -> list[str]:
    """What the container runs; the stage's module and its arguments follow.

    Args:
        gpu: whether tasks that say so get GPUs.
    """
    meta = task.meta
    replica = meta.model_dump(include={"cpu", "memory", "node_selector", "tolerations", "environment"})
    asked = replica | {"gpu": meta.gpu if gpu else 0}
    return [
        *("python3", "-m", "components.job"),
        *("--nodes", str(meta.nodes), "--workers", str(meta.workers)),
        *("--timeout-minutes", str(meta.timeout_minutes)),
        *("--replica", json.dumps(asked, sort_keys=True)),
        "--",
    ]


def placed(made: Any, task: Task, image: str) -> Any:
    """What the waiting container asks of the cluster: little, the volume, and its own name to own the job."""
    from kfp import kubernetes

    made.set_cpu_request(CPU).set_cpu_limit(CPU)
    made.set_memory_request(MEMORY).set_memory_limit(MEMORY)
    for name, value in {"ERNN_SHARED": MOUNT, "ERNN_CLAIM": CLAIM, "ERNN_IMAGE": image}.items():
        made.set_env_variable(name, value)
    kubernetes.set_timeout(made, 60 * task.meta.timeout_minutes + SPARE_S)
    kubernetes.mount_pvc(made, pvc_name=CLAIM, mount_path=MOUNT)
    kubernetes.use_field_path_as_env(made, "POD_NAME", "metadata.name")
    kubernetes.use_field_path_as_env(made, "POD_UID", "metadata.uid")
    return made
