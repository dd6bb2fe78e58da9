"""What an accelerator delivers on a device: simulated cycles, a clock and resources together."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import get_args

from ernn.devices.catalogue import DEVICES, Device, Resources
from ernn.errors import UserError
from ernn.estimate import energy
from ernn.hw.design import Accelerator
from ernn.program.network import Frontend
from ernn.records.benchmark import BenchmarkRow, EnergyEstimate, FrameEnergy, Speed
from ernn.records.simulation import SimulationRecord
from ernn.records.synthesis import ClockKind, SynthesisRow

_CLOCK_KINDS = get_args(ClockKind)


@dataclass(frozen=True)
class Measured:
    """An accelerator by itself: what is known before any device is named.

    Args:
        speech_frames_per_s: that one speaker gives.
        per: phone error rate of exactly this integer network, percent.
    """

    accelerator: Accelerator
    simulation: SimulationRecord
    speech_frames_per_s: float
    per: float


def speech_rate(frontend: Frontend) -> float:
    """Feature vectors a second of speech."""
    return 1000 / (frontend.shift_ms * frontend.skip)


def benchmark_rows(measured: Measured, synthesis: Sequence[SynthesisRow]) -> tuple[BenchmarkRow, ...]:
    """One row for every device and flow that the accelerator was synthesized with, the one to quote first.

    Raises:
        UserError: no rows, or a device that `ernn.devices.catalogue` does not know.
    """
    if not synthesis:
        raise UserError("synthesis has no rows; name a device to synthesize for and run `dvc repro`")
    return tuple(sorted((_row(measured, each) for each in synthesis), key=_rank))


def _row(measured: Measured, synthesis: SynthesisRow) -> BenchmarkRow:
    if synthesis.device not in DEVICES:
        raise UserError(f"device={synthesis.device} must be one of {', '.join(DEVICES)}")
    device, accelerator, run = DEVICES[synthesis.device], measured.accelerator, measured.simulation
    speed, shares = _speed(measured, synthesis.fmax_mhz), device.shares(synthesis.used)
    return BenchmarkRow(
        accelerator=synthesis.accelerator,
        device=device.name,
        flow=synthesis.flow,
        weights=accelerator.weights,
        features_per_beat=accelerator.input.per_beat,
        logits_per_beat=accelerator.logits.per_beat,
        cycles_per_frame=run.cycles_per_frame,
        latency_cycles=run.latency_cycles,
        speed=speed,
        clock_kind=synthesis.fmax_kind,
        logic=synthesis.logic,
        used=synthesis.used,
        percent=Resources(*(100 * shares.get(each.name, 0.0) for each in fields(Resources))),
        counts=synthesis.counts,
        fits=synthesis.fits,
        binds=synthesis.binds,
        energy=_energy(measured, synthesis, speed, device),
        per_integer=measured.per,
    )


def _speed(measured: Measured, clock_mhz: float) -> Speed:
    run = measured.simulation
    interval = run.cycles_per_frame / clock_mhz
    return Speed(
        clock_mhz=clock_mhz,
        latency_us=run.latency_cycles / clock_mhz,
        initiation_interval_us=interval,
        frames_per_s=1e6 / interval,
        real_time_factor=1e6 / interval / measured.speech_frames_per_s,
    )


def _energy(measured: Measured, synthesis: SynthesisRow, speed: Speed, device: Device) -> FrameEnergy:
    """A measured power where the row has one, else the estimate with its bounds and parts."""
    if synthesis.power is not None:
        microjoules = synthesis.power.watts * speed.initiation_interval_us
        return FrameEnergy(microjoules, 1e6 / microjoules, synthesis.power.kind)
    run = measured.simulation
    found = energy.estimate(
        measured.accelerator.work,
        run.cycles_per_frame,
        speed.clock_mhz,
        synthesis.used.ff,
        run.register_toggles_per_frame,
        device,
    )
    parts = {name: each.value for name, each in found.parts.items()}
    estimate = EnergyEstimate(found.total.low, found.total.high, parts)
    return FrameEnergy(found.total.value, 1e6 / found.total.value, "estimate", estimate)


def _rank(row: BenchmarkRow) -> tuple[bool, int]:
    """Accelerators that fit first, and of them routed clocks before estimated ones before assumed ones."""
    return not row.fits, _CLOCK_KINDS.index(row.clock_kind)
