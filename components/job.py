"""`python -m components.job --nodes N --workers W -- components.STAGE ...`: a stage over several machines.

The task of a pipeline that waits for a PyTorchJob. Its pods see the task's files in a folder of a volume that all of
them mount: inputs are copied there, outputs back once the job has succeeded. ERNN_SHARED is where the volume is,
ERNN_CLAIM its claim, ERNN_IMAGE the image of the pods, POD_NAME and POD_UID this pod, which the job ends with.
"""

import argparse
import contextlib
import errno
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components import executor
from components.cluster import Cluster, JobFailed, Unreachable
from components.exchange import Exchange
from components.pytorchjob import Job, Replica
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.errors import UserError, complaints

TORCHRUN = ("python3", "-m", "torch.distributed.run", "-m")
MODULE = re.compile(r"components\.[a-z_]+")
DELETED_WITHIN_S = 120.0


def main(arguments: list[str] | None = None) -> None:
    """Run it, and leave with 0, 1 if the job failed, 2 on a user's mistake, 143 when asked to stop."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        _run(options)
    except KeyboardInterrupt:
        sys.exit(130)
    except JobFailed as error:
        print(f"job: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        cure = "; make the volume of ERNN_CLAIM larger" if error.errno == errno.ENOSPC else ""
        print(f"job: {error.filename or 'copying'}: {(error.strerror or str(error)).lower()}{cure}", file=sys.stderr)
        sys.exit(2)
    except UserError as error:
        print(f"job: {error}", file=sys.stderr)
        sys.exit(2)


def _stop(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would break off the clearing up
    sys.exit(143)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m components.job", description="A stage over several machines.")
    parser.add_argument("--nodes", type=whole(1), required=True, help="pods")
    parser.add_argument("--workers", type=whole(1), default=1, help="processes of each")
    parser.add_argument("--timeout-minutes", type=whole(1, 1_000_000), default=240, help="of the job")
    parser.add_argument(
        "--replica",
        default="{}",
        metavar="JSON",
        help="what each pod asks for: cpu, memory, gpu, ..; default: 1 processor, 2G",
    )
    parser.add_argument("stage", nargs="+", metavar="components.STAGE --flag value", help="after --")
    return parser


def _run(options: argparse.Namespace) -> None:
    module, *words = options.stage
    task = _task(module, words)
    digest = _digest(options, task)
    name = f"ernn-{module.removeprefix('components.').replace('_', '-')}-{digest[:12]}"
    shared = Path(_variable("ERNN_SHARED"))
    if not shared.is_dir():
        raise UserError(f"ERNN_SHARED={shared}: no such folder; mount the claim there")
    exchange = Exchange.of(shared / "jobs" / name, task, words)
    job = Job(
        name=name,
        digest=digest,
        command=(*TORCHRUN, module, *exchange.words),
        mistake=exchange.mistake,
        image=_variable("ERNN_IMAGE"),
        claim=_variable("ERNN_CLAIM"),
        mount=shared,
        nodes=options.nodes,
        workers=options.workers,
        seconds=60 * options.timeout_minutes,
        replica=_replica(options.replica),
        owner=_owner(),
    )
    _complete(Cluster(), job, exchange)
    given = {
        flag.removeprefix("--").replace("-", "_"): word for flag, word in zip(words[::2], words[1::2], strict=True)
    }
    metrics = artifacts.read_json(Path(given["metrics"])) if "metrics" in given else None
    entry = next((given[each] for each in ("network", "design", "program", "accelerator") if each in given), "")
    executor.write_output(task, metrics, {port: Path(word) for port, word in given.items()}, entry)


def _complete(cluster: Cluster, job: Job, exchange: Exchange) -> None:
    """Outputs of the job where the task wants them; a job that failed stays, for the logs of its pods."""
    found = cluster.find(job)
    try:
        # The job of an earlier attempt whose launcher was lost goes on; one that ended badly makes way.
        going_on = found is not None and (
            found.state in ("Waiting", "Running") or (found.state == "Succeeded" and exchange.whole)
        )
        if not going_on:
            if found is not None:
                cluster.delete(job, gone_within_s=DELETED_WITHIN_S)
            exchange.fill()
            cluster.create(job)
        cluster.wait(job)
        exchange.deliver()
    except Unreachable:
        raise  # the job may be well: the next attempt finds it and its files where they are
    except (UserError, JobFailed) as error:
        mistake = exchange.told_mistake()
        exchange.remove()
        if mistake:
            raise UserError(mistake) from error
        raise
    except (SystemExit, KeyboardInterrupt, OSError):
        with contextlib.suppress(UserError, JobFailed):
            cluster.delete(job)
        exchange.remove()
        raise
    exchange.remove()
    with contextlib.suppress(UserError, JobFailed):  # the results are there; a job that stays ends with its owner
        cluster.delete(job)


def _task(module: str, words: Sequence[str]) -> Mapping[str, Any]:
    """ExecutorInput among the words of a stage."""
    if not MODULE.fullmatch(module) or len(words) % 2:
        raise UserError(f"-- components.STAGE --flag value ..: got `{' '.join([module, *words])[:80]}`")
    if "--executor-input" not in words[::2]:
        raise UserError("-- components.STAGE --executor-input JSON ..: it says where files are; Kubeflow gives it")
    return executor.parse(words[words.index("--executor-input") + 1])


def _digest(options: argparse.Namespace, task: Mapping[str, Any]) -> str:
    """Of all that a job depends on, 40 hexadecimal digits: equal in every attempt of a task, and in no other task."""
    words = list(options.stage)
    words[words.index("--executor-input") + 1] = ""  # its JSON has spaces here and there
    whole = [options.nodes, options.workers, options.replica, words, task]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:40]


def _variable(name: str) -> str:
    if not os.environ.get(name):
        raise UserError(f"{name} is not set; the compiled pipeline sets it where meta.nodes is above 1")
    return os.environ[name]


def _replica(text: str) -> Replica:
    try:
        return Replica.model_validate_json(text)
    except ValidationError as error:
        raise UserError(f"--replica: {complaints(error)}") from None


def _owner() -> tuple[str, str] | None:
    name, uid = os.environ.get("POD_NAME"), os.environ.get("POD_UID")
    return (name, uid) if name and uid else None


if __name__ == "__main__":
    main()
