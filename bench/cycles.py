"""`python -m bench.cycles [NUMBER ...]`: cycles of random designs by the model, beside those of RTL simulation.

What was simulated is kept under the cache folder (ERNN_BENCH_CACHE, else ~/.cache/ernn), by the digest of the sources:
a run that was stopped resumes at the design that is missing.
"""

import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import record
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.devices.timing import TIMINGS
from ernn.estimate import cycles
from ernn.estimate.shapes import Shape
from ernn.hw import design, project
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.params import BlockSizes
from ernn.program.matrices import Matrix, Numbers, Pruned
from ernn.program.network import Layer, Program
from ernn.simulate.bench import Bench
from ernn.simulate.vectors import Vectors, rtl_vectors
from ernn.tools.process import work_folder

CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "cycles"
DESIGNS, FRAMES, STEADY = 48, 56, slice(16, 41)  # frames that are simulated; between their ends, those of an interval
REPEATS = 5
DENSITY = 0.3  # of pruned matrices
KEPT = 0.5  # blocks of sparse ones
MEASURES = (
    "ernn/estimate/cycles.py",
    "ernn/estimate/layer_cycles.py",
    "ernn/estimate/steps.py",
    "ernn/estimate/ways.py",
    "ernn/hw/verilog",
)
NOTE = f"""\
Small random designs without weights, since cycles do not depend on them; pruned ones have random places of theirs, and
rows of other lengths; sparse ones keep half of their blocks (`together`: the same of all gates). `design` says cell,
inputs, layers, cells and projection, block sizes of W_ih, W_hh and W_ym,
`arrays` lanes, columns and heads of every array in the order of the data, `beat` features and logits a beat.
`cycles` is the initiation interval: in the simulation the mean over {STEADY.stop - STEADY.start - 1} frames behind the
first {STEADY.start} of {FRAMES}, all of which follow each other without a pause. `latency` is that of a frame alone.
`frames_equal` says that the model also has the cycle of the first feature and of the last logit of each of the
{FRAMES} frames. `seconds_rtl` is the time to write the sources, to build the simulation with Verilator as the stage
`simulate` does, and to run both; `seconds_model` that of interval and latency together, the fastest of {REPEATS}
repetitions. `ratio` is the first over the second. `bound` and `latency_bound` are what the model says without going on
cycle by cycle. One process of a machine that others use."""


@dataclass(frozen=True)
class Simulated:
    """What the test bench printed: cycles in which frames came in and went out, and the latency of one alone."""

    begun: list[int]
    ended: list[int]
    latency: int
    seconds: float


def drawn(number: int) -> tuple[Shape, NetworkHardware]:
    """A random design; its number gives all that it has."""
    random = np.random.default_rng(number)

    def one_of(*values: Any) -> Any:
        return values[random.integers(len(values))]

    pruned, sparse, projects = number % 8 == 1, number % 8 == 5, number % 4 == 2
    cell: Any = "lstm" if projects else one_of("lstm", "gru")
    layers, equal = 2 if number % 3 == 0 else 1, bool(random.integers(2))
    blocks = []
    for _ in range(layers):
        k = 1 if pruned or number % 8 == 3 else one_of(2, 4, 8)
        other = k if pruned or equal else one_of(1, 2, 4, 8)
        blocks.append(BlockSizes(input=other, recurrent=k, projection=one_of(k, other)))
    cells = int(random.integers(8, 33))
    shape = Shape(
        cell=cell,
        layers=layers,
        cells=cells,
        projection=int(random.integers(4, cells)) if projects else 0,
        peepholes=cell == "lstm" and bool(random.integers(2)),
        inputs=int(random.integers(4, 25)),
        classes=int(random.integers(4, 17)),
        bits=int(random.integers(6, 13)),
        reset="after" if cell == "gru" and random.integers(2) else "before",
        segments=4,
        blocks=tuple(blocks),
        pruning_ratio=1 / DENSITY if pruned else 1.0,
        density=KEPT if sparse else 1.0,
        together=sparse and bool(random.integers(2)),
    )
    program = _with_places(shape.program(), random) if pruned else shape.program()
    of_layers = one_of(4, 8), one_of(1, 2, 3), 0, one_of(0, 0, 1, 2) if min(b.recurrent for b in blocks) > 1 else 0
    arrays = sizing.arrays(program, of_layers, (one_of(1, 2, 4), one_of(1, 2, 3), 0))
    clock = Clock(float(one_of(20, 100, 200, 400)), TIMINGS[one_of(*TIMINGS)])
    beat = [one_of(1, 2, 4) for _ in range(2)]
    architecture = Architecture(
        arrays, clock, one_of(1, 1, 2, 3), transformed=bool(random.integers(2)), features=beat[0], logits=beat[1]
    )
    return shape, NetworkHardware(program, architecture)


