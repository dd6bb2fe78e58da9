"""Ranges of a network's values over those of their formats: the figure of a profile."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.figure import Figure

from ernn.dataflow.formats import Format
from ernn.report.figures import canvas

_FORMAT, _VALUES = "#c9d6df", "#1f4e79"
_EXPLAINED = (
    "absolute value; pale: from the resolution to the limit of the format;\n"
    "dark: the middle half of the floats with its median, and a line to the largest"
)


class Ranges(Protocol):
    """What is drawn of a value: `ernn.quantization.profile.ProfileRow` is one."""

    @property
    def name(self) -> str:
        """Of the value."""

    @property
    def format(self) -> Format:
        """Of its integers."""

    @property
    def largest(self) -> float:
        """Absolute value in floats."""

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Of absolute values: a quarter, a half, three quarters."""


def ranges(rows: Sequence[Ranges]) -> Figure:
    """For each value: what its format holds, resolution to limit, behind the quarters and the largest of its floats."""
    figure, axes = canvas("Values in floats, and what their formats hold", height=1.4 + 0.22 * len(rows))
    for place, row in enumerate(rows):
        low, high = row.format.resolution, row.format.limit
        axes.barh(place, high - low, left=low, height=0.8, color=_FORMAT, zorder=1)
        first, middle, last = row.quantiles
        if row.largest > 0:
            axes.plot([first, row.largest], [place, place], color=_VALUES, linewidth=1, zorder=2)
            axes.barh(place, last - first, left=first, height=0.4, color=_VALUES, zorder=3)
            axes.plot([middle], [place], marker="|", color="white", markersize=6, zorder=4)
            axes.plot([row.largest], [place], marker=".", color=_VALUES, markersize=5, zorder=3)
    axes.set_xscale("log", base=2)
    axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlabel(_EXPLAINED)
    return figure
