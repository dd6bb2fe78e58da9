"""The interpretation of typed values as a graph of operators: what Verilog and HLS C++ are written from.

A node is an operator on integers; the fraction is known to the value alone. Equal operators on equal operands are one
node. Products with constants are sums of shifted copies (canonical signed digits), so only products of two values take
multipliers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ernn.dataflow.formats import Format, signed_bits
from ernn.dataflow.value import Value
from ernn.hw.graph import operators
from ernn.hw.graph.operators import Operator
from ernn.hw.graph.terms import Operand, Terms


@dataclass(frozen=True)
class Node:
    """An operator; `operands` are places in the graph, `data` its constants."""

    operator: Operator
    operands: tuple[int, ...]
    data: tuple[int, ...]
    low: int
    high: int

    @property
    def bits(self) -> int:
        """Width of the result."""
        return signed_bits(self.low, self.high)

    def operand(self, text: str, bits: int) -> Operand:
        """This node as an operand that a language calls `text`."""
        return Operand(text, bits, self.low, self.high)

    def terms(self, name: str, width: int, operands: Iterable[Operand], **more: Any) -> Terms:
        """This node as a language writes it; `more` are fields of `Terms`."""
        return Terms(name, self.operator.name, width, self.low, self.high, tuple(operands), self.data, **more)


@dataclass
class Graph:
    """Nodes in an order in which operands come first.

    `scope` ends the names of what is built next: an element of a block. `scopes` has that of every node.
    """

    name: str
    nodes: list[Node] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    overflows: dict[str, list[int]] = field(default_factory=dict)  # saturations that are counted, by name
    scope: str = ""
    scopes: list[str] = field(default_factory=list)
    _places: dict[tuple[Operator, tuple[int, ...], tuple[int, ...]], int] = field(default_factory=dict)

    def input(self, name: str, format: Format) -> "Wire":
        """An input of a format's full range."""
        return self.input_range(name, format.low, format.high, format.fraction)

    def input_range(self, name: str, low: int, high: int, fraction: int) -> "Wire":
        """A value of any range that comes in."""
        if name in self.inputs:
            raise ValueError(f"graph {self.name} has two inputs called {name}")
        self._append(Node(operators.INPUT, (), (), low, high))
        self.inputs[name] = len(self.nodes) - 1
        return Wire(self, len(self.nodes) - 1, low, high, fraction)

    def output(self, name: str, wire: "Wire") -> None:
        """Make a wire the output `name`."""
        if name in self.outputs:
            raise ValueError(f"graph {self.name} has two outputs called {name}")
        self.outputs[name] = wire.place

    def place(self, operator: Operator, operands: tuple[int, ...], data: tuple[int, ...], low: int, high: int) -> int:
        """The node of an operation, a new one if there is none yet."""
        if operator.commutes:
            operands = tuple(sorted(operands))
        key = operator, operands, data
        if key not in self._places:
            self._append(Node(operator, operands, data, low, high))
            self._places[key] = len(self.nodes) - 1
        return self._places[key]

    def _append(self, node: Node) -> None:
        self.nodes.append(node)
        self.scopes.append(self.scope)

    def multiplications(self) -> int:
        """Number of products of two values."""
        return sum(node.operator.product for node in self.nodes)


