"""Figures of what accelerators deliver: error over what they cost and take, and energies of published systems.

Colour is the method, the mark the network. Estimates are hollow.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from ernn.params.methods import METHODS
from ernn.records.benchmark import BenchmarkRow
from ernn.report.benchmark import TITLES
from ernn.report.figures import MARKERS, spelled, titles
from ernn.report.labels import Label, legend_below, place
from ernn.report.published import Confidence, Published
from ernn.report.results import AcceleratorResult
from ernn.report.scatter import DECADE_SPREAD

FILLS: dict[Confidence, str] = {"read": "full", "cross-checked": "left", "recalled": "none"}


@dataclass(frozen=True)
class _Cost:
    """What an accelerator costs, as the x axis of a panel; hollow marks where `estimated` says so."""

    title: str
    axis: str
    of: Callable[[AcceleratorResult], float]
    estimated: Callable[[BenchmarkRow], bool] = lambda row: False


FRONT = (
    _Cost(
        "Error over latency",
        "latency of a frame (us)",
        lambda result: result.table[0].speed.latency_us,
        lambda row: row.clock_kind != "place_and_route",
    ),
    _Cost(
        "Error over energy",
        "energy of a frame (uJ)",
        lambda result: result.table[0].energy.uj_per_frame,
        lambda row: row.energy.kind == "estimate",
    ),
    _Cost(
        "Error over resources",
        "share of the scarcest resource (%)",
        lambda result: max(getattr(result.table[0].percent, name) for name in TITLES),
    ),
)
SIZES = (
    _Cost(
        "Error over weight memory", "weights and indices (kbit)", lambda each: each.metrics["weight_memory_bits"] / 1e3
    ),
    _Cost(
        "Error over multiplications",
        "multiplications of a frame (thousands)",
        lambda each: each.metrics["multiplications_per_frame"] / 1e3,
    ),
    _Cost("Error over look-up tables", "LUT (thousands)", lambda result: result.table[0].used.lut / 1e3),
)


def figures(results: Sequence[AcceleratorResult], published: Sequence[Published]) -> dict[str, Figure]:
    """The figures of the section by name; none without accelerators."""
    if not results:
        return {}
    return {
        "front": front(results, FRONT),
        "sizes": front(results, SIZES),
        "resources": resources(results),
        "energy": energy(results, published),
    }


def front(results: Sequence[AcceleratorResult], costs: Sequence[_Cost]) -> Figure:
    """Phone error rate of each integer network, with its 95 % interval, over each of the costs."""
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    panels = figure.subplots(1, len(costs), sharey=True)
    for panel, cost in zip(panels, costs, strict=True):
        titles(panel, cost.title, "", cost.axis)
        for result in results:
            _point(panel, result, cost, [each.integer.network for each in results])
        _range(panel, [cost.of(each) for each in results])
        panel.margins(y=0.12)
    panels[0].set_ylabel("PER of the integer network (%)")
    legend_below(figure, 4)
    for panel, cost in zip(panels, costs, strict=True):
        place(panel, _labels(results, cost))
    return figure


def _range(axes: Axes, values: Sequence[float]) -> None:
    """All values on the x axis with room for labels, on a logarithmic one if they are far apart."""
    low, high = min(values), max(values)
    if low > 0 and high / low > DECADE_SPREAD:
        axes.set_xscale("log")
        axes.set_xlim(low / 2, high * 4)
        _plain(axes)
    else:
        axes.set_xlim(0, 1.35 * high or 1.0)


def _plain(axes: Axes) -> None:
    """Numbers of a logarithmic x axis without powers."""
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _point(axes: Axes, result: AcceleratorResult, cost: _Cost, networks: Sequence[str]) -> None:
    numbers, row, method = result.integer.metrics, result.table[0], METHODS[result.integer.method]
    y = numbers["per_integer"]
    marker = MARKERS[list(dict.fromkeys(networks)).index(result.integer.network) % len(MARKERS)]
    axes.errorbar(
        cost.of(result),
        y,
        yerr=[[y - numbers["per_integer_low"]], [numbers["per_integer_high"] - y]],
        fmt=marker,
        color=method.colour,
        markerfacecolor="white" if cost.estimated(row) else method.colour,
        ecolor=to_rgba(method.colour, 0.35),
        capsize=3,
        label=f"{spelled(result.integer.network)}, {method.title}",
    )


def _labels(results: Sequence[AcceleratorResult], cost: _Cost) -> list[Label]:
    """One a point; accelerators that share it share the label."""
    places: dict[tuple[float, float], list[str]] = {}
    for each in results:
        at = cost.of(each), each.integer.metrics["per_integer"]
        places.setdefault(at, []).append(each.name)
    return [Label(*at, "\n".join(names)) for at, names in places.items()]


def resources(results: Sequence[AcceleratorResult]) -> Figure:
    """What each accelerator takes of its device, a panel a resource, in the order of block sizes."""
    ordered = sorted(results, key=_block_size)
    figure = Figure(figsize=(11, 2 + 0.56 * len(ordered)), layout="constrained")
    panels = figure.subplots(2, 2, sharey=True).flat
    for panel, (name, title) in zip(panels, TITLES.items(), strict=True):
        titles(panel, title, "", "share of the device (%)")
        shares = [getattr(each.table[0].percent, name) for each in ordered]
        colours = [METHODS[each.integer.method].colour for each in ordered]
        bars = panel.barh(range(len(ordered)), shares, 0.7, color=colours)
        panel.bar_label(bars, [f"{getattr(each.table[0].used, name):,.6g}" for each in ordered], padding=3, fontsize=9)
        panel.set_xlim(0, 1.25 * max(*shares, 1e-3))
        panel.grid(axis="y", visible=False)
    panel.set_yticks(range(len(ordered)), [f"{each.name}, {each.table[0].device}" for each in ordered])
    panel.invert_yaxis()
    return figure


def energy(results: Sequence[AcceleratorResult], published: Sequence[Published]) -> Figure:
    """Energies of a frame, each with its range where it is an estimate; published systems in a panel of their own."""
    known = [(each.energy_uj_per_frame, each.name, each) for each in published if each.energy_uj_per_frame is not None]
    theirs = sorted(known, key=lambda each: each[:2])
    rows = max(len(results), len(theirs))
    figure = Figure(figsize=(12, 1.6 + 0.32 * rows), layout="constrained")
    left, right = figure.subplots(1, 2)
    for number, result in enumerate(results):
        _ours(left, number, result)
    for number, (uj, _, each) in enumerate(theirs):
        right.plot(uj, number, "s", color="black", fillstyle=FILLS[each.confidence])
    titles(left, "These accelerators", "", "energy of a frame, the FPGA's core alone (uJ)")
    titles(right, "Published, whole boards", "", "energy of a frame, measured (uJ)")
    left.set_yticks(
        range(len(results)), [f"{each.name}, {each.table[0].device}: {each.table[0].energy.kind}" for each in results]
    )
    right.set_yticks(range(len(theirs)), [f"{name}, {each.platform} ({each.confidence})" for _, name, each in theirs])
    for axes in (left, right):
        axes.set_xscale("log")
        _plain(axes)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
    return figure


def _ours(axes: Axes, place_: int, result: AcceleratorResult) -> None:
    row, colour = result.table[0], METHODS[result.integer.method].colour
    x, estimate = row.energy.uj_per_frame, row.energy.estimate
    error = None if estimate is None else [[x - estimate.low_uj], [estimate.high_uj - x]]
    fill = "none" if row.energy.kind == "estimate" else "full"
    axes.errorbar(x, place_, xerr=error, fmt="o", fillstyle=fill, color=colour, capsize=3)


def _block_size(result: AcceleratorResult) -> tuple[bool, float]:
    first = result.integer.block_size.replace(", ", "/").split("/")[0]
    return not METHODS[result.integer.method].blocks, float(first)
