"""The page on a design search: what was asked, tried and chosen, for every way in which a search may end."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn import artifacts
from ernn.records.exploration import ExplorationRecord
from ernn.report import exploration, exploration_front, scatter, terms
from ernn.report.published import published
from tests import browser
from tests.report.explorations import BUILT, FOUND, GRU, NEAREST, NOTHING, hardware, trial
from tests.report.parsed import Parsed

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
ALL = pytest.mark.parametrize("record", [FOUND, NEAREST, NOTHING], ids=lambda each: each.name)
HOSTILE = "</title></style><script>alert('x')</script>&amp; | *a* `b` [c](javascript:d) ![e](https://f) \\"


def rows(text: str, head: str) -> list[list[str]]:
    """Cells of the Markdown table whose head begins with `head`."""
    (table,) = [each for each in text.split("\n\n") if each.startswith(f"| {head} |")]
    return [[cell.strip(" *") for cell in line[2:-2].split(" | ")] for line in table.splitlines()[2:]]


def headline(record: ExplorationRecord) -> str:
    return exploration.markdown(record).split("\n\n")[1]


def test_the_headline_says_what_was_asked_and_chosen():
    text = headline(FOUND)
    assert text.startswith(
        "Asked: phone error rate on the dev split at most 18.20 %: 2 points above the dense network; "
    )
    assert "with the least share of the device's scarcest resource." in text
    assert text.endswith(
        "Chosen: **gru-k8** on Kintex UltraScale XCKU060. The requirement is **met with 95 % certainty**."
    )


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        (
            {"certain": False},
            "not with 95 % certainty: on the test split, the 95 % interval of its errors",
        ),
        ({"certain": False, "test": None}, "**met** on the dev split, not with 95 % certainty: the test split was not"),
        ({"met": False, "binds": ("dsp",)}, "**Not met**: the nearest design is **gru-k8** on Kintex UltraScale"),
        ({"met": False, "binds": ("dsp", "per")}, "What binds: dsp, per."),
        ({"met": False, "chosen": None, "binds": ("dsp",)}, "**Not met**: no design was chosen. What binds: dsp."),
    ],
)
def test_the_headline_says_how_it_ended(changes, end):
    assert end in headline(replace(FOUND, **changes))


def test_where_no_errors_are_limited_the_test_split_decides_nothing():
    limits = tuple(each for each in FOUND.limits if each.quantity != "per")
    text = headline(replace(FOUND, limits=limits, certain=False, minimised="per"))
    assert text.endswith("The requirement is **met**.")


@ALL
def test_sections_stand_in_their_order(record):
    titles = re.findall(r"^## (.+)", exploration.markdown(record), re.MULTILINE)
    assert titles == [
        "Requirement",
        "Trials",
        "Before training",
        "Error over latency, energy and resources",
        "The chosen design beside published systems",
        "How figures were obtained",
        "Terms",
        "About this search",
    ]


def test_each_limit_stands_beside_what_the_chosen_design_has():
    assert [row[1] for row in rows(exploration.markdown(FOUND), "required")] == [
        "17.70 % (dev split, floats)",
        "3.27 us (simulated cycles, clock estimated from levels)",
        "1,036,269 frames/s (simulated cycles, clock estimated from levels)",
        "7.7 % (synthesized)",
        "7.7 % (synthesized)",
    ]


def test_trials_stand_in_their_order_with_reason_result_error_and_cost():
    found = rows(exploration.markdown(FOUND), "design | trial | what")
    assert [row[0] for row in found] == [each.design for each in FOUND.trials]
    assert found[1][1:8] == [
        "2",
        "lstm, ADMM (E-RNN), k = 8",
        "the largest block size that fits",
        "the requirement is kept; a smaller one may cost less",
        "stopped early",
        "at least 19.90 %",
        "at least +3.70",
    ]
    assert found[5][9] == "7.7 %"
    assert found[6][9:11] == ["–", "none keeps the requirement"]


def test_bounds_say_what_binds():
    found = rows(exploration.markdown(FOUND), "network | compression")
    assert [row[:4] for row in found[:2]] == [["lstm", "k = 1", "244,784", "–"], ["lstm", "k = 4", "66,608", "14.5 %"]]
    assert found[0][5] == "latency: 31 us of at most 5 us"


def test_everything_tried_is_in_the_table_and_estimates_are_named():
    found = rows(exploration.markdown(FOUND), "design | trial | on the front")
    estimates = sum(each.hardware is not None for each in FOUND.trials)
    assert len(found) == estimates + len(FOUND.verified)
    assert {row[2] for row in found} == {"yes", "no"}
    assert [row[-1] for row in found if row[0] == "gru-k8"] == ["synthesized and simulated", "estimate"]


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


def test_the_chosen_design_shows_its_test_score_and_stands_above_published_systems():
    text = exploration.markdown(FOUND)
    figures = {row[0]: row[1:] for row in rows(text, "figure | value")}
    assert figures["loss, test split"] == [
        "+1.71 points (+1.05 to +1.96)",
        "measured once, paired 95 % interval",
    ]
    assert figures["energy of a frame"] == ["1.18 uJ", "estimate"]
    ours, *theirs = rows(text, "system")
    assert ours[0] == "gru-k8"
    assert ours[10:14] == ["1.18 uJ (estimate)", "849,421 (estimate)", "+1.71 (+1.05 to +1.96), test split",
                           "synthesized and simulated"]  # fmt: skip
    assert [(row[0], row[13]) for row in theirs] == [(each.name, each.confidence) for each in published()]


def test_without_a_test_score_the_loss_is_that_of_the_dev_split():
    text = exploration.markdown(NEAREST)
    assert rows(text, "system")[0][12] == "+2.40, dev split"


@pytest.mark.parametrize(
    ("minimised", "cost"),
    [("share", "7.7 %"), ("dsp", "0.1"), ("latency_us", "0.08 us"), ("energy_uj", "0.08 uJ"), ("per", "0.08 %")],
)
def test_a_cost_has_its_unit(minimised, cost):
    record = replace(FOUND, minimised=minimised)
    assert rows(exploration.markdown(record), "design | trial | what")[5][9] == cost


@ALL
def test_terms_are_explained_in_one_place_that_has_a_link(record):
    assert "[Terms](#terms)" in exploration.markdown(record)
    text = exploration.html(record)
    assert text.count('<h2 id="terms">') == 1
    assert text.count('<a href="#terms">') == 2  # of the sections, and in the first lines
    assert all(f"<strong>{term}</strong>: " in text for term in terms.TERMS)


def test_terms_of_the_page_are_those_of_the_glossary():
    rows = [line.split(" | ", 1) for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    glossary = {row[0].removeprefix("| "): row[1].removesuffix(" |") for row in rows}
    assert {term: glossary.get(term) for term in terms.TERMS} == terms.TERMS


@ALL
def test_markdown_and_page_have_the_same_tables(record):
    found = Parsed(exploration.html(record))
    cells = [
        cell
        for line in exploration.markdown(record).splitlines()
        if line.startswith("| ") and not line.startswith("| ---")
        for cell in line.strip("| ").split(" | ")
    ]
    assert found.tags.count("th") + found.tags.count("td") == len(cells)
    assert all(" ".join(cell.strip("*").split()) in found.text for cell in cells if "\\" not in cell)


@ALL
def test_headings_are_in_order_and_pictures_have_words(record):
    found = Parsed(exploration.html(record))
    levels = [int(tag[1]) for tag in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, *[2] * 8]
    assert all(each["role"] == "img" and each["aria-label"] for each in found.of("svg"))
    assert all(each.get("scope") in ("row", "col") for each in found.of("th"))


@ALL
def test_nothing_is_loaded_and_nothing_runs(record):
    found = Parsed(exploration.html(record))
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.tags)
    addresses = [each[key] for _, each in found.attributes for key in ("src", "href", "xlink:href") if key in each]
    assert all((each or "").startswith("#") for each in addresses)
    assert "url(" not in exploration.html(record)


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


def one_network(count: int) -> ExplorationRecord:
    """The front of one integer network: each accelerator is faster and larger than the one before."""
    rows = [
        hardware("gru-k8", replace(GRU.used, lut=25_000 + 100.0 * n), 190 - n, sizes=f"{n} lanes", dev_per=17.5)
        for n in range(count)
    ]
    built = replace(rows[0], verified=True, clock_kind="levels")
    return replace(FOUND, front=tuple(rows), verified=(built,))


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


def test_columns_without_a_value_are_left_out_and_one_device_is_said_once():
    text = exploration.markdown(one_network(3))
    (head,) = [line for line in text.splitlines() if line.startswith("| design | trial | on the front")]
    assert "binds" not in head
    assert "device" not in head
    assert "All of them are for Kintex UltraScale XCKU060." in text


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


@pytest.mark.parametrize(
    ("starts", "words"), [(1, "took 4 h 0 min. It"), (3, "took 4 h 0 min in 3 starts, all of them together. It")]
)
def test_the_page_says_how_long_all_starts_took(starts, words):
    assert f"The search {words}" in exploration.markdown(replace(FOUND, starts=starts))


def test_a_record_from_disk_gives_the_same_page(tmp_path):
    artifacts.write_record(tmp_path / "explore.json", FOUND)
    read = artifacts.read_record(tmp_path / "explore.json", ExplorationRecord)
    assert exploration.html(read) == exploration.html(FOUND)


def filled(text: str) -> ExplorationRecord:
    """A record in which every text is another one."""
    rows = [replace(each, design=text, sizes=text, device=text, binds=(text,)) for each in (GRU, BUILT)]
    tried = trial(text, "met", 17.7, rows[0], network=text, method=text, blocks=text)
    return replace(
        FOUND,
        name=text,
        limits=(replace(FOUND.limits[0], text=text), replace(FOUND.limits[1], text=text, quantity=text)),
        corpus=text,
        dense=(replace(FOUND.dense[0], network=text, text=text),),
        bounds=(replace(FOUND.bounds[0], network=text, binds=text),),
        trials=(replace(tried, reason=text, result=text, bits=text),),
        front=(rows[1],),
        verified=(rows[1],),
        chosen=text,
        met=False,
        binds=(text,),
        measured={text: text},
        commit=text,
        date=text,
        devices=(text,),
    )


PLAIN = Parsed(exploration.html(filled("plain"))).tags


@settings(max_examples=15)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(str.strip))
def test_no_text_of_a_record_changes_the_page(text):
    found = Parsed(exploration.html(filled(text)))
    assert found.tags == PLAIN
    assert found.text.count(" ".join(text.split())) >= 15


def test_markup_in_a_record_is_shown():
    found = Parsed(exploration.html(filled(HOSTILE)))
    assert found.tags == PLAIN
    assert HOSTILE in found.text


@pytest.mark.system
@pytest.mark.browser
@browser.MISSING
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("record", [FOUND, one_network(80)], ids=["few", "many"])
def test_the_page_fits_its_window_and_asks_for_nothing(tmp_path, record, width, dark):
    file = tmp_path / "explore.html"
    file.write_text(exploration.html(record))
    with browser.opened(file, width, dark) as found:
        assert found.overflow == 0
        assert found.asked == []
        found.page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
        assert found.outside("p, h1, h2, figure, svg, .table, details") == []
        if width == 400:  # a phone needs no scrolling sideways; a wider table on a desk has a box for it
            assert found.outside("table, tbody th, td") == []
        mark = found.page.locator("svg.plot").first.locator(".point").last
        tip = mark.locator(".tip")
        assert not tip.is_visible()
        mark.locator(".mark").hover()
        assert tip.is_visible()


@pytest.mark.system
@pytest.mark.browser
@browser.MISSING
def test_a_fold_opens_without_a_script_and_is_open_on_paper(tmp_path):
    file = tmp_path / "explore.html"
    file.write_text(exploration.html(one_network(80)))
    with browser.opened(file, width=400) as found:
        fold = found.page.locator("details .table").last
        assert not fold.is_visible()
        found.page.locator("summary").last.click()
        assert fold.is_visible()
        found.page.locator("summary").last.click()
        assert not fold.is_visible()
        found.page.emulate_media(media="print")
        assert fold.is_visible()


@pytest.mark.system
@pytest.mark.browser
@browser.MISSING
@pytest.mark.parametrize("record", [FOUND, one_network(80)], ids=["few", "many"])
def test_printed_tables_are_whole(tmp_path, record):
    file = tmp_path / "explore.html"
    file.write_text(exploration.html(record))
    with browser.opened(file, width=1032, dark=True) as found:  # A4 across, within its margins
        found.page.emulate_media(media="print")
        assert found.outside("table, td, th, svg") == []
        assert found.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
