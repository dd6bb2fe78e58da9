"""Drawings of boxes and arrows as SVG, for light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, GAP, LEFT, TOP, ROW = 168, 58, 26, 20, 64, 118
STYLE = """\
svg { color-scheme: light dark; font: 13px sans-serif; }
.box { fill: #eaf1fb; stroke: #2f6db5; }
.title { font-weight: 600; fill: #1b1f24; }
.text, .head { fill: #1b1f24; }
.head { font-size: 15px; font-weight: 600; }
.note { fill: #9a4a00; font-weight: 600; }
.arrow { stroke: #57606a; fill: none; marker-end: url(#end); }
#end path { fill: #57606a; }
@media (prefers-color-scheme: dark) {
  .box { fill: #1c2b3f; stroke: #79b0f0; }
  .title, .text, .head { fill: #e6edf3; }
  .note { fill: #ffb77a; }
  .arrow { stroke: #9aa4af; }
  #end path { fill: #9aa4af; }
}"""


@dataclass(frozen=True)
class Box:
    """A box: its name, a few words on each line below, and a note at its right."""

    title: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A row of boxes below a head line, with arrows from box to box or without."""

    head: str
    boxes: Sequence[Box]
    arrows: bool = True


def svg(title: str, rows: Sequence[Row]) -> str:
    """Rows of boxes, one below the other."""
    lines_of_text = max(box.text.count("\n") + 1 for row in rows for box in row.boxes)
    height, row_height = HEIGHT + 18 * (lines_of_text - 1), ROW + 18 * (lines_of_text - 1)
    width = 2 * LEFT + max(len(row.boxes) for row in rows) * (WIDTH + GAP) - GAP
    sizes = f"0 0 {width} {TOP + row_height * len(rows) - 20}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{sizes}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    ]
    for number_of_row, row in enumerate(rows):
        top = TOP + row_height * number_of_row
        lines.append(f'<text class="head" x="{LEFT}" y="{top - 16}">{row.head}</text>')
        for place, box in enumerate(row.boxes):
            x = LEFT + place * (WIDTH + GAP)
            lines += [
                f'<rect class="box" x="{x}" y="{top}" width="{WIDTH}" height="{height}" rx="6"/>',
                f'<text class="title" x="{x + 12}" y="{top + 23}">{box.title}</text>',
            ]
            if box.note:
                lines.append(
                    f'<text class="note" x="{x + WIDTH - 12}" y="{top + 23}" text-anchor="end">{box.note}</text>'
                )
            for number, text in enumerate(box.text.split("\n")):
                lines.append(f'<text class="text" x="{x + 12}" y="{top + 44 + 18 * number}">{text}</text>')
            if place and row.arrows:
                middle = top + height // 2
                lines.append(f'<path class="arrow" d="M{x - GAP},{middle} L{x - 1},{middle}"/>')
    return "\n".join([*lines, "</svg>", ""])
