"""Figures of the default run: their letters can be read, and colours, marks and fills mean what the text says."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from ernn.params.methods import DENSE, METHODS
from ernn.report import figures, labels, whole
from ernn.report.labels import Label
from tests.report import default_results

SMALLEST = 9  # points, at the size at which the page shows a figure
DRAWN = whole.drawn(default_results.load())


def texts(figure: Figure) -> list[Text]:
    """Those that are seen, after the figure was laid out."""
    figure.draw_without_rendering()
    ticks = [
        label
        for axes in figure.axes
        if axes.get_visible()
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis._update_ticks()
        for label in (tick.label1, tick.label2)
    ]
    hidden = {
        text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for text in axis.get_ticklabels(which="both")
    }
    hidden |= {text for axes in figure.axes if not axes.get_visible() for text in axes.findobj(Text)}
    found = [text for text in figure.findobj(Text) if text not in hidden] + ticks
    return [text for text in dict.fromkeys(found) if text.get_visible() and text.get_text().strip()]


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that share more than a pixel."""
    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-1)) for text in texts(figure)]
    return [(one, other) for (one, a), (other, b) in itertools.combinations(boxes, 2) if a.overlaps(b)]


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_lies_over_another_or_outside(name):
    figure = DRAWN[name]
    assert overlapping(figure) == []
    page = figure.bbox.padded(1)
    for text in texts(figure):
        box = Text.get_window_extent(text)
        inside = page.x0 <= box.x0 <= box.x1 <= page.x1 and page.y0 <= box.y0 <= box.y1 <= page.y1
        assert inside, text.get_text()
        assert text.get_fontsize() >= SMALLEST, text.get_text()


@pytest.mark.parametrize("name", DRAWN)
def test_legends_lie_outside_the_axes_and_at_most_three_panels_in_a_row(name):
    figure = DRAWN[name]
    figure.draw_without_rendering()
    assert all(axes.get_legend() is None for axes in figure.axes)
    for legend in figure.legends:
        assert not any(legend.get_window_extent().overlaps(axes.bbox) for axes in figure.axes if axes.get_visible())
    rows = [axes.get_subplotspec().rowspan.start for axes in figure.axes]
    assert all(rows.count(row) <= 3 for row in rows)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8))
@settings(deadline=None, max_examples=20)
def test_labels_find_room_among_points(points):
    _, axes = figures.canvas("points")
    axes.plot(*zip(*points, strict=True), "o")
    axes.set(xlim=(-0.3, 1.3), ylim=(-0.3, 1.3))
    given_ = [Label(x, y, f"number {place}") for place, (x, y) in enumerate(points)]
    labels.place(axes, given_)
    assert [text.get_text() for text in axes.texts] == [each.text for each in given_]
    boxes = [Text.get_window_extent(text) for text in axes.texts]
    apart = [(a, b) for a, b in itertools.combinations(boxes, 2) if a.padded(-1).overlaps(b.padded(-1))]
    assert apart == []


def test_the_overlap_is_found_where_there_is_one():
    figure, axes = figures.canvas("a")
    axes.text(0.5, 0.5, "one")
    axes.text(0.5, 0.5, "two")
    assert ("one", "two") in overlapping(figure)


def test_colours_mean_methods_in_every_figure():
    colours = {method.colour for method in METHODS.values()}
    for name in ("per", "degradation", "training", "front", "sizes", "integer"):
        lines = [line for axes in DRAWN[f"{name}.png"].axes for line in axes.lines if line.get_label()[0] != "_"]
        assert {line.get_color() for line in lines} <= colours, name


def test_training_tells_designs_of_one_method_apart():
    left = DRAWN["training.png"].axes[0]
    styles = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in left.lines]
    assert len(set(styles)) == len(styles)
    black = [line for line in left.lines if line.get_color() == METHODS[DENSE].colour]
    assert {line.get_label() for line in black} == {"lstm", "gru"}
