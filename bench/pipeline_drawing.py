"""`python -m bench.pipeline_drawing`: docs/images/pipeline.svg, the way of a step and of its sums, with cycles.

The cycles are those of the LSTM of E-RNN's size (`bench.accelerator`, lstm-k8), read from its generator.
"""

from dataclasses import dataclass
from pathlib import Path

from bench import accelerator
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.network import NetworkHardware

DESIGN, DEVICE = "lstm-k8", "xcku060"
PICTURE = Path("docs/images/pipeline.svg")
WIDTH, HEIGHT, GAP, LEFT, TOP, ROW = 168, 58, 26, 20, 64, 118
STYLE = """\
svg { color-scheme: light dark; font: 13px sans-serif; }
.box { fill: #eaf1fb; stroke: #2f6db5; }
.title { font-weight: 600; fill: #1b1f24; }
.text, .head { fill: #1b1f24; }
.head { font-size: 15px; font-weight: 600; }
.cycles { fill: #9a4a00; font-weight: 600; }
.arrow { stroke: #57606a; fill: none; marker-end: url(#end); }
#end path { fill: #57606a; }
@media (prefers-color-scheme: dark) {
  .box { fill: #1c2b3f; stroke: #79b0f0; }
  .title, .text, .head { fill: #e6edf3; }
  .cycles { fill: #ffb77a; }
  .arrow { stroke: #9aa4af; }
  #end path { fill: #9aa4af; }
}"""


@dataclass(frozen=True)
class Stage:
    """A box: what happens, in a few words, and in how many cycles."""

    title: str
    text: str
    cycles: int

    @property
    def label(self) -> str:
        """Cycles as the drawing says them."""
        return f"{self.cycles} cycle{'s' * (self.cycles != 1)}"


def network() -> NetworkHardware:
    """The design whose cycles are drawn."""
    case = accelerator.CASES[DESIGN]
    return accelerator.network(case, accelerator.program_of(case), DEVICE)


def rows(layer: LayerHardware) -> list[tuple[str, list[Stage]]]:
    """The way of a step, and that of the sums which it finishes."""
    array = layer.array
    cell, projection = layer.units
    factors = next(kernel for kernel in layer.kernels if kernel.name.endswith("points_y"))
    fetched = array.operands.cycles
    return [
        (
            "A step of a thread",
            [
                Stage("queue", "blocks, sums, room", 1),
                Stage("choice", "first thread in order", 1),
                Stage("issue", "address and tags", 2),
                Stage("memories", "weights, operands", fetched),
                Stage("lane", "products, summed", array.lane.latency + array.align_cycles),
                Stage("accumulate", "a row of sums", 1),
            ],
        ),
        (
            "Sums that are finished",
            [
                Stage("drain", f"{array.layout.array.chain} blocks, one a cycle", 1),
                Stage("cells", "rows, gates, c and m", cell.ahead + cell.kernel.latency),
                Stage("W_ym m", "columns as they come", array.lane_cycles + 4),
                Stage("projection", "rows of y", projection.ahead + projection.kernel.latency),
                Stage("state", "y is kept", 1),
                Stage("transform", "factors of y", factors.latency),
                Stage("banks", "for the next frame", 2),
            ],
        ),
    ]


def svg(found: list[tuple[str, list[Stage]]]) -> str:
    """The drawing, for light and dark pages."""
    width = 2 * LEFT + max(len(stages) for _, stages in found) * (WIDTH + GAP) - GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + ROW * len(found) - 20}" role="img">',
        f"<title>Pipeline of {DESIGN}, scheduled for {accelerator.CLOCK_MHZ:g} MHz on UltraScale</title>",
        f"<style>{STYLE}</style>",
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>',
    ]
    for row, (head, stages) in enumerate(found):
        top = TOP + ROW * row
        total = sum(stage.cycles for stage in stages)
        lines.append(f'<text class="head" x="{LEFT}" y="{top - 16}">{head}: {total} cycles</text>')
        for place, stage in enumerate(stages):
            x = LEFT + place * (WIDTH + GAP)
            lines += [
                f'<rect class="box" x="{x}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
                f'<text class="title" x="{x + 12}" y="{top + 23}">{stage.title}</text>',
                f'<text class="cycles" x="{x + WIDTH - 12}" y="{top + 23}" text-anchor="end">{stage.label}</text>',
                f'<text class="text" x="{x + 12}" y="{top + 44}">{stage.text}</text>',
            ]
            if place:
                middle = top + HEIGHT // 2
                lines.append(f'<path class="arrow" d="M{x - GAP},{middle} L{x - 1},{middle}"/>')
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg(rows(network().layers[0])))


if __name__ == "__main__":
    main()
