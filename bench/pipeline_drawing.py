"""`python -m bench.pipeline_drawing`: docs/images/pipeline.svg, the cycles of a step and of its sums.

The cycles are those of the LSTM of E-RNN's size (`bench.accelerator`, lstm-k8), read from its generator.
"""

from dataclasses import dataclass
from pathlib import Path

from bench import accelerator, drawing
from bench.drawing import Box
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.network import NetworkHardware

DESIGN, DEVICE = "lstm-k8", "xcku060"
PICTURE = Path("docs/images/pipeline.svg")


@dataclass(frozen=True)
class Stage:
    """What happens, in a few words, and in how many cycles."""

    title: str
    text: str
    cycles: int

    @property
    def box(self) -> Box:
        """It as the drawing has it."""
        return Box(self.title, self.text, f"{self.cycles} cycle{'s' * (self.cycles != 1)}")


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
    made = []
    for head, stages in found:
        total = sum(stage.cycles for stage in stages)
        made.append(drawing.Row(f"{head}: {total} cycles", [stage.box for stage in stages]))
    return drawing.svg(f"Pipeline of {DESIGN}, scheduled for {accelerator.CLOCK_MHZ:g} MHz on UltraScale", made)


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg(rows(network().layers[0])))


if __name__ == "__main__":
    main()
