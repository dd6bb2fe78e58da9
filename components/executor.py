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
from ernn.records import times

_TIMES = "times"  # metadata of a curve
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


def gather(links: Sequence[str], given: Mapping[str, Any] | None = None) -> dict[str, Path]:
    """Folders by flag in which files of several tasks lie as on a laptop.

    Args:
        links: `FLAG/RELATIVE/PATH=FILE` each, or `FLAG/` for a folder without any.
        given: ExecutorInput, whose artifacts of curves carry the times of their trainings.

    Raises:
        UserError: one of another form, or whose file is missing.
    """
    folders, kept = dict[str, Path](), _times(given or {})
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
        if source in kept:
            times.file_of(target).write_text(kept[source])
    return folders


def _times(given: Mapping[str, Any]) -> dict[str, str]:
    """What the artifacts of a task say of times, by the files; a file of `scheme://a/b` is at /scheme/a/b."""
    found = {}
    for listed in given.get("inputs", {}).get("artifacts", {}).values():
        for artifact in listed.get("artifacts", []):
            scheme, mark, rest = (artifact.get("uri") or "").partition("://")
            place = artifact.get("customPath") or (f"/{'gcs' if scheme == 'gs' else scheme}/{rest}" if mark else scheme)
            text = (artifact.get("metadata") or {}).get(_TIMES)
            if isinstance(text, str) and text.isascii():
                found[place] = text
    return found


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
        if port == "curve" and port in places and (found := times.read(places[port])) is not None:
            about[_TIMES] = found.text()
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
