"""Markdown as a page that stands alone: complete, escaped, accessible."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.report import page
from tests.report.parsed import Parsed

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
MARKDOWN = """\
# A title & more

First words with <b>no markup</b>.

## One

| name | size | note |
| --- | --- | --- |
| **a** | 1,234 | short |
| b | 12.5 % (3 %) | a text that is so long that it may take several lines |

![A picture](a.png)

## Two

- **x**: y
"""


def rendered(markdown: str) -> Parsed:
    return Parsed(page.page(markdown, lambda name, caption: f'<img src="data:{name}" alt="{caption}">'))


def test_the_policy_lets_nothing_be_loaded():
    metas = {each.get("http-equiv"): each["content"] for each in rendered(MARKDOWN).of("meta") if "content" in each}
    policy = metas["Content-Security-Policy"] or ""
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "script" not in policy


def test_the_title_is_that_of_the_text():
    text = page.page(MARKDOWN, lambda *_: "")
    assert "<title>A title &amp; more</title>" in text


def test_headers_of_tables_have_a_scope_and_numbers_a_class():
    found = rendered(MARKDOWN)
    assert [each["scope"] for each in found.of("th")] == ["col"] * 3 + ["row"] * 2
    assert [each.get("class") for each in found.of("td")] == ["number", None, "number", "long"]
    (frame,) = [each for each in found.of("div") if each.get("class") == "table"]
    assert frame["aria-label"] == "Table: One"
    assert frame["tabindex"] == "0"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("17.60 %", True),
        ("+0.19 to +1.30", True),
        ("15,498 (5 %)", True),
        ("at least 19.90 %", True),
        ("1 h 7 min", True),
        ("8/7/12/12", True),
        ("–", True),
        ("2 x 128 LSTM cells", False),
        ("2 lanes of 4 columns", False),
        ("lstm", False),
    ],
)
def test_columns_of_numbers_are_known(text, number):
    found = rendered(f"| a | b |\n| --- | --- |\n| x | {text} |\n")
    classes = [*["number"] * number, *["none"] * (text == page.NONE)]
    assert [each.get("class") for each in found.of("td")] == [" ".join(classes) or None]


def table(count: int, columns: int = 3) -> str:
    head = ["| " + " | ".join(f"h{number}" for number in range(columns)) + " |", "|" + "---|" * columns]
    return "\n".join([*head, *(f"| r{row}" + " | v" * (columns - 1) + " |" for row in range(count))]) + "\n"


@pytest.mark.parametrize("count", [0, 1, page.WHOLE, page.WHOLE + 1, 87])
def test_a_long_table_shows_its_first_rows_and_folds_the_others(count):
    text = page.page(table(count), lambda *_: "")
    found = Parsed(text)
    folded = count > page.WHOLE
    before, fold = text.split("<details>") if folded else (text, "")
    assert [before.count("<tr>") - 1, fold.count("<tr>") - folded] == (
        [page.SHOWN, count - page.SHOWN] if folded else [count, 0]
    )
    assert re.findall(r"\br\d+", found.text) == [f"r{row}" for row in range(count)]
    assert found.tags.count("thead") == 1 + folded
    assert found.text.count(f"{count - page.SHOWN} more rows") == folded
    assert "script" not in found.tags


def test_wide_tables_are_marked_and_their_cells_name_their_columns():
    found = rendered(table(2, page.WIDE) + "\n\n" + table(2, page.WIDE - 1))
    assert [each["class"] for each in found.of("div")] == ["table wide", "table"]
    assert [each["data-head"] for each in found.of("td")][: page.WIDE - 1] == [f"h{n}" for n in range(1, page.WIDE)]


def test_a_unit_stays_at_its_number_and_what_is_in_brackets_may_wrap():
    text = page.page("| a | b |\n|---|---|\n| x | 34.54 % (in floats) |\n", lambda *_: "")
    assert "34.54\N{NO-BREAK SPACE}% (in floats)</td>" in text


def test_a_picture_alone_is_a_figure_with_its_caption():
    found = rendered(MARKDOWN)
    assert found.of("img") == [{"src": "data:a.png", "alt": "A picture"}]
    assert found.tags[found.tags.index("figure") + 1 :][:2] == ["img", "figcaption"]
    assert found.tags[found.tags.index("figure") - 1] != "p"


def test_sections_are_linked_before_the_first_of_them():
    found = rendered(MARKDOWN)
    assert [each["href"] for each in found.of("a")] == [f"#{each['id']}" for each in found.of("h2")]
    assert found.tags.index("nav") < found.tags.index("h2")


def test_markup_in_a_text_is_shown():
    assert "First words with <b>no markup</b>." in rendered(MARKDOWN).text
    assert "b" not in rendered(MARKDOWN).tags


@given(TEXTS)
def test_a_literal_is_shown_as_it_is(text):
    """In a line, in a table, and emphasized."""
    shown = page.literal(text)
    words = " ".join(text.split())
    found = rendered(f"x {shown} y\n\n| h | i |\n| --- | --- |\n| v {shown} w | u |\n")
    assert f"x {words} y".replace("  ", " ") in found.text
    assert f"v {words} w".replace("  ", " ") in found.text
    assert set(found.tags) == set(rendered("x\n\n| h | i |\n| --- | --- |\n| v | u |\n").tags)


def test_an_image_keeps_its_bytes_and_its_caption():
    svg = "<svg><text>é</text></svg>"
    (found,) = Parsed(page.image(svg, 'a "b" <c>')).of("img")
    assert found["alt"] == 'a "b" <c>'
    assert base64.b64decode((found["src"] or "").removeprefix("data:image/svg+xml;base64,")).decode() == svg


@pytest.mark.parametrize("count", range(1, 6))
def test_many_pictures_in_a_row_are_behind_a_fold(count):
    text = "# A\n\n" + "\n\n".join(f"![Picture {place}](p{place}.png)" for place in range(count)) + "\n\nEnd.\n"
    found = rendered(text)
    assert found.tags.count("figure") == found.tags.count("img") == count
    assert found.tags.count("details") == (count > page.PICTURES)
    assert (f"{count} pictures" in found.text) == (count > page.PICTURES)
    small = page.page(text, lambda *_: '<svg class="plot"></svg>')
    assert "<details>" not in small
