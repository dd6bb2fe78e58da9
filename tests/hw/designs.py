"""Small accelerators as projects on disk, and vectors for them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ernn.artifacts import Texts
from ernn.devices.catalogue import DEVICES
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.network import Target
from ernn.hw.layout import sizing
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.program.network import Program
from ernn.simulate.bench import Bench

CLOCK = Clock(200, TIMINGS["xc7"])
HLS = Target(DEVICES["xczu9eg"].part, 200.0)


def network(
    program: Program,
    layers: sizing.Size = (4, 2, 0),
    output: sizing.Size = (2, 2, 0),
    each: Sequence[sizing.Size] = (),
    streams: int = 1,
    clock: Clock = CLOCK,
    transformed: bool = False,
    beat: tuple[int, int] = (1, 1),
) -> NetworkHardware:
    """An accelerator of small arrays; `beat` has the features and the logits of one."""
    arrays = sizing.arrays(program, layers, output, each)
    features, logits = beat
    architecture = Architecture(arrays, clock, streams, transformed=transformed, features=features, logits=logits)
    return NetworkHardware(program, architecture)


def registers(design: NetworkHardware) -> list[str]:
    """Their names, in order."""
    return [name for name, _, _ in design.registers]


def bench(design: NetworkHardware, folder: Path, files: Texts | None = None) -> Bench:
    """A compiled test bench of a design, or of changed files of it; project and work are folders in `folder`."""
    project = (rtl_project(design) if files is None else files).write(folder / "project")
    (folder / "work").mkdir()
    return Bench(project, folder / "work", registers(design), optimize="-O0")


def write(files: Mapping[str, str], folder: Path) -> Path:
    """Texts as files of a folder, which is returned."""
    return Texts(files).write(folder)


def utterances(program: Program, lengths: Sequence[int], seed: int = 1) -> list[np.ndarray]:
    """Features; those of every third utterance are the ends of their format."""
    random, format, found = np.random.default_rng(seed), program.input, []
    for number, frames in enumerate(lengths):
        shape = (frames, program.inputs)
        ends = random.choice([format.low, format.high], shape)
        found.append(ends if number % 3 == 2 else random.integers(format.low, format.high, shape, endpoint=True))
    return found
