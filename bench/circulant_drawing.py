"""`python -m bench.circulant_drawing`: docs/images/circulant.svg, a block-circulant matrix and its product."""

from pathlib import Path

from bench import drawing
from bench.drawing import MARGIN, WIDTH, Box, Canvas
from ernn.dataflow.transforms import Exact, multiplications

PICTURE = Path("docs/images/circulant.svg")
K, BLOCKS, SIZE = 4, ("ab", "cd"), 27
COUNTED = 8  # the block size whose multiplications are counted


def place(row: int, column: int) -> int:
    """Which word of a block an entry has: W[r, s] = c[(r - s) mod k]."""
    return (row - column) % K


def svg() -> str:
    """The drawing."""
    canvas = Canvas("A block-circulant matrix, its stored words, and its product with a vector")
    side, top = K * len(BLOCKS), 46.0
    canvas.text(MARGIN, 30, f"{side} x {side} weights in blocks of k = {K}", "head")
    entries = []
    for row in range(side):
        for column in range(side):
            shade = place(row, column)
            entries.append((row, column, f"{BLOCKS[row // K][column // K]}{shade}", shade))
    drawing.cells(canvas, MARGIN, top, SIZE, entries)
    for row, letters in enumerate(BLOCKS):
        for column, _ in enumerate(letters):
            x, y = MARGIN + column * K * SIZE, top + row * K * SIZE
            canvas.rect(x, y, K * SIZE, K * SIZE, "line", 0)
            canvas.rect(x, y, SIZE, K * SIZE, "outline", 0)
    _stored(canvas, MARGIN + side * SIZE + 70, top)
    below = top + side * SIZE + 36
    canvas.text(MARGIN, below, "The product y = W x, one block row at a time", "head")
    last = drawing.chain(canvas, _steps(), below + 14, a_line=4, gap=24)[-1]
    said = f"k = {COUNTED}: {multiplications(COUNTED, Exact())} multiplications for the {COUNTED**2} weights of a block"
    canvas.text(MARGIN, last.y + last.height + 26, f"{said} (exact transform).", "note")
    return canvas.svg(WIDTH)


def _stored(canvas: Canvas, x: float, y: float) -> None:
    letters, words = "".join(BLOCKS), K * len("".join(BLOCKS))
    canvas.text(x, 30, f"Stored: {words} words of {K * words}", "head")
    for number, letter in enumerate(letters):
        left = x + number * 2 * SIZE
        drawing.cells(canvas, left, y, SIZE, [(row, 0, f"{letter}{row}", row) for row in range(K)])
        canvas.rect(left, y, SIZE, K * SIZE, "outline", 0)
    base = y + K * SIZE + 30
    canvas.text(
        x, base, "The first column c of each block.\nEvery other column is the one before it,\nrotated by one row:"
    )
    canvas.text(x, base + 64, "W[r, s] = c[(r - s) mod k]", "code")


def _steps() -> tuple[Box, ...]:
    return (
        Box("transform x", "each block once,\nfor all rows"),
        Box("multiply", "by the words of\neach block"),
        Box("add", "over the blocks\nof the row"),
        Box("transform back", "once a block row:\nk elements of y"),
    )


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg())


if __name__ == "__main__":
    main()
