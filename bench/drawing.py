"""Drawings as SVG, for light and dark pages: a canvas of boxes, text and arrows, and rows of boxes on one.

Drawings are about 680 units wide with text of 14 and more, so that a phone of 360 pixels shows it with 7.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, MARGIN, LINE = 680, 16, 18  # of a drawing, around it, and of a line of text
STYLE = """\
svg { color-scheme: light dark; font: 14px sans-serif; }
.box { fill: #eaf1fb; stroke: #2f6db5; }
.memory { fill: #fdf0e0; stroke: #b86a00; }
.frame { fill: none; stroke: #8c959f; stroke-dasharray: 5 4; }
.text, .head, .title, .code { fill: #1b1f24; }
.title, .head, .note { font-weight: 600; }
.head { font-size: 16px; }
.code { font-family: monospace; font-size: 13px; }
.note { fill: #9a4a00; }
.quiet { fill: #57606a; }
.arrow, .line { stroke: #57606a; fill: none; }
.wave { stroke: #2f6db5; fill: none; stroke-width: 1.5; }
.grid { stroke: #d0d7de; fill: none; }
.arrow { marker-end: url(#end); }
#end path { fill: #57606a; }
.shade0 { fill: #cfe3f7; }
.shade1 { fill: #fbe3b5; }
.shade2 { fill: #cdebd8; }
.shade3 { fill: #f3d3e3; }
.shade0, .shade1, .shade2, .shade3 { stroke: #57606a; stroke-width: 0.5; }
.outline { fill: none; stroke: #1b1f24; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .box { fill: #1c2b3f; stroke: #79b0f0; }
  .memory { fill: #3a2a14; stroke: #e0a050; }
  .text, .head, .title, .code { fill: #e6edf3; }
  .note { fill: #ffb77a; }
  .quiet { fill: #9aa4af; }
  .arrow, .line { stroke: #9aa4af; }
  .wave { stroke: #79b0f0; }
  .grid { stroke: #30363d; }
  #end path { fill: #9aa4af; }
  .shade0 { fill: #234a70; }
  .shade1 { fill: #5f4a14; }
  .shade2 { fill: #1f5236; }
  .shade3 { fill: #5a2a45; }
  .outline { stroke: #e6edf3; }
}"""
_MARKER = (
    '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)
Point = tuple[float, float]


@dataclass
class Canvas:
    """A drawing that grows: shapes in the classes of `STYLE`; places from the upper left corner.

    Args:
        title: what a screen reader says.
    """

    title: str
    _lines: list[str] = field(default_factory=list)
    _right: float = 0
    _bottom: float = 0

    def rect(self, x: float, y: float, width: float, height: float, kind: str = "box", round_: int = 6) -> None:
        """A rectangle."""
        self._reach(x + width, y + height)
        corner = f' rx="{round_}"' if round_ else ""
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self._lines.append(f'<rect class="{kind}" {place}{corner}/>')

    def text(self, x: float, y: float, words: str, kind: str = "text", anchor: str = "start") -> None:
        """Lines of text; `y` is the base of the first."""
        place = "" if anchor == "start" else f' text-anchor="{anchor}"'
        for number, line in enumerate(words.split("\n")):
            base = y + LINE * number
            self._reach(x, base + 6)
            self._lines.append(f'<text class="{kind}" x="{x:g}" y="{base:g}"{place}>{escape(line)}</text>')

    def path(self, *points: Point, kind: str = "arrow") -> None:
        """A line through points, with a head at its end if it is an arrow."""
        for x, y in points:
            self._reach(x, y)
        places = " L".join(f"{x:g},{y:g}" for x, y in points)
        self._lines.append(f'<path class="{kind}" d="M{places}"/>')

    def box(
        self, x: float, y: float, width: float, height: float, title: str, text: str = "", kind: str = "box"
    ) -> None:
        """A rectangle with a title and lines of text."""
        self.rect(x, y, width, height, kind)
        self.text(x + 10, y + 22, title, "title")
        if text:
            self.text(x + 10, y + 22 + LINE + 2, text)

    def svg(self, width: float = 0) -> str:
        """The drawing, as wide as said or as what is on it."""
        size = f"0 0 {max(width, self._right + MARGIN):g} {self._bottom + MARGIN:g}"
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" role="img">',
            f"<title>{escape(self.title)}</title>",
            f"<style>{STYLE}</style>",
            _MARKER,
            *self._lines,
            "</svg>",
        ]
        return "\n".join([*lines, ""])

    def _reach(self, right: float, bottom: float) -> None:
        self._right, self._bottom = max(self._right, right), max(self._bottom, bottom)


@dataclass(frozen=True)
class Box:
    """A box: its name, a few words on each line below, a note at its right, and what it tells, below a line."""

    title: str
    text: str
    note: str = ""
    tells: str = ""

    @property
    def height(self) -> int:
        """With all of its lines."""
        lines = self.text.count("\n") + 1 + (self.tells.count("\n") + 1 if self.tells else 0)
        return 34 + LINE * lines + (14 if self.tells else 0)


@dataclass(frozen=True)
class Row:
    """Boxes below a head line, one after the other, in as many lines as they need."""

    head: str
    boxes: Sequence[Box]


@dataclass(frozen=True)
class Place:
    """Where a box was drawn."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2


def svg(title: str, rows: Sequence[Row], a_line: int = 3, gap: int = 26) -> str:
    """Rows of boxes, one below the other, with arrows from box to box.

    Args:
        a_line: boxes in a line.
        gap: between boxes.
    """
    canvas, top = Canvas(title), float(MARGIN)
    for row in rows:
        if row.head:
            canvas.text(MARGIN, top + 14, row.head, "head")
            top += 28
        last = chain(canvas, row.boxes, top, a_line, gap)[-1]
        top = last.y + last.height + gap + 6
    return canvas.svg(WIDTH)


def chain(canvas: Canvas, boxes: Sequence[Box], top: float, a_line: int = 3, gap: int = 26) -> list[Place]:
    """Boxes in lines, of one size, with an arrow from each to the next."""
    width, height = (WIDTH - 2 * MARGIN - (a_line - 1) * gap) / a_line, max(box.height for box in boxes)
    places: list[Place] = []
    for number, box in enumerate(boxes):
        line, column = divmod(number, a_line)
        place = Place(MARGIN + column * (width + gap), top + line * (height + gap), width, height)
        draw(canvas, box, place)
        if places:
            join(canvas, places[-1], place)
        places.append(place)
    return places


def join(canvas: Canvas, a: Place, b: Place) -> None:
    """An arrow to a box at the right, or to one in the line below."""
    if b.x > a.x:
        canvas.path((a.x + a.width, a.middle[1]), (b.x - 1, b.middle[1]))
    else:
        between = (a.y + a.height + b.y) / 2
        canvas.path(
            (a.middle[0], a.y + a.height), (a.middle[0], between), (b.middle[0], between), (b.middle[0], b.y - 1)
        )


def draw(canvas: Canvas, box: Box, place: Place) -> None:
    """A box at a place."""
    x, y, width, height = place.x, place.y, place.width, place.height
    canvas.box(x, y, width, height, box.title, box.text)
    if box.note:
        canvas.text(x + width - 10, y + 22, box.note, "note", "end")
    if box.tells:
        lines = box.tells.count("\n") + 1
        base = y + height - LINE * lines
        canvas.path((x, base - 13), (x + width, base - 13), kind="line")
        canvas.text(x + 10, base + 4, box.tells, "note")


def cells(canvas: Canvas, x: float, y: float, size: float, values: Iterable[tuple[int, int, str, int]]) -> None:
    """Squares of a matrix: row, column, text and shade of each."""
    for row, column, words, shade in values:
        canvas.rect(x + column * size, y + row * size, size, size, f"shade{shade}", 0)
        canvas.text(x + (column + 0.5) * size, y + (row + 0.5) * size + 5, words, "code", "middle")
