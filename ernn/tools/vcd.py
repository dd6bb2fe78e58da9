"""Value change dumps (IEEE 1364, 18.2) of two-state simulations: how often each signal toggles."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ernn.errors import UserError


@dataclass(frozen=True)
class Signal:
    """A variable of a dump.

    Args:
        scopes: names of its instances and generate blocks, from the top.
        name: without its range; an element of an array has its index, as in `line[3]`.
        toggles: bits that changed, summed over all changes behind the first value.
    """

    scopes: tuple[str, ...]
    name: str
    toggles: int


def signals(path: Path) -> list[Signal]:
    """All variables; those that the simulator gave the same code have the same toggles.

    Raises:
        UserError: the file is not there, or has a value that is not made of zeros and ones.
    """
    try:
        with path.open() as lines:
            variables = list(variables_of(lines))
            counts = _counts(lines)
    except FileNotFoundError:
        raise UserError(f"{path}: the simulation wrote no dump") from None
    except ValueError as error:
        raise UserError(f"{path}: not a dump of a two-state simulation ({error})") from None
    return [Signal(scopes, name, counts[code]) for scopes, name, code in variables]


def variables_of(lines: Iterator[str]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Scopes, name and code of each variable of a dump; leaves its lines behind the declarations."""
    scopes: list[str] = []
    for line in lines:
        match line.split():
            case ["$scope", _, name, *_]:
                scopes.append(name)
            case ["$upscope", *_]:
                scopes.pop()
            case ["$var", _, _, code, name, *_]:
                yield tuple(scopes), name, code
            case ["$enddefinitions", *_]:
                return


def _counts(lines: TextIO) -> Counter[str]:
    """Bits that changed, by code."""
    counts, values = Counter[str](), dict[str, int]()
    for line in lines:
        if line[0] in "01":
            code, value = line[1:-1], int(line[0])
        elif line[0] == "b":
            bits, code = line[1:].split()
            value = int(bits, 2)
        else:  # a time, or a command
            continue
        counts[code] += (values.get(code, value) ^ value).bit_count()
        values[code] = value
    return counts
