"""Programs on disk: one safetensors file, the structure as JSON in its metadata, the arrays by their place in it.

`docs/program.md` describes it. The bytes follow from the program alone; `digest` in the JSON covers all of it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from ernn import artifacts
from ernn.errors import UserError, complaints
from ernn.program import structure
from ernn.program.network import VERSION, Program
from ernn.program.structure import Tree

KEY = "ernn"  # of the metadata; there is no other: safetensors writes several in any order
_CURE = "quantize the network again (in the pipeline: `dvc repro`)"
_TYPES = ("I8", "I16", "I32", "I64", "F32")


def save(program: Program, path: Path) -> None:
    """Write `program` to the file `path`, whole or not at all."""
    arrays: dict[str, np.ndarray] = {}
    tree = structure.lowered(program, "", arrays)
    text = json.dumps(tree | {"digest": _digest(tree, arrays)}, sort_keys=True)
    with artifacts.atomic(path) as temporary:
        save_file(arrays, temporary, {KEY: text})


def load(path: Path) -> Program:
    """The program in the file `path`, checked.

    Raises:
        UserError: the file is missing, damaged, of another version, or describes no program; the field is named.
    """
    tree, arrays = _read(path)
    stated = tree.pop("digest", None)
    try:
        program: Program = TypeAdapter(Program).validate_python(structure.raised(tree, arrays))
    except ValidationError as error:
        raise _refused(path, complaints(error)) from None
    except (KeyError, RecursionError) as error:
        raise _refused(path, "nested too deeply" if isinstance(error, RecursionError) else error.args[0]) from None
    if arrays:
        raise _refused(path, f"array '{min(arrays)}' has no place in the structure")
    _check_writing(path, tree, program)
    if stated != digest(program):
        raise _refused(path, "field 'digest' is not that of this structure and these arrays")
    return program


def digest(program: Program) -> str:
    """sha256 of the structure and of every array."""
    arrays: dict[str, np.ndarray] = {}
    return _digest(structure.lowered(program, "", arrays), arrays)


def _digest(tree: Tree, arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        kind = f"{array.dtype.kind}{8 * array.itemsize}".upper()  # as safetensors calls it: I8, F32
        total.update(f"{name} {kind} {list(array.shape)}\n".encode() + array.tobytes())
    return total.hexdigest()


def _read(path: Path) -> tuple[Tree, dict[str, np.ndarray]]:
    """Structure and arrays of a program of this version; safetensors checks all sizes against that of the file."""
    if (path / "program.json").is_file():  # the folder that a program of version 1 was
        artifacts.check_version(path, "program", 1, VERSION, _CURE)
    if path.is_dir():
        raise UserError(f"{path}: a folder, not a program; give a file that quantize wrote")
    if not path.is_file():
        raise UserError(f"{path}: no such file; {_CURE}")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            if KEY not in metadata:
                raise _refused(path, "a safetensors file, but no program", "give one that quantize wrote")
            tree = _structure(path, metadata[KEY])
            arrays = {name: _array(path, file, name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except (SafetensorError, OSError) as error:
        raise _refused(path, f"not a whole safetensors file ({error})") from None
    _check_names(path)
    return tree, arrays


def _structure(path: Path, text: str) -> Tree:
    """The JSON of a program of this version."""
    try:
        tree = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"its structure is not JSON ({error})") from None
    if not isinstance(tree, dict):
        raise _refused(path, f"its structure is no mapping but a {type(tree).__name__}")
    if "network" in tree:
        raise _refused(path, "a float network, no program", "give a file that quantize wrote")
    artifacts.check_version(path, "program", tree.get("version"), VERSION, _CURE)
    return tree


def _unique(pairs: list[tuple[str, Any]]) -> Tree:
    tree: Tree = {}
    for key, value in pairs:
        if key in tree:
            raise ValueError(f"key {key!r} appears twice")
        tree[key] = value
    return tree


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _array(path: Path, file: Any, name: str) -> np.ndarray:
    """Integers as int64 or floats as float32."""
    kind = file.get_slice(name).get_dtype()
    if kind not in _TYPES:
        raise _refused(path, f"array {name!r} is of type {kind}, not one of {', '.join(_TYPES)}")
    try:
        array: np.ndarray = file.get_tensor(name)
        return array.astype(np.int64 if kind.startswith("I") else np.float32)
    except (
        ValueError
    ) as error:  # of numpy: too many dimensions, or an array of no elements with a side that is too long
        raise _refused(path, f"array {name!r}: {error}") from None


def _check_names(path: Path) -> None:
    """Refuse names that appear twice in the header: safetensors takes the last, another reader may take the first."""
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))  # a length that safetensors has checked
    try:
        json.loads(header, object_pairs_hook=_unique)
    except ValueError as error:
        raise _refused(path, f"its header: {error}") from None


def _check_writing(path: Path, tree: Tree, program: Program) -> None:
    """Refuse values that were understood but that `save` writes otherwise: "8" or 8.0 for 8, null left out.

    The digest covers the JSON as it is written, so whoever computes it from the file must get the same.
    """
    given = structure.leaves(tree, "")
    for place, wanted in structure.leaves(structure.lowered(program, "", {}), "").items():
        if (got := given.get(place, "nothing")) != wanted:
            raise _refused(path, f"field '{place}' must be written as {wanted}, got {got}")


def _refused(path: Path, reason: str, cure: str = _CURE) -> UserError:
    """One line, whatever the reason contains."""
    line = " ".join(reason.encode("ascii", "backslashreplace").decode().split())
    return UserError(f"{path}: {line[:500]}; {cure}")
