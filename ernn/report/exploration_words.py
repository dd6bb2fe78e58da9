"""The words of the page on a design search: quantities with their units, and how each figure is known."""

from collections.abc import Callable
from dataclasses import dataclass

from ernn.devices.catalogue import DEVICES
from ernn.params.methods import METHODS
from ernn.records.exploration import ExplorationRecord, HardwareRow, TrialRow
from ernn.report.benchmark import CLOCKS
from ernn.report.metrics import show

NONE = "–"
VERDICTS = {"met": "meets it", "missed": "misses it", "stopped": "stopped early"}


@dataclass(frozen=True)
class Quantity:
    """A figure of an accelerator that a search may minimise or bound: its words, how it is written, and known."""

    title: str
    text: Callable[[float], str]
    of: Callable[[HardwareRow], float]
    how: Callable[[HardwareRow], str]


def synthesized(row: HardwareRow) -> str:
    """How resources are known."""
    return "synthesized" if row.verified else "estimate"


def simulated(row: HardwareRow) -> str:
    """How cycles are known."""
    return "simulated" if row.verified else "estimate"


def timed(row: HardwareRow) -> str:
    """How times are known."""
    cycles = "simulated" if row.verified else "estimated"
    return f"{cycles} cycles, clock {CLOCKS[row.clock_kind]}"


def _resource(name: str, title: str) -> Quantity:
    def text(value: float) -> str:
        return f"{value:,.1f}".removesuffix(".0")

    return Quantity(title, text, lambda row: float(getattr(row.used, name)), synthesized)


QUANTITIES = {
    "latency_us": Quantity("latency of a frame (us)", lambda v: show("latency_us", v), lambda r: r.latency_us, timed),
    "frames_per_s": Quantity("frames a second", lambda v: show("frames_per_s", v), lambda r: r.frames_per_s, timed),
    "energy_uj": Quantity(
        "energy of a frame (uJ, estimate)",
        lambda v: show("energy_uj_per_frame", v),
        lambda r: r.energy_uj,
        lambda _: "estimate",
    ),
    "lut": _resource("lut", "look-up tables (LUT)"),
    "ff": _resource("ff", "flip-flops (FF)"),
    "dsp": _resource("dsp", "multiplier blocks (DSP)"),
    "bram": _resource("bram", "block RAMs"),
    "share": Quantity(
        "share of the device's scarcest resource", lambda v: f"{100 * v:.1f} %", lambda r: r.share, synthesized
    ),
}


def minimised(record: ExplorationRecord) -> str:
    """What is least, in words."""
    if record.minimised == "per":
        return "phone error rate on the dev split"
    found = QUANTITIES.get(record.minimised)
    return record.minimised if found is None else found.title


def cost(record: ExplorationRecord, value: float | None) -> str:
    """A value of what is minimised, with its unit."""
    if value is None:
        return NONE
    if record.minimised == "per":
        return show("per", value)
    found = QUANTITIES.get(record.minimised)
    return f"{value:,.6g}" if found is None else found.text(value)


def value(quantity: str, row: HardwareRow | None, trial: TrialRow | None) -> str:
    """What a design and its accelerator have of a quantity, and how that is known."""
    if quantity == "per":
        if row is not None and row.dev_per is not None:
            floats = "" if trial is None else f"; {dev_per(trial)} in floats"
            return f"{show('per', row.dev_per)} (dev split, integers{floats})"
        return NONE if trial is None else f"{dev_per(trial)} (dev split, floats)"
    if row is None or quantity not in QUANTITIES:
        return NONE
    found = QUANTITIES[quantity]
    return f"{found.text(found.of(row))} ({found.how(row)})"


def chosen_row(record: ExplorationRecord) -> HardwareRow | None:
    """The accelerator of the chosen design: the verified one, else the estimate."""
    if record.chosen is None:
        return None
    estimates = (each.hardware for each in record.trials if each.hardware is not None)
    return next((each for each in (*record.verified, *estimates) if each.design == record.chosen), None)


def described(trial: TrialRow) -> str:
    """A trial's network, method and blocks."""
    method = METHODS[trial.method].title if trial.method in METHODS else trial.method
    blocks = f", {trial.blocks}" if trial.blocks else ""
    return f"{trial.network}, {method}{blocks}"


def dev_per(trial: TrialRow) -> str:
    """Its phone error rate on the dev split, or the least that it could still have reached."""
    return f"{'at least ' if trial.verdict == 'stopped' else ''}{show('per', trial.dev_per)}"


def briefly(row: HardwareRow) -> str:
    """An accelerator in one cell."""
    parts = (device(row.device), row.sizes, show("latency_us", row.latency_us))
    return ", ".join((*parts, show("energy_uj_per_frame", row.energy_uj)))


def obtained(row: HardwareRow) -> str:
    """How resources and cycles are known, in one cell."""
    return "synthesized and simulated" if row.verified else "estimate"


def clock(row: HardwareRow) -> str:
    """The clock, and how it is known."""
    return f"{show('clock_mhz', row.clock_mhz)} ({CLOCKS[row.clock_kind]})"


def device(name: str) -> str:
    """The title of a device."""
    return DEVICES[name].title if name in DEVICES else name


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(42), duration(4000)
    ('42 s', '1 h 7 min')
    """
    minutes = round(seconds / 60)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
