"""The benchmark table for a terminal: 80 columns, units in the head; report.md has the further columns."""

import textwrap
from collections.abc import Sequence

from ernn.records.benchmark import BenchmarkRow, EnergyKind
from ernn.records.synthesis import ClockKind
from ernn.report.metrics import METRICS
from ernn.report.results import AcceleratorResult

WIDTH = 80
_NAME = 15  # columns of a name at most; a longer one has a line of its own
_HEAD = ("accelerator", "device", "clock", "cycles", "latency", "LUT", "DSP", "energy", "PER")
_UNITS = ("", "", "MHz  ", "a frame", "us", "", "", "uJ  ", "%")
_LEFT = 2  # columns of text; the others are numbers
_CLOCKS: dict[ClockKind, str] = {
    "place_and_route": "r routed",
    "levels": "l estimated from levels of logic",
    "assumed": "a assumed",
}
_ENERGIES: dict[EnergyKind, str] = {"estimate": "e estimate", "vendor": "v by a vendor's tools", "board": "b measured"}
_NO_FIT = "*"


def table(results: Sequence[AcceleratorResult]) -> str:
    """A line for each accelerator on its first device, and what its marks mean; empty without accelerators."""
    if not results:
        return ""
    rows = [(each.name, _row(each.table[0])) for each in results]
    lines = _lines(rows, _NAME)
    if max(map(len, lines)) > WIDTH:
        lines = _lines(rows, 0)
    return "\n".join([*lines, *textwrap.wrap(_notes([each.table[0] for each in results]), WIDTH), ""])


def _lines(rows: Sequence[tuple[str, tuple[str, ...]]], longest: int) -> list[str]:
    """Head, units and rows; names above `longest` characters have a line of their own."""
    head = _HEAD if longest else ("", *_HEAD[1:])
    cells = [head, _UNITS, *((name if len(name) <= longest else "", *row) for name, row in rows)]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_aligned(line, sizes) for line in cells[:2]]
    for (name, _), line in zip(rows, cells[2:], strict=True):
        lines += ([name] if not line[0] else []) + [_aligned(line, sizes)]
    return lines


def _aligned(line: Sequence[str], sizes: Sequence[int]) -> str:
    cells = [
        cell.ljust(size) if column < _LEFT else cell.rjust(size)
        for column, (cell, size) in enumerate(zip(line, sizes, strict=True))
    ]
    return " ".join([f"{cells[0]} ", *cells[1:]]).rstrip()


def _row(row: BenchmarkRow) -> tuple[str, ...]:
    energy = row.energy
    return (
        row.device + ("" if row.fits else _NO_FIT),
        f"{_number('clock_mhz', row.speed.clock_mhz)} {_CLOCKS[row.clock_kind][0]}",
        _number("cycles_per_frame", row.cycles_per_frame),
        _number("latency_us", row.speed.latency_us),
        _number("lut", row.used.lut),
        _number("dsp", row.used.dsp),
        f"{_number('energy_uj_per_frame', energy.uj_per_frame)} {_ENERGIES[energy.kind][0]}",
        _number("per_integer", row.per_integer),
    )


def _number(metric: str, value: float) -> str:
    """With the digits of the metric, and no unit."""
    return f"{value:,.{METRICS[metric].digits}f}"


def _notes(rows: Sequence[BenchmarkRow]) -> str:
    """What the marks mean of those that occur."""
    clocks = [text for kind, text in _CLOCKS.items() if any(row.clock_kind == kind for row in rows)]
    energies = [text for kind, text in _ENERGIES.items() if any(row.energy.kind == kind for row in rows)]
    notes = f"Latency: of a frame alone. Clock: {', '.join(clocks)}. Energy of a frame: {', '.join(energies)}."
    return notes + ("" if all(row.fits for row in rows) else f" {_NO_FIT} does not fit the device.")
