"""What a stage is at work on: the tool that it has started, found by the command lines of its processes."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from workflow import guard

_SIMULATION = "build-verilator"  # in the path of a program that Verilator has made
_TOOLS = {
    "nextpnr": "place and route",
    "yosys": "synthesis",
    "verilator": "compiling the simulation",
    "cc1plus": "compiling the simulation",
    "vitis": "Vitis HLS",
    "vivado": "Vivado",
}


def doing(pid: int) -> str:
    """What the processes below one do, in a few words; empty where none of them is a tool."""
    lines = [words for words in map(_command, _below(pid)) if words]
    if any(_SIMULATION in words[0] for words in lines):
        return "simulation"
    said = " ".join(word for words in lines for word in words)
    return next((text for name, text in _TOOLS.items() if name in said), "")


def _below(pid: int) -> Iterator[int]:
    for child in guard.children(pid):
        yield child
        yield from _below(child)


def _command(pid: int) -> list[str]:
    """Words of a command line; none where the process has ended."""
    with suppress(OSError):
        return Path("/proc", str(pid), "cmdline").read_text(errors="replace").split("\0")
    return []
