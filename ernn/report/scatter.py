"""A scatter plot as SVG to be set into a page: its values show under the pointer, without a script."""

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 14, 60, 50  # margins; values of the point under the pointer stand in the upper one
CHARACTER = 7.5  # width of one of a label
LINE = 15  # height of one of text
TIP = 66  # characters that have room in the upper margin
DECADE_SPREAD = 20  # from here on an axis is logarithmic
MARKS: dict[str, str] = {  # around 0, 0
    "circle": "M-5.5,0a5.5,5.5 0 1,0 11,0a5.5,5.5 0 1,0 -11,0z",
    "square": "M-5,-5h10v10h-10z",
    "triangle": "M0,-6.5L6,4.5H-6z",
    "diamond": "M0,-7L7,0L0,7L-7,0z",
    "cross": "M-5,-5L5,5M-5,5L5,-5",
    "wedge": "M-6,-4.5H6L0,6.5z",
    "plus": "M0,-6.5V6.5M-6.5,0H6.5",
}


@dataclass(frozen=True)
class Point:
    """One mark.

    Args:
        label: a few characters beside it; empty: none.
        lines: up to three, shown under the pointer.
        colour: as CSS writes it.
        mark: one of `MARKS`.
        filled: else it is hollow.
        ringed: whether it is the one that matters most.
    """

    x: float
    y: float
    label: str
    lines: tuple[str, ...]
    colour: str
    mark: str
    filled: bool = True
    ringed: bool = False


@dataclass(frozen=True)
class Axis:
    """Title with its unit, and the bound that a dashed line shows."""

    title: str
    bound: float | None = None


@dataclass(frozen=True)
class Scale:
    """The range of an axis and what it is on paper; decades alike where `logarithmic`."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    @classmethod
    def of(cls, values: Sequence[float], start: float, end: float) -> "Scale":
        """One that has room for all values.

        >>> round(Scale.of([2, 8], 0, 100).place(5))
        50
        """
        least, most = min(values), max(values)
        if least > 0 and most / least > DECADE_SPREAD:
            return cls(least / 1.5, most * 1.5, start, end, logarithmic=True)
        room = 0.12 * (most - least) or 0.1 * abs(most) or 1.0
        return cls(max(least - room, 0.0) if least >= 0 else least - room, most + room, start, end)

    def place(self, value: float) -> float:
        """Where a value stands."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values within the range."""
        if self.logarithmic:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
            found = found if len(found) < 14 else [10.0**decade for decade in decades]
            return [each for each in found if self.low <= each <= self.high]
        step = _round((self.high - self.low) / 5)
        first = math.ceil(self.low / step)
        return [step * number for number in range(first, first + 12) if step * number <= self.high]


@dataclass(frozen=True)
class Box:
    """A place on paper."""

    left: float
    top: float
    right: float
    bottom: float

    def free(self, others: Sequence["Box"]) -> bool:
        """Whether it lies within the axes and overlaps no other one."""
        inside = self.left >= LEFT and self.right <= WIDTH and self.top >= TOP - 10 and self.bottom <= HEIGHT - BOTTOM
        return inside and not any(
            self.left < each.right and each.left < self.right and self.top < each.bottom and each.top < self.bottom
            for each in others
        )


def scatter(points: Sequence[Point], x: Axis, y: Axis, caption: str, front: Sequence[tuple[float, float]] = ()) -> str:
    """The plot.

    Args:
        points: one at least; the last ones lie above.
        caption: what a screen reader says of it.
        front: corners of a stair from the left down to the right; it goes on to the edges of the plot.
    """
    across = Scale.of([*(each.x for each in points), *_known(x)], LEFT, WIDTH - RIGHT)
    up = Scale.of([*(each.y for each in points), *_known(y)], HEIGHT - BOTTOM, TOP)
    parts = [*_axes(across, up, x, y), *_bounds(across, up, x, y)]
    labels = _labels([(across.place(each.x), up.place(each.y), each) for each in points])
    parts += [
        _point(each, across.place(each.x), up.place(each.y), label) for each, label in zip(points, labels, strict=True)
    ]
    return _svg("plot", HEIGHT, caption, [*parts, *_stair(across, up, front)])


