"""The one result of a stage that has ended, as its `meta.result` in dvc.yaml words it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.errors import UserError
from ernn.report.metrics import METRICS, show
from workflow.declaration import Task

METRIC = re.compile(r"\{(\w+)(:\+)?\}")


def result(folder: Path, task: Task) -> str:
    """A stage's result with its metrics filled in; empty where it declares none, or a metric of it is missing.

    `degradation` is the difference to the error rate in `meta.dense`, where that is given.
    """
    values: dict[str, Any] = {}
    for path in task.metrics:
        values |= _read(folder / path)
    if task.meta.dense and "per" in values and "per" in (dense := _read(folder / task.meta.dense)):
        values["degradation"] = values["per"] - dense["per"]
    try:
        return METRIC.sub(lambda found: _shown(found[1], values[found[1]], bool(found[2])), task.meta.result)
    except (KeyError, TypeError, ValueError):
        return ""


def _shown(name: str, value: float, signed: bool) -> str:
    """A metric with its unit; a signed one is a difference.

    >>> _shown("per", 21.477, False), _shown("degradation", 4.66, True)
    ('21.48 %', '+4.66 points')
    """
    if signed:
        return f"{value:+,.{METRICS[name].digits}f} {METRICS[name].unit}".rstrip()
    return show(name, value)


def _read(path: Path) -> Mapping[str, Any]:
    """A file of metrics; none of one that is missing or damaged, which the stage that reads it will name."""
    try:
        found = artifacts.read_json(path)
    except UserError:
        return {}
    return found if isinstance(found, dict) else {}
