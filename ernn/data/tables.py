"""Kaldi's text tables: a key and what follows it, one line each."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ernn import artifacts
from ernn.errors import UserError

_NO_TIME_S = 1e9  # decades
_CURE = "add it; docs/data.md has what a folder holds"


class Line(NamedTuple):
    """One line of a table: its place, and what follows its key."""

    where: str
    values: tuple[str, ...]


def table(file: Path) -> dict[str, Line]:
    """Key -> the rest of its line.

    Raises:
        UserError: an empty file, or a key twice.
    """
    found: dict[str, Line] = {}
    for where, words in lines(file):
        if words[0] in found:
            raise UserError(f"{where}: {words[0]} is here twice; remove one line")
        found[words[0]] = Line(where, tuple(words[1:]))
    if not found:
        raise UserError(f"{file}: empty; write one line an utterance")
    return found


def lines(file: Path) -> Iterator[tuple[str, list[str]]]:
    """File and number of every line that is not blank, and its words."""
    for number, line in enumerate(artifacts.read_text(file, _CURE).splitlines(), start=1):
        if words := line.split():
            yield f"{file}:{number}", words


def times(file: Path) -> dict[str, list[Line]]:
    """Key -> its lines in order; nothing where there is no file."""
    found: dict[str, list[Line]] = defaultdict(list)
    for where, words in lines(file) if file.exists() else ():
        found[words[0]].append(Line(where, tuple(words[1:])))
    return found


def single(line: Line, form: str) -> str:
    """The one word that follows the key.

    Raises:
        UserError: none, or more.
    """
    if len(line.values) != 1 or not line.values[0]:
        raise UserError(f"{line.where}: not {form}; correct the line")
    return line.values[0]


def seconds(where: str, value: str) -> float:
    """A time.

    Raises:
        UserError: not a number, or one that is no time.
    """
    try:
        time = float(value)
    except ValueError:
        time = -1.0
    if not 0 <= time < _NO_TIME_S:
        raise UserError(f"{where}: {value!r} is not a time in seconds; correct the line")
    return time
