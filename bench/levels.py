"""`python -m bench.levels [NAME ...]`: levels of logic between registers, and the clock that they support.

For the designs at the sizes of the literature and the accelerators of `params.yaml` whose programs are there: the ten
paths with most levels, each with its module, the line of Verilog and the Python function that wrote it.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench import devices
from bench.provenance import Watched
from bench.record import FOLDER, commit, record
from components.choose import network_of
from ernn import artifacts, params
from ernn.arguments import Parser
from ernn.devices.catalogue import DEVICES
from ernn.devices.flow import FLOWS
from ernn.hw import design, project
from ernn.params import AcceleratorSpec, Parameters
from ernn.params.hardware import device_of
from ernn.program import files
from ernn.synthesize import count, levels, sources

PAPER = ("lstm-k8", "lstm-k16", "gru-k8", "gru-k16")
COLUMNS = (
    *("design", "device", "scheduled_mhz", "supported_mhz", "rank", "levels"),
    *("module", "start", "end", "line", "function", "commit"),
)
MEASURES = (
    "ernn/devices/flow.py",
    "ernn/devices/timing.py",
    "ernn/hw/graph",
    "ernn/hw/layout",
    "ernn/hw/verilog",
    "ernn/synthesize",
    "ernn/tools/yosys.py",
)
NOTE = """\
One row a path, `rank` 1 the worst of its design. `levels`: a look-up table is one, a carry chain 0.4 where it is
entered, 0.1 for every further cell and 0.35 where it is left, a wide multiplexer 0.25; a block RAM without its output
register begins at 3; multipliers and the registers around them are one. Counted in Yosys' netlist, module by module,
with paths through modules' borders. `supported_mhz` is the clock for which the design's worst path is short enough by a
rule: 0.7 ns of a cycle, and for each level 0.7 ns on 7-series (-2; 0.85 for -1) and 0.55 ns on UltraScale (-2), wires
included. It is an estimate: only a vendor's place and route can say more. `scheduled_mhz` is what pipelines were
scheduled for. Reports take the smaller of the two clocks, and call it estimated from levels. `line`
and `function` are those of the row's commit."""


Generator = Callable[[], dict[str, str]]


def designs() -> dict[str, tuple[str, Generator]]:
    """Device and generator of each design, by a name."""
    found: dict[str, tuple[str, Generator]] = {}
    for name in PAPER:
        for device in devices.PAPER[name]:
            found[f"{name} {device}"] = device, partial(_paper, name, device)
    parameters = Parameters.model_validate(params.read(Path("params.yaml")))
    for name, accelerator in parameters.accelerators.items():
        program, device = Path("programs") / accelerator.program, device_of(accelerator, parameters.hardware)
        if program.exists() and FLOWS[device.family].level_ns:
            found[f"{name} {device.name}"] = device.name, partial(_generated, accelerator, parameters, program)
    return found


def _paper(name: str, device: str) -> dict[str, str]:
    return devices.made(name, device)[1]


def _generated(accelerator: AcceleratorSpec, parameters: Parameters, program: Path) -> dict[str, str]:
    loaded = files.load(program)
    return project.rtl_project(network_of(accelerator, parameters.hardware, loaded))


def measure(name: str, device: str, generate: Generator) -> list[dict[str, Any]]:
    """A row for each of the worst paths of a design."""
    watched, target = Watched(generate), DEVICES[device]
    with tempfile.TemporaryDirectory() as folder:
        written = watched.files.write(Path(folder) / "project")
        counted = count.measure(sources.read(written), target.family, Path(folder) / "work")
    supported = round(levels.supported_mhz(counted.paths[0].levels, target), 1)
    return [
        {
            "design": name.removesuffix(f" {device}"),
            "device": device,
            "scheduled_mhz": design.of(watched.files).clock_mhz,
            "supported_mhz": supported,
            "rank": rank,
            "levels": path.levels,
            "module": path.module,
            "start": path.start,
            "end": path.end,
            "line": path.line,
            "function": watched.function(path.line, path.end),
            "commit": commit(),
        }
        for rank, path in enumerate(counted.paths, 1)
    ]


def merged(known: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Known rows with those of one design on its device, in the place of its old rows, else behind all others."""
    design = _design(found[0])
    order = list(dict.fromkeys([*map(_design, known), design]))
    kept = [row for row in known if _design(row) != design]
    return sorted([*kept, *found], key=lambda row: order.index(_design(row)))


def _design(row: dict[str, Any]) -> tuple[str, str]:
    return row["design"], row["device"]


def main() -> None:
    """Count what is named, or all, and record it with what was counted before."""
    known = designs()
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="DESIGN or 'DESIGN DEVICE'; none means all")
    chosen = parser.parse_args().names
    file = FOLDER / "levels.json"
    rows = artifacts.read_json(file)["rows"] if file.exists() else []
    for name, (device, generate) in known.items():
        if not chosen or name in chosen or name.removesuffix(f" {device}") in chosen:
            found = measure(name, device, generate)
            rows = merged(rows, found)
            record("levels", [{column: row[column] for column in COLUMNS} for row in rows], note=NOTE)


if __name__ == "__main__":
    main()
