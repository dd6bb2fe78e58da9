"""Text of Verilog: names in a fragment that is being built in, and lines of limited length."""

import re
from collections.abc import Iterator
from functools import lru_cache

_WIDTH = 120
_TOKEN = re.compile(
    r"""//[^\n]* | "[^"]*" | `\w+               # comments, strings, macros
    | \d*\s*'s?[bdoh]\s*[0-9a-fA-FxXzZ?_]+       # numbers with a base
    | [.$]?\b[A-Za-z_]\w*                        # names; .PORT and $FUNCTION are not this module's""",
    re.VERBOSE,
)
_KEYWORDS = frozenset(
    {
        "always",
        "assign",
        "begin",
        "case",
        "casez",
        "default",
        "else",
        "end",
        "endcase",
        "endfunction",
        "endtask",
        "for",
        "forever",
        "function",
        "if",
        "initial",
        "input",
        "integer",
        "negedge",
        "or",
        "output",
        "posedge",
        "reg",
        "repeat",
        "signed",
        "task",
        "wait",
        "while",
        "wire",
    }
)


@lru_cache(1 << 14)
def names(text: str) -> frozenset[str]:
    """Names of signals and parameters in a fragment.

    >>> sorted(names("b <= $signed(c[3:0]) + 4'sd1; // d"))
    ['b', 'c']
    """
    found = (each for each in _TOKEN.findall(text) if each[0].isalpha() or each[0] == "_")
    return frozenset(found) - _KEYWORDS


def wrapped(line: str, comment: str = "") -> Iterator[str]:
    """A line, or several where it is too long, broken behind commas and in front of operators."""
    indent = line[: len(line) - len(line.lstrip())] + "    "
    while len(line) + len(comment) > _WIDTH:
        place = max(line.rfind(", ", len(indent), _WIDTH), line.rfind(" ? ", len(indent), _WIDTH - 1))
        if place < 0:
            place = max(line.rfind(sign, len(indent), _WIDTH - 1) for sign in (" && ", " || ", " | ", " = "))
        if place < 0:
            break
        place += line[place] == ","
        yield line[:place]
        line = indent + line[place + 1 :]
    yield line + comment
