"""`python -m bench.cost_fit TABLE`: constants of the cost model, fitted to synthesis, for ernn/estimate/fabric.py.

Rows of the fit are the parts of small designs, synthesized here, and whole reference designs out of devices.json. The
model is linear in its constants. Each row weighs as the root of its size, and the present constants hold as a ridge, so
that one which no row shows stays as it is.
"""

import dataclasses
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import lsq_linear

from bench import accelerator, devices
from bench.record import FOLDER
from ernn.arguments import Parser
from ernn.devices.catalogue import DEVICES, Device, Family
from ernn.devices.timing import TIMINGS
from ernn.estimate import cost, fabric
from ernn.estimate.fabric import FabricConstants
from ernn.estimate.shapes import Shape
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout import sizing
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.synthesize import cells, count, sources
from ernn.tools import yosys

RIDGE, WHOLE = 6.0, 0.7  # how much the present constants weigh, and a whole design against a part of its size
DEVICES_OF = {"six": ("xc7z020", "xcku060"), "four": ("ecp5-85f", "gw5ast-138c"), "cpe": ("ccgm1a1",)}
REFERENCE = {
    "six": [(name, device) for name in ("lstm-k8", "lstm-k16", "gru-k8", "gru-k16") for device in devices.BOTH],
    "four": [(name, small.device) for name, small in devices.SMALL.items() if small.device == "ecp5-85f"],
    "cpe": [],
}
CASES: list[tuple[Shape, sizing.Size, sizing.Size]] = [
    (Shape("lstm", cells=32, inputs=20, classes=8, block_size=4), (4, 1, 0), (4, 1, 0)),
    (Shape("gru", cells=32, inputs=20, classes=8, block_size=4), (4, 1, 0), (2, 2, 0)),
    (Shape("lstm", 2, 64, 32, True, inputs=40, classes=12, block_size=4), (8, 2, 0), (4, 2, 0)),
    (Shape("gru", 1, 64, inputs=40, classes=12, block_size=8), (8, 2, 0), (4, 2, 0)),
]
NAMES = [field.name for field in dataclasses.fields(FabricConstants)]
Used = tuple[float, float]  # look-up tables and flip-flops


@dataclasses.dataclass(frozen=True)
class Row:
    """A part, or a whole design: what was counted, and the estimate as a linear function of the constants."""

    name: str
    counted: Used
    estimate: Used
    gradient: np.ndarray  # (constants, 2)


def estimates(network: NetworkHardware, device: Device, constants: FabricConstants) -> dict[str, Used]:
    """Of the parts of a design, with other constants than those of its family."""
    before = fabric.FABRICS[device.family]
    fabric.FABRICS[device.family] = dataclasses.replace(before, constants=constants)
    try:
        return {part.name: (part.total.lut, part.total.ff) for part in cost.estimate(network, device).parts}
    finally:
        fabric.FABRICS[device.family] = before


def linear(network: NetworkHardware, device: Device) -> Iterator[tuple[str, Used, np.ndarray]]:
    """Each part's estimate and its gradient."""
    constants, step = fabric.FABRICS[device.family].constants, 0.01
    now = estimates(network, device, constants)
    moved = [
        estimates(network, device, dataclasses.replace(constants, **{name: getattr(constants, name) + step}))
        for name in NAMES
    ]
    for part, used in now.items():
        yield part, used, (np.array([each[part] for each in moved]) - used) / step


def counted(network: NetworkHardware, family: Family) -> dict[str, Used]:
    """The parts of a design, synthesized."""
    with tempfile.TemporaryDirectory() as folder:
        source = sources.read(rtl_project(network).write(Path(folder) / "project"))
        count.measure(source, family, Path(folder) / "work")
        tops = ("ernn", *source.layers)
        result: dict[str, Used] = {}
        for top in tops:
            modules = yosys.cells(Path(folder) / "work" / f"{family}-{top}.json")
            parts = [name for name in modules[top] if name in modules and name not in (*tops, "ernn_copy")]
            for part in parts:
                result[f"{top}: {part.removeprefix(top + '_').replace('lane', 'lanes')}"] = _total(
                    modules, part, family, modules[top][part]
                )
            rest = {name: number for name, number in modules[top].items() if name not in (*parts, *tops)}
            name = "control" if top == "ernn" else f"{top}: control"
            result[name] = _total(modules | {top: rest}, top, family, 1)
        return result


