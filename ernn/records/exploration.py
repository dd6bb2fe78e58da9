"""`explored/NAME/explore.json`: what a design search was asked for, tried, found and chose."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ernn.artifacts import Part, Record
from ernn.devices.catalogue import Resources
from ernn.records.synthesis import ClockKind

Verdict = Literal["met", "missed", "stopped"]  # stopped: before its last epoch, since it could no longer be met


@dataclass(frozen=True)
class Limit(Part):
    """One line of a requirement: `quantity` is a metric of the hardware, or `per`."""

    quantity: str
    text: str  # as a person reads it: at most 20 us a frame
    bound: float


@dataclass(frozen=True)
class DenseNetwork(Part):
    """A dense network that trials are compressed from; its phone error rate on the dev split, percent."""

    network: str
    text: str  # 2 LSTM layers of 128 cells
    dev_per: float
    stored_weights: int


@dataclass(frozen=True)
class HardwareRow(Part):
    """An accelerator of one design on one device.

    Args:
        sizes: of its arrays, as a person reads them.
        used, cycles, latency_cycles, clock_mhz, clock_kind, energy_uj: what they are is said by `verified`: synthesized
            and simulated, or estimated; energy is an estimate always.
        binds: what it needs too much of, or takes too long for; empty: it keeps the requirement.
        dev_per: phone error rate of its integer network on the dev split, percent; None: it was not made.
    """

    design: str
    device: str
    sizes: str
    used: Resources
    share: float  # of the scarcest resource, 0..1
    cycles: float  # between frames that follow each other
    latency_cycles: float
    clock_mhz: float
    clock_kind: ClockKind
    energy_uj: float
    verified: bool
    binds: tuple[str, ...] = ()
    dev_per: float | None = None

    @property
    def latency_us(self) -> float:
        """Of a frame alone, microseconds."""
        return self.latency_cycles / self.clock_mhz

    @property
    def frames_per_s(self) -> float:
        """All streams together."""
        return 1e6 * self.clock_mhz / self.cycles


@dataclass(frozen=True)
class TrialRow(Part):
    """One design that the search has tried, in the order of the trials.

    Args:
        method, blocks: how it is compressed; blocks as a person reads them: 8, or input 16 recurrent 8.
        reason: why it was tried.
        result: what followed from it.
        dev_per: percent; of a trial that was stopped, the least that it could still have reached.
        cost: the estimate of what is minimised, for its best hardware.
        hardware: the estimate that `cost` is of; None: none keeps the requirement.
    """

    design: str
    network: str
    method: str
    blocks: str
    stored_weights: int
    reason: str
    result: str
    verdict: Verdict
    dev_per: float
    dev_loss: float  # points above the reference
    cost: float | None
    hardware: HardwareRow | None
    seconds: float | None = None
    bits: str = ""  # of the integer network's weights: 12, or as a person reads mixed ones


@dataclass(frozen=True)
class BoundRow(Part):
    """What is known of a compression before any training: its best hardware, or what binds.

    Args:
        on_chip: whether the whole model has room on a device, however slow.
    """

    network: str
    blocks: str
    stored_weights: int
    cost: float | None
    hardware: HardwareRow | None
    binds: str = ""
    on_chip: bool = True


@dataclass(frozen=True)
class HeldOutScore(Part):
    """The chosen integer network on the test split, read once: percent and points, with 95 % intervals."""

    per: float
    per_low: float
    per_high: float
    loss: float  # against the dense reference
    loss_low: float
    loss_high: float


@dataclass(frozen=True)
class ExplorationRecord(Record):
    """A finished search.

    Args:
        minimised: metric that is least.
        dense: the reference first.
        met: whether the chosen design keeps the requirement; else it is the nearest, and `binds` says what is short.
        certain: whether it does with 95 %: the interval of its loss on the test split lies within the requirement.
        verified: accelerators that were synthesized and simulated, the chosen one first.
        front: designs and accelerators of which no other one is better in every quantity.
        measured: for each kind of figure, how it was obtained.
        devices: that were allowed, the smallest first.
        clock_mhz: that pipelines were scheduled for, at most.
        allowed_trials: trainings besides those of dense networks, at most.
        seconds: of all starts of the search together, from the bounds to the test split.
        starts: how many, since a search that was killed goes on.
        ahead: designs that were trained at the side of others and never asked for.
    """

    name: str
    limits: tuple[Limit, ...]
    minimised: str
    corpus: str
    dense: tuple[DenseNetwork, ...]
    bounds: tuple[BoundRow, ...]
    trials: tuple[TrialRow, ...]
    front: tuple[HardwareRow, ...]
    verified: tuple[HardwareRow, ...]
    chosen: str | None
    met: bool
    certain: bool
    binds: tuple[str, ...]
    test: HeldOutScore | None
    measured: Mapping[str, str]
    seconds: float
    commit: str
    date: str
    devices: tuple[str, ...] = ()
    clock_mhz: float | None = None
    allowed_trials: int | None = None
    ahead: tuple[str, ...] = ()
    starts: int = 1
