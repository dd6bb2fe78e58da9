"""Labels at the points of a figure, and legends outside its axes: no text lies over another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

_SIDES = ((1, 0.6), (1, -0.6), (-1, 0.6), (-1, -0.6), (0, 1), (0, -1), (1, 0), (-1, 0))  # of a point, best first
_ALIGNED = {-1: "right", 0: "center", 1: "left"}, {-1: "top", 0: "center", 1: "bottom"}
_DISTANCES = (5, 12, 20, 30, 42, 55)  # points on paper
_MARK = 9  # points on paper that a mark takes


@dataclass(frozen=True)
class Label:
    """Text at a point, in the units of its axes."""

    x: float
    y: float
    text: str


def place(axes: Axes, labels: Sequence[Label]) -> None:
    """Write each label where it covers neither a mark nor another label; call it when all else is drawn.

    One that has no such place beside its point is joined to it by a thin line.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    marks = [axes.transData.transform((each.x, each.y)) for each in labels]
    taken = [Bbox.from_extents(*(mark - _MARK * scale / 2), *(mark + _MARK * scale / 2)) for mark in marks]
    for label in labels:
        tried = min(_tries(axes, label, taken), key=lambda each: each[0])
        tried[1].set_visible(True)
        taken.append(_box(tried[1]))
        for text in [each for each in axes.texts if not each.get_visible()]:
            text.remove()


def _tries(axes: Axes, label: Label, taken: Sequence[Bbox]) -> Iterator[tuple[float, Annotation]]:
    """A hidden text for each place up to the first free one, with the area that it would cover."""
    for distance in _DISTANCES:
        for right, up in _SIDES:
            text = axes.annotate(
                label.text,
                (label.x, label.y),
                xytext=(right * distance, up * distance),
                textcoords="offset points",
                ha=_ALIGNED[0][round(right)],
                va=_ALIGNED[1][(up > 0) - (up < 0)],
                arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6} if distance > _DISTANCES[1] else None,
            )
            box = _box(text)
            covered = sum(_common(box, each) for each in taken) + box.width * box.height - _common(box, axes.bbox)
            text.set_visible(False)
            yield covered, text
            if covered <= 0:
                return


def _box(text: Annotation) -> Bbox:
    """Of the letters alone, without the line to the point."""
    text.get_window_extent()  # puts it where it belongs
    return Text.get_window_extent(text)


def _common(one: Bbox, other: Bbox) -> float:
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else both.width * both.height


def legend_below(figure: Figure, columns: int) -> None:
    """A legend under the axes, of all that has a label in any of them; labels that recur are shown once."""
    found: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        figure.legend(found.values(), found.keys(), loc="outside lower left", frameon=False, ncols=columns)
