"""Sequences of vectors as a user gives them, and results in the same form."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ernn.errors import UserError

Given = Any  # an array (time, inputs) or (sequences, time, inputs), of NumPy or torch, or a list of (time, inputs)


@dataclass(frozen=True)
class Sequences:
    """Sequences of one form.

    Args:
        each: float32 (time, inputs).
        alone: it was one sequence.
        stacked: they were one array.
    """

    each: tuple[np.ndarray, ...]
    alone: bool = False
    stacked: bool = False

    @classmethod
    def of(cls, x: Given, inputs: int, name: str = "x") -> "Sequences":
        """What a user gave.

        Raises:
            UserError: another form, vectors of another size, or numbers that are not finite.
        """
        if isinstance(x, list | tuple):
            found = cls(tuple(_array(each, f"{name}[{number}]") for number, each in enumerate(x)))
        else:
            array = _array(x, name)
            found = cls((array,), alone=True) if array.ndim == 2 else cls(tuple(array), stacked=True)
        if not found.each:
            raise UserError(f"{name}: at least one sequence, got none")
        for number, each in enumerate(found.each):
            _check(each, inputs, name if found.alone else f"{name}[{number}]")
        return found

    def like(self, results: Sequence[np.ndarray], last: bool = False) -> Any:
        """Results of every step in the form of what was given: one array, a stack, or a list.

        Args:
            last: those of each sequence's last step alone.
        """
        results = [each[-1] for each in results] if last else results
        if self.alone:
            return results[0]
        return np.stack(results) if self.stacked else list(results)


def _array(x: Any, name: str) -> np.ndarray:
    values = x.detach().cpu() if hasattr(x, "detach") else x
    try:
        array = np.asarray(values)
        if array.dtype.kind in "iuf":
            return array.astype(np.float32)
    except (ValueError, TypeError):  # of lists whose lengths differ
        pass
    raise UserError(
        f"{name}: an array of numbers (time, inputs) or (sequences, time, inputs), or a list of the first; "
        f"got {type(x).__name__}"
    )


def _check(each: np.ndarray, inputs: int, name: str) -> None:
    if each.ndim != 2 or each.shape[1] != inputs or not len(each):
        raise UserError(f"{name}: (time, {inputs}) with at least one step, got shape {each.shape}")
    if not np.isfinite(each).all():
        step, element = (int(place) for place in np.argwhere(~np.isfinite(each))[0])
        raise UserError(f"{name}: numbers must be finite, got {each[step, element]} at step {step}, element {element}")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in plain text, its columns aligned."""
    texts = [tuple(map(str, row)) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
