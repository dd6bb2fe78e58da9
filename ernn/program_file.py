"""Programs on disk: a folder with `program.json`, the structure, and `arrays.npz`, its arrays by their place in it.

The bytes follow from the program alone. `digest` in the JSON covers both files.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ernn import artifacts
from ernn.errors import UserError, complaints
from ernn.program import VERSION, Program

STRUCTURE, ARRAYS = "program.json", "arrays.npz"
_CURE = "run the stage that makes it again (`dvc repro`)"
# What numpy and zipfile raise on a damaged file, beside their own classes.
_DAMAGE = (NotImplementedError, RuntimeError, SyntaxError, TypeError, MemoryError, EOFError, KeyError)
_INTEGERS = ("<i1", "<i2", "<i4", "<i8")
Tree = dict[str, Any]


def save(program: Program, path: Path) -> None:
    """Write `program` as the folder `path`, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    tree = _lowered(program, "", arrays)
    with artifacts.atomic_folder(path) as folder:
        artifacts.write_json(folder / STRUCTURE, tree | {"digest": _digest(tree, arrays)})
        with zipfile.ZipFile(folder / ARRAYS, "w", zipfile.ZIP_STORED) as file:
            for name, array in sorted(arrays.items()):
                file.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(array))


def load(path: Path) -> Program:
    """The program in the folder `path`.

    Raises:
        UserError: a file is missing, damaged, of another version, or describes no program; the field is named.
    """
    tree = artifacts.read_json(path / STRUCTURE)
    if not isinstance(tree, dict) or not isinstance(tree.get("version"), int):
        raise UserError(f"{path / STRUCTURE}: field 'version' is missing: no program; {_CURE}")
    if tree["version"] != VERSION:
        newer = "a newer ernn made it: install that" if tree["version"] > VERSION else _CURE
        raise UserError(f"{path / STRUCTURE}: program version {tree['version']}, this ernn reads {VERSION}; {newer}")
    arrays = _read_arrays(path / ARRAYS)
    stated = tree.pop("digest", None)
    try:
        program: Program = TypeAdapter(Program).validate_python(_raised(tree, arrays))
    except ValidationError as error:
        raise UserError(f"{path}: {complaints(error)[:500]}; {_CURE}") from None
    except (KeyError, RecursionError) as error:
        raise UserError(f"{path / ARRAYS}: field {error} is missing; {_CURE}") from None
    if stated != digest(program):
        raise UserError(f"{path}: field 'digest' is not that of what stands in the files; {_CURE}")
    return program


def digest(program: Program) -> str:
    """sha256 of the structure and of every array."""
    arrays: dict[str, np.ndarray] = {}
    return _digest(_lowered(program, "", arrays), arrays)


def _digest(tree: Tree, arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        total.update(name.encode() + _npy(array))
    return total.hexdigest()


def _lowered(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON; arrays go to `arrays` and leave their name."""
    if is_dataclass(value):
        return {
            each.name: _lowered(getattr(value, each.name), _join(place, each.name), arrays) for each in fields(value)
        }
    if isinstance(value, tuple):
        return [_lowered(each, _join(place, str(index)), arrays) for index, each in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[place] = _narrow(value)
        return {"array": place}
    return value


def _raised(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of `_lowered`: arrays back in their places."""
    if isinstance(tree, dict):
        if set(tree) == {"array"}:
            return arrays[tree["array"]]
        return {key: _raised(value, arrays) for key, value in tree.items()}
    return tuple(_raised(each, arrays) for each in tree) if isinstance(tree, list) else tree


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _narrow(array: np.ndarray) -> np.ndarray:
    """Integers in the narrowest type that holds them, little-endian."""
    if array.dtype.kind != "i":
        return array.astype(array.dtype.newbyteorder("<"))
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.dtype(kind) for kind in _INTEGERS)
    return array.astype(next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: _wide(file[name]) for name in file.files}
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {_CURE}") from None
    except (ValueError, OSError, zipfile.BadZipFile, *_DAMAGE) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: not a whole file of arrays ({reason[:200]}); {_CURE}") from None


def _wide(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "if":
        raise ValueError(f"arrays hold integers or floats, got {array.dtype}")
    return array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
