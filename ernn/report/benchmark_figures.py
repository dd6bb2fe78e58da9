"""Figures of what accelerators deliver: error rate over latency, resources, energy beside published systems."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ernn.params.methods import METHODS
from ernn.report.benchmark import TITLES
from ernn.report.figures import MARKERS, canvas
from ernn.report.published import Confidence, Published
from ernn.report.results import AcceleratorResult

THEIRS = "sD^v<>pP*XHd8"
FILLS: dict[Confidence, str] = {"read": "full", "cross-checked": "left", "recalled": "none"}


def figures(results: Sequence[AcceleratorResult], published: Sequence[Published]) -> dict[str, Figure]:
    """The figures of the section by name; none without accelerators."""
    if not results:
        return {}
    return {
        "per-latency": per_over_latency(results),
        "resources": resources(results),
        "energy": energy(results, published),
    }


def per_over_latency(results: Sequence[AcceleratorResult]) -> Figure:
    """Phone error rate of each integer network, with its 95 % interval, over the latency of a frame."""
    figure, axes = canvas("Phone error rate over latency")
    places: dict[tuple[float, float], list[str]] = {}
    seen: set[str] = set()
    for result in results:
        numbers, x = result.integer.metrics, result.table[0].speed.latency_us
        label = f"{result.integer.network}, {METHODS[result.integer.method].title}"
        y = numbers["per_integer"]
        error = [[y - numbers["per_integer_low"]], [numbers["per_integer_high"] - y]]
        axes.errorbar(
            x,
            y,
            yerr=error,
            fmt=_marker(result, [each.integer.network for each in results]),
            color=METHODS[result.integer.method].colour,
            capsize=3,
            label=None if label in seen else label,
        )
        places.setdefault((x, y), []).append(result.name)
        seen.add(label)
    for place, names in places.items():
        axes.annotate("\n".join(names), place, xytext=(5, 3), textcoords="offset points", fontsize="small")
    axes.set_xlim(left=0)
    axes.margins(x=0.15)
    axes.set_xlabel("latency of a frame (us), at the clock of the table")
    axes.set_ylabel("PER of the integer network (%)")
    axes.legend(frameon=False)
    return figure


def resources(results: Sequence[AcceleratorResult]) -> Figure:
    """Share of its device that each accelerator takes, in the order of block sizes."""
    ordered = sorted(results, key=_block_size)
    figure, axes = canvas("Resources over block size", height=1.6 + 0.5 * len(ordered))
    height = 0.8 / len(TITLES)
    for number, (name, title) in enumerate(TITLES.items()):
        places = [place + (number - 1.5) * height for place in range(len(ordered))]
        shares = [getattr(each.table[0].percent, name) for each in ordered]
        axes.barh(places, shares, height, label=title, color=list(METHODS.values())[number].colour)
    labels = [f"{_label(each)}: {each.name}, {each.table[0].device}" for each in ordered]
    axes.set_yticks(range(len(ordered)), labels)
    axes.invert_yaxis()
    axes.axvline(100, color="black", linewidth=0.8)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of the device (%)")
    axes.set_ylabel("")
    axes.legend(frameon=False)
    return figure


def energy(results: Sequence[AcceleratorResult], published: Sequence[Published]) -> Figure:
    """Energy of a frame over stored weights: ours, estimates with their ranges, and published systems."""
    figure, axes = canvas("Energy of a frame beside published systems", height=6)
    for result in results:
        _ours(axes, result)
    for number, each in enumerate(published):
        if each.energy_uj_per_frame is None or each.weights_m is None:
            continue
        axes.plot(
            1e6 * each.weights_m,
            each.energy_uj_per_frame,
            linestyle="none",
            marker=THEIRS[number % len(THEIRS)],
            color="black",
            fillstyle=FILLS[each.confidence],
            label=f"{each.name}, {each.platform}: measured ({each.confidence})",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("stored weights")
    axes.set_ylabel("energy of a frame (uJ)")
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # one for those that look alike
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", frameon=False, fontsize="x-small", ncols=2
    )
    return figure


def _ours(axes: Axes, result: AcceleratorResult) -> None:
    row, colour = result.table[0], METHODS[result.integer.method].colour
    x, y, estimate = _stored_weights(result), row.energy.uj_per_frame, row.energy.estimate
    error = None if estimate is None else [[y - estimate.low_uj], [estimate.high_uj - y]]
    label = f"ours, {METHODS[result.integer.method].title}, {row.device}: {row.energy.kind}"
    fill = "none" if row.energy.kind == "estimate" else "full"
    axes.errorbar(x, y, yerr=error, fmt="o", fillstyle=fill, color=colour, capsize=3, label=label)
    axes.annotate(_label(result), (x, y), xytext=(4, 3), textcoords="offset points", fontsize="small")


def _stored_weights(result: AcceleratorResult) -> float:
    """Words of the matrices."""
    return result.integer.metrics["weight_bits"] / float(result.integer.curve[-1]["weights"])


def _marker(result: AcceleratorResult, networks: Sequence[str]) -> str:
    """One a network."""
    place = list(dict.fromkeys(networks)).index(result.integer.network)
    return MARKERS[place % len(MARKERS)]


def _label(result: AcceleratorResult) -> str:
    return f"k = {result.integer.block_size}" if METHODS[result.integer.method].blocks else "pruned"


def _block_size(result: AcceleratorResult) -> tuple[bool, float]:
    first = result.integer.block_size.replace(", ", "/").split("/")[0]
    return not METHODS[result.integer.method].blocks, float(first)
