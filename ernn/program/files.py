"""Programs on disk: a folder with `program.json`, the structure, and `arrays.npz`, its arrays by their place in it.

`docs/program.md` describes both. The bytes follow from the program alone; `digest` in the JSON covers both files.
"""

import hashlib
import io
import json
import math
import struct
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ernn import artifacts
from ernn.errors import UserError, complaints
from ernn.program.network import VERSION, Program

STRUCTURE, ARRAYS = "program.json", "arrays.npz"
_CURE = "run the stage that makes it again (`dvc repro`)"
_INTEGERS = ("<i1", "<i2", "<i4", "<i8")
_DTYPES = tuple(map(np.dtype, (*_INTEGERS, "<f4")))
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
    tree = _read_structure(path / STRUCTURE)
    arrays = _read_arrays(path / ARRAYS)
    stated = tree.pop("digest", None)
    try:
        program: Program = TypeAdapter(Program).validate_python(_raised(tree, arrays))
    except ValidationError as error:
        raise _refused(path, complaints(error)) from None
    except (KeyError, RecursionError) as error:
        raise _refused(path, "nested too deeply" if isinstance(error, RecursionError) else error.args[0]) from None
    if arrays:
        raise _refused(path / ARRAYS, f"field '{min(arrays)}' has no place in {STRUCTURE}")
    _check_writing(path / STRUCTURE, tree, program)
    if stated != digest(program):
        raise _refused(path, "field 'digest' is not that of what stands in the files")
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
    """The inverse of `_lowered`: arrays back in their places, out of `arrays`."""
    if isinstance(tree, dict):
        if set(tree) == {"array"}:
            if not isinstance(tree["array"], str) or tree["array"] not in arrays:
                raise KeyError(f"field {tree['array']!r} is missing in {ARRAYS}, or stands twice in {STRUCTURE}")
            return arrays.pop(tree["array"])
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
    """A .npy of version 1.0, data from byte 128 on; not by numpy, whose padding may change and the digest with it."""
    header = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.encode().ljust(117) + b"\n" + array.tobytes()


def _read_structure(path: Path) -> Tree:
    """The JSON of a program of this version."""
    try:
        text = path.read_text(encoding="utf-8")
        tree = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file; {_CURE}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(path, f"not JSON ({error})") from None
    version = tree.get("version") if isinstance(tree, dict) else None
    if type(version) is not int:
        raise _refused(path, f"field 'version' is no whole number but {version!r}: no program")
    if version != VERSION:
        cure = "a newer ernn made it: install that" if version > VERSION else _CURE
        raise _refused(path, f"program version {version}, this ernn reads {VERSION}", cure)
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> Tree:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError(f"a key stands twice among {', '.join(key for key, _ in pairs)}")
    return tree


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _check_writing(path: Path, tree: Tree, program: Program) -> None:
    """Refuse values that were understood but stand otherwise than `save` writes them: "8" or 8.0 for 8, null left out.

    The digest covers the JSON as it stands, so whoever computes it from the files must get the same.
    """
    given = _leaves(tree, "")
    for place, wanted in _leaves(_lowered(program, "", {}), "").items():
        if (got := given.get(place, "nothing")) != wanted:
            raise _refused(path, f"field '{place}' must stand as {wanted}, got {got}")


def _leaves(tree: Any, place: str) -> dict[str, str]:
    """Every value of a structure as JSON, by its place."""
    if not isinstance(tree, dict | list):
        return {place: json.dumps(tree)}
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {inner: leaf for key, each in items for inner, leaf in _leaves(each, _join(place, str(key))).items()}


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    field = ""
    try:
        with zipfile.ZipFile(path) as file:
            if sum(member.file_size for member in file.infolist()) > path.stat().st_size:
                raise ValueError("its members claim more bytes than it has")
            for member in file.infolist():
                name = member.filename.removesuffix(".npy")
                field = f"field {name!r}: "
                if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                    raise ValueError("compressed, which a program's arrays are not")
                if name in arrays:
                    raise ValueError("stands there twice")
                arrays[name] = _array(file.read(member))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such file; {_CURE}") from None
    except Exception as error:  # numpy, zipfile and zlib raise many kinds on damaged files and document none
        raise _refused(path, f"not a whole file of arrays ({field}{str(error) or type(error).__name__})") from None
    return arrays


def _array(npy: bytes) -> np.ndarray:
    """Integers as int64 or floats as float32; the size that the header claims is checked before anything is made."""
    stream = io.BytesIO(npy)
    if (version := np.lib.format.read_magic(stream)) != (1, 0):
        raise ValueError(f".npy of version {version}, not (1, 0)")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype not in _DTYPES:
        raise ValueError(f"holds {dtype}, not little-endian signed integers or float32")
    data = npy[stream.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{dtype} of shape {shape} does not fill its {len(data)} bytes")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(np.int64 if dtype.kind == "i" else np.float32, order="C")


def _refused(path: Path, reason: str, cure: str = _CURE) -> UserError:
    """One line, whatever stands in the reason."""
    line = " ".join(reason.encode("ascii", "backslashreplace").decode().split())
    return UserError(f"{path}: {line[:500]}; {cure}")
