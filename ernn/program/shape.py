"""The shape of a program: all of it that is built into the sources of its accelerator.

Words of block-circulant matrices, and values of pruned ones with their columns, lie in memories that can be loaded
again: they are no part of it. How many values each row of a pruned matrix has is, since the sources count its steps; so
is how many blocks each block row of a sparse one has, and whether all gates have the same: lanes then read together.
What only the host reads is not either: name, frontend, decoder, initial states, which it writes before a sequence, and
which outputs it takes. Everything else is, also what a cell of the future brings: fields are left out by name alone.
"""

import hashlib
import json
from dataclasses import is_dataclass

import numpy as np

from ernn.program.matrices import Circulant, Numbers, Pruned, Sparse
from ernn.program.network import Program
from ernn.program.structure import written

_OF_THE_HOST = ("name", "version", "frontend", "decoder", "last")


def digest(program: Program) -> str:
    """SHA-256 of sizes, formats and all constants; equal for programs whose accelerators differ in weights alone."""
    built_in = {each.name: getattr(program, each.name) for each in written(program) if each.name not in _OF_THE_HOST}
    return hashlib.sha256(json.dumps(_plain(built_in), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """A part of a program as JSON, without what is loaded."""
    if isinstance(value, Circulant):
        return _fields(value, "words") | {"words": _sizes(value.words)}
    if isinstance(value, Sparse):
        return _fields(value, "words", "columns", "starts") | {
            "words": _plain(value.words.format),
            "row_lengths": np.diff(value.starts).tolist(),
            "shared": value.shared,
        }
    if isinstance(value, Pruned):
        return _fields(value, "values", "columns", "starts") | {
            "values": _plain(value.values.format),
            "row_lengths": _row_lengths(value),
        }
    if is_dataclass(value):
        return _fields(value, "initial")
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _fields(value: object, *without: str) -> dict[str, object]:
    assert is_dataclass(value)
    return {each.name: _plain(getattr(value, each.name)) for each in written(value) if each.name not in without}


def _sizes(words: Numbers) -> dict[str, object]:
    return {"format": _plain(words.format), "shape": list(words.integers.shape)}


def _row_lengths(matrix: Pruned) -> list[int]:
    """Values of each row that are not 0, row by row: a 0 that is stored takes no step of the hardware."""
    return np.count_nonzero(matrix.dense(), axis=1).tolist()
