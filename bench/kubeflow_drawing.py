"""`python -m bench.kubeflow_drawing`: docs/images/kubeflow.svg, the graph of the compiled default pipeline.

Tasks of one stage are one box. Arrows are files or orders; those that others imply are left out.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import drawing
from workflow import compiler, declaration

ROOT = Path(__file__).parents[1]
PICTURE = Path("docs/images/kubeflow.svg")
COLUMNS = 4  # levels of the graph side by side
WIDTH, HEIGHT, GAP, ROW_GAP, LEFT, TOP = 158, 62, 34, 16, 36, 74
SECONDARY = ("Artifact", "Curve", "HTML", "Metrics", "Scores")  # types of what a stage writes besides its main result
FRAME = """\
.frame { fill: none; stroke: #57606a; stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) { .frame { stroke: #9aa4af; } }"""


@dataclass(frozen=True)
class Stage:
    """A box: a stage, how many tasks it has, what it writes, and the stages before it."""

    name: str
    tasks: int
    writes: tuple[str, ...]
    before: frozenset[str]


def stages(spec: Mapping[str, Any]) -> list[Stage]:
    """Stages of a compiled pipeline."""
    inner = spec["root"]["dag"]["tasks"]["exit-handler-1"]["componentRef"]["name"]
    tasks = spec["components"][inner]["dag"]["tasks"]
    stage_of = {name: task["taskInfo"]["name"].partition("@")[0] for name, task in tasks.items()}
    found = []
    for stage in dict.fromkeys(stage_of.values()):
        own = [task for name, task in tasks.items() if stage_of[name] == stage]
        outputs = spec["components"][own[0]["componentRef"]["name"]].get("outputDefinitions", {}).get("artifacts", {})
        titles = dict.fromkeys(each["artifactType"]["schemaTitle"].partition(".")[2] for each in outputs.values())
        main = tuple(each for each in titles if each not in SECONDARY)
        before = {stage_of[name] for task in own for name in task.get("dependentTasks", [])}
        found.append(Stage(stage, len(own), main, frozenset(before)))
    return found


def levels(found: list[Stage]) -> list[list[Stage]]:
    """Stages by the longest way to each."""
    depth: dict[str, int] = {}
    left = list(found)
    while left:
        for stage in [each for each in left if each.before <= depth.keys()]:
            depth[stage.name] = 1 + max((depth[name] for name in stage.before), default=-1)
            left.remove(stage)
    return [[stage for stage in found if depth[stage.name] == level] for level in range(max(depth.values()) + 1)]


def arrows(found: list[Stage]) -> list[tuple[str, str]]:
    """Pairs of stages that no other way joins."""
    above: dict[str, set[str]] = {}
    for level in levels(found):
        for stage in level:
            above[stage.name] = set(stage.before).union(*(above[name] for name in stage.before))
    return [
        (name, stage.name)
        for stage in found
        for name in sorted(stage.before)
        if not any(name in above[other] for other in stage.before)
    ]


def svg(spec: Mapping[str, Any]) -> str:
    """The drawing, for light and dark pages."""
    found = stages(spec)
    ordered = levels(found)
    place, top = {}, TOP
    for first in range(0, len(ordered), COLUMNS):
        row = ordered[first : first + COLUMNS]
        for column, listed in enumerate(row):
            for number, stage in enumerate(listed):
                place[stage.name] = LEFT + column * (WIDTH + GAP), top + number * (HEIGHT + ROW_GAP)
        top += max(map(len, row)) * (HEIGHT + ROW_GAP) + 24
    width, bottom = 2 * LEFT + COLUMNS * (WIDTH + GAP) - GAP, top
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + HEIGHT + 24}" role="img">',
        "<title>The default pipeline as Kubeflow Pipelines runs it</title>",
        f"<style>{drawing.STYLE}\n{FRAME}</style>",
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
        f'<rect class="frame" x="14" y="14" width="{width - 28}" height="{bottom - 24}" rx="10"/>',
        f'<text class="head" x="{LEFT}" y="44">{compiler.STAGES}</text>',
        *(_arrow(place[one], place[other]) for one, other in arrows(found)),
    ]
    for stage in found:
        count = f"{stage.tasks} tasks" if stage.tasks > 1 else "1 task"
        lines += _box(*place[stage.name], stage.name, count, ", ".join(stage.writes) or "a receipt")
    lines += _box(LEFT, bottom + 6, "finish", "1 task", compiler.ENDED)
    return "\n".join([*lines, "</svg>", ""])


def _box(x: int, y: int, title: str, note: str, text: str) -> list[str]:
    return [
        f'<rect class="box" x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="title" x="{x + 10}" y="{y + 24}">{title}</text>',
        f'<text class="note" x="{x + WIDTH - 10}" y="{y + 24}" text-anchor="end">{note}</text>',
        f'<text class="text" x="{x + 10}" y="{y + 47}">{text}</text>',
    ]


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """From the right side of a box to the left side of another one, or around the end of a row."""
    (x1, y1), (x2, y2) = (start[0] + WIDTH, start[1] + HEIGHT // 2), (end[0], end[1] + HEIGHT // 2)
    if x2 > x1:
        middle = x2 - GAP // 2
        return f'<path class="arrow" d="M{x1},{y1} H{middle} V{y2} H{x2 - 1}"/>'
    between = end[1] - 22
    return f'<path class="arrow" d="M{x1},{y1} h12 V{between} H{x2 - 16} V{y2} H{x2 - 1}"/>'


def compiled() -> Mapping[str, Any]:
    """The default pipeline, compiled."""
    declared = declaration.load(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        compiler.compile_to(declared, compiler.Target(compiler.images(declared, "ernn-", "tag")), file)
        spec: dict[str, Any] = next(yaml.safe_load_all(file.read_text()))
    return spec


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg(compiled()))


if __name__ == "__main__":
    main()
