"""`synthesis/NAME.json`: what an accelerator takes of a device, and its clock, a row for each tool."""

from dataclasses import asdict, dataclass
from typing import Literal

from ernn.artifacts import Part, Record
from ernn.devices.catalogue import Resources

ClockKind = Literal["place_and_route", "levels", "assumed"]  # how a clock is known, the best first


@dataclass(frozen=True)
class LogicPath(Part):
    """The longest path between two registers, or between those of the same vectors.

    Args:
        start, end: signals of the registers, memories or ports.
        line: file and line of the sources that the end is from.
    """

    levels: float
    module: str
    start: str
    end: str
    line: str


@dataclass(frozen=True)
class Logic(Part):
    """Levels of logic of the longest path, and the clock that they support, also above the scheduled one."""

    levels: float
    mhz: float


@dataclass(frozen=True)
class Counts(Part):
    """Yosys' counts with the modules that a family has of its own (ernn/synthesize/primitives), and without them."""

    yosys: Resources
    plain: Resources

    @property
    def metrics(self) -> dict[str, float]:
        """By their names in `ernn.report.metrics`: lut_yosys, lut_plain, .."""
        both = {"yosys": asdict(self.yosys), "plain": asdict(self.plain)}
        return {f"{name}_{how}": float(value) for how, used in both.items() for name, value in used.items()}


@dataclass(frozen=True)
class Routing(Part):
    """Clocks of the slowest and the fastest seed of place and route, and the bitstream of the latter."""

    low_mhz: float
    high_mhz: float
    seeds: tuple[int, ...]
    bitstream_bytes: int


@dataclass(frozen=True)
class Power(Part):
    """Of the accelerator while it works, by a vendor's report or measured on a board."""

    watts: float
    kind: Literal["vendor", "board"]


@dataclass(frozen=True)
class SynthesisRow(Part):
    """What one tool says of an accelerator on a device.

    Args:
        accelerator: its name in `params.yaml`.
        fmax_mhz: the median of the seeds, if it was routed.
        binds: resources of which the device has too little, the scarcest first.
        logic, paths: where a clock is estimated from levels of logic; paths are the ten worst.
        unrouted_seeds: that took longer than they may; of all of them, `routing` has none.
    """

    accelerator: str
    device: str
    flow: str
    used: Resources
    fmax_mhz: float
    fmax_kind: ClockKind
    fits: bool
    binds: tuple[str, ...]
    logic: Logic | None = None
    paths: tuple[LogicPath, ...] = ()
    counts: Counts | None = None
    routing: Routing | None = None
    unrouted_seeds: tuple[int, ...] = ()
    power: Power | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """Resources by their names in `ernn.report.metrics`."""
        used = {name: float(value) for name, value in asdict(self.used).items()}
        return used if self.counts is None else used | self.counts.metrics


@dataclass(frozen=True)
class SynthesisRecord(Record):
    """Rows of one accelerator, that of the open tools first."""

    rows: tuple[SynthesisRow, ...]
