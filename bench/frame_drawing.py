"""`python -m bench.frame_drawing`: docs/images/frame.svg, frames on the AXI4-Streams of a small accelerator.

The waves are those of an RTL simulation, with pauses on both sides: what each port has at the clock's rising edges.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.drawing import MARGIN, WIDTH, Canvas
from ernn.devices.timing import TIMINGS
from ernn.estimate.shapes import Shape
from ernn.hw import project
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.program.network import Program
from ernn.simulate.bench import Bench
from ernn.simulate.vectors import rtl_vectors
from ernn.tools.process import work_folder
from ernn.tools.vcd import variables_of

PICTURE = Path("docs/images/frame.svg")
STREAMS, INPUTS, CLASSES, FRAMES = 2, 4, 3, (2, 1)  # frames of each stream's utterance
GAPS, STALLS = 48, 96  # of 256 cycles
INPUT = ("tvalid", "tready", "tdata", "tlast", "tuser", "tid")
OUTPUT = ("tvalid", "tready", "tdata", "tlast", "tid")
NAMES, CYCLE, ROW, HIGH = 128, 24.0, 30.0, 18.0  # width of the names and of a cycle, height of a row and of a wave
PORTS = ("aclk", "s_axis_", "m_axis_")
Waves = Mapping[str, Sequence[int]]


def designed() -> tuple[Program, NetworkHardware]:
    """A GRU of four cells behind both ports, as its sizes alone decide what they do."""
    program = Shape(cell="gru", cells=4, inputs=INPUTS, classes=CLASSES, block_size=2, bits=8, segments=4).program()
    arrays = sizing.arrays(program, (1, 1, 0), (1, 1, 0))
    return program, NetworkHardware(program, Architecture(arrays, Clock(100, TIMINGS["xcu"]), STREAMS))


def recorded() -> Waves:
    """Every port of the streams at the rising edges of a simulation, in which every logit is the integer model's."""
    program, network = designed()
    random = np.random.default_rng(1)
    utterances = [random.integers(-100, 100, (frames, INPUTS)) for frames in FRAMES]
    vectors = rtl_vectors(program, utterances, STREAMS)
    with work_folder() as work:
        project.rtl_project(network).write(work / "project")
        registers = [name for name, *_ in network.registers]
        Bench(work / "project", work, registers, ["ERNN_WAVES"], "-O0").run(vectors, GAPS, STALLS)
        return sampled((work / "ernn.vcd").read_text().splitlines())


def sampled(dump: Sequence[str]) -> dict[str, list[int]]:
    """Values of the top module's ports just before each rising edge of its clock, from a value change dump."""
    codes, lines = dict[str, str](), iter(dump)
    for scopes, name, code in variables_of(lines):
        if scopes[-1] == "dut" and name.startswith(PORTS):
            codes.setdefault(code, name)
    found, values = dict[str, list[int]](), dict[str, int]()
    changes: dict[str, int] = {}
    for line in lines:
        if line.startswith("#"):
            if changes.get("aclk") == 1 and "aclk" in values:
                for name in codes.values():
                    found.setdefault(name, []).append(values[name])
            values |= changes
            changes = {}
        elif (change := _change(line)) and change[0] in codes:
            changes[codes[change[0]]] = change[1]
    return found


def _change(line: str) -> tuple[str, int] | None:
    if line.startswith(("0", "1")):
        return line[1:], int(line[0])
    if line.startswith("b"):
        bits, code = line[1:].split()
        return code, int(bits, 2)
    return None


def svg(waves: Waves) -> str:
    """The drawing."""
    canvas = Canvas("Frames on the streams of an accelerator, as simulated")
    first = next(n for n in range(len(waves["aclk"])) if taken(waves, "s", n)) - 2
    ended = next(n for n in range(first, len(waves["aclk"])) if taken(waves, "m", n) and waves["m_axis_tlast"][n])
    shown = int((WIDTH - 2 * MARGIN - NAMES) / CYCLE)
    canvas.text(MARGIN, 30, "Frames go in", "head")
    bottom = _port(canvas, waves, "s", INPUT, range(first, first + shown), 44)
    canvas.text(MARGIN, bottom + 34, "The first frame's logits come out", "head")
    last = _port(canvas, waves, "m", OUTPUT, range(ended + 3 - shown, ended + 3), bottom + 48)
    canvas.text(MARGIN, last + 24, NOTE.format(INPUTS, CLASSES), "quiet")
    return canvas.svg(WIDTH)


