"""Names of networks, designs, programs and accelerators: one pattern for all, and words that none of them may be.

A name becomes a file, a stage of DVC, a parameter and a port of a pipeline, and a run of MLflow.
"""

import re
import reprlib
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any

from pydantic import BeforeValidator

LONGEST = 64  # characters
RESERVED = ("dense", "checkpoint_at_cut", "integer")  # folders beside the files of designs and networks
TOGETHER = (("networks", "designs"), ("programs",), ("accelerators",))  # sections of which no two entries share a name
_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
_RULE = f"a name is letters and digits, with single - or _ between, begins with a letter, and has {LONGEST} at most"


def check(name: object) -> str:
    """The name of an entry.

    Raises:
        ValueError: something else, or a reserved word.
    """
    if not isinstance(name, str):
        raise ValueError(f"{_RULE}, got {name!r}, which YAML reads as no text; rename it, or put it into quotes")
    if len(name) > LONGEST or not _PATTERN.fullmatch(name):
        raise ValueError(f"{_RULE}, got {reprlib.repr(name)} of {len(name)} characters; rename it")
    if folded(name) in map(folded, RESERVED):
        raise ValueError(f"{name} is the name of a folder of ours, as {', '.join(RESERVED)} are; rename it")
    return name


Name = Annotated[str, BeforeValidator(check)]


def folded(name: str) -> str:
    """What names must differ in: file systems may not tell letters by their case, nor pipelines - from _.

    >>> folded("Lstm_K8") == folded("lstm-k8")
    True
    """
    return name.lower().replace("_", "-")


def twins(sections: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A complaint for each name that another entry has already, but for its case or - and _."""
    for together in TOGETHER:
        found: dict[str, str] = {}
        for section, name in chain.from_iterable(((each, name) for name in sections[each]) for each in together):
            place = f"{section}.{name}"
            if (other := found.setdefault(folded(name), place)) != place:
                share = "share a name" if other.split(".")[1] == name else "differ by case or by - and _ alone"
                yield f"{place}: it and {other} {share}; rename one"
