"""The section of the report on what accelerators deliver on devices."""

from collections.abc import Sequence

from ernn.devices.catalogue import DEVICES
from ernn.records.benchmark import BenchmarkRow, FrameEnergy
from ernn.records.synthesis import ClockKind, Counts
from ernn.report.document import markdown_table
from ernn.report.metrics import show
from ernn.report.results import AcceleratorResult

TEXT = """\

## On devices

Each accelerator on the device that it was synthesized for. A clock is *routed* where place and route reached it,
*estimated from levels* where a rule gives it for the longest path of logic in the netlist, and *assumed* where it is
only what pipelines were scheduled for. An estimate is never above what pipelines were scheduled for; where the rule
allows more, it says so. Latency is that of a frame alone, from its first feature to its last logit; frames a second
are those of frames that follow each other. "Speech" says how many times faster than speech that is. PER is that of
exactly this integer network.

{table}

Energies called *estimate* are what an accelerator does in a frame times published energies per operation, and the
device's leakage over the frame's time, given as value and range. They are not calibrated against any FPGA: compare the
accelerators above by them, nothing else.

### Resources

`weights` says what memories hold: the words of the network, or the factors that its products take. `beats` are
features in and logits out, at a time.

{resources}
{plain}
![Resources over block size](resources.png)

![Energy of a frame, and of published systems](energy.png)

Published energies are measured powers of whole boards over frames a second, at the confidence that the figure names;
ours that are estimates cover the FPGA's core alone. The two kinds cannot be divided by each other.
"""
PLAIN = """
Some families have modules of their own for multipliers and deep memories, made of the device's primitives with their
registers; the generated Verilog has none of them. Yosys counts this with them, and without them in the Verilog as it
was generated:

{table}
"""
HEAD = (
    "accelerator",
    "device",
    "clock",
    "cycles",
    "latency",
    "interval",
    "frames/s",
    "speech",
    "energy a frame",
    "frames/s/W",
    "PER",
)
CLOCKS: dict[ClockKind, str] = {"place_and_route": "routed", "levels": "estimated from levels", "assumed": "assumed"}
TITLES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram": "block RAM"}


def section(results: Sequence[AcceleratorResult]) -> str:
    """The section of the report; empty without accelerators."""
    if not results:
        return ""
    resources = [_resources(result.name, row) for result in results for row in result.table]
    head = ("accelerator", "device", "flow", "weights", "beats", *TITLES.values(), "clock", "fits")
    return TEXT.format(
        table=markdown_table(HEAD, _rows(results)), resources=markdown_table(head, resources), plain=_plain(results)
    )


def _plain(results: Sequence[AcceleratorResult]) -> str:
    """Counts with the family's own modules and without them, of the rows that have both."""
    head = ("accelerator", "device", *(f"{title}{how}" for title in TITLES.values() for how in ("", " without")))
    rows = [
        (result.name, DEVICES[row.device].title, *_both(row.counts))
        for result in results
        for row in result.table
        if row.counts is not None
    ]
    return PLAIN.format(table=markdown_table(head, rows)) if rows else ""


def _both(counts: Counts) -> list[str]:
    return [_number(getattr(used, name)) for name in TITLES for used in (counts.yosys, counts.plain)]


def _rows(results: Sequence[AcceleratorResult]) -> list[tuple[str, ...]]:
    return [_row(result.name, result.table[0]) for result in results]


def _row(name: str, row: BenchmarkRow) -> tuple[str, ...]:
    return (
        name,
        row.device if row.fits else f"{row.device} (does not fit)",
        _clock(row),
        f"{row.cycles_per_frame:,.1f}",
        show("latency_us", row.speed.latency_us),
        show("initiation_interval_us", row.speed.initiation_interval_us),
        show("frames_per_s", row.speed.frames_per_s).removesuffix(" frames/s"),
        show("real_time_factor", row.speed.real_time_factor),
        *_energy(row.energy),
        show("per_integer", row.per_integer),
    )


def _energy(energy: FrameEnergy) -> tuple[str, str]:
    """Energy of a frame, and frames a second for each watt."""
    estimate = energy.estimate
    spread = "" if estimate is None else f", {estimate.low_uj:.2g} to {estimate.high_uj:.2g}"
    per_watt = show("frames_per_s_per_w", energy.frames_per_s_per_w).removesuffix(" frames/s/W")
    return f"{show('energy_uj_per_frame', energy.uj_per_frame)} ({energy.kind}{spread})", f"{per_watt} ({energy.kind})"


def _clock(row: BenchmarkRow) -> str:
    clock, logic = row.speed.clock_mhz, row.logic
    allowed = ""
    if row.clock_kind == "levels" and logic is not None and logic.mhz > clock:
        allowed = f"; they allow {logic.mhz:.0f}"
    return f"{show('clock_mhz', clock)} ({CLOCKS[row.clock_kind]}{allowed})"


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _resources(name: str, row: BenchmarkRow) -> tuple[str, ...]:
    used = (f"{_number(getattr(row.used, each))} ({getattr(row.percent, each):.0f} %)" for each in TITLES)
    fits = "yes" if row.fits else f"no: {', '.join(row.binds)}"
    beats = f"{row.features_per_beat}, {row.logits_per_beat}"
    return name, DEVICES[row.device].title, row.flow, row.weights, beats, *used, _clock(row), fits