def _total(modules: dict[str, dict[str, int]], name: str, family: Family, times: int) -> Used:
    own = cells.resources({each: n for each, n in modules[name].items() if each not in modules}, family)
    inner = [_total(modules, each, family, n) for each, n in modules[name].items() if each in modules]
    return times * (own.lut + sum(lut for lut, _ in inner)), times * (own.ff + sum(ff for _, ff in inner))


def parts_of(table: str) -> Iterator[Row]:
    """Rows of the small designs."""
    for shape, layers, output in CASES:
        for device in (DEVICES[name] for name in DEVICES_OF[table]):
            program, clock = shape.program(), Clock(200, TIMINGS[device.family])
            network = NetworkHardware(program, Architecture(sizing.arrays(program, layers, output), clock))
            found = counted(network, device.family)
            for part, estimate, gradient in linear(network, device):
                if part in found:
                    yield Row(f"{program.name} {device.name} {part}", found[part], estimate, gradient)


def wholes_of(table: str) -> Iterator[Row]:
    """Rows of reference designs, with the counts of devices.json."""
    known = {(row["design"], row["device"]): row for row in json.loads((FOLDER / "devices.json").read_text())["rows"]}
    for name, device in REFERENCE[table]:
        case, row = devices.case_of(name), known[name, device]
        mhz = devices.SMALL[name].clock_mhz if name in devices.SMALL else accelerator.CLOCK_MHZ
        network = accelerator.network(case, accelerator.program_of(case), device, mhz)
        parts = list(linear(network, DEVICES[device]))
        estimate = np.sum([used for _, used, _ in parts], axis=0)
        used = row.get("lut_yosys") or row["lut"], row.get("ff_yosys") or row["ff"]
        yield Row(f"{name} {device}", used, tuple(estimate), sum(gradient for *_, gradient in parts))


def fit(parts: list[Row], wholes: list[Row], present: np.ndarray) -> np.ndarray:
    """Constants, none of them less than a fifth or more than three times what it is."""
    equations, right = [np.diag(RIDGE / present)], [np.full(len(present), RIDGE)]
    for rows, weight in ((parts, 1.0), (wholes, WHOLE)):
        for row in rows:
            for which in (0, 1) if "control" in row.name else (0,):  # flip-flops of general modules alone are fitted
                scale = weight / max(row.counted[which], 50.0) ** 0.5
                gradient = row.gradient[:, which]
                equations.append(scale * gradient[None])
                right.append(np.array([scale * (row.counted[which] - row.estimate[which] + gradient @ present)]))
    bounds = 0.2 * present, 3 * present
    return lsq_linear(np.concatenate(equations), np.concatenate(right), bounds=bounds).x


def main() -> None:
    """Print constants, and what they change."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("table", choices=[*DEVICES_OF], help="of look-up tables with 6 inputs, with 4, or of GateMate")
    table = parser.parse_args().table
    constants = fabric.FABRICS[DEVICES[DEVICES_OF[table][0]].family].constants
    present = np.maximum([getattr(constants, name) for name in NAMES], 0.05)
    parts, wholes = list(parts_of(table)), list(wholes_of(table))
    found = fit(parts, wholes, present)
    for name, before, after in zip(NAMES, present, found, strict=True):
        print(f"    {name}={after:.2g},  # {before:g}")
    print("\nestimate over synthesis, look-up tables: before, after")
    for row in (*parts, *wholes):
        after = row.estimate[0] + row.gradient[:, 0] @ (found - present)
        if row.counted[0]:
            print(f"{row.name:60} {row.estimate[0] / row.counted[0]:6.2f} {after / row.counted[0]:6.2f}")


if __name__ == "__main__":
    main()
