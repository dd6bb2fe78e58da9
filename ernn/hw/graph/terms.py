"""What the text of an operator is written from: its operands as a language names them, and its sizes."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Operand:
    """An operand in the cycle in which it is taken.

    Args:
        text: its signal or expression.
        bits: of that.
        low, high: its range.
    """

    text: str
    bits: int
    low: int
    high: int


@dataclass(frozen=True)
class Terms:
    """A node, as a language writes it.

    Args:
        name: of its result.
        module: that a node with a module of its own instantiates.
        width: of its result, in bits.
        low, high: range of the result.
        data: its constants.
        cycles: of a multiplier.
        table: in languages with arrays: the name of the array that holds constants.
    """

    name: str
    module: str
    width: int
    low: int
    high: int
    operands: tuple[Operand, ...]
    data: tuple[int, ...]
    cycles: int = 0
    table: Callable[[tuple[int, ...]], str] = str
