"""Piecewise-linear tables of sigma and tanh with the least maximum error for their number of segments.

On the positive side both functions are concave, so the best line of a segment has the slope of its chord (Chebyshev),
and the greatest error grows with the segment. The least error that so many segments reach is found by halving: for an
error allowed, each segment is made as long as it may be. Equally long segments are tried too and taken where they are
better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ernn.dataflow.activation import Activations, Table
from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers, Log

Name = Literal["sigmoid", "tanh"]
FUNCTIONS: dict[Name, Callable[[np.ndarray], np.ndarray]] = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}
_GUARD = 3  # bits that slopes and offsets have beyond the output


@dataclass(frozen=True)
class _Grid:
    """The function on every magnitude that the input format has."""

    magnitudes: np.ndarray
    values: np.ndarray
    input: Format
    slope_fraction: int
    offset_fraction: int

    def line(self, start: int, stop: int) -> tuple[int, int, float]:
        """Slope and offset, as integers, of the best line over start..stop-1, and its greatest error."""
        x, y = self.magnitudes[start:stop], self.values[start:stop]
        chord = (y[-1] - y[0]) / (x[-1] - x[0]) if len(x) > 1 else 0.0
        slope = round(chord * 2.0**self.slope_fraction)
        rest = y - slope * 2.0**-self.slope_fraction * x
        high, low = float(rest.max()), float(rest.min())
        offset = round((high + low) / 2 * 2.0**self.offset_fraction)
        middle = offset * 2.0**-self.offset_fraction
        return slope, offset, max(abs(high - middle), abs(low - middle))


def search(function: Name, input: Format, output: Format, segments: int) -> Table:
    """The table of `function` with at most `segments` segments and the least greatest error."""
    magnitudes = np.arange(1 - input.low) * input.resolution  # 0 .. 2^(bits - 1)
    fraction = output.fraction + _GUARD
    offset_fraction = min(fraction, fraction + input.fraction)
    grid = _Grid(magnitudes, FUNCTIONS[function](magnitudes), input, fraction, offset_fraction)
    equal = np.unique(np.linspace(0, len(magnitudes), segments + 1).astype(int))
    candidates = [_greedy(grid, segments), [int(cut) for cut in equal]]
    tables = [_table(function, grid, cuts, output) for cuts in candidates]
    return min(tables, key=max_error)


def activations(preactivation: Format, gate: Format, segments: int, shared: bool) -> Activations:
    """Tables of both functions, or one of sigma for both."""
    if shared:
        twice = Format(preactivation.bits + 1, preactivation.fraction)
        return Activations(preactivation, search("sigmoid", twice, gate, segments), None)
    tables = (search(function, preactivation, gate, segments) for function in ("sigmoid", "tanh"))
    return Activations(preactivation, *tables)


def max_error(table: Table) -> float:
    """Greatest difference between the table's function and the real one over every input."""
    from ernn.dataflow.activation import activate

    return _error(activate(_inputs(table.input), table, ""), table.function, table.input)


def errors(functions: Activations) -> dict[str, float]:
    """Greatest error of sigma and of tanh over every pre-activation."""
    a = _inputs(functions.preactivation)
    return {
        "sigmoid": _error(functions.sigmoid(a, ""), "sigmoid", functions.preactivation),
        "tanh": _error(functions.tanh(a, ""), "tanh", functions.preactivation),
    }


def _inputs(format: Format) -> Integers:
    return Integers(np.arange(format.low, format.high + 1), format.low, format.high, format.fraction, Log())


def _error(result: Integers, function: Name, input: Format) -> float:
    exact = FUNCTIONS[function](np.arange(input.low, input.high + 1) * input.resolution)
    return float(np.abs(result.array * 2.0**-result.fraction - exact).max())


def _greedy(grid: _Grid, segments: int) -> list[int]:
    """Cuts of the fewest-error division that the halving finds."""
    low, high = 0.0, 1.0
    best = _cuts(grid, high)
    for _ in range(40):
        middle = (low + high) / 2
        cuts = _cuts(grid, middle)
        if len(cuts) - 1 <= segments:
            best, high = cuts, middle
        else:
            low = middle
    return best


def _cuts(grid: _Grid, allowed: float) -> list[int]:
    """Starts of the longest segments whose error is allowed, and the end; a single magnitude is always allowed."""
    cuts = [0]
    while cuts[-1] < len(grid.values):
        cuts.append(_longest(grid, cuts[-1], allowed))
    return cuts


def _longest(grid: _Grid, start: int, allowed: float) -> int:
    length = 1
    while start + 2 * length <= len(grid.values) and grid.line(start, start + 2 * length)[2] <= allowed:
        length *= 2
    low, high = start + length, min(start + 2 * length, len(grid.values))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if grid.line(start, middle)[2] <= allowed else (low, middle - 1)
    return low


def _table(function: Name, grid: _Grid, cuts: Sequence[int], output: Format) -> Table:
    lines = [grid.line(start, stop)[:2] for start, stop in pairwise(cuts)]
    return Table(
        function,
        grid.input,
        output,
        bounds=tuple(int(cut) for cut in cuts[1:-1]),
        slopes=tuple(slope for slope, _ in lines),
        slope_fraction=grid.slope_fraction,
        offsets=tuple(offset for _, offset in lines),
        offset_fraction=grid.offset_fraction,
    )
