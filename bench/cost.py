"""`python -m bench.cost`: estimates of the cost model beside synthesis."""

import dataclasses
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.record import FOLDER, record
from ernn import artifacts
from ernn.arguments import Parser
from ernn.artifacts import Texts
from ernn.devices.catalogue import DEVICES, Resources
from ernn.devices.timing import TIMINGS
from ernn.estimate import cost
from ernn.estimate.shapes import Shape
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.synthesize import count, levels, sources

ERRORS = Path("ernn/estimate/cost_errors.json")
COLUMNS = ("design", "device", "resource", "estimate", "synthesis", "error_percent", "fitted", "rtl")
MEASURES = (
    "ernn/devices",
    "ernn/estimate",
    "ernn/hw/graph",
    "ernn/hw/layout",
    "ernn/hw/verilog",
    "ernn/synthesize",
)
NOTE = """\
`estimate` is the cost model's (`ernn.estimate.cost`), `synthesis` Yosys' of the same sources by the stage
`synthesize`: hierarchy kept, before place and route. `fitted` rows are those that the constants in
`ernn/estimate/fabric.py` were chosen with; the errors that `ernn fit` prints are the largest of the
others. Weights are zeros that can be loaded: no count depends on them. Logic of control is estimated by its registers
and goes with no exact rule; memories and multipliers do. Rows `clock` are in MHz: the estimate is the clock that
pipelines are scheduled for, `synthesis` the one that levels of logic in the netlist allow (`bench.levels`).
Their stated error is how far the first exceeds the second. `rtl` is the digest of the Verilog that was synthesized; a
test compares it with what the generator writes."""


@dataclass(frozen=True)
class Case:
    """A design and what it is synthesized for."""

    shape: Shape
    array: sizing.Size
    output: sizing.Size
    devices: tuple[str, ...]
    fitted: bool = False


CLOCK_MHZ = 200
ALL = ("xc7z020", "ecp5-85f", "xcku060", "gw5ast-138c", "ccgm1a1")  # one of each family
_SMALL = Shape("lstm", cells=32, inputs=20, classes=8, block_size=4)
CASES = {
    "lstm 20-32 k=4": Case(_SMALL, (4, 1, 0), (4, 1, 0), ALL, fitted=True),
    "gru 20-32 k=8 fourier": Case(
        Shape("gru", cells=32, inputs=20, classes=8, block_size=8, transform="fourier"),
        (4, 1, 0),
        (4, 1, 0),
        ALL,
    ),
    "lstm 40-64/32 k=8": Case(
        Shape("lstm", 1, 64, 32, True, inputs=40, classes=12, block_size=8), (8, 2, 0), (4, 2, 0), ("xc7z020",)
    ),
    "gru 40-96 k=4": Case(Shape("gru", cells=96, inputs=40, classes=12, block_size=4), (8, 4, 2), (4, 2, 0), ALL),
    "lstm 40-64 k=4, half": Case(
        Shape("lstm", 1, 64, inputs=40, classes=12, block_size=4, density=0.5, together=True),
        (8, 2, 0),
        (4, 2, 0),
        ("xc7z020", "ecp5-85f"),
    ),
    "gru 40-64 k=4, half": Case(
        Shape("gru", 1, 64, inputs=40, classes=12, block_size=4, density=0.5), (8, 2, 0), (4, 2, 0), ("xc7z020",)
    ),
    "lstm 40-128 k=1": Case(Shape(cells=128, inputs=40, classes=12, block_size=1), (8, 4, 0), (4, 2, 0), ALL),
    "lstm 80-2x128 k=8": Case(
        Shape("lstm", 2, 128, inputs=80, block_size=8), (8, 2, 0), (16, 4, 0), ("xc7z020", "ecp5-85f")
    ),
}


def main() -> None:
    """Synthesize what is named, or all; rows of other cases stay as they are recorded."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[[], *CASES], help="cases; none means all")
    names, path = parser.parse_args().names or list(CASES), FOLDER / "cost.json"
    found = defaultdict[str, list[dict[str, Any]]](list)
    for row in artifacts.read_json(path)["rows"] if path.exists() else []:
        found[row["design"]].append(row)
    for name in names:
        found[name] = [row for device in CASES[name].devices for row in measure(name, device)]
        print(*found[name], sep="\n", flush=True)
    rows = [{column: row[column] for column in COLUMNS} for name in CASES for row in found[name]]
    record("cost", rows, note=NOTE)
    artifacts.write_json(ERRORS, errors(rows))


def network_of(name: str, device: str) -> NetworkHardware:
    """A design, with the delays of a device's family."""
    case, clock = CASES[name], Clock(CLOCK_MHZ, TIMINGS[DEVICES[device].family])
    program = case.shape.program()
    return NetworkHardware(program, Architecture(sizing.arrays(program, case.array, case.output), clock))


def rtl_digest(network: NetworkHardware) -> str:
    """Of what was synthesized: the Verilog, without weights, test bench and descriptions."""
    return Texts({path: text for path, text in rtl_project(network).items() if path.startswith("rtl/")}).digest()[:16]


def measure(name: str, device: str) -> list[dict[str, Any]]:
    """A row for each resource of a design on a device, and one for its clock where levels of logic give one."""
    network, target = network_of(name, device), DEVICES[device]
    found = cost.estimate(network, target).total
    with tempfile.TemporaryDirectory() as folder:
        project = rtl_project(network).write(Path(folder) / "project")
        counted = count.measure(sources.read(project), target.family, Path(folder) / "work")
    fields = [field.name for field in dataclasses.fields(Resources)]
    rows = [_row(name, device, field, getattr(found, field), getattr(counted.resources, field)) for field in fields]
    if counted.paths:
        supported = round(levels.supported_mhz(counted.paths[0].levels, target), 1)
        rows.append(_row(name, device, "clock", CLOCK_MHZ, supported))
    return [row | {"fitted": CASES[name].fitted, "rtl": rtl_digest(network)} for row in rows]


def _row(design: str, device: str, resource: str, estimate: float, synthesis: float) -> dict[str, Any]:
    error = 100 * (estimate - synthesis) / synthesis if synthesis else None
    return {
        "design": design,
        "device": device,
        "resource": resource,
        "estimate": round(estimate, 1),
        "synthesis": synthesis,
        "error_percent": None if error is None else round(error, 1),
    }


def errors(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """The largest errors by family and resource, in percent, of rows that nothing was fitted to."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if not row["fitted"] and row["error_percent"] is not None:
            worst = found.setdefault(DEVICES[row["device"]].family, {})
            error = row["error_percent"] if row["resource"] == "clock" else abs(row["error_percent"])
            worst[row["resource"]] = max(worst.get(row["resource"], 0.0), error)
    return found


if __name__ == "__main__":
    main()
