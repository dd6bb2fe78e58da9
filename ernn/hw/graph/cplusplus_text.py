"""Operators as expressions of HLS C++ on `ap_int`."""

from collections.abc import Callable

from ernn.dataflow.formats import signed_bits
from ernn.hw.graph.terms import Terms


def literal(integer: int) -> str:
    """An integer as C++ reads it.

    >>> literal(-5), literal(1 << 40)
    ('-5', '1099511627776LL')
    """
    return f"{integer}LL" if signed_bits(integer, integer) > 32 else str(integer)


def source(terms: Terms) -> str:
    """An element of an argument."""
    return terms.operands[0].text


def constant(terms: Terms) -> str:
    """An integer."""
    return literal(terms.data[0])


def infix(sign: str) -> Callable[[Terms], str]:
    """An operator between two operands."""

    def text(terms: Terms) -> str:
        a, b = terms.operands
        return f"{a.text} {sign} {b.text}"

    return text


def negate(terms: Terms) -> str:
    """The negative of an operand."""
    return f"-{terms.operands[0].text}"


def plus(terms: Terms) -> str:
    """An operand and a constant."""
    integer = terms.data[0]
    return f"{terms.operands[0].text} {'-' if integer < 0 else '+'} {literal(abs(integer))}"


def multiply_add(terms: Terms) -> str:
    """A product and an addend."""
    a, b, c = terms.operands
    return f"{a.text} * {b.text} + {c.text}"


def shift_left(terms: Terms) -> str:
    """An operand times a power of two."""
    places = terms.data[0]
    return f"ap_int<{terms.width}>({terms.operands[0].text}) << {places}" if places < terms.width else "0"


def shift_right(terms: Terms) -> str:
    """An operand without its lowest bits."""
    a = terms.operands[0]
    return f"{a.text} >> {min(terms.data[0], a.bits - 1)}"


def narrow(terms: Terms) -> str:
    """The lowest bits of an operand."""
    return terms.operands[0].text


def magnitude(terms: Terms) -> str:
    """The absolute value."""
    a, width = terms.operands[0].text, terms.width
    return f"{a} < 0 ? ap_int<{width}>(-{a}) : ap_int<{width}>({a})"


def select(terms: Terms) -> str:
    """The first operand where the third is below zero, else the second."""
    a, b, sign = (operand.text for operand in terms.operands)
    return f"{sign} < 0 ? ap_int<{terms.width}>({a}) : ap_int<{terms.width}>({b})"


def saturate(terms: Terms) -> str:
    """An operand, or the nearer end of a range that it is outside of."""
    a, width = terms.operands[0], terms.width
    result = f"ap_int<{width}>({a.text})"
    if a.high > terms.high:
        result = f"{a.text} > {literal(terms.high)} ? ap_int<{width}>({literal(terms.high)}) : {result}"
    if a.low < terms.low:
        result = f"{a.text} < {literal(terms.low)} ? ap_int<{width}>({literal(terms.low)}) : {result}"
    return result


def search(terms: Terms) -> str:
    """One more bit of an index: whether the bound that the bits before it choose is reached."""
    a, *prefix = (operand.text for operand in terms.operands)
    if not prefix:
        return f"{a} >= {literal(terms.data[0])} ? 1 : 0"
    return f"2 * {prefix[0]} + ({a} >= {terms.table(terms.data)}[{prefix[0]}] ? 1 : 0)"


def read(terms: Terms) -> str:
    """A constant by its index."""
    return f"{terms.table(terms.data)}[{terms.operands[0].text}]"
