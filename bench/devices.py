"""`python -m bench.devices [NAME ...]`: what designs take of devices, and the clocks that place and route reaches.

Designs at the sizes of the literature (`bench.accelerator`) for the FPGAs they were published on, each with the delays
of its family, and small networks on the smallest arrays, placed and routed on ECP5; one layer also on GateMate.

Every seed of place and route is kept under the cache folder (ERNN_BENCH_CACHE, else ~/.cache/ernn), by the digest of
the sources and of what places and routes them: a run that was stopped resumes at the seed that is missing.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench import accelerator
from bench.record import FOLDER, commit, record
from ernn import artifacts, synthesize
from ernn.arguments import Parser
from ernn.devices import flow
from ernn.devices.catalogue import DEVICES, Resources
from ernn.hw import design, project
from ernn.params import Network, ProgramSpec
from ernn.program.network import Program
from ernn.records.synthesis import Counts, SynthesisRow
from ernn.synthesize import rows
from ernn.tools import nextpnr

CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "devices"
SEEDS = (1, 2, 3)  # of place and route
BOTH = ("xcku060", "xc7vx690t")
PAPER = {  # the FPGAs of the published system that `bench.against` compares a design, or its circulant rival, with
    "lstm-k8": BOTH,
    "lstm-k16": BOTH,
    "gru-k8": BOTH,
    "gru-k16": BOTH,
    "lstm-sparse-8x": ("xcku060",),
    "lstm-sparse-16x": ("xcku060",),
    "ese": ("xcku060",),
    "c-lstm-k8": BOTH,
    "c-lstm-k16": BOTH,
    "lstm-k16-512": ("xczu9eg",),
    "gru-k16-512": ("xczu9eg",),
    "lstm-1024-k16": ("xc7z100",),
}
COUNTS = tuple(Counts(Resources(), Resources()).metrics)
COLUMNS = (
    *("design", "device", "flow", "weights", "lut", "ff", "dsp", "bram"),
    *COUNTS,
    *("fmax_mhz", "fmax_kind", "fmax_low_mhz", "fmax_high_mhz", "levels", "levels_mhz"),
    *("cycles_per_frame", "latency_cycles", "unrouted_seeds", "fits", "binds", "bitstream_bytes", "seconds", "commit"),
)
MEASURES = (
    "ernn/devices/flow.py",
    "ernn/devices/timing.py",
    "ernn/hw/graph",
    "ernn/hw/layout",
    "ernn/hw/verilog",
    "ernn/synthesize",
    "ernn/tools/nextpnr.py",
    "ernn/tools/yosys.py",
)
NOTE = """\
Counts are of Yosys, module by module, times the instances; `bram` are RAMB36 (halves: RAMB18), DP16KD or BRAM_40K
(halves: 20K); `lut` of GateMate (`ccgm1a1`) are halves of CPEs, which are its multipliers, too. `fmax_kind`
place_and_route: nextpnr has placed, routed and timed the whole design, the median of three seeds; levels: estimated
from the levels of logic of the longest path (`levels_mhz`, by the rule of [levels.md](levels.md)), and no more than
what pipelines were scheduled for; assumed: what pipelines were scheduled for. Designs that take more than half of the
look-up tables of an ECP5 are placed by nextpnr's static placer. For multipliers of ECP5 and UltraScale and memories of
ECP5, synthesis takes modules made of the family's primitives instead of the generated ones: `lut_yosys`, .. are Yosys'
counts with them, `lut_plain`, .. without them; 7-series and GateMate have no such modules, and rows of an older commit
have no such counts. `weights` says how they are stored, by the rule of docs/accelerator.md. `unrouted_seeds` names
seeds that were stopped after an hour. `binds` names what a device has too little of. `cycles_per_frame` and
`latency_cycles` are simulated; those of the other designs are in [accelerator.md](accelerator.md). Rows carry the
commit that they were measured with."""


@dataclass(frozen=True)
class Small:
    """Layers of a few cells on the smallest arrays, for a small FPGA."""

    cell: Literal["lstm", "gru"]
    block_size: int
    pruning_ratio: float = 1.0
    density: float = 1.0
    layers: int = 2
    cells: int = 128
    device: str = "ecp5-85f"
    clock_mhz: float = 120


SMALL = {
    "gru-1x64-k4": Small("gru", 4, layers=1, cells=64),
    "lstm-2x128-k2": Small("lstm", 2),
    "lstm-2x128-k4": Small("lstm", 4),
    "lstm-2x128-k8": Small("lstm", 8),
    "lstm-2x128-pruned": Small("lstm", 1, 8.9),
    "lstm-2x128-sparse": Small("lstm", 4, density=0.5),
    "gru-2x128-k4": Small("gru", 4),
    "gru-2x128-k8": Small("gru", 8),
    "gru-1x128-k4": Small("gru", 4, layers=1, device="ccgm1a1", clock_mhz=50),
}


def case_of(name: str) -> accelerator.Case:
    """Network and sizes of a design."""
    if name in PAPER:
        return accelerator.CASES[name]
    shape = SMALL[name]
    network = Network(cell=shape.cell, layers=shape.layers, cells=shape.cells)
    lanes = 4 if shape.cell == "lstm" else 1
    return accelerator.Case(
        network,
        shape.block_size,
        ProgramSpec(design="random"),
        (lanes, 1, 0),
        (1, 1, 0),
        beat=1,
        pruning_ratio=shape.pruning_ratio,
        density=shape.density,
        inputs=80,
    )


def devices_of(name: str) -> tuple[str, ...]:
    """Devices that a design is made for, sources for each."""
    return PAPER[name] if name in PAPER else (SMALL[name].device,)


def made(name: str, device: str) -> tuple[Program, artifacts.Texts]:
    """Program and sources of a design for a device."""
    case, mhz = case_of(name), SMALL[name].clock_mhz if name in SMALL else accelerator.CLOCK_MHZ
    program = accelerator.program_of(case)
    return program, project.rtl_project(accelerator.network(case, program, device, mhz))


def measure(name: str, device: str) -> dict[str, Any]:
    """A row."""
    program, files = made(name, device)
    place = CACHE / f"{name}-{device}-{files.merged(_flow()).digest()[:16]}"
    files.write(place / "project")
    started = time.perf_counter()
    seeds = rows.Seeds(SEEDS, resume=True)
    found, *_ = rows.synthesize(name, place / "project", DEVICES[device], seeds, place / "work", plain=True)
    place_seconds = _seconds(place / "seconds.json", time.perf_counter() - started)
    stored = design.of(files).weights
    about = {"weights": stored, "seconds": round(place_seconds), "commit": commit()}
    row = columns(found) | about
    return row | accelerator.simulated(program, files, case_of(name).streams) if name in SMALL else row


def columns(row: SynthesisRow) -> dict[str, Any]:
    """What a row of synthesis says, by the columns of the table."""
    routing, logic = row.routing, row.logic
    return {
        **{"design": row.accelerator, "device": row.device, "flow": row.flow},
        **row.metrics,
        **{"fmax_mhz": row.fmax_mhz, "fmax_kind": row.fmax_kind},
        **({} if routing is None else {"fmax_low_mhz": routing.low_mhz, "fmax_high_mhz": routing.high_mhz}),
        **({} if routing is None else {"bitstream_bytes": routing.bitstream_bytes}),
        **({} if logic is None else {"levels": logic.levels, "levels_mhz": logic.mhz}),
        "unrouted_seeds": " ".join(map(str, row.unrouted_seeds)),
        "fits": row.fits,
        "binds": " ".join(row.binds),
    }


def _flow() -> dict[str, str]:
    """What makes a netlist of sources, and places and routes it."""
    folder = Path(synthesize.__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("primitives/*/*.v"), Path(nextpnr.__file__), Path(flow.__file__)]
    return {str(path.relative_to(folder.parent)): path.read_text() for path in sorted(files)}


def _seconds(file: Path, more: float) -> float:
    """Those of all runs that made a row."""
    total = more + (artifacts.read_json(file) if file.exists() else 0.0)
    artifacts.write_json(file, total)
    return total


def main() -> None:
    """Measure what is named, or all, and record it beside what was measured before."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join((*SMALL, *PAPER))}; none means all")
    chosen = parser.parse_args().names or [*SMALL, *PAPER]
    for name in chosen:
        found = [measure(name, device) for device in devices_of(name)]
        print(found, flush=True)
        file = FOLDER / "devices.json"  # read after measuring: another process may have recorded rows meanwhile
        known = json.loads(file.read_text())["rows"] if file.exists() else []
        rows = [row for row in known if row["design"] != name] + found
        order = [*PAPER, *SMALL]
        rows.sort(key=lambda row: (order.index(row["design"]), row["device"]))
        record("devices", [{column: _whole(row.get(column)) for column in COLUMNS} for row in rows], note=NOTE)


def _whole(value: Any) -> Any:
    """Counts as integers; blocks of memory may be halves."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


if __name__ == "__main__":
    main()
