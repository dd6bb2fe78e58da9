"""`benchmarks/NAME.json`: what an accelerator delivers on its devices."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from ernn.artifacts import Part, Record
from ernn.devices.catalogue import Resources
from ernn.records.synthesis import ClockKind, Counts, Logic

EnergyKind = Literal["estimate", "vendor", "board"]


@dataclass(frozen=True)
class Speed(Part):
    """At the clock of the row; fields are metrics by their names in `ernn.report.metrics`."""

    clock_mhz: float
    latency_us: float  # of a frame alone, from its first feature to its last logit
    initiation_interval_us: float
    frames_per_s: float
    real_time_factor: float


@dataclass(frozen=True)
class EnergyEstimate(Part):
    """The range of an estimate, and what its value is made of."""

    low_uj: float
    high_uj: float
    parts_uj: Mapping[str, float]


@dataclass(frozen=True)
class FrameEnergy(Part):
    """Energy of a frame when frames follow each other, and its inverse; `estimate` where it was not measured."""

    uj_per_frame: float
    frames_per_s_per_w: float
    kind: EnergyKind
    estimate: EnergyEstimate | None = None


@dataclass(frozen=True)
class BenchmarkRow(Part):
    """An accelerator on a device, as one tool synthesized it.

    Args:
        weights, features_per_beat, logits_per_beat: of the accelerator.
        cycles_per_frame, latency_cycles: simulated.
        used, percent: resources, and their share of the device.
        per_integer: phone error rate of exactly this integer network, percent.
    """

    accelerator: str
    device: str
    flow: str
    weights: str
    features_per_beat: int
    logits_per_beat: int
    cycles_per_frame: float
    latency_cycles: float
    speed: Speed
    clock_kind: ClockKind
    logic: Logic | None
    used: Resources
    percent: Resources
    counts: Counts | None
    fits: bool
    binds: tuple[str, ...]
    energy: FrameEnergy
    per_integer: float

    @property
    def metrics(self) -> dict[str, float]:
        """Numbers by their names in `ernn.report.metrics`; what is estimated is named so."""
        suffix = "_estimate" if self.energy.kind == "estimate" else ""
        return {
            **asdict(self.speed),
            **asdict(self.used),
            **{f"{name}_percent": value for name, value in asdict(self.percent).items()},
            f"energy_uj_per_frame{suffix}": self.energy.uj_per_frame,
            f"frames_per_s_per_w{suffix}": self.energy.frames_per_s_per_w,
        }


@dataclass(frozen=True)
class BenchmarkRecord(Record):
    """Rows of one accelerator, the one to quote first."""

    rows: tuple[BenchmarkRow, ...]
