"""What `make run PRESET=smoke` prints: docs/images/terminal.svg, in the columns of a terminal.

`python -m bench.terminal_drawing` runs the preset from nothing, about 3 minutes of two cores. The ends of paths in the
working copy stay as they are; its own place is left out.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import chain
from bench.drawing import MARGIN, WIDTH, Canvas
from ernn.arguments import Parser

COLUMNS = 80
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "terminal.svg"
COMMAND = "$ make run PRESET=smoke"
_LINE = 17  # of the drawing's units


def printed(root: Path) -> list[str]:
    """Lines of a whole run, and the table that `make` prints after it."""
    folder = chain.smoke(root)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mine = {"PATH": path, "PYTHONPATH": str(chain.ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    words = [*chain.LOCAL, "--with-parent"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    done = subprocess.run(words, cwd=folder, env=os.environ | mine, check=True, text=True, **pipes)
    table = (folder / "report" / "benchmark.txt").read_text().rstrip().splitlines()
    lines = [*done.stdout.rstrip().splitlines(), "", *table]
    return [line.replace(f"{root}/", "") for line in lines]


def svg(lines: Sequence[str]) -> str:
    """The lines below the command, in a window as wide as a terminal.

    Raises:
        ValueError: a line is wider.
    """
    wide = [line for line in lines if len(line) > COLUMNS]
    if wide:
        raise ValueError(f"lines have at most {COLUMNS} columns, got {len(wide[0])}: {wide[0]}")
    canvas, rows = Canvas("What a run of the smoke preset prints"), [COMMAND, *lines]
    canvas.rect(MARGIN, MARGIN, WIDTH - 2 * MARGIN, len(rows) * _LINE + 16, "grid")
    for number, line in enumerate(rows):
        if not line:
            continue
        place = MARGIN + 10, MARGIN + 20 + number * _LINE
        canvas.text(*place, line.replace(" ", "\u00a0"), "code")  # SVG draws several spaces as one
    return canvas.svg(WIDTH)


def main() -> None:
    """Run and draw."""
    Parser(description=(__doc__ or "").split("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as root:
        PICTURE.write_text(svg(printed(Path(root))))


if __name__ == "__main__":
    main()
