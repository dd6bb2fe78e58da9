"""The container contract of Kubeflow Pipelines: where a task's files are, and what it says of what it has written.

`--executor-input` is the JSON of ExecutorInput: artifacts by port, and the file in which ExecutorOutput is expected
(api/v2alpha1/pipeline_spec.proto of github.com/kubeflow/pipelines).
"""

import base64
import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.errors import UserError

_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+\.png)\)")


def parse(text: str) -> Mapping[str, Any]:
    """ExecutorInput.

    Raises:
        UserError: it is none.
    """
    try:
        value = json.loads(text)
        assert isinstance(value["outputs"]["outputFile"], str)
    except (ValueError, KeyError, TypeError, AssertionError):
        raise UserError(
            f"--executor-input: JSON of an ExecutorInput with outputs.outputFile, got {text[:80]}"
        ) from None
    return value


def gather(links: Sequence[str]) -> dict[str, Path]:
    """Folders by flag in which files of several tasks lie as on a laptop.

    Args:
        links: `FLAG/RELATIVE/PATH=FILE` each, or `FLAG/` for a folder without any.

    Raises:
        UserError: one of another form, or whose file is missing.
    """
    folders: dict[str, Path] = {}
    for link in links:
        place, _, source = link.partition("=")
        flag, _, relative = place.partition("/")
        empty = link == f"{flag}/" != "/"
        if not empty and (not relative or not source or not Path(source).exists()):
            raise UserError(f"--gather FLAG/RELATIVE/PATH=FILE: needs an existing file, got {link}")
        if flag not in folders:
            folders[flag] = Path(tempfile.mkdtemp(prefix=f"ernn-{flag}-"))
        if empty:
            continue
        target = folders[flag] / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(Path(source).absolute())
    return folders


def discard(folders: Mapping[str, Path]) -> None:
    """Remove what `gather` made."""
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)


def write_output(given: Mapping[str, Any], metrics: Mapping[str, float] | None) -> None:
    """ExecutorOutput: every output artifact, with the numbers of a stage at its metrics."""
    described = {}
    for port, listed in given["outputs"].get("artifacts", {}).items():
        (artifact,) = listed["artifacts"]
        kept = {key: artifact[key] for key in ("name", "uri", "customPath") if key in artifact}
        numbers = dict(metrics) if port == "metrics" and metrics is not None else {}
        described[port] = {"artifacts": [kept | {"metadata": artifact.get("metadata", {}) | numbers}]}
    artifacts.write_json(Path(given["outputs"]["outputFile"]), {"artifacts": described})


def write_page(page: str, outputs: Mapping[str, Path]) -> None:
    """A Markdown file of an output folder as one file of its own, pictures inside.

    Args:
        page: `FLAG/RELATIVE/PATH=FILE`.
        outputs: folders by flag.

    Raises:
        UserError: the folder has no such file.
    """
    place, _, target = page.partition("=")
    flag, _, relative = place.partition("/")
    source = outputs.get(flag.replace("-", "_"), Path(flag)) / relative
    if not source.is_file():
        raise UserError(f"--page FLAG/RELATIVE/PATH=FILE: {source} is missing; name a file that the stage writes")

    def embedded(found: re.Match[str]) -> str:
        data = base64.b64encode((source.parent / found[2]).read_bytes()).decode()
        return f"![{found[1]}](data:image/png;base64,{data})"

    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with artifacts.atomic(Path(target)) as temporary:
        temporary.write_text(_PICTURE.sub(embedded, source.read_text()))
