"""The page on a design search: one file that loads nothing, whatever its record holds."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn import artifacts
from ernn.records.exploration import ExplorationRecord
from ernn.report import exploration, terms
from tests import browser
from tests.report.explorations import ALL, BUILT, FOUND, GRU, one_network, trial
from tests.report.parsed import Parsed

HOSTILE = "</title></style><script>alert('x')</script>&amp; | *a* `b` [c](javascript:d) ![e](https://f) \\"


@ALL
def test_terms_are_explained_in_one_place_that_has_a_link(record):
    assert "[Terms](#terms)" in exploration.markdown(record)
    text = exploration.html(record)
    assert text.count('<h2 id="terms">') == 1
    assert text.count('<a href="#terms">') == 2  # of the sections, and in the first lines
    assert all(f"<strong>{term}</strong>: " in text for term in terms.TERMS)


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
