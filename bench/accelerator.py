"""`python -m bench.accelerator [NAME ...]`: cycles of a frame at the sizes of the literature, by RTL simulation.

One recurrent layer with 153 inputs and its output layer, 12 bits where nothing else is said; weights are random, since
cycles do not depend on them. Every logit of the simulated frames is compared with the integer model.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.record import FOLDER, commit, record
from ernn import artifacts
from ernn.arguments import Parser
from ernn.compression.admm import FALLING, Pull
from ernn.compression.pruning import Pruner
from ernn.data.phones import PHONES48
from ernn.devices.catalogue import DEVICES
from ernn.devices.timing import TIMINGS
from ernn.estimate import weights
from ernn.hw import design, project
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import Admm, Bits, BlockSizes, Densities, Design, Features, Network, ProgramSpec, Quantization
from ernn.program.network import Program
from ernn.quantization import calibrate, freeze, tables
from ernn.simulate import bench as simulation
from ernn.simulate import toggles
from ernn.simulate.vectors import rtl_vectors

DEVICE, CLOCK_MHZ = "xc7vx690t", 200.0  # that cases are simulated as for
FRAMES, OPENS = 60, 30  # an utterance opens at the first frame and in the middle
LSTM = Network(cell="lstm", layers=1, cells=1024, projection=512, peepholes=True)
GRU = Network(cell="gru", layers=1, cells=1024)
LSTM_1024 = Network(cell="lstm", layers=1, cells=1024)
PROJECTION = 16  # block size of projections of networks whose gates are sparse
E_RNN = {("lstm", 8): (832, 2660), ("lstm", 16): (466, 2660), ("gru", 8): (703, 2280), ("gru", 16): (449, 2280)}
MEASURES = (
    "ernn/devices/timing.py",
    "ernn/hw/graph",
    "ernn/hw/layout",
    "ernn/hw/verilog",
    "ernn/simulate/toggles.py",
)
NOTE = """\
`multipliers` are all products of two values that the hardware makes in a cycle: of the array, of the cells behind it,
and of the output layer. `cycles_per_frame` is the initiation interval without pauses, `latency_cycles` that of a frame
alone, from its first feature to its last logit; both are counted in a simulation of all of the Verilog, in which every
logit equals the integer model. `register_toggles_per_frame` are bits of registers that change in a frame of that
simulation. `utilization` is the share of all arrays' multiplier-cycles that are needed.
`ernn_paper_cycles` and `ernn_paper_multipliers` are E-RNN's on the XCKU060 (arXiv:1812.07106; confidence: recalled):
its frames a second at 200 MHz with three interleaved streams, as cycles, and its DSP blocks. Whether its
figures have an output layer is not known; these have one. `weights` says how they are stored, by the rule of
docs/accelerator.md for the xc7vx690t. `pruning_ratio` above 1 is a pruned network, equally many
weights in every row. `density` below 1: the matrices of the gates keep that share of their blocks, all gates of a cell
the same; the projection keeps all of its blocks of 16. `commit` is that of each row."""


@dataclass(frozen=True)
class Case:
    """A network and the sizes of its arrays: lanes, columns, heads."""

    network: Network
    block_size: int
    spec: ProgramSpec
    array: sizing.Size
    output: sizing.Size
    streams: int = 1
    beat: int = 4  # features and logits a beat
    inputs: int = 153
    pruning_ratio: float = 1.0  # weights over those that stay, equally many in every row; 1 keeps blocks
    density: float = 1.0  # share of the blocks of gates that stay, the same of all gates
    projection: sizing.Size | None = None  # array of a projection whose blocks all stay
    paper: tuple[int, int] | None = None  # E-RNN's cycles and multipliers

    @property
    def design(self) -> Design:
        """Block sizes and densities."""
        k, d = self.block_size, self.density
        blocks = BlockSizes(input=k, recurrent=k, projection=PROJECTION if self.projection else k)
        return Design(
            network="random",
            block_size=blocks,
            density=Densities(input=d, recurrent=d, projection=1.0 if self.projection else d),
            pattern="cell" if d < 1 else "gate",
        )


def _bits(width: int) -> Bits:
    return Bits(weights=width, activations=width, accumulators=width, cell=width)


def _fourier(width: int) -> ProgramSpec:
    return ProgramSpec(design="random", transform="fourier", complex_products=3, bits=_bits(width))


_EXACT = ProgramSpec(design="random")
CASES = {
    "lstm-k8": Case(LSTM, 8, _EXACT, (32, 5, 0), (48, 4, 4), paper=E_RNN["lstm", 8]),
    "lstm-k16": Case(LSTM, 16, _fourier(12), (16, 6, 0), (48, 4, 4), paper=E_RNN["lstm", 16]),
    "gru-k8": Case(GRU, 8, _fourier(12), (32, 5, 2), (48, 8, 4), paper=E_RNN["gru", 8]),
    "gru-k16": Case(GRU, 16, _fourier(12), (16, 5, 2), (24, 11, 8), paper=E_RNN["gru", 16]),
    "gru-k8-exact": Case(GRU, 8, _EXACT, (32, 4, 2), (48, 4, 0), paper=E_RNN["gru", 8]),
    "lstm-k8-streams": Case(LSTM, 8, _EXACT, (32, 5, 0), (48, 2, 0), streams=3, paper=E_RNN["lstm", 8]),
    # as many words as k = 8 and k = 16, of smaller blocks of which half stay
    "lstm-sparse-8x": Case(
        *(LSTM, 4, _fourier(12), (32, 11, 2), (48, 4, 4)), density=0.5, projection=(4, 4, 0), paper=E_RNN["lstm", 8]
    ),
    "lstm-sparse-16x": Case(
        *(LSTM, 8, _fourier(12), (32, 5, 0), (48, 4, 4)), density=0.5, projection=(4, 4, 0), paper=E_RNN["lstm", 16]
    ),
    # ESE and C-LSTM as designs of ours, at most with their multipliers
    "ese": Case(LSTM, 1, _EXACT, (48, 6, 0), (48, 2, 0), pruning_ratio=8.9),
    "c-lstm-k8": Case(LSTM, 8, _fourier(16), (32, 7, 0), (48, 2, 0)),
    "c-lstm-k16": Case(LSTM, 16, _fourier(16), (16, 6, 0), (48, 4, 0)),
    # within the multipliers of CSB-RNN and of Spartus' device
    "lstm-k16-512": Case(LSTM, 16, _fourier(16), (4, 3, 0), (48, 1, 0)),
    "gru-k16-512": Case(GRU, 16, _fourier(16), (8, 2, 1), (48, 1, 0)),
    "lstm-1024-k16": Case(LSTM_1024, 16, _fourier(8), (16, 4, 0), (48, 4, 0)),
}


def program_of(case: Case) -> Program:
    """An integer network with random weights, its formats chosen on random features."""
    torch.manual_seed(1)
    model = AcousticModel(case.network, case.inputs, PHONES48)
    if case.pruning_ratio > 1:
        Pruner(model, case.pruning_ratio, "rows").finish(model)
    elif case.density < 1:
        layers = case.network.layers
        pull = Pull(model, case.design.blocks(layers), Admm(), case.design.densities(layers), together=True)
        pull.after_step(FALLING, steps_per_epoch=1)  # the largest blocks
        pull.finish(model)
    else:
        make_circulant(model, case.design.blocks(case.network.layers))
    settings = Quantization(rule="least_squares")  # binary points are part of what was synthesized and routed
    ranges = calibrate.measure_batch(model, torch.randn(20, 4, case.inputs))
    formats = calibrate.choose(model, ranges, case.spec, settings)
    functions = tables.activations(formats.preactivation, formats.gate, settings.segments, settings.shared_table)
    frontend = freeze.frontend_of({"features": Features(kind="ernn153", stack=1, skip=1).model_dump()})
    return freeze.freeze("random", model, formats, case.spec, functions, frontend)


def network(case: Case, program: Program, device: str, clock_mhz: float = CLOCK_MHZ) -> NetworkHardware:
    """A case's hardware for a device: pipelines have the delays of its family, and weights are stored by the rule."""
    each = () if case.projection is None else (case.array, case.projection, case.output)
    arrays, target = sizing.arrays(program, case.array, case.output, each), DEVICES[device]
    clock = Clock(clock_mhz, TIMINGS[target.family])
    architecture = Architecture(arrays, clock, case.streams, features=case.beat, logits=case.beat)
    return weights.network(program, architecture, "auto", target)


