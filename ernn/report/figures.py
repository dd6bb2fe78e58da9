"""Figures of finished results, as matplotlib figures; whoever calls writes them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import get_args

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from ernn.params import Network
from ernn.params.methods import METHODS
from ernn.report.labels import legend_below
from ernn.report.results import Result

MARKERS = "osD^vP"  # one a network
LINES = ("-", "--", ":", "-.")
DPI = 160
CELLS = get_args(Network.model_fields["cell"].annotation)


def per_over_block_size(results: Sequence[Result]) -> Figure:
    """Phone error rate with its 95 % interval over block size, a line for each network and method."""
    figure, axes = canvas("Phone error rate over block size")
    series = [list(group) for _, group in groupby(sorted(results, key=_series), key=lambda each: _series(each)[:2])]
    networks = list(dict.fromkeys(result.network for result in results))
    for number, members in enumerate(series):
        network, method = members[0].network, members[0].method
        colour, place = METHODS[method].colour, networks.index(network)
        shift = 2 ** (0.03 * (number - len(series) / 2))  # points at one block size stand side by side
        if METHODS[method].circulant:
            line = [_baseline(network, results), *members]
            x = [each.effective_block_size * shift for each in line]
            y = [each.metrics["per"] for each in line]
            axes.plot(x, y, color=colour, linestyle=LINES[place % len(LINES)], linewidth=1.2, alpha=0.5, zorder=1)
        axes.errorbar(
            [each.effective_block_size * shift for each in members],
            [each.metrics["per"] for each in members],
            yerr=[_below(members, "per"), _above(members, "per")],
            fmt=MARKERS[place % len(MARKERS)],
            color=colour,
            markerfacecolor=colour if METHODS[method].blocks else "white",
            capsize=3,
            label=f"{spelled(network)}, {METHODS[method].title}",
        )
    _block_size_axis(axes, results)
    axes.set_ylabel("PER on the test set (%), 39 phones")
    legend_below(figure, 2)
    return figure


def degradation(results: Sequence[Result]) -> Figure:
    """Points of phone error rate lost against the dense network, with the paired 95 % interval of each design."""
    designs = [result for result in results if not result.dense]
    figure, axes = canvas("Loss against the dense network", height=1.2 + 0.42 * len(designs))
    labels = [f"{each.name}  ({each.compression:.1f}x)" for each in designs]
    intervals(axes, labels, [(each.metrics, METHODS[each.method].colour) for each in designs], "degradation")
    axes.set_xlabel("PER above the dense network (percentage points), paired 95 % interval")
    return figure


def intervals(axes: Axes, labels: Sequence[str], points: Sequence[tuple[Mapping[str, float], str]], name: str) -> None:
    """Metric `name` with its interval, a labelled line each from the top down, in the colour that is given."""
    axes.xaxis.set_major_locator(AutoLocator())
    for row, (metrics, colour) in enumerate(reversed(points)):
        error = [[metrics[name] - metrics[f"{name}_low"]], [metrics[f"{name}_high"] - metrics[name]]]
        axes.errorbar(metrics[name], row, xerr=error, fmt="o", color=colour, capsize=3)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(labels)), labels[::-1])
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(axis="y", visible=False)


def svg(figure: Figure) -> str:
    """The figure as an SVG that is the same whenever it is made; letters are outlines."""
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "ernn"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def spelled(network: str) -> str:
    """A network's name, in the field's spelling where it is that of its cell.

    >>> spelled("lstm"), spelled("my-lstm")
    ('LSTM', 'my-lstm')
    """
    return network.upper() if network in CELLS else network


def canvas(title: str, height: float = 4.6) -> tuple[Figure, Axes]:
    """One panel with its title."""
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots()
    titles(axes, title, "")
    return figure, axes


def titles(axes: Axes, title: str, y: str, x: str = "") -> None:
    """Name a panel and its axes; without a name, x are epochs."""
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_ylabel(y)
    axes.set_xlabel(x or "epoch")
    if not x:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _block_size_axis(axes: Axes, results: Iterable[Result]) -> None:
    sizes = sorted({each.effective_block_size for each in results if each.effective_block_size.is_integer()})
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set_xlabel("block size k; 1: dense; pruned, sparse and mixed ones: times fewer weights")


def _series(result: Result) -> tuple[str, int, float]:
    return result.network, list(METHODS).index(result.method), result.effective_block_size


def _baseline(network: str, results: Iterable[Result]) -> Result:
    return next(result for result in results if result.dense and result.network == network)


def _below(results: Iterable[Result], name: str) -> list[float]:
    return [result.metrics[name] - result.metrics[f"{name}_low"] for result in results]


def _above(results: Iterable[Result], name: str) -> list[float]:
    return [result.metrics[f"{name}_high"] - result.metrics[name] for result in results]
