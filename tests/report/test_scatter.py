"""Scatter plots: marks at their places, round ticks, labels that overlap nothing."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.report import scatter
from ernn.report.scatter import Axis, Point, Scale

VALUES = st.floats(0, 1e9)


def point(x, y, label="", **others):
    return Point(x, y, label, ("name", "values"), "#0072B2", "circle", **others)


def drawn(points, x="x", y="y", front=(), **bounds):
    text = scatter.scatter(points, Axis(x, bounds.get("x_bound")), Axis(y, bounds.get("y_bound")), "caption", front)
    return ElementTree.fromstring(text)


def places(plot):
    marks = [each for each in plot.iter("path") if "mark" in each.get("class", "")]
    return [tuple(map(float, re.findall(r"[-\d.]+", each.get("transform")))) for each in marks]


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_values_and_ticks_lie_within_the_axis_in_their_order(values):
    scale = Scale.of(values, 0, 100)
    at = [scale.place(value) for value in sorted(values)]
    assert at == sorted(at)
    assert all(-1e-6 <= each <= 100 + 1e-6 for each in at)
    assert all(-1e-6 <= scale.place(each) <= 100 + 1e-6 for each in scale.ticks())


@pytest.mark.parametrize(
    ("values", "ticks"),
    [([1.8, 5.2], [2, 3, 4, 5]), ([2.5, 140], [2, 5, 10, 20, 50, 100, 200]), ([0, 0], [0, 0.2, 0.4, 0.6, 0.8, 1])],
)
def test_ticks_are_round(values, ticks):
    assert Scale.of(values, 0, 100).ticks() == pytest.approx(ticks)


def test_the_lower_and_the_cheaper_stand_lower_and_further_left():
    (ax, ay), (bx, by) = places(drawn([point(1, 10), point(2, 20)]))
    assert ax < bx
    assert ay > by


def test_bounds_are_drawn_and_within_the_plot():
    plot = drawn([point(1, 10), point(2, 20)], x_bound=9, y_bound=30)
    bounds = [each for each in plot.iter("line") if each.get("class") == "bound"]
    assert len(bounds) == 2
    assert scatter.LEFT < float(bounds[0].get("x1")) < scatter.WIDTH
    assert scatter.TOP < float(bounds[1].get("y1")) < scatter.HEIGHT


def test_a_front_is_a_stair_through_its_corners():
    points = [point(1, 20), point(2, 10)]
    plot = drawn(points, front=[(1, 20), (2, 10)])
    (line,) = [each.get("d") for each in plot.iter("path") if each.get("class") == "front"]
    (ax, ay), (bx, by) = places(plot)
    top, right = f"{scatter.TOP:.1f}", f"{scatter.WIDTH - scatter.RIGHT:.1f}"
    assert line == f"M{ax:.1f},{top}V{ay:.1f}H{bx:.1f}V{by:.1f}H{right}"
    (line,) = [each.get("d") for each in drawn(points, front=[(1, 20)]).iter("path") if each.get("class") == "front"]
    assert line == f"M{ax:.1f},{top}V{ay:.1f}H{right}"
    assert not [each for each in drawn(points).iter("path") if each.get("class") == "front"]


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=8))
def test_labels_overlap_neither_marks_nor_each_other(values):
    points = [point(x, y, str(number)) for number, (x, y) in enumerate(values)]
    plot = drawn(points)
    labels = [each.find("text") for each in plot.iter("g") if each.get("class") == "point"]
    boxes = [(float(each.get("x")), float(each.get("y"))) for each in labels if each is not None]
    for number, (x, y) in enumerate(boxes):
        assert all(abs(x - other) >= 7 or abs(y - below) >= 13 for other, below in boxes[:number])
        assert all(not (x - 6 < mark < x + 6 and y - 10 < level < y + 2) for mark, level in places(plot))


def test_values_under_the_pointer_are_texts_and_titles():
    (mark,) = [each for each in drawn([point(1, 2, "1")]).iter("g") if each.get("class") == "point"]
    assert mark.findtext("title") == "name; values"
    (tip,) = [each for each in mark.iter("g") if each.get("class") == "tip"]
    assert [each.text for each in tip] == ["name", "values"]


def test_a_hostile_name_stays_a_text():
    hostile = '"><script>alert(1)</script>&'
    plot = drawn([Point(1, 2, hostile[:3], (hostile,), "red", "cross")], x=hostile, y=hostile)
    assert not list(plot.iter("script"))
    assert hostile in [each.text for each in plot.iter("title")]


def test_a_ring_and_a_hollow_mark_differ_from_others():
    plot = drawn([point(1, 1), point(2, 2, filled=False), point(3, 3, ringed=True)])
    assert [each.get("class") for each in plot.iter("path")] == ["mark", "mark hollow", "mark"]
    assert len(list(plot.iter("circle"))) == 1


def test_a_legend_has_a_line_a_mark():
    legend = ElementTree.fromstring(scatter.legend([(point(0, 0), "one"), (point(0, 0), "two")], "Marks"))
    assert legend.get("role") == "img"
    assert legend.get("aria-label") == "Marks"
    assert [each.text for each in legend.iter("text")] == ["one", "two"]


def test_a_legend_has_its_lines_below_its_marks():
    text = scatter.legend([(point(0, 0), "one")], "Marks", (("front", "two"), ("bound", "three")))
    legend = ElementTree.fromstring(text)
    assert [each.text for each in legend.iter("text")] == ["one", "two", "three"]
    lines = [(each.get("class"), float(each.get("y1"))) for each in legend.iter("line")]
    levels = [float(each.get("y")) - 4 for each in legend.iter("text")]
    assert lines == [("front", levels[1]), ("bound", levels[2])]