def built(case: Case) -> tuple[Program, dict[str, str]]:
    """A case's program and sources, as they are simulated."""
    program = program_of(case)
    return program, project.rtl_project(network(case, program, DEVICE))


def simulated(program: Program, files: dict[str, str], streams: int) -> dict[str, float]:
    """Cycles between frames that follow each other and of a frame alone, and toggles; every logit is compared."""
    x = np.random.default_rng(1).integers(program.input.low // 2, program.input.high // 2, (FRAMES, program.inputs))
    utterances = np.split(x, range(OPENS if streams == 1 else 20, FRAMES, OPENS if streams == 1 else 20))
    with tempfile.TemporaryDirectory() as folder:
        files.write(Path(folder))
        work = Path(folder) / "work"
        work.mkdir()
        bench = toggles.ToggleBench(Path(folder), work, design.of(files).registers)
        vectors = rtl_vectors(program, utterances, streams)
        run = bench.run(vectors)
        toggled = bench.toggles(vectors, run)
        alone = bench.run(rtl_vectors(program, [x[:1]], 1))
    return {
        "cycles_per_frame": float(np.median(np.diff(run.ended))),
        "latency_cycles": alone.registers["latency"],
        "register_toggles_per_frame": round(toggled.per_frame),
    }


def measure(name: str, case: Case) -> dict[str, Any]:
    """One row."""
    started = time.perf_counter()
    program, files = built(case)
    generated = time.perf_counter() - started
    described = design.of(files)
    found = simulated(program, files, case.streams)
    interval = found["cycles_per_frame"]
    cycles, multipliers = case.paper or (None, None)
    return {
        "design": name,
        "network": f"{case.network.cell} 153-1024" + ("/512" if case.network.projection else ""),
        "block_size": case.block_size,
        "pruning_ratio": case.pruning_ratio,
        "density": case.density,
        "bits": case.spec.bits.weights,
        "transform": case.spec.transform + (" (3)" if case.spec.transform == "fourier" else ""),
        "lanes_columns": "x".join(map(str, case.array[:2])),
        "multipliers": sum(layer.multipliers.total for layer in described.layers),
        "streams": case.streams,
        "weights": described.weights,
        **found,
        "utilization": round(simulation.utilization(described, interval), 3),
        "ernn_paper_cycles": cycles,
        "ernn_paper_multipliers": multipliers,
        "cycles_ratio": None if cycles is None else round(interval / cycles, 3),
        "generate_s": round(generated, 2),
        "commit": commit(),
    }


def main() -> None:
    """Measure what is named, or all; rows of other cases stay as they are recorded."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *CASES], help="cases; none means all")
    chosen = parser.parse_args().names or list(CASES)
    found = {row["design"]: row for row in recorded()}
    for name in chosen:
        found[name] = row = measure(name, CASES[name])
        rows = [{key: found[each].get(key) for key in row} for each in CASES if each in found]
        record("accelerator", rows, note=NOTE)


def recorded() -> list[dict[str, Any]]:
    """Rows that were measured before."""
    path = FOLDER / "accelerator.json"
    return list(artifacts.read_json(path)["rows"]) if path.exists() else []


if __name__ == "__main__":
    main()
