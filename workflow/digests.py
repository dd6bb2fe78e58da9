"""What decides the files of a task, as a digest: equal digests, equal files."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from workflow.declaration import Declaration


def of_tasks(part: Declaration, images: Mapping[str, str]) -> dict[str, str]:
    """Of each task: its command, parameters and image, and those of all tasks that it reads from.

    Parameters of a gate do not count: it reads those of all entries, and what it writes never changes.

    Args:
        images: by their names; or whatever else stands for the code in them.
    """
    found: dict[str, str] = {}
    for task in part.ordered():
        sections = {dotted: _section(part.params, dotted) for dotted in task.sections if not task.meta.gate}
        before = sorted(found[name] for name in part.graph[task.name])
        found[task.name] = of([task.name, list(task.flags.items()), sections, images[task.meta.image], before])
    return found


def _section(params: Mapping[str, Any], dotted: str) -> Any:
    """A section of params.yaml, or one of its entries."""
    top, _, rest = dotted.partition(".")
    return params[top][rest] if rest else params[top]


def of(value: object) -> str:
    """SHA-256 of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
