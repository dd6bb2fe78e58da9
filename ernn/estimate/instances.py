"""Instances in generated Verilog: which modules of the library a module has, with their parameters as numbers.

Estimates count what the sources have, so that they follow the sources.
"""

import ast
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping

_START = re.compile(r"\b(ernn_\w+) #\(")
_PARAMETER = re.compile(r"\.(\w+)\(")
_REGISTER = re.compile(r"^ +(?:\(\* keep \*\) )?reg (?:signed )?(?:\[([^:\]]+):0\] )?([\w, ]+);", re.MULTILINE)
_ARRAY = re.compile(r"^ +reg \[([^:\]]+):0\] \w+\[0:([^\]]+)\];", re.MULTILINE)
_OPERATORS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.LShift: operator.lshift,
}
Instance = tuple[str, tuple[tuple[str, int | str], ...]]


def instances(text: str, known: Mapping[str, int]) -> Counter[Instance]:
    """Module and parameters of each instance of the library, and how often it is there.

    A memory that is never written has a parameter CONSTANT of its own here.

    Args:
        known: parameters of the module itself that the expressions name.
    """
    found: Counter[Instance] = Counter()
    for match in _START.finditer(text):
        given = _inside(text, match.end() - 1)
        values: dict[str, int | str] = {}
        place = 0
        while parameter := _PARAMETER.search(given, place):
            word = _inside(given, parameter.end() - 1)
            place = parameter.end() + len(word)
            if not parameter[1].startswith("IMAGE"):
                values[parameter[1]] = word.strip('"') if word.startswith('"') else number(word, known)
        if ".write(1'b0)" in _inside(text, text.index("(", match.end() + len(given) + 1)):
            values["CONSTANT"] = 1
        found[match[1], tuple(sorted(values.items()))] += 1
    return found


def registers(text: str, known: Mapping[str, int]) -> dict[str, int]:
    """Bits of each register of a module by its name; those that are set without a clock are left out."""
    unclocked = set()
    for block in re.split(r"\n(?= {4}\S)", text):
        if "always @(*)" in block:
            unclocked |= set(re.findall(r"\b(\w+) = ", block))
    return {
        name.strip(): number(match[1], known) + 1 if match[1] else 1
        for match in _REGISTER.finditer(text)
        for name in match[2].split(",")
        if name.strip() not in unclocked
    }


def arrays(text: str, known: Mapping[str, int]) -> list[tuple[int, int]]:
    """Width and depth of each memory that a module has itself."""
    return [(number(match[1], known) + 1, number(match[2], known) + 1) for match in _ARRAY.finditer(text)]


def number(expression: str, known: Mapping[str, int]) -> int:
    """Value of an expression of sums, products and shifts.

    >>> number("17 + STREAM_BITS", {"STREAM_BITS": 2}), number("(2*A)<<3", {"A": 1})
    (19, 16)
    """
    return _value(ast.parse(expression.strip(), mode="eval").body, known)


def _value(node: ast.expr, known: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return known[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left, known), _value(right, known))
    raise ValueError(f"no expression of numbers: {ast.unparse(node)}")


def _inside(text: str, opening: int) -> str:
    """What stands between a parenthesis and the one that closes it."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return text[opening + 1 : place]
    raise ValueError("a parenthesis is not closed")
