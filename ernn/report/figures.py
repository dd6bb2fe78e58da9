"""Figures of finished results, as matplotlib figures; whoever calls writes them."""

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import AutoLocator, FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from ernn.params.methods import METHODS
from ernn.report.results import Result

MARKERS = "osD^vP"  # one a network
LINES = ("-", "--", ":", "-.")
PHASES = {name: method.phase for name, method in METHODS.items() if method.phase} | {"finetune": "fine-tuning"}
DPI = 160


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
            label=f"{network}, {METHODS[method].title}",
        )
    _block_size_axis(axes, results)
    axes.set_ylabel("PER on the test set (%), 39 phones")
    if results:
        axes.legend(frameon=False)
    return figure


def degradation(results: Sequence[Result]) -> Figure:
    """Points of phone error rate lost against the dense network, with the paired 95 % interval of each design."""
    designs = [result for result in results if not result.dense]
    figure, axes = canvas("Loss against the dense network", height=1.2 + 0.42 * len(designs))
    labels = [f"{each.name}  ({each.compression:.1f}x)" for each in designs]
    intervals(axes, labels, [(each.metrics, METHODS[each.method].colour) for each in designs], "degradation")
    axes.set_xlabel("PER above the dense network (points), paired 95 % interval")
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


def training_curves(results: Sequence[Result]) -> Figure:
    """Error rate on the development set by epoch, and how far ADMM's weights are from block-circulant ones."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True)
    networks = list(dict.fromkeys(result.network for result in results))
    for number, result in enumerate(results):
        style = {
            "color": "black" if result.dense else f"C{number - len(networks)}",
            "linestyle": LINES[networks.index(result.network) % len(LINES)],
            "marker": ".",
            "label": result.name,
        }
        left.plot(*_column(result, "dev_per"), **style)
        if any("residual" in row for row in result.curve):
            right.plot(*_column(result, "residual"), **style)
    _titles(left, "Error rate while training", "PER on the development set (%)")
    _titles(right, "ADMM: distance to block-circulant", "largest primal residual |W - Z| / |W|")
    if right.lines:
        right.set_yscale("log")
        right.set_ylim(top=1)
    right.set_visible(bool(right.lines))
    figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def one_curve(result: Result) -> Figure:
    """The training of one network: losses, error rate, and the residual of every matrix where ADMM worked on them."""
    residuals = sorted({key for row in result.curve for key in row if key.startswith("residual/")})
    figure = Figure(figsize=(5 * (3 if residuals else 2), 4), layout="constrained")
    panels = figure.subplots(1, 3 if residuals else 2, sharex=True)
    for name, text in (("train_loss", "training"), ("dev_loss", "development")):
        panels[0].plot(*_column(result, name), marker=".", label=text)
    panels[1].plot(*_column(result, "dev_per"), marker=".", color=METHODS[result.method].colour)
    _titles(panels[0], f"{result.name}: loss", "mean loss (nats)")
    _titles(panels[1], "Error rate", "PER on the development set (%)")
    panels[0].legend(frameon=False)
    for key in residuals:
        panels[2].plot(*_column(result, key), marker=".", label=key.removeprefix("residual/"))
    if residuals:
        _titles(panels[2], "ADMM: distance to block-circulant", "primal residual |W - Z| / |W|")
        panels[2].set_yscale("log")
        panels[2].set_ylim(top=1)
        panels[2].legend(frameon=False, fontsize="small")
    for panel in panels[:2]:
        _phases(panel, result)
    return figure


def svg(figure: Figure) -> str:
    """The figure as an SVG that is the same whenever it is made; letters are outlines."""
    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": "ernn"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def canvas(title: str, height: float = 4.6) -> tuple[Figure, Axes]:
    """One panel with its title."""
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots()
    _titles(axes, title, "")
    return figure, axes


def _titles(axes: Axes, title: str, y: str) -> None:
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_ylabel(y)
    axes.set_xlabel("epoch")
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
    axes.set_xlabel("block size k (1 = dense; pruned, sparse and mixed ones stand at times fewer weights)")


def _phases(axes: Axes, result: Result) -> None:
    """A thin line and a word where a phase after the first begins."""
    rows = [row for row in result.curve if "phase" in row]
    for before, row in pairwise(rows):
        if row["phase"] != before["phase"]:
            at = (float(before["epoch"]) + float(row["epoch"])) / 2
            axes.axvline(at, color="0.6", linewidth=0.8, linestyle=":")
            phase = PHASES.get(str(row["phase"]), str(row["phase"]))
            axes.text(at, 1.0, f" {phase}", transform=axes.get_xaxis_transform(), va="top", fontsize="small")


def _series(result: Result) -> tuple[str, int, float]:
    return result.network, list(METHODS).index(result.method), result.effective_block_size


def _baseline(network: str, results: Iterable[Result]) -> Result:
    return next(result for result in results if result.dense and result.network == network)


def _column(result: Result, name: str) -> tuple[list[float], list[float]]:
    rows = [row for row in result.curve if name in row]
    return [float(row["epoch"]) for row in rows], [float(row[name]) for row in rows]


def _below(results: Iterable[Result], name: str) -> list[float]:
    return [result.metrics[name] - result.metrics[f"{name}_low"] for result in results]


def _above(results: Iterable[Result], name: str) -> list[float]:
    return [result.metrics[f"{name}_high"] - result.metrics[name] for result in results]
