"""What a design takes of a device, its clock, and whether it fits: a row for each tool that synthesizes it."""

import logging
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from ernn import artifacts
from ernn.devices.catalogue import COUNTS, Device, Resources
from ernn.devices.flow import FLOWS
from ernn.synthesize import cells, count, levels, output_registers, sources, vendor
from ernn.synthesize.sources import Sources
from ernn.tools import nextpnr, yosys
from ernn.tools.process import OutOfTime

log = logging.getLogger(__name__)

SEED_MINUTES = 60.0  # of place and route
CROWDED = 0.5  # share of look-up tables above which routing decides whether there is a design at all


def rows(
    name: str,
    project: Path,
    device: Device,
    seeds: Sequence[int],
    folder: Path,
    processes: int = 2,
    seed_minutes: float = SEED_MINUTES,
    resume: bool = False,
    plain: bool = False,
) -> list[dict[str, Any]]:
    """Rows of a design: by the open tools, placed and routed where one of them can, and by the vendor's if it is there.

    Args:
        seeds: of place and route; the clock is the median of them.
        folder: for everything that the tools write.
        seed_minutes: what a seed may take; the row names those that took longer (`unrouted_seeds`), and its clock stays
            an assumed one if all did.
        resume: take what is placed and routed from an earlier run of the same sources in `folder`.
        plain: where a family has modules of its own, count with them (`lut_yosys`, ..) and without (`lut_plain`, ..).

    Raises:
        UserError: a tool is missing or failed.
    """
    design = sources.sources(project)
    counted = count.count(design, device.family, folder / device.family, processes, plain)
    row = _row(name, device, counted.resources, design.clock_mhz)
    row |= _supported(counted.paths, device, design.clock_mhz) | _both(counted.resources, counted.plain)
    if FLOWS[device.family].router and row["fits"]:
        whole, crowded = sources.sources(project, images=True), device.shares(counted.resources)["lut"] > CROWDED
        row |= _routed(whole, device, crowded, seeds, folder / device.name, processes, seed_minutes, resume)
    if not vendor.available(device):
        return [row]
    return [row, _implemented(name, project, device, folder / f"vivado-{device.name}")]


def _row(name: str, device: Device, used: Resources, clock_mhz: float) -> dict[str, Any]:
    binding = device.binding(used)
    return {
        "design": name,
        "device": device.name,
        "flow": "yosys",
        **asdict(used),
        "fmax_mhz": clock_mhz,
        "fmax_kind": "assumed",
        "fits": not binding,
        "binds": list(binding),
    }


def _both(own: Resources, plain: Resources | None) -> dict[str, float]:
    """Counts with the family's own modules and without them, if it has any."""
    return {} if plain is None else dict(zip(COUNTS, (*astuple(own), *astuple(plain)), strict=True))


def _supported(paths: Sequence[levels.Path], device: Device, scheduled_mhz: float) -> dict[str, Any]:
    """The clock that levels of logic support, no more than what pipelines were scheduled for."""
    if not paths:
        return {}
    supported = levels.supported_mhz(paths[0].levels, device)
    return {
        "fmax_mhz": round(min(scheduled_mhz, supported), 2),
        "fmax_kind": "levels",
        "levels": paths[0].levels,
        "levels_mhz": round(supported, 2),
        "paths": [asdict(path) for path in paths],
    }


def _routed(
    design: Sources,
    device: Device,
    crowded: bool,
    seeds: Sequence[int],
    folder: Path,
    processes: int,
    seed_minutes: float,
    resume: bool,
) -> dict[str, Any]:
    """What changes in a row by place and route: cells that are occupied, and the clock."""
    family = design.of_family(device.family)
    family.write(folder)
    commands = [
        count.read(list(family.verilog)),
        count.synthesis(device.family, sources.TOP),
        *("opt_clean", "autoname", "blackbox =A:whitebox", "write_json netlist.json"),
    ]
    if not (resume and (folder / "netlist.done").exists()):
        yosys.synthesize(folder, "netlist", commands)
        moved = output_registers.rewrite(folder / "netlist.json", device.family)
        log.info("%s: the registers behind %d block RAMs are in the blocks", device.name, moved)
        (folder / "netlist.done").touch()

    def placed(seed: int) -> nextpnr.Placed | None:
        common, limit_s = (folder, "netlist", design.clock_mhz, seed), seed_minutes * 60
        done = folder / f"netlist.{seed}.done"
        if resume and done.exists():
            return nextpnr.Placed(**artifacts.read_json(done))
        try:
            if FLOWS[device.family].router == "nextpnr-gatemate":
                found = nextpnr.gatemate(*common, device.part, limit_s)
            else:
                found = nextpnr.ecp5(*common, device.speed, limit_s, crowded)
        except OutOfTime as error:
            log.warning("%s, seed %d: %s", device.name, seed, error)
            return None
        artifacts.write_json(done, asdict(found))
        return found

    with ThreadPoolExecutor(processes) as pool:
        results = dict(zip(seeds, pool.map(placed, seeds), strict=True))
    routed = {seed: result for seed, result in results.items() if result}
    late = {"unrouted_seeds": [seed for seed in seeds if seed not in routed]} if len(routed) < len(results) else {}
    if not routed:
        return late
    clocks = [each.fmax_mhz for each in routed.values()]
    fastest = max(routed, key=lambda seed: routed[seed].fmax_mhz)
    pack = nextpnr.PACK_GATEMATE if FLOWS[device.family].router == "nextpnr-gatemate" else nextpnr.PACK_ECP5
    return {
        "flow": "yosys, nextpnr",
        **asdict(cells.occupied(next(iter(routed.values())).used, device.family)),
        "fmax_mhz": round(statistics.median(clocks), 2),
        "fmax_kind": "place_and_route",
        "fmax_low_mhz": round(min(clocks), 2),
        "fmax_high_mhz": round(max(clocks), 2),
        "seeds": list(routed),
        **late,
        "bitstream_bytes": nextpnr.bitstream(folder, "netlist", fastest, pack).stat().st_size,
    }


def _implemented(name: str, project: Path, device: Device, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    made = vendor.implement(project, device, folder)
    return _row(name, device, made.resources, made.fmax_mhz) | {
        "flow": "vivado",
        "fmax_kind": made.fmax_kind,
        "power_w": made.power_w,
        "power_kind": made.power_kind,
    }
