"""Committed drawings are those that their scripts make, and can be read on light and dark pages."""

import itertools
import re
from xml.etree import ElementTree

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from bench import (
    array_drawing,
    circulant_drawing,
    drawing,
    frame_drawing,
    overview_drawing,
    pipeline_drawing,
    search_drawing,
)
from bench import stages_drawing as stages
from bench import terminal_drawing as terminal
from ernn.devices.limits import BITS

SCRIPTS = [array_drawing, circulant_drawing, search_drawing, stages]
PICTURES = [each.PICTURE for each in (*SCRIPTS, frame_drawing, overview_drawing, pipeline_drawing, terminal)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda each: each.__name__)
def test_the_drawing_is_that_of_today(script):
    """Renewed by `python -m bench.NAME`."""
    assert script.PICTURE.read_text() == script.svg()


def test_a_terminal_shows_whole_lines_of_at_most_80_columns():
    lines = [" 1 of 22  prepare   3 s", "", "x" * 80]
    texts = [each.text for each in ElementTree.fromstring(terminal.svg(lines)).iter() if each.tag.endswith("text")]
    assert [text.replace("\u00a0", " ") for text in texts] == [terminal.COMMAND, lines[0], lines[2]]
    with pytest.raises(ValueError, match="at most 80 columns, got 81"):
        terminal.svg(["x" * 81])


@pytest.mark.system
def test_the_frames_are_those_of_a_simulation():
    """Renewed by `python -m bench.frame_drawing`."""
    assert frame_drawing.PICTURE.read_text() == frame_drawing.svg(frame_drawing.recorded())


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_nothing_lies_outside_and_every_class_has_a_dark_form(picture):
    text = picture.read_text()
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == drawing.WIDTH
    used = set()
    for each in root.iter():
        used |= set(each.attrib.get("class", "").split())
        if each.tag.endswith("rect"):
            x, y, wide, high = (float(each.attrib[name]) for name in ("x", "y", "width", "height"))
            assert 0 <= x <= x + wide <= width
            assert 0 <= y <= y + high <= height
        if each.tag.endswith("text"):
            assert 0 <= float(each.attrib["x"]) <= width
            assert 0 < float(each.attrib["y"]) < height
    light, dark = drawing.STYLE.split("@media")
    filled = {name for name in used if re.search(rf"\.{name}\b[^{{]*\{{ (?:fill|stroke): #", light)}
    assert filled
    assert {name for name in filled if f".{name}" not in dark} <= {"shade0", "shade1", "frame"} - set(dark.split())


SIZES = {"head": 16, "code": 13}
FONTS = {"head": ("DejaVu Sans", "bold"), "title": ("DejaVu Sans", "bold"), "note": ("DejaVu Sans", "bold")}


def wide(words: str, kind: str) -> float:
    """Width of a text in the widest of the common fonts."""
    family, weight = FONTS.get(kind, ("DejaVu Sans Mono" if kind == "code" else "DejaVu Sans", "normal"))
    font = FontProperties(family=family, weight=weight)
    return float(TextPath((0, 0), words, SIZES.get(kind, 14), prop=font).get_extents().x1)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_text_fits_its_box(picture):
    """Of a box that it begins in, or of the drawing."""
    root = ElementTree.fromstring(picture.read_text())
    rects, too_wide = [(0.0, 0.0, float(drawing.WIDTH), 1e9)], []
    for each in root.iter():
        if each.tag.endswith("rect") and each.attrib["class"] in ("box", "memory"):
            rects.append(tuple(float(each.attrib[name]) for name in ("x", "y", "width", "height")))
        if each.tag.endswith("text"):
            x, y = float(each.attrib["x"]), float(each.attrib["y"])
            left, _, width, _ = min(
                (r for r in rects if r[0] <= x <= r[0] + r[2] and r[1] <= y <= r[1] + r[3]), key=area
            )
            size = wide(each.text, each.attrib["class"])
            start = {"start": x, "middle": x - size / 2, "end": x - size}[each.attrib.get("text-anchor", "start")]
            if start < left or start + size > left + width:
                too_wide.append((each.text, round(start + size - left - width)))
    assert too_wide == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda each: each.name)
def test_no_text_lies_over_another(picture):
    spans = []
    for each in ElementTree.fromstring(picture.read_text()).iter():
        if each.tag.endswith("text"):
            x, y, size = float(each.attrib["x"]), float(each.attrib["y"]), wide(each.text, each.attrib["class"])
            start = {"start": x, "middle": x - size / 2, "end": x - size}[each.attrib.get("text-anchor", "start")]
            spans.append((y, start, start + size, each.text))
    for (y, left, right, words), (base, start, end, others) in itertools.combinations(spans, 2):
        assert abs(y - base) >= 12 or right <= start or end <= left, (words, others)


def area(rectangle: tuple[float, ...]) -> float:
    return rectangle[2] * rectangle[3]


def test_every_arrow_between_stages_is_a_file_that_the_second_reads():
    declared = stages.declared()
    assert {name for row in stages.GRID for name in row} - {""} == set(declared) - {"sensitivity"}

    def outs(name: str) -> set[str]:
        found = [each if isinstance(each, str) else next(iter(each)) for each in declared[name]["outs"]]
        return {re.sub(r"/?\$\{.*", "", each) for each in found}

    for before, after in stages.JOINS:
        read = [re.sub(r"/?\$\{.*", "", each) for each in declared[after]["deps"]]
        assert outs(before) & set(read), (before, after)


def test_the_overview_names_the_widths_that_are_allowed():
    texts = [box.text for row in overview_drawing.ROWS for box in row.boxes]
    assert any(f"integers of {BITS[0]} to {BITS[1]} bits" in text for text in texts)


def test_a_dump_is_sampled_before_the_rising_edges():
    dump = """\
$scope module dut $end
$var wire 1 ! aclk $end
$var wire 8 " s_axis_tdata [7:0] $end
$upscope $end
$enddefinitions $end
#0
0!
b101 "
#5
1!
b110 "
#10
0!
#15
1!
b111 "
#20
0!
""".splitlines()
    assert frame_drawing.sampled(dump)["s_axis_tdata"] == [0b101, 0b110]
