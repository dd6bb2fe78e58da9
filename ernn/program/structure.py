"""Values of dataclasses as JSON and arrays: what `ernn.program.files` writes of a program."""

import json
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

import numpy as np

_INTEGERS = ("<i1", "<i2", "<i4", "<i8")
Tree = dict[str, Any]
LEFT_OUT = {"left_out": True}  # metadata of a field that is not written where it has its default


def written(value: Any) -> Iterator[Field[Any]]:
    """Fields of a dataclass that are written."""
    for each in fields(value):
        if each.metadata != LEFT_OUT or getattr(value, each.name) != each.default:
            yield each


def lowered(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON; arrays go to `arrays` and leave their name."""
    if is_dataclass(value):
        return {
            each.name: lowered(getattr(value, each.name), _join(place, each.name), arrays) for each in written(value)
        }
    if isinstance(value, tuple):
        return [lowered(each, _join(place, str(index)), arrays) for index, each in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[place] = _narrow(value)
        return {"array": place}
    return value


def raised(tree: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of `lowered`: arrays back in their places, out of `arrays`."""
    if isinstance(tree, dict):
        if set(tree) == {"array"}:
            if not isinstance(tree["array"], str) or tree["array"] not in arrays:
                raise KeyError(f"array {tree['array']!r} is missing, or the structure names it twice")
            return arrays.pop(tree["array"])
        return {key: raised(value, arrays) for key, value in tree.items()}
    return tuple(raised(each, arrays) for each in tree) if isinstance(tree, list) else tree


def leaves(tree: Any, place: str) -> dict[str, str]:
    """Every value of a structure as JSON, by its place."""
    if not isinstance(tree, dict | list):
        return {place: json.dumps(tree)}
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {inner: leaf for key, each in items for inner, leaf in leaves(each, _join(place, str(key))).items()}


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _narrow(array: np.ndarray) -> np.ndarray:
    """Integers in the narrowest type that holds them; in C order, as safetensors writes memory without its strides."""
    if array.dtype.kind != "i":
        return array.astype("<f4", order="C")
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.dtype(kind) for kind in _INTEGERS)
    narrowest = next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    return array.astype(narrowest, order="C")
