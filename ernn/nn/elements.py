"""Elements of a value that are followed through a graph by their numbers, and the layers that were read on its way."""

from dataclasses import dataclass, field, replace
from itertools import permutations
from math import prod
from typing import Literal

import numpy as np

from ernn.errors import UserError
from ernn.nn.functions import Function

ELEMENTS = 2**27  # of a value that is followed: half a gigabyte of their numbers
Kind = Literal["recurrent", "linear", "function"]
OPEN_SIZES = (11, 29)  # the least that stand for open sizes: what is the same with both does not hang on them


@dataclass(frozen=True)
class Stream:
    """The value that goes through the network.

    Args:
        numbers: of elements, which the graph may have moved.
        shape: in which they were numbered, (steps, sequences, elements) but for the graph's input.
        layer: that made it, counted from 1; 0 for an input of the graph.
        picked: whether steps of it were picked.
    """

    numbers: np.ndarray
    shape: tuple[int, ...]
    layer: int = 0
    picked: bool = False

    def of(self, layer: int) -> "Stream":
        """The same elements, behind a layer's function."""
        return replace(self, layer=layer)

    def like(self, numbers: np.ndarray) -> "Stream":
        """The same elements in another form."""
        return replace(self, numbers=numbers)

    def steps(self) -> np.ndarray | None:
        """The number of the step that each vector along the last axis is; None if they are no whole vectors."""
        size = self.shape[-1]
        if not self.numbers.ndim or self.numbers.shape[-1] != size:
            return None
        vectors = self.numbers.reshape(-1, size)
        whole = (vectors == vectors[:, :1] // size * size + np.arange(size, dtype=np.int32)).all()
        return vectors[:, 0] // size if whole else None

    def through(self, outputs: int, layer: int, where: str) -> "Stream":
        """What a linear layer makes of it, numbered anew; the last axis has the elements of a step (`steps`).

        Args:
            outputs: of the linear layer.
            layer: its number.
            where: it is, for messages.
        """
        steps = self.steps()
        assert steps is not None
        shape = (*self.shape[:-1], outputs)
        made = numbered(shape, where).reshape(-1, outputs)[steps]
        return Stream(made.reshape(*self.numbers.shape[:-1], outputs), shape, layer, self.picked)

    def is_last(self, where: str) -> bool:
        """Whether it is that of the last step alone, or that of every step.

        Args:
            where: it is, for messages.

        Raises:
            UserError: neither.
        """
        every = numbered(self.shape, where)
        whole = transposed(self.numbers, every)
        if not whole and not transposed(self.numbers, every[-1:]):
            raise UserError(
                f"{where}: must be (steps, sequences, outputs) in any order of axes, or without an axis of "
                "size 1, of every step or of the last one; export the module without what reshapes its outputs"
            )
        return not whole or (len(every) == 1 and self.picked)


@dataclass
class Row:
    """The layers that were read until now, in a row.

    Args:
        recurrent: how many recurrent ones.
        functions: behind each linear one, which follow these.
    """

    recurrent: int = 0
    functions: list[Function] = field(default_factory=list)

    @property
    def made(self) -> int:
        """Layers and functions until now."""
        return self.recurrent + sum(1 + (each != Function()) for each in self.functions)

    @property
    def open(self) -> bool:
        """Whether a linear layer came last, and no function behind it."""
        return bool(self.functions) and self.functions[-1] == Function()

    def refused(self, kind: Kind, stream: Stream, name: str) -> str:
        """Why a node of a kind cannot come next; empty: it can.

        Args:
            stream: that it reads.
            name: of this value.
        """
        if kind == "recurrent" and self.functions:
            return "follows a linear layer, must be before all of them"
        if kind == "linear" and not self.recurrent:
            return "stands before every recurrent layer"
        if stream.layer != self.made:
            return f"does not read the layer before it, but another value ({name})"
        if kind == "linear" and stream.steps() is None:
            return "reads other elements than those of a step along the last axis, reshape outside"
        if kind == "function" and not self.open:
            return "a function follows a linear layer, and here is none"
        return ""


def numbered(shape: tuple[int, ...], where: str) -> np.ndarray:
    """Elements, numbered.

    Args:
        where: they are, for messages.

    Raises:
        UserError: they are too many to be followed.
    """
    if prod(shape) > ELEMENTS:
        raise UserError(
            f"{where}: shape {shape} has more than {ELEMENTS} elements; export with steps and batch left open"
        )
    return np.arange(prod(shape), dtype=np.int32).reshape(shape)


def transposed(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two are equal but for the order of axes, and for axes of one element."""
    one, other = one.squeeze(), other.squeeze()
    if one.ndim != other.ndim or one.ndim > 3:
        return False
    return any(np.array_equal(one.transpose(order), other) for order in permutations(range(one.ndim)))
