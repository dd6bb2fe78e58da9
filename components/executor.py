"""The container contract of Kubeflow Pipelines: where a task's files are, and what it says of what it has written.

`--executor-input` is the JSON of ExecutorInput: artifacts by port, and the file in which ExecutorOutput is expected
(api/v2alpha1/pipeline_spec.proto of github.com/kubeflow/pipelines).
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.errors import UserError

_MEASURED = ("metrics", "model", "program_file", "project")  # have the numbers of their stage


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


def write_output(
    given: Mapping[str, Any], metrics: Mapping[str, float] | None, places: Mapping[str, Path], entry: str = ""
) -> None:
    """ExecutorOutput: every output artifact with its name, size and number of files, and the numbers of the stage.

    Args:
        places: files and folders here, by port.
        entry: of params.yaml, that the stage has worked on.
    """
    described = {}
    for port, listed in given["outputs"].get("artifacts", {}).items():
        (artifact,) = listed["artifacts"]
        kept = {key: artifact[key] for key in ("name", "uri", "customPath") if key in artifact}
        numbers = dict(metrics or {}) if port in _MEASURED else {}
        about = {} if port == "metrics" else _about(port, places.get(port), entry)
        described[port] = {"artifacts": [kept | {"metadata": artifact.get("metadata", {}) | about | numbers}]}
    artifacts.write_json(Path(given["outputs"]["outputFile"]), {"artifacts": described})


def _about(port: str, place: Path | None, entry: str) -> dict[str, str | float]:
    """What Kubeflow's pages show of a file or folder."""
    about: dict[str, str | float] = {"display_name": f"{entry} {port}".strip()}
    if entry:
        about["entry"] = entry
    if place is not None:
        files = [each for each in (place.rglob("*") if place.is_dir() else [place]) if each.is_file()]
        about |= {"files": len(files), "size_bytes": sum(each.stat().st_size for each in files)}
    return about


def write_page(page: str, outputs: Mapping[str, Path]) -> None:
    """A page of an output folder, that has its pictures inside, as one file of its own.

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
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
