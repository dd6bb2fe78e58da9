"""What an accelerator takes of a device, its clock, and whether it fits: a row for each tool that synthesizes it."""

import logging
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ernn import artifacts
from ernn.devices.catalogue import Device, Resources
from ernn.devices.flow import FLOWS
from ernn.records.synthesis import ClockKind, Counts, Logic, Power, Routing, SynthesisRow
from ernn.synthesize import cells, count, levels, output_registers, sources, vendor
from ernn.synthesize.sources import Sources
from ernn.tools import nextpnr, yosys
from ernn.tools.process import OutOfTime

log = logging.getLogger(__name__)

SEED_MINUTES = 60.0  # of place and route
CROWDED = 0.5  # share of look-up tables above which routing decides whether there is a routed one at all


@dataclass(frozen=True)
class Seeds:
    """How often an accelerator is placed and routed.

    Args:
        numbers: the clock is the median of them.
        minutes: what a seed may take; the row names those that took longer, and its clock stays an assumed one if all
            did.
        resume: take what is placed and routed from an earlier run of the same sources.
    """

    numbers: Sequence[int]
    minutes: float = SEED_MINUTES
    resume: bool = False


def synthesize(
    name: str,
    project: Path,
    device: Device,
    seeds: Seeds,
    folder: Path,
    processes: int = 2,
    plain: bool = False,
) -> tuple[SynthesisRow, ...]:
    """Rows of an accelerator: by the open tools, placed and routed where one of them can, and by the vendor's.

    Args:
        folder: for everything that the tools write.
        plain: where a family has modules of its own, count with them and without.

    Raises:
        UserError: a tool is missing or failed.
    """
    read = sources.read(project)
    counted = count.measure(read, device.family, folder / device.family, processes, plain)
    row = _counted(name, device, counted, read.clock_mhz)
    if FLOWS[device.family].router and row.fits:
        crowded = device.shares(counted.resources)["lut"] > CROWDED
        place = _Place(sources.read(project, images=True), device, folder / device.name, crowded)
        row = _routed(row, place, seeds, processes)
    if not vendor.available(device):
        return (row,)
    return row, _implemented(name, project, device, folder / f"vivado-{device.name}")


def _row(name: str, device: Device, flow: str, used: Resources, fmax_mhz: float, fmax_kind: ClockKind) -> SynthesisRow:
    binding = device.binding(used)
    return SynthesisRow(name, device.name, flow, used, fmax_mhz, fmax_kind, not binding, binding)


def _counted(name: str, device: Device, counted: count.Counted, scheduled_mhz: float) -> SynthesisRow:
    """By synthesis alone; the clock is that which levels of logic support, no more than the scheduled one."""
    row = _row(name, device, "yosys", counted.resources, scheduled_mhz, "assumed")
    if counted.plain is not None:
        row = replace(row, counts=Counts(counted.resources, counted.plain))
    if not counted.paths:
        return row
    deepest = counted.paths[0].levels
    supported = levels.supported_mhz(deepest, device)
    return replace(
        row,
        fmax_mhz=round(min(scheduled_mhz, supported), 2),
        fmax_kind="levels",
        logic=Logic(deepest, round(supported, 2)),
        paths=counted.paths,
    )


@dataclass(frozen=True)
class _Place:
    """Sources that are placed and routed on a device, and the folder of everything that the tools write."""

    sources: Sources
    device: Device
    folder: Path
    crowded: bool

    @property
    def gatemate(self) -> bool:
        """Whether GateMate's router is the device's."""
        return FLOWS[self.device.family].router == "nextpnr-gatemate"

    def synthesize(self, resume: bool) -> None:
        """Make the netlist, unless it exists."""
        family = self.sources.of_family(self.device.family)
        family.write(self.folder)
        if resume and (self.folder / "netlist.done").exists():
            return
        commands = [
            count.read(list(family.verilog)),
            count.synthesis(self.device.family, sources.TOP),
            *("opt_clean", "autoname", "blackbox =A:whitebox", "write_json netlist.json"),
        ]
        yosys.synthesize(self.folder, "netlist", commands)
        moved = output_registers.rewrite(self.folder / "netlist.json", self.device.family)
        log.info("%s: the registers behind %d block RAMs are in the blocks", self.device.name, moved)
        (self.folder / "netlist.done").touch()

    def placed(self, seed: int, seeds: Seeds) -> nextpnr.Placed | None:
        """A seed's result; None if it took too long."""
        common, limit_s = (self.folder, "netlist", self.sources.clock_mhz, seed), seeds.minutes * 60
        done = self.folder / f"netlist.{seed}.done"
        if seeds.resume and done.exists():
            return nextpnr.Placed(**artifacts.read_json(done))
        try:
            if self.gatemate:
                found = nextpnr.gatemate(*common, self.device.part, limit_s)
            else:
                found = nextpnr.ecp5(*common, self.device.speed, limit_s, self.crowded)
        except OutOfTime as error:
            log.warning("%s, seed %d: %s", self.device.name, seed, error)
            return None
        artifacts.write_json(done, asdict(found))
        return found

    def routing(self, placed: Mapping[int, nextpnr.Placed]) -> Routing:
        """Of all seeds that were routed."""
        clocks = {seed: each.fmax_mhz for seed, each in placed.items()}
        pack = nextpnr.PACK_GATEMATE if self.gatemate else nextpnr.PACK_ECP5
        bitstream = nextpnr.bitstream(self.folder, "netlist", max(clocks, key=lambda seed: clocks[seed]), pack)
        low, high = round(min(clocks.values()), 2), round(max(clocks.values()), 2)
        return Routing(low, high, tuple(clocks), bitstream.stat().st_size)


def _routed(row: SynthesisRow, place: _Place, seeds: Seeds, processes: int) -> SynthesisRow:
    """The row with the cells that are occupied and the clock, if a seed was routed in time."""
    place.synthesize(seeds.resume)
    with ThreadPoolExecutor(processes) as pool:
        results = pool.map(lambda seed: place.placed(seed, seeds), seeds.numbers)
        placed = {seed: each for seed, each in zip(seeds.numbers, results, strict=True) if each}
    row = replace(row, unrouted_seeds=tuple(seed for seed in seeds.numbers if seed not in placed))
    if not placed:
        return row
    return replace(
        row,
        flow="yosys, nextpnr",
        used=cells.occupied(next(iter(placed.values())).used, place.device.family),
        fmax_mhz=round(statistics.median(each.fmax_mhz for each in placed.values()), 2),
        fmax_kind="place_and_route",
        routing=place.routing(placed),
    )


def _implemented(name: str, project: Path, device: Device, folder: Path) -> SynthesisRow:
    folder.mkdir(parents=True)
    made = vendor.implement(project, device, folder)
    row = _row(name, device, "vivado", made.resources, made.fmax_mhz, made.fmax_kind)
    return replace(row, power=Power(made.power_w, made.power_kind))
