"""Pictures and table of all accelerators that a design search tried: the front, its marks, and their order."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.report import exploration, exploration_front, scatter
from tests.report.explorations import BUILT, FOUND, GRU, NOTHING, hardware, one_network, rows, trial


@given(st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=1, max_size=8), st.integers(0, 8))
def test_the_front_is_that_of_the_rows_that_are_shown(values, synthesized):
    """Three quantities differ; the first rows are synthesized, and their estimates stay in the table."""
    rows = [
        replace(
            BUILT, sizes=f"size {n}", used=replace(BUILT.used, lut=lut, dsp=dsp), dev_per=float(per), verified=False
        )
        for n, (lut, dsp, per) in enumerate(values)
    ]
    built = [replace(row, used=replace(row.used, lut=row.used.lut + 1), verified=True) for row in rows[:synthesized]]
    found = exploration_front.tried(replace(FOUND, front=tuple(rows), verified=tuple(built)))
    shown = [each for each in found if each.row.sizes.startswith("size")]
    front = exploration_front.front_of(shown)
    assert front
    current = [*built, *rows[len(built) :]]

    def beats(one, other):
        pairs = [(row.used.lut, row.used.dsp, row.dev_per) for row in (one, other)]
        return pairs[0] != pairs[1] and all(a <= b for a, b in zip(*pairs, strict=True))

    assert front == {row for row in current if not any(beats(other, row) for other in current)}


def test_there_is_a_plot_a_quantity_and_a_mark_a_network():
    """No two accelerators of the record make the same errors, but for an estimate in whose place one was built."""
    text = exploration.html(FOUND)
    assert text.count('<svg class="plot"') == len(exploration_front.PLOTTED)
    marks = len(exploration_front.tried(FOUND)) - len(FOUND.verified)
    assert text.count('<g class="point">') == len(exploration_front.PLOTTED) * marks
    assert (
        "<title>trial 6: gru-k8, Kintex UltraScale XCKU060; PER 17.70 %, dev split; 3.27 us; 22,633 (synthesized)"
        "</title>" in text
    )


def marks(picture: str) -> list[str]:
    return re.findall(r'<g class="point"><title>.*?</title>', picture)


def test_accelerators_of_one_network_are_one_mark_of_errors_and_a_front_of_latency():
    record = one_network(30)
    pictures = {name: exploration_front.picture(record, name, "") for name, _ in exploration_front.names(record)[1:]}
    assert len(pictures) == 2 * len(exploration_front.PLOTTED) - 1
    errors = {name: picture for name, picture in pictures.items() if name in exploration_front.PLOTTED}
    for picture in errors.values():
        assert len([each for each in marks(picture) if "17.50 %" in each]) == 2  # the best estimate, and the chosen one
    assert len(marks(pictures["latency-lut"])) == 30
    line = re.search(r'class="front" d="(.*?)"', pictures["latency-lut"])
    assert line is not None
    assert line[1].count("V") == 30
    assert all('class="front"' in picture for picture in pictures.values())


def test_the_mark_of_each_legend_entry_is_one_of_the_plots():
    record = one_network(3)
    legend = exploration_front.picture(record, exploration_front.LEGEND, "")
    of_chosen = exploration_front.picture(record, "latency-lut", "")
    shapes = [set(re.findall(r' d="(M-.*?)"', each)) for each in (legend, of_chosen)]
    square = scatter.MARKS["square"]
    assert shapes[1] == {square}
    ringed = legend.split("<circle")[0].rsplit("<path", 1)[1]
    assert square in ringed
    assert scatter.MARKS["circle"] not in re.findall(r'hollow.*?d="(.*?)"', legend)


@pytest.mark.parametrize("minimised", ["lut", "latency_us", "per"])
def test_the_chosen_one_comes_first_then_the_best(minimised):
    record = replace(one_network(30), minimised=minimised)
    first, *others = exploration_front.tried(record)
    assert first.row == record.verified[0]
    values = [
        each.dev_per if minimised == "per" else getattr(each.row, minimised, each.row.used.lut)
        for each in others
        if each.row.design == "gru-k8"
    ]
    assert values == sorted(values)


@pytest.mark.parametrize("record", [replace(FOUND, trials=FOUND.trials[-2:-1], verified=(), front=()), NOTHING])
def test_one_accelerator_makes_no_plot(record):
    text = exploration.html(record)
    assert "<svg" not in text
    assert "nothing to plot" in text


def test_an_estimate_in_whose_place_something_was_built_is_not_on_the_stair():
    cheaper = replace(GRU, used=replace(GRU.used, lut=1.0))
    record = replace(
        FOUND, trials=(FOUND.trials[0], trial("gru-k8", "met", 17.7, cheaper)), front=(), verified=(BUILT,)
    )
    picture = exploration_front.picture(record, "lut", "")
    assert "17.70 %, dev split; 3.27 us; 22,633 (synthesized)" in picture
    assert "17.70 %, dev split; 3.27 us; 1 (estimate)" not in picture
    assert GRU.latency_us == BUILT.latency_us


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_a_stair_has_the_points_that_no_other_one_beats(places):
    def beaten(point):
        return any(other != point and other[0] <= point[0] and other[1] <= point[1] for other in places)

    assert exploration_front.stair(places) == sorted({each for each in places if not beaten(each)})


def test_what_is_known_of_no_design_is_in_the_table_alone():
    stranger = hardware("elsewhere", GRU.used, 99)
    record = replace(FOUND, front=(*FOUND.front, stranger))
    found = rows(exploration.markdown(record), "design | trial | on the front")
    (row,) = [each for each in found if each[0] == "elsewhere"]
    assert row[:4] == ["elsewhere", "–", "–", "–"]  # whose errors nobody measured
    assert "elsewhere" not in "".join(re.findall("<svg.*?</svg>", exploration.html(record), re.DOTALL))