NOTE = """\
{0} features x0, x1, .. make a frame, and give {1} logits y0, y1, .. An element moves at a rising
edge at which tvalid and tready are 1. tuser (an utterance opens) and tid (the stream)
count in a frame's first beat."""


def taken(waves: Waves, side: str, cycle: int) -> bool:
    """Whether an element moves at the end of a cycle."""
    return bool(waves[f"{side}_axis_tvalid"][cycle] and waves[f"{side}_axis_tready"][cycle])


def _port(canvas: Canvas, waves: Waves, side: str, names: Sequence[str], cycles: range, top: float) -> float:
    left, right = MARGIN + NAMES, MARGIN + NAMES + CYCLE * len(cycles)
    for number in range(len(cycles) + 1):
        canvas.path((left + number * CYCLE, top), (left + number * CYCLE, top + ROW * (len(names) + 1)), kind="grid")
    y = top + HIGH + 6
    canvas.text(MARGIN, y - 4, "aclk", "code")
    canvas.path(*_clock(left, y, len(cycles)), kind="line")
    for row, name in enumerate(names, 1):
        y = top + row * ROW + HIGH + 6
        canvas.text(MARGIN, y - 4, f"{side}_axis_{name}", "code")
        values = [waves[f"{side}_axis_{name}"][cycle] for cycle in cycles]
        if name == "tdata":
            _data(canvas, waves, side, cycles, left, y)
        elif name in ("tvalid", "tready"):
            canvas.path(*_levels(values, left, y), kind="wave")
        else:
            _beside(canvas, values, [waves[f"{side}_axis_tvalid"][cycle] for cycle in cycles], left, y)
    assert right <= WIDTH
    return top + ROW * (len(names) + 1)


def _clock(left: float, y: float, cycles: int) -> Iterator[tuple[float, float]]:
    for number in range(cycles):
        x = left + number * CYCLE
        yield from ((x, y - HIGH), (x, y), (x + CYCLE / 2, y), (x + CYCLE / 2, y - HIGH), (x + CYCLE, y - HIGH))


def _levels(values: Sequence[int], left: float, y: float) -> Iterator[tuple[float, float]]:
    for number, value in enumerate(values):
        level = y - HIGH * bool(value)
        yield from ((left + number * CYCLE, level), (left + (number + 1) * CYCLE, level))


def _beside(canvas: Canvas, values: Sequence[int], valid: Sequence[int], left: float, y: float) -> None:
    """A signal that counts with tvalid alone: its value in each cycle, nothing in the others."""
    for number, (value, counts) in enumerate(zip(values, valid, strict=True)):
        if counts:
            x = left + number * CYCLE
            canvas.rect(x + 1, y - HIGH, CYCLE - 2, HIGH, "box" if value else "frame", 2)
            canvas.text(x + CYCLE / 2, y - 4, str(value), "code", "middle")


def _data(canvas: Canvas, waves: Waves, side: str, cycles: range, left: float, y: float) -> None:
    """Elements by their number in the frame; one that waits is drawn once."""
    letter, elements = ("x", INPUTS) if side == "s" else ("y", CLASSES)
    element, begun = 0, None
    for cycle in range(cycles.stop):
        if waves[f"{side}_axis_tvalid"][cycle]:
            begun = cycle if begun is None else begun
            if taken(waves, side, cycle) or cycle == cycles.stop - 1:
                begun = max(begun, cycles.start)
                if cycle >= cycles.start:
                    x, width = left + (begun - cycles.start) * CYCLE, (cycle - begun + 1) * CYCLE
                    canvas.rect(x + 1, y - HIGH, width - 2, HIGH, "box", 2)
                    canvas.text(x + width / 2, y - 4, f"{letter}{element}", "code", "middle")
                element, begun = (element + 1) % elements, None


def main() -> None:
    """Simulate and draw."""
    PICTURE.write_text(svg(recorded()))


if __name__ == "__main__":
    main()