class Wire(Value):
    """A node of a graph as a typed value."""

    def __init__(self, graph: Graph, place: int, low: int, high: int, fraction: int) -> None:
        super().__init__(low, high, fraction)
        self.graph, self.place = graph, place

    def _new(
        self, operator: Operator, others: Sequence["Wire"], data: Sequence[int], low: int, high: int, fraction: int
    ) -> Self:
        operands = (self.place, *(other.place for other in others))
        place = self.graph.place(operator, operands, tuple(data), low, high)
        return type(self)(self.graph, place, low, high, fraction)

    def named(self, name: str) -> Self:
        """The same value with a name, which a second one doesn't replace."""
        if name:
            self.graph.names.setdefault(self.place, name + self.graph.scope)
        return self

    def magnitude(self) -> Self:
        """The absolute value."""
        return self._new(operators.MAGNITUDE, (), (), 0, max(-self.low, self.high), self.fraction)

    def where_negative(self, sign: Self, otherwise: Self) -> Self:
        """`self` where `sign` is below zero, else `otherwise`."""
        low, high = min(self.low, otherwise.low), max(self.high, otherwise.high)
        return self._new(operators.SELECT, (otherwise, sign), (), low, high, self.fraction)

    def multiply_add(self, factor: Self, addend: Self) -> Self:
        """`self` times `factor`, plus `addend` in an adder behind the multiplier; the fraction is the addend's."""
        ends = [a * b for a in (self.low, self.high) for b in (factor.low, factor.high)]
        low, high = min(ends) + addend.low, max(ends) + addend.high
        return self._new(operators.MULTIPLY_ADD, (factor, addend), (), low, high, addend.fraction)

    def segment(self, bounds: Sequence[int]) -> Self:
        """How many of the increasing `bounds` are reached: a binary search, an operator for each bit of the index."""
        levels, beyond = len(bounds).bit_length(), max(self.high + 1, 1)
        padded = [min(bound, beyond) for bound in bounds] + [beyond] * ((1 << levels) - 1 - len(bounds))
        if not padded:
            return self._times(0, 0, 0, 0)
        found: tuple[Self, ...] = ()
        for level in range(levels):
            half = 1 << (levels - 1 - level)
            middles = [padded[2 * half * prefix + half - 1] for prefix in range(1 << level)]
            found = (self._new(operators.SEARCH, found, middles, 0, (2 << level) - 1, 0),)
        return found[0]

    def read(self, words: Sequence[int], fraction: int) -> Self:
        """Entry of a table at this index."""
        return self._new(operators.READ, (), words, min(words), max(words), fraction)

    def _add(self, other: Self, low: int, high: int) -> Self:
        return self._new(operators.ADD, (other,), (), low, high, self.fraction)

    def _subtract(self, other: Self, low: int, high: int) -> Self:
        return self._new(operators.SUBTRACT, (other,), (), low, high, self.fraction)

    def _negate(self, low: int, high: int) -> Self:
        return self._new(operators.NEGATE, (), (), low, high, self.fraction)

    def _multiply(self, other: Self, low: int, high: int, fraction: int) -> Self:
        return self._new(operators.MULTIPLY, (other,), (), low, high, fraction)

    def _times(self, integer: int, low: int, high: int, fraction: int) -> Self:
        if not integer:
            return type(self)(self.graph, self.graph.place(operators.CONSTANT, (), (0,), 0, 0), 0, 0, fraction)
        total, so_far = None, 0
        for place, digit in signed_digits(integer):
            so_far += digit << place
            part = self._shift_left(place, self.low << place, self.high << place, fraction) if place else self
            ends = sorted((so_far * self.low, so_far * self.high))
            if total is None:
                total = part if digit > 0 else part._negate(*ends)
            else:
                total = total._add(part, *ends) if digit > 0 else total._subtract(part, *ends)
        assert total is not None
        return total._retyped(low, high, fraction)

    def bounded(self, low: int, high: int) -> Self:
        """The same value, known to lie in a narrower range than its operators tell: the low bits are enough."""
        if low <= self.low and self.high <= high:
            return self
        low, high = max(low, self.low), min(high, self.high)
        return self._new(operators.NARROW, (), (), low, high, self.fraction)

    def _plus(self, integer: int, low: int, high: int) -> Self:
        if not integer:
            return self
        return self._new(operators.PLUS, (), (integer,), low, high, self.fraction)

    def _shift_left(self, places: int, low: int, high: int, fraction: int) -> Self:
        return self._new(operators.SHIFT_LEFT, (), (places,), low, high, fraction)

    def _shift_right(self, places: int, low: int, high: int, fraction: int) -> Self:
        return self._new(operators.SHIFT_RIGHT, (), (places,), low, high, fraction)

    def _saturate(self, low: int, high: int, name: str) -> Self:
        result = self._new(operators.SATURATE, (), (low, high), low, high, self.fraction)
        if name:
            counted = self.graph.overflows.setdefault(name, [])
            if result.place not in counted:
                counted.append(result.place)
        return result.named(name)

    def _retyped(self, low: int, high: int, fraction: int) -> Self:
        return type(self)(self.graph, self.place, low, high, fraction)


def signed_digits(integer: int) -> list[tuple[int, int]]:
    """Canonical signed digits, the largest first: (place, 1 or -1), no two of them neighbours.

    >>> signed_digits(7), signed_digits(-6), signed_digits(0)
    ([(3, 1), (0, -1)], [(3, -1), (1, 1)], [])
    """
    digits, place = [], 0
    while integer:
        if integer & 1:
            digit = 2 - (integer & 3)
            digits.append((place, digit))
            integer -= digit
        integer >>= 1
        place += 1
    return digits[::-1]


def widths(graph: Graph) -> list[int]:
    """Bits of every node: those of its range, or fewer where only its low bits are used.

    Sums, differences and left shifts are the same modulo 2^n for operands modulo 2^n, so a value that is known to be
    narrow needs no wider ones before it (Karatsuba's sums, for one).
    """
    asked = [0] * len(graph.nodes)
    whole = {*graph.outputs.values(), *(each for places in graph.overflows.values() for each in places)}
    for place in reversed(range(len(graph.nodes))):
        node = graph.nodes[place]
        width = node.bits if place in whole else min(node.bits, asked[place])
        asked[place] = width
        for operand in node.operands:
            bits = graph.nodes[operand].bits
            wanted = node.operator.asks(width, bits, node.data)
            asked[operand] = max(asked[operand], min(bits, max(wanted, 1)))
    return asked
