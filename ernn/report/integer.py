"""The section of the report on integer networks: text and figures."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ernn.params.methods import METHODS
from ernn.report.document import doubtful, markdown_table, points
from ernn.report.figures import MARKERS, canvas, intervals
from ernn.report.labels import legend_below
from ernn.report.metrics import show
from ernn.report.results import IntegerResult, total_bits
from ernn.scoring.doubts import of_integers

TEXT = """\

## As integer networks

An FPGA computes with integers. Each network below has weights, activations, accumulators and cell states of so many
bits. Its error rate is that of the integer model, which the hardware must equal bit for bit, over the whole test set.
The loss is that of the integers alone, against the float network of the same design.

{table}{doubts}

![Loss of the integer networks](integer.png)
{search}"""
SEARCH = """
Widths searched for the smallest that lose at most {budget:g} points on the development set; every step was measured:

![Error rate over widths](widths.png)
"""


def section(results: Sequence[IntegerResult], budget: float) -> str:
    """The section of the report; empty without integer networks."""
    if not results:
        return ""
    head = ("program", "design", "transforms", "bits", "weights", "PER", "95 %", "loss", "paired 95 %", "trained again")
    table = markdown_table(head, [_row(result) for result in results])
    searched = any(result.searched for result in results)
    doubts = doubtful({each.name: of_integers(each.metrics) for each in results})
    return TEXT.format(table=table, doubts=doubts, search=SEARCH.format(budget=budget) if searched else "")


def figures(results: Sequence[IntegerResult]) -> dict[str, Figure]:
    """The figures of the section by name."""
    drawn = {"integer": loss(results)} if results else {}
    return drawn | ({"widths": widths(results)} if any(result.searched for result in results) else {})


def loss(results: Sequence[IntegerResult]) -> Figure:
    """Points of phone error rate lost against the float network, with the paired 95 % interval."""
    figure, axes = canvas("Loss of the integers", height=1.2 + 0.42 * len(results))
    labels = [f"{each.name}  ({each.widths} bits)" for each in results]
    shown = [(each.metrics, METHODS[each.method].colour) for each in results]
    intervals(axes, labels, shown, "integer_loss")
    axes.set_xlabel("PER above the float network (percentage points), paired 95 % interval")
    return figure


def widths(results: Sequence[IntegerResult]) -> Figure:
    """Error rate on the development set over the bits of all groups, a point for every step of a search."""
    figure, axes = canvas("Error rate over widths")
    for number, result in enumerate(each for each in results if each.searched):
        _steps(axes, result, MARKERS[number % len(MARKERS)])
    axes.set_xlabel("bits of weight + activation + accumulator + cell state")
    axes.set_ylabel("PER on the development set (%)")
    legend_below(figure, 3)
    return figure


def _steps(axes: Axes, result: IntegerResult, marker: str) -> None:
    rows = result.searched
    x, y = [total_bits(row) for row in rows], [float(row["dev_per"]) for row in rows]
    axes.scatter(x, y, marker=marker, label=result.name, facecolors="none", edgecolors=METHODS[result.method].colour)
    chosen = result.curve[-1]
    axes.scatter(total_bits(chosen), float(chosen["dev_per"]), marker=marker, color=METHODS[result.method].colour)


def _row(result: IntegerResult) -> list[str]:
    numbers = result.metrics
    return [
        f"**{result.name}**",
        result.spec.design,
        result.spec.transform if METHODS[result.method].blocks else "–",
        result.widths,
        f"{numbers['weight_bits'] / 8192:,.1f} KiB",
        show("per_integer", numbers["per_integer"]),
        f"{numbers['per_integer_low']:.2f} to {numbers['per_integer_high']:.2f}",
        points(numbers["integer_loss"]),
        f"{numbers['integer_loss_low']:+.2f} to {numbers['integer_loss_high']:+.2f}",
        "yes" if numbers["finetuned"] else "no",
    ]