def legend(marks: Sequence[tuple[Point, str]], caption: str, lines: Sequence[tuple[str, str]] = ()) -> str:
    """Marks with their meaning, one below the other, then lines: front or bound."""
    pitch = 26
    parts = [_mark(each, 14, 14 + pitch * row) for row, (each, _) in enumerate(marks)]
    levels = [14 + pitch * row for row in range(len(marks), len(marks) + len(lines))]
    parts += [_line(3, level, 25, level, kind) for level, (kind, _) in zip(levels, lines, strict=True)]
    meanings = [meaning for _, meaning in (*marks, *lines)]
    parts += [_text(34, 18 + pitch * row, meaning) for row, meaning in enumerate(meanings)]
    return _svg("legend", pitch * len(meanings) + 4, caption, parts)


def _svg(kind: str, height: int, caption: str, parts: Sequence[str]) -> str:
    label = html.escape(caption)
    head = f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">'
    return "\n".join([head, *parts, "</svg>"])


def _axes(across: Scale, up: Scale, x: Axis, y: Axis) -> Iterator[str]:
    floor, top = up.start, up.end
    for value in across.ticks():
        at = across.place(value)
        yield _line(at, floor, at, top, "grid") + _text(at, floor + 18, f"{value:,.6g}", "middle", "soft")
    for value in up.ticks():
        at = up.place(value)
        yield _line(LEFT, at, across.end, at, "grid") + _text(LEFT - 8, at + 4, f"{value:,.6g}", "end", "soft")
    yield _line(LEFT, floor, across.end, floor, "axis") + _line(LEFT, floor, LEFT, top, "axis")
    yield _text((LEFT + across.end) / 2, HEIGHT - 10, x.title, "middle")
    middle = (floor + top) / 2
    yield f'<g transform="rotate(-90 14 {middle:g})">{_text(14, middle, y.title, "middle")}</g>'


def _bounds(across: Scale, up: Scale, x: Axis, y: Axis) -> Iterator[str]:
    for value in _known(x):
        yield _line(across.place(value), up.start, across.place(value), up.end, "bound")
    for value in _known(y):
        yield _line(LEFT, up.place(value), across.end, up.place(value), "bound")


def _stair(across: Scale, up: Scale, front: Sequence[tuple[float, float]]) -> Iterator[str]:
    if front:
        places = [(across.place(x), up.place(y)) for x, y in front]
        steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in places).removeprefix("H")
        x, rest = steps.split("V", 1)
        yield f'<path class="front" d="M{x},{up.end:.1f}V{rest}H{across.end:.1f}"/>'


def _point(point: Point, x: float, y: float, label: tuple[float, float] | None) -> str:
    lines = [each if len(each) <= TIP else f"{each[: TIP - 1]}…" for each in point.lines]
    tip = "".join(_text(6, 14 + LINE * number, line) for number, line in enumerate(lines))
    title = f"<title>{html.escape('; '.join(point.lines))}</title>"
    beside = _text(*label, point.label) if label else ""
    return f'<g class="point">{title}{_mark(point, x, y)}{beside}<g class="tip">{tip}</g></g>'


def _mark(point: Point, x: float, y: float) -> str:
    """The mark, and its ring; paper shows through one that is hollow, so that it is not black without a style."""
    colour = html.escape(point.colour)
    fill = f'class="mark" fill="{colour}"' if point.filled else 'class="mark hollow" fill="none"'
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="none" stroke="currentColor"/>' if point.ringed else ""
    place = f'transform="translate({x:.1f} {y:.1f})"'
    return f'<path {fill} stroke="{colour}" stroke-width="2" {place} d="{MARKS[point.mark]}"/>{ring}'


def _labels(places: Sequence[tuple[float, float, Point]]) -> list[tuple[float, float] | None]:
    """Where the label of each mark begins: at the first corner that is free; None where there is none."""
    taken = [Box(x - 7, y - 7, x + 7, y + 7) for x, y, _ in places]
    found: list[tuple[float, float] | None] = []
    for x, y, point in places:
        wide, away = CHARACTER * len(point.label), 12 if point.ringed else 8
        right, left, above, below = x + away, x - away - wide, y - away, y + away + 11
        corners = [(right, above), (left, below), (left, above), (right, below)]  # the stair leaves the first two free
        boxes = {each: Box(each[0], each[1] - 11, each[0] + wide, each[1] + 3) for each in corners if point.label}
        place = next((corner for corner, box in boxes.items() if box.free(taken)), None)
        found.append(place)
        if place is not None:
            taken.append(boxes[place])
    return found


def _known(axis: Axis) -> list[float]:
    return [] if axis.bound is None else [axis.bound]


def _round(value: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> str:
    classes = f' class="{kind}"' if kind else ""
    return f'<text{classes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'
