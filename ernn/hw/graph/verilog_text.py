"""Operators as Verilog (IEEE 1364-2005): the wires that compute a result, with their expressions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ernn.dataflow.formats import signed_bits
from ernn.hw.graph.terms import Operand, Terms


@dataclass(frozen=True)
class Signal:
    """A signed wire, and the expression that drives it."""

    name: str
    width: int
    value: str


Signals = tuple[Signal, ...]  # the last one is the result


def literal(integer: int, width: int) -> str:
    """A signed constant of `width` bits, modulo 2^width.

    >>> literal(5, 4), literal(-3, 4), literal(-8, 4)
    ("4'sd5", "-4'sd3", "4'sh8")
    """
    wrapped = (integer + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))
    if wrapped == -(1 << (width - 1)):
        return f"{width}'sh{wrapped % (1 << width):x}"
    return f"{width}'sd{wrapped}" if wrapped >= 0 else f"-{width}'sd{-wrapped}"


def infix(sign: str) -> Callable[[Terms], Signals]:
    """An operator between two operands."""

    def text(terms: Terms) -> Signals:
        a, b = terms.operands
        return _wire(terms, f"{_cut(a, terms)} {sign} {_cut(b, terms)}")

    return text


def negate(terms: Terms) -> Signals:
    """The negative of an operand."""
    return _wire(terms, f"-{_cut(terms.operands[0], terms)}")


def plus(terms: Terms) -> Signals:
    """An operand and a constant."""
    return _wire(terms, f"{_cut(terms.operands[0], terms)} + {literal(terms.data[0], terms.width)}")


def shift_left(terms: Terms) -> Signals:
    """An operand times a power of two."""
    return _wire(terms, f"{_cut(terms.operands[0], terms)} <<< {terms.data[0]}")


def shift_right(terms: Terms) -> Signals:
    """An operand without its lowest bits."""
    a, places = terms.operands[0], terms.data[0]
    top = min(a.bits, places + terms.width)
    return _wire(terms, f"$signed({a.text}[{top - 1}:{min(places, a.bits - 1)}])")


def narrow(terms: Terms) -> Signals:
    """The lowest bits of an operand."""
    return _wire(terms, _cut(terms.operands[0], terms))


def magnitude(terms: Terms) -> Signals:
    """The absolute value."""
    a = terms.operands[0]
    return _wire(terms, f"{a.text}[{a.bits - 1}] ? -{a.text} : {a.text}")


def select(terms: Terms) -> Signals:
    """The first operand where the third is below zero, else the second."""
    a, b, sign = terms.operands
    return _wire(terms, f"{sign.text}[{sign.bits - 1}] ? {_cut(a, terms)} : {_cut(b, terms)}")


def saturate(terms: Terms) -> Signals:
    """An operand, or the nearer end of a range that it is outside of."""
    a, width = terms.operands[0], terms.width
    result = _cut(a, terms)
    if outside := _outside(terms):
        sign = f"{a.text}[{a.bits - 1}]"
        return _wire(terms, f"{outside} ? {{{sign}, {{{width - 1}{{!{sign}}}}}}} : {result}")
    if a.low < terms.low:
        result = f"{a.text} < {literal(terms.low, a.bits)} ? {literal(terms.low, width)} : {result}"
    if a.high > terms.high:
        result = f"{a.text} > {literal(terms.high, a.bits)} ? {literal(terms.high, width)} : {result}"
    return _wire(terms, result)


def saturates(terms: Terms) -> str:
    """Condition that a saturation changes its operand."""
    a = terms.operands[0]
    if outside := _outside(terms):
        return outside
    beyond = [f"{a.text} < {literal(terms.low, a.bits)}"] if a.low < terms.low else []
    beyond += [f"{a.text} > {literal(terms.high, a.bits)}"] if a.high > terms.high else []
    return " || ".join(beyond) or "1'b0"


def search(terms: Terms) -> Signals:
    """One more bit of an index: whether the bound that the bits before it choose is reached."""
    a, *prefix = terms.operands
    wide = a.bits + 1  # bounds may lie beyond
    if not prefix:
        return _wire(terms, f"{{1'b0, {a.text} >= {literal(terms.data[0], wide)}}}")
    before = prefix[0].text
    bound = _chosen(before, len(terms.data).bit_length() - 1, terms.data, wide)
    return Signal(f"bound_{terms.name}", wide, bound), *_wire(terms, f"{{{before}, {a.text} >= bound_{terms.name}}}")


def read(terms: Terms) -> Signals:
    """A constant by its index."""
    data, bits = terms.data, (len(terms.data) - 1).bit_length()
    words = data + data[-1:] * ((1 << bits) - len(data))
    return _wire(terms, _chosen(terms.operands[0].text, bits, words, terms.width))


def _wire(terms: Terms, expression: str) -> Signals:
    return (Signal(terms.name, terms.width, expression),)


def _cut(operand: Operand, terms: Terms) -> str:
    """An operand with no more bits than the result."""
    return f"$signed({operand.text}[{terms.width - 1}:0])" if operand.bits > terms.width else operand.text


def _outside(terms: Terms) -> str:
    """Whether an operand is no integer of some bits: its upper bits differ. Empty for other ranges."""
    a, least = terms.operands[0], signed_bits(terms.low, terms.high)
    if (terms.low, terms.high) != (-(1 << (least - 1)), (1 << (least - 1)) - 1) or a.bits <= least:
        return ""
    top = f"{a.text}[{a.bits - 1}:{least - 1}]"
    return f"(!(&{top}) && |{top})"


def _chosen(signal: str, bits: int, words: Sequence[int], width: int) -> str:
    """One of 2^bits constants, by the lowest bits of a signal.

    Conditions rather than a case: synthesis makes memories of cases, and moves a register in front of one behind it.
    """
    if len(set(words)) == 1:
        return literal(words[0], width)
    half = len(words) // 2
    high, low = (_chosen(signal, bits - 1, part, width) for part in (words[half:], words[:half]))
    return high if high == low else f"({signal}[{bits - 1}] ? {high} : {low})"