def _with_places(program: Program, random: np.random.Generator) -> Program:
    """The same with places of weights in pruned matrices."""

    def placed(matrix: Matrix) -> Pruned:
        assert isinstance(matrix, Pruned)
        rows = matrix.gates * matrix.rows
        row, columns = np.nonzero(random.random((rows, matrix.cols)) < DENSITY)
        starts = np.searchsorted(row, np.arange(rows + 1)).astype(np.int64)
        format = matrix.values.format
        values = Numbers(format, random.integers(1, format.high + 1, len(columns)))
        return replace(matrix, values=values, columns=columns.astype(np.int64), starts=starts)

    layers: list[Layer] = []
    for layer in program.layers:
        matrices: dict[str, Any] = {name: placed(matrix) for name, matrix in layer.matrices.items()}
        layers.append(replace(layer, **matrices))
    return replace(program, layers=tuple(layers))


def simulated(network: NetworkHardware) -> tuple[Simulated, Vectors]:
    """The RTL simulation of a design, or what was kept of it; all logits are those of the integer model."""
    program, streams = network.program, network.architecture.streams
    x = np.random.default_rng(1).integers(program.input.low, program.input.high, (FRAMES, program.inputs))
    vectors = rtl_vectors(program, np.array_split(x, streams), streams)
    begun = time.perf_counter()
    files = project.rtl_project(network)
    place = CACHE / f"{files.digest()[:16]}.json"
    if place.exists():
        return Simulated(**json.loads(place.read_text())), vectors
    with work_folder() as work:
        files.write(work / "project")
        (work / "bench").mkdir()
        bench = Bench(work / "project", work / "bench", design.of(files).registers)
        run, alone = bench.run(vectors), bench.run(rtl_vectors(program, [x[:1]], 1))
    seconds = time.perf_counter() - begun
    found = Simulated(run.begun.tolist(), run.ended.tolist(), alone.registers["latency"], seconds)
    place.parent.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(place, vars(found))
    return found, vectors


def measure(number: int) -> dict[str, Any]:
    """One row."""
    shape, network = drawn(number)
    rtl, vectors = simulated(network)
    order = list(zip(vectors.first.tolist(), vectors.stream.tolist(), strict=True))
    begun, ended = cycles.frames(network, order)
    steady = rtl.ended[STEADY]
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        model = cycles.cycles(network)
        seconds.append(time.perf_counter() - started)
    least = cycles.bound(network)
    return {
        "number": number,
        "design": _name(shape),
        "arrays": " ".join(f"{each.lanes}x{each.columns}x{each.heads}" for each in network.architecture.arrays),
        "streams": network.architecture.streams,
        "beat": f"{network.architecture.features} {network.architecture.logits}",
        "weights": network.architecture.weights,
        "cycles_model": model.interval,
        "cycles_rtl": (steady[-1] - steady[0]) / (len(steady) - 1),
        "latency_model": model.latency,
        "latency_rtl": rtl.latency,
        "frames_equal": (begun, ended) == (rtl.begun, rtl.ended),
        "bound": least.interval,
        "latency_bound": least.latency,
        "seconds_model": min(seconds),
        "seconds_rtl": rtl.seconds,
        "ratio": rtl.seconds / min(seconds),
    }


def _name(shape: Shape) -> str:
    """Its cells and matrices."""
    cell = shape.cell + (f" reset {shape.reset}" if shape.cell == "gru" else "") + ", peepholes" * shape.peepholes
    size = f"{shape.cells}/{shape.projection}" if shape.projection else f"{shape.cells}"
    sizes = [f"{each.input},{each.recurrent}" + f",{each.projection}" * bool(shape.projection) for each in shape.blocks]
    kept = f" d={shape.density:g}" * (shape.density < 1) + ", together" * shape.together
    kind = "pruned" if shape.pruning_ratio > 1 else f"k={' '.join(sizes)}{kept}"
    return f"{cell} {shape.inputs}-{shape.layers}x{size}-{shape.classes} {kind}"


def main() -> None:
    """Measure all designs, or those that are named, and record them."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("numbers", nargs="*", type=whole(0), help="of designs; none means all")
    rows = [measure(number) for number in parser.parse_args().numbers or range(DESIGNS)]
    record("cycles", rows, note=NOTE)


if __name__ == "__main__":
    main()
