"""`python -m bench.stages_drawing`: docs/images/stages.svg, the stages of dvc.yaml and the files that they write."""

import re
from pathlib import Path
from typing import Any

import yaml

from bench import drawing
from bench.drawing import MARGIN, WIDTH, Box, Canvas, Place

PICTURE = Path("docs/images/stages.svg")
GAP = 24
GRID = (
    ("check", "prepare", "pretrain"),
    ("compress", "quantize", "choose"),
    ("generate", "simulate", "benchmark"),
    ("", "synthesize", "report"),
    ("", "", "publish"),
)
WHAT = {
    "check": "refuses a bad\nparams.yaml",
    "prepare": "corpus to features",
    "pretrain": "dense networks",
    "compress": "ADMM, direct training\nor pruning",
    "quantize": "integers, and their\nerrors",
    "choose": "array sizes that were\nleft open",
    "generate": "Verilog, HLS C++",
    "simulate": "equality with the\nintegers; cycles",
    "synthesize": "resources, clock",
    "benchmark": "latency, frames a\nsecond, energy",
    "report": "pages and figures",
    "publish": "runs in MLflow",
}
LEGEND = """\
Each box is a stage of dvc.yaml with the main file that it
writes. It runs once for each network, design, program or
accelerator of params.yaml, or once. The stage at the end
of an arrow reads what the one at its beginning wrote."""
JOINS = (
    ("check", "prepare"),
    ("prepare", "pretrain"),
    ("pretrain", "compress"),
    ("compress", "quantize"),
    ("quantize", "choose"),
    ("choose", "generate"),
    ("generate", "simulate"),
    ("simulate", "benchmark"),
    ("generate", "synthesize"),
    ("synthesize", "benchmark"),
    ("benchmark", "report"),
    ("report", "publish"),
)


def declared() -> dict[str, Any]:
    """The stages of dvc.yaml by name, as they run for each entry."""
    stages: dict[str, Any] = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    return {name: stage.get("do", stage) | {"each": stage.get("foreach", "")} for name, stage in stages.items()}


def written(stage: dict[str, Any]) -> str:
    """The first file that a stage writes, with NAME for that of the entry."""
    (first, *_) = stage["outs"]
    return re.sub(r"\$\{\w+\}", "NAME", first if isinstance(first, str) else next(iter(first)))


def svg() -> str:
    """The drawing."""
    canvas, stages, places = Canvas("Stages, what each does, and the file that it writes"), declared(), {}
    width, height = (WIDTH - 2 * MARGIN - 2 * GAP) / 3, 104
    for row, names in enumerate(GRID):
        for column, name in enumerate(names):
            if name:
                place = Place(MARGIN + column * (width + GAP), MARGIN + row * (height + GAP), width, height)
                each = re.sub(r"\$\{(\w+)s\}", r"\1", stages[name]["each"])
                drawing.draw(canvas, Box(name, WHAT[name], each), place)
                canvas.text(place.x + 10, place.y + height - 14, written(stages[name]), "code")
                places[name] = place
    for before, after in JOINS:
        _join(canvas, places[before], places[after], height)
    canvas.text(MARGIN, places["publish"].y + 30, LEGEND, "quiet")
    return canvas.svg(WIDTH)


def _join(canvas: Canvas, a: Place, b: Place, height: int) -> None:
    if b.x == a.x:
        canvas.path((a.middle[0], a.y + height), (a.middle[0], b.y - 1))
    elif b.y > a.y and b.x > a.x:
        canvas.path((a.middle[0], a.y + height), (a.middle[0], b.middle[1]), (b.x - 1, b.middle[1]))
    elif b.y < a.y:
        between, end = (a.x + a.width + b.x) / 2, b.y + 0.8 * height
        canvas.path((a.x + a.width, a.middle[1]), (between, a.middle[1]), (between, end), (b.x - 1, end))
    else:
        drawing.join(canvas, a, b)


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg())


if __name__ == "__main__":
    main()
