"""Figures of trainings: what epochs did to losses and error rates, and how near ADMM came to its structure."""

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ernn.params.methods import METHODS
from ernn.report.figures import LINES, MARKERS, titles
from ernn.report.labels import legend_below
from ernn.report.results import Result

PHASES = {name: method.phase for name, method in METHODS.items() if method.phase} | {"finetune": "fine-tuning"}


def training_curves(results: Sequence[Result]) -> Figure:
    """Error rate on the development set by epoch, and how far ADMM's weights are from block-circulant ones.

    Colour is the method, the mark the network, the line the place of a design among those of both.
    """
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    networks = list(dict.fromkeys(result.network for result in results))
    alike: dict[tuple[str, str], int] = {}
    for result in results:
        place = alike[result.network, result.method] = alike.get((result.network, result.method), -1) + 1
        style = {
            "color": METHODS[result.method].colour,
            "linestyle": LINES[place % len(LINES)],
            "marker": MARKERS[networks.index(result.network) % len(MARKERS)],
            "markersize": 4,
            "label": result.name,
        }
        left.plot(*_column(result, "dev_per"), **style)
        if any("residual" in row for row in result.curve):
            right.plot(*_column(result, "residual"), **style)
    titles(left, "Error rate while training", "PER on the development set (%)")
    titles(right, "ADMM: distance to block-circulant", "largest primal residual |W - Z| / |W|")
    if right.lines:
        right.set_yscale("log")
        right.set_ylim(top=1)
    right.set_visible(bool(right.lines))
    legend_below(figure, 5)
    return figure


def one_curve(result: Result) -> Figure:
    """The training of one network: losses, error rate, and the residual of every matrix where ADMM worked on them."""
    residuals = sorted({key for row in result.curve for key in row if key.startswith("residual/")})
    figure = Figure(figsize=(4 * (3 if residuals else 2), 4), layout="constrained")
    panels = figure.subplots(1, 3 if residuals else 2, sharex=True)
    for name, text, line in (("train_loss", "training loss", "-"), ("dev_loss", "development loss", "--")):
        panels[0].plot(
            *_column(result, name), marker=".", color=METHODS[result.method].colour, linestyle=line, label=text
        )
    panels[1].plot(*_column(result, "dev_per"), marker=".", color=METHODS[result.method].colour)
    titles(panels[0], f"{result.name}: loss", "mean loss (nats)")
    titles(panels[1], "Error rate", "PER on the development set (%)")
    for number, key in enumerate(residuals):
        style = {"linestyle": LINES[number // 10 % len(LINES)], "color": f"C{number % 10}"}
        panels[2].plot(*_column(result, key), marker=".", label=f"residual {key.removeprefix('residual/')}", **style)
    if residuals:
        titles(panels[2], "ADMM: distance to block-circulant", "primal residual |W - Z| / |W|")
        panels[2].set_yscale("log")
        panels[2].set_ylim(top=1)
    for panel in panels[:2]:
        _phases(panel, result)
    legend_below(figure, 4)
    return figure


def _phases(axes: Axes, result: Result) -> None:
    """A thin line and a word where a phase after the first begins."""
    rows = [row for row in result.curve if "phase" in row]
    for before, row in pairwise(rows):
        if row["phase"] != before["phase"]:
            at = (float(before["epoch"]) + float(row["epoch"])) / 2
            axes.axvline(at, color="0.6", linewidth=0.8, linestyle=":")
            phase = PHASES.get(str(row["phase"]), str(row["phase"]))
            axes.text(at, 1.0, f" {phase}", transform=axes.get_xaxis_transform(), va="top", fontsize=9)


def _column(result: Result, name: str) -> tuple[list[float], list[float]]:
    rows = [row for row in result.curve if name in row]
    return [float(row["epoch"]) for row in rows], [float(row[name]) for row in rows]
