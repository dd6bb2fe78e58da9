"""`python -m bench.array_drawing`: docs/images/array.svg, the array of a layer and what follows it."""

from pathlib import Path

from bench.drawing import MARGIN, WIDTH, Canvas

PICTURE = Path("docs/images/array.svg")
LANES, COLUMNS = 3, 2
LEFT, ACROSS, TOP, DOWN = 200.0, 140.0, 176.0, 78.0  # of the first element, and to the next
WIDE, HIGH = 120.0, 58.0  # of an element


def svg() -> str:
    """The drawing."""
    canvas = Canvas(f"An array of {LANES} lanes and {COLUMNS} columns, its head and its unit")
    bottom = TOP + LANES * DOWN
    _operands(canvas, bottom)
    _lanes(canvas)
    drain = LEFT + COLUMNS * ACROSS + 110
    canvas.rect(drain, TOP, 72, bottom - TOP - (DOWN - HIGH))
    canvas.text(drain + 36, TOP + 24, "drain", "title", "middle")
    canvas.text(drain + 36, TOP + 48, "a block\nrow a\ncycle and\nhead", "text", "middle")
    for lane in range(LANES):
        y = TOP + lane * DOWN + HIGH / 2
        canvas.path((drain - 20, y), (drain - 1, y))
    _behind(canvas, drain + 36, bottom - (DOWN - HIGH), bottom + 22)
    return canvas.svg(WIDTH)


def _operands(canvas: Canvas, bottom: float) -> None:
    canvas.box(MARGIN, 60, 146, 96, "threads", "one per matrix;\none issues a step\nin a cycle")
    for column in range(COLUMNS):
        x = LEFT + column * ACROSS
        canvas.box(x, 60, WIDE, HIGH, "bank", f"of column {column}", "memory")
        canvas.path((x + WIDE / 2, 60 + HIGH), (x + WIDE / 2, bottom - (DOWN - HIGH) - HIGH - 2), kind="line")
        for lane in range(LANES):
            y = TOP + lane * DOWN
            canvas.path((x + WIDE / 2, y - 12), (x + WIDE / 2, y - 1))
    canvas.rect(LEFT - 8, 52, (COLUMNS - 1) * ACROSS + WIDE + 16, HIGH + 16, "frame")
    canvas.path((LEFT + WIDE / 2, 36), (LEFT + WIDE / 2, 51))
    canvas.text(LEFT, 30, "x: features, or the layer before")
    canvas.text(LEFT + COLUMNS * ACROSS + 4, 82, "Every lane reads the same\nblock of a bank.", "quiet")
    canvas.path((MARGIN + 146, 104), (LEFT - 9, 104))


def _lanes(canvas: Canvas) -> None:
    for lane in range(LANES):
        y = TOP + lane * DOWN
        canvas.text(MARGIN, y + 26, f"lane {lane}", "title")
        canvas.text(MARGIN, y + 44, "one block row")
        for column in range(COLUMNS):
            x = LEFT + column * ACROSS
            canvas.rect(x, y, WIDE, HIGH)
            canvas.rect(x + 8, y + 10, 30, HIGH - 20, "memory", 3)
            canvas.text(x + 23, y + HIGH / 2 + 5, "W", "title", "middle")
            canvas.text(x + 46, y + HIGH / 2 - 4, "multiply,\nadd")
            if column:
                canvas.path((x - ACROSS + WIDE, y + HIGH / 2), (x - 1, y + HIGH / 2))
        x = LEFT + COLUMNS * ACROSS
        canvas.path((x - ACROSS + WIDE, y + HIGH / 2), (x - 1, y + HIGH / 2))
        canvas.box(x, y, 90, HIGH, "sums", "of the row")


def _behind(canvas: Canvas, drained: float, end: float, y: float) -> None:
    canvas.path((drained, end), (drained, y - 1))
    canvas.box(494, y, 170, 76, "head", "inverse transform:\nk rows of sums")
    canvas.box(236, y, 228, 76, "unit", "gates, tables, cell update;\nc and biases in memories")
    canvas.box(36, y, 170, 76, "transform", "factors of y, for the\nnext frame")
    canvas.path((494, y + 38), (465, y + 38))
    canvas.path((236, y + 38), (207, y + 38))
    canvas.path((176, y), (176, 76), (LEFT - 9, 76))
    canvas.path((350, y + 76), (350, y + 104))
    canvas.text(362, y + 100, "y: to the next layer, in the end logits")


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg())


if __name__ == "__main__":
    main()
