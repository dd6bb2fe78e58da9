"""Markdown as one HTML page that stands alone: no request leaves it, and nothing in it needs a script."""

import base64
import html
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

Draw = Callable[[str, str], str]  # markup of the picture with this name and caption

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
LONG = 24  # characters of a cell that may take several lines
WIDE = 5  # columns from which a table does not fit a phone: each row becomes a paragraph there, by page.css
SHOWN, WHOLE = 10, 20  # rows before the fold of a table that has more than the second number
PICTURES = 2  # that follow each other; more are folded
NONE = "–"  # a cell without a value
_DIGITS = r"[-+]?\d[\d.,/]*"
_NUMBER = re.compile(rf"(at least )?{_DIGITS}( to {_DIGITS}| \d+| h \d+)?( [%A-Za-z/]+)?( \(.*\))?|–")
_MARKUP = re.compile(r"([\\`*_\[\]<>&|~])")


def page(markdown: str, draw: Draw) -> str:
    """The page.

    Args:
        markdown: CommonMark with tables; HTML in it is shown as text. A paragraph that is a picture alone becomes a
            figure, and more than two in a row a fold of them.
        draw: is asked for each picture.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = list(_folded(list(_figures(parser.parse(markdown), draw))))
    _scoped(tokens)
    tokens = list(_framed(tokens))
    title = next((_text(tokens[place + 1]) for place, each in enumerate(tokens) if each.type == "heading_open"), "")
    body = parser.renderer.render(_navigated(tokens), parser.options, {})
    style = (resources.files("ernn.report") / "page.css").read_text()
    return PAGE.format(policy=POLICY, title=html.escape(title), style=style, body=body)


def image(svg: str, caption: str) -> str:
    """An SVG as a picture of its own, so that its names and styles are not the page's."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(caption)}">'


def literal(text: str) -> str:
    """Markdown that shows `text` as it is, on one line.

    >>> literal("k_8 | <b>")
    'k\\\\_8 \\\\| \\\\<b\\\\>'
    """
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def _figures(tokens: Sequence[Token], draw: Draw) -> Iterator[Token]:
    """Tokens in which a paragraph of one picture is a figure."""
    skipped = 0
    for place, token in enumerate(tokens):
        if skipped:
            skipped -= 1
            continue
        children = (tokens[place + 1].children or []) if token.type == "paragraph_open" else []
        if [each.type for each in children] != ["image"]:
            yield token
            continue
        caption, name = children[0].content, str(children[0].attrs["src"])
        markup = f"<figure>\n{draw(name, caption)}\n<figcaption>{html.escape(caption)}</figcaption>\n</figure>\n"
        yield _markup(markup)
        skipped = 2


def _folded(tokens: Sequence[Token]) -> Iterator[Token]:
    """Tokens in which many pictures in a row are behind a fold; plots that are drawn small stay side by side."""
    for pictured, group in groupby(tokens, lambda each: each.content.startswith("<figure>\n<img ")):
        members = list(group)
        if pictured and len(members) > PICTURES:
            members = [
                _markup(f"<details>\n<summary>{len(members)} pictures</summary>\n"),
                *members,
                _markup("</details>\n"),
            ]
        yield from members


def _scoped(tokens: Sequence[Token]) -> None:
    """Cells of a head and first cells of rows become headers with a scope; columns of numbers get a class."""
    columns: list[list[int]] = []
    cell = 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            columns = []
        elif token.type == "tr_open":
            cell = 0
        elif token.type in ("th_open", "td_open"):
            columns.extend([] for _ in range(cell + 1 - len(columns)))
            columns[cell].append(place)
            cell += 1
        elif token.type == "table_close":
            for number, cells in enumerate(columns):
                _column(tokens, cells, number == 0)
            _named(tokens, columns)


