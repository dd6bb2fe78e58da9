"""Files between stages, written whole or not at all."""

import glob
import hashlib
import json
import os
import platform
import reprlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from safetensors import SafetensorError, safe_open

from ernn.artifacts import disk
from ernn.artifacts.core_schema import dump_yaml as dump_yaml
from ernn.artifacts.core_schema import parse_yaml as parse_yaml
from ernn.errors import UserError, complaints

_CURE = "make it again (in the pipeline: `dvc repro`)"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path next to `path` that takes its place only when the block ends without an error.

    Raises:
        UserError: `path` is a folder, or has no name of its own, as `.` has none.
        disk.DiskFull: there is no space for it.
    """
    _check_file(path)
    temporary = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}.tmp")
    try:
        with disk.written(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _clear_killed(path)
            yield temporary
            temporary.chmod(0o644)  # safetensors writes for the owner alone
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _clear_killed(path: Path) -> None:
    """Remove what killed processes of this machine have left of `path`."""
    first = f".{path.name}.{platform.node()}."
    for left in path.parent.glob(f"{glob.escape(first)}*.tmp"):
        number = left.name.removeprefix(first).removesuffix(".tmp")
        if number.isdecimal() and not Path("/proc", number).exists():
            left.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """An empty folder next to `path` that takes its place only when the block ends without an error.

    Raises:
        disk.DiskFull: there is no space for it.
    """
    temporary, old = path.with_name(f".{path.name}.tmp"), path.with_name(f".{path.name}.old")
    shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed
    try:
        with disk.written(path):
            temporary.mkdir(parents=True)
            yield temporary
            shutil.rmtree(old, ignore_errors=True)
            with suppress(FileNotFoundError):
                path.rename(old)
            temporary.rename(path)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_writable(path: Path, folder: bool = False) -> None:
    """Refuse before the work a file or folder that could not be written after it; nothing is left behind.

    Raises:
        UserError: a file where a folder is wanted, or the other way round, or a place that takes no files.
    """
    if not folder:
        _check_file(path)
    elif os.path.lexists(path) and not path.is_dir():
        raise UserError(f"{path}: a file, not a folder that could be written; move it away or name another path")
    place = next(each for each in path.absolute().parents if os.access(each, os.F_OK))  # no error where nobody may look
    for each in (place, path) if folder and path.is_dir() else (place,):
        try:
            with tempfile.TemporaryFile(dir=each):
                pass
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise UserError(f"{path}: {each} takes no files ({reason}); name another path, or mend that") from None


def _check_file(path: Path) -> None:
    if not path.name or path.is_dir():
        raise UserError(f"{path}: a folder, not a file that could be written; move it away or name another path")


def read_text(path: Path, missing: str) -> str:
    """The text of a file that a person wrote: UTF-8, with or without a byte-order mark, which is no part of it.

    Args:
        missing: what to do where there is no such file, for the message.

    Raises:
        UserError: no such file, a folder, or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {missing}") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not a text file; {missing}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not UTF-8 text; convert it with `iconv -t utf-8`") from None


def write_json(path: Path, value: Any) -> None:
    """`value` as sorted, indented JSON; NaN and infinity are refused."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in `path`.

    Raises:
        UserError: the file is missing or is not whole JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; name another, or make it (in the pipeline: `dvc repro`)") from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, and thousands of brackets, too
        raise UserError(f"{path}: not JSON ({error}); make it again (in the pipeline: `dvc repro`)") from None


class Part:
    """A frozen dataclass inside a record: unknown keys, NaN and infinity are refused."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True)
class Record(Part):
    """What a stage hands to another as a JSON file; `version` changes with the meaning of its fields."""

    version: int = field(default=1, kw_only=True)

    def text(self) -> str:
        """As sorted, indented JSON."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False) + "\n"


R = TypeVar("R", bound=Record)


def write_record(path: Path, record: Record) -> None:
    """Write a record as JSON."""
    with atomic(path) as temporary:
        temporary.write_text(record.text())


def read_record(path: Path, kind: type[R]) -> R:
    """A record of some kind, as `write_record` wrote it.

    Raises:
        UserError: the file is missing, damaged, of another version, or a field of it is not what `kind` says.
    """
    return as_record(read_json(path), kind, str(path))


def as_record(tree: object, kind: type[R], place: str) -> R:
    """The record that JSON describes.

    Args:
        place: where it was found, for messages.

    Raises:
        UserError: it is of another version, or a field of it is not what `kind` says.
    """
    from pydantic import TypeAdapter, ValidationError

    version = tree.get("version") if isinstance(tree, dict) else None
    check_version(place, "file", version, kind.version, _CURE)
    try:
        return TypeAdapter(kind).validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        raise UserError(f"{place}: {' '.join(complaints(error).split())[:500]}; {_CURE}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping.

    Raises:
        UserError: no such file, something else in it, or a key twice in one mapping.
    """
    try:
        values = parse_yaml(read_text(path, f"run from the repository's root instead of {Path.cwd()}"))
    except UserError as error:
        raise error if str(error).startswith(f"{path}: ") else UserError(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: must be a mapping of sections, as params.yaml is")
    return values


def check_version(path: Path | str, kind: str, found: Any, known: int, cure: str) -> None:
    """Refuse a file of another version than the one that is known, or of none.

    Args:
        kind: what the file holds, for the message.
        cure: what to do about an older file; a newer one needs a newer ernn.

    Raises:
        UserError: with the version found and what to do.
    """
    if type(found) is int and found == known:
        return
    if type(found) is int and found > known:
        cure = "a newer ernn made it: install that"
    said = "without a version" if found is None else f"of version {reprlib.repr(found)}"
    raise UserError(f"{path}: {kind} {said}, this ernn reads version {known}; {cure}")


class Texts(dict[str, str]):
    """Texts by their paths in a folder: what a generator makes, before anybody writes it."""

    def merged(self, others: Mapping[str, str]) -> "Texts":
        """These texts and others, which win where both have a path."""
        return Texts({**self, **others})

    def below(self, folder: str) -> "Texts":
        """The same in a folder."""
        return Texts({f"{folder}/{path}": text for path, text in self.items()})

    def digest(self) -> str:
        """SHA-256 of all paths and texts, whatever their order."""
        total = hashlib.sha256()
        for path, text in sorted(self.items()):
            total.update(f"{path}\0{len(text)}\0{text}".encode())
        return total.hexdigest()

    def write(self, folder: Path) -> Path:
        """Write everything to a folder, which is returned; other files in it stay."""
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in self.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    @classmethod
    def read(cls, folder: Path) -> "Texts":
        """Everything below a folder."""
        return cls({str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()})


def network_header(path: Path) -> dict[str, Any]:
    """The metadata of the safetensors file of a network, float or integer.

    Raises:
        UserError: no such file, or another one.
    """
    if not path.is_file():
        raise UserError(f"{path}: {'a folder' if path.is_dir() else 'no such file'}; name a file of a network")
    try:
        with safe_open(path, framework="np") as file:
            header = json.loads((file.metadata() or {}).get("ernn", "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{path}: not a whole safetensors file ({error}); make it again") from None
    if not isinstance(header, dict) or not header.keys() & {"layers", "network"}:
        cure = "`ernn import` makes one of torch's weights"
        raise UserError(f"{path}: a safetensors file, but no network of ernn; {cure}")
    return header


def network_kind(path: Path) -> Literal["model", "program"]:
    """Whether a file holds a float network or an integer one.

    Raises:
        UserError: no such file, or neither.
    """
    return "program" if "layers" in network_header(path) else "model"


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
