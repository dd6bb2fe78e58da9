"""Yosys: synthesis scripts, each in a process of its own."""

import importlib.metadata
import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired, TypedDict

from ernn.errors import UserError
from ernn.tools.process import Tool, run

Wire = int | str  # of a netlist: a number, or a constant as a string

VARIABLE = "ERNN_YOSYS"
_PACKAGE = "pyosys"
_EXECUTABLE = Tool("yosys", VARIABLE, "install yosys 0.60 or later")
_PROCESS = "import sys; from pyosys import libyosys; libyosys.Design().run_pass('script ' + sys.argv[1])"


class Cell(TypedDict):
    """An instance of a primitive or of a module, as `write_json` has it."""

    type: str
    connections: dict[str, list[Wire]]
    port_directions: dict[str, str]
    parameters: dict[str, str]
    attributes: NotRequired[dict[str, str]]


class Wires(TypedDict):
    """A named signal."""

    bits: list[Wire]


class Port(Wires):
    """A signal that leaves a module or comes in."""

    direction: str


class Module(TypedDict):
    """Ports, cells and signals by their names."""

    ports: dict[str, Port]
    cells: dict[str, Cell]
    netnames: dict[str, Wires]
    attributes: NotRequired[dict[str, str]]


class Netlist(TypedDict):
    """A design as `write_json` writes it; other keys are not read."""

    modules: dict[str, Module]


def command() -> list[str | Path]:
    """What runs a script: the installed package, or the executable that ERNN_YOSYS names.

    Raises:
        UserError: there is neither.
    """
    if os.environ.get(VARIABLE):
        return [_EXECUTABLE.path(), "-s"]
    if importlib.util.find_spec(_PACKAGE) is None:
        raise UserError(
            f"the Python package {_PACKAGE} was not found: install it (extra hardware), or set {VARIABLE} to yosys"
        )
    return [sys.executable, "-c", _PROCESS]


def version() -> str:
    """Of the package or the executable."""
    return _EXECUTABLE.version() if os.environ.get(VARIABLE) else f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}"


def synthesize(folder: Path, name: str, commands: Sequence[str]) -> None:
    """Run commands in a folder, where `name.ys` and `name.log` are kept.

    Raises:
        UserError: Yosys is missing, or refuses something.
    """
    (folder / f"{name}.ys").write_text("\n".join(commands) + "\n")
    run([*command(), f"{name}.ys"], folder, folder / f"{name}.log")


def cells(statistics: Path) -> dict[str, dict[str, int]]:
    """Cells of every module by type, as `stat -json` wrote them; instances of other modules are among them.

    Raises:
        UserError: the file is missing or something else.
    """
    try:
        found = json.loads(statistics.read_text())["modules"]
        return {name.removeprefix("\\"): dict(each["num_cells_by_type"]) for name, each in found.items()}
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{statistics} has no statistics of Yosys; see the log beside it") from None