def _column(tokens: Sequence[Token], cells: Sequence[int], first: bool) -> None:
    """One column of a table; `cells` are the places of its opening tokens, the head first."""
    texts = [_text(tokens[place + 1]) for place in cells]
    tokens[cells[0]].attrSet("scope", "col")
    numbers = len(texts) > 1 and all(_NUMBER.fullmatch(each) and len(each) <= LONG for each in texts[1:])
    for place, text in zip(cells, texts, strict=True):
        if classes := ["number"] * numbers + ["long"] * (len(text) > LONG):
            tokens[place].attrSet("class", " ".join(classes))
    for place in cells[1:] if numbers else ():
        for child in tokens[place + 1].children or []:
            value, *rest = child.content.split(" (")
            child.content = " (".join([value.replace(" ", "\N{NO-BREAK SPACE}"), *rest])  # a unit stays at its number
    for place in cells[1:] if first else ():
        tokens[place].tag = tokens[place + 2].tag = "th"
        tokens[place].attrSet("scope", "row")


def _named(tokens: Sequence[Token], columns: Sequence[Sequence[int]]) -> None:
    """Cells say the name of their column, for readers of a phone, and whether they have no value."""
    for head, *cells in columns[1:]:
        for place in cells:
            tokens[place].attrSet("data-head", _text(tokens[head + 1]))
            if _text(tokens[place + 1]) == NONE:
                tokens[place].attrJoin("class", "none")


def _framed(tokens: Sequence[Token]) -> Iterator[Token]:
    """Tokens with a frame around each table, in which it scrolls, named by the heading before it.

    Of a table with many rows, the first ones are followed by a fold with the others, under the same head.
    """
    heading, begin = "", None
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _text(tokens[place + 1])
        if token.type == "table_open":
            begin = place
        elif token.type == "table_close":
            yield from _tables(tokens[begin : place + 1], f"Table: {heading}")
            begin = None
        elif begin is None:
            yield token


def _tables(table: Sequence[Token], label: str) -> Iterator[Token]:
    """One table in its frame, or two, the second one in a fold."""
    kinds = [each.type for each in table]
    first, last = kinds.index("thead_close") + 2, len(table) - 2  # of the tokens within the body
    begins = [place for place in range(first, last) if kinds[place] == "tr_open"]
    wide = " wide" * (kinds[:first].count("th_open") >= WIDE)

    def frame(label: str, tokens: Sequence[Token]) -> Iterator[Token]:
        yield _markup(f'<div class="table{wide}" role="region" aria-label="{html.escape(label)}" tabindex="0">\n')
        yield from tokens
        yield _markup("</div>\n")

    if len(begins) <= WHOLE:
        yield from frame(label, table)
        return
    fold = begins[SHOWN]
    yield from frame(label, [*table[:fold], *table[last:]])
    yield _markup(f"<details>\n<summary>{len(begins) - SHOWN} more rows</summary>\n")
    yield from frame(f"{label}, more rows", [*table[:first], *table[fold:]])
    yield _markup("</details>\n")


def _navigated(tokens: Sequence[Token]) -> list[Token]:
    """Tokens with links to the sections before the first of them."""
    places = [place for place, each in enumerate(tokens) if each.type == "heading_open" and each.tag == "h2"]
    if not places:
        return list(tokens)
    titles = [_text(tokens[place + 1]) for place in places]
    names = [re.sub(r"[^\w]+", "-", title.lower()).strip("-") for title in titles]  # as GitHub names them
    for place, name in zip(places, names, strict=True):
        tokens[place].attrSet("id", name)
    links = "\n".join(
        f'<a href="#{html.escape(name)}">{html.escape(title)}</a>' for name, title in zip(names, titles, strict=True)
    )
    navigation = _markup(f'<nav aria-label="Sections">\n{links}\n</nav>\n')
    return [*tokens[: places[0]], navigation, *tokens[places[0] :]]


def _markup(content: str) -> Token:
    return Token("html_block", "", 0, content=content, block=True)


def _text(token: Token) -> str:
    """What a reader sees of an inline token."""
    return "".join(each.content for each in token.children or [])
