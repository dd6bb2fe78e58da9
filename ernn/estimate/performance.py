"""What a design delivers on a device: simulated cycles, a clock and resources together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ernn.devices.catalogue import COUNTS, DEVICES, Resources
from ernn.errors import UserError
from ernn.estimate import energy
from ernn.program.network import Frontend

RESOURCES = ("lut", "ff", "dsp", "bram")
_BEATS = {"features": "input", "logits": "logits"}  # in a design.json
CLOCK_KINDS = ("place_and_route", "levels", "assumed")  # how a clock is known, the best first
SPEED = ("clock_mhz", "latency_us", "initiation_interval_us", "frames_per_s", "real_time_factor")


@dataclass(frozen=True)
class Measured:
    """A design by itself: what was simulated and counted before any device is named.

    Args:
        cycles_per_frame: initiation interval of frames that follow each other, all streams together.
        latency_cycles: of a frame alone, first feature to last logit.
        speech_frames_per_s: that one speaker gives.
        per: phone error rate of exactly this integer network, percent.
        work: of a frame; see `ernn.estimate.energy.total_work`.
        register_toggles_per_frame: bits of registers that changed in the simulation.
        made: `weights` and the elements of a beat, as `design.json` has them.
    """

    cycles_per_frame: float
    latency_cycles: float
    speech_frames_per_s: float
    per: float
    work: Mapping[str, Any]
    register_toggles_per_frame: float
    made: Mapping[str, Any]


def speech_rate(frontend: Frontend) -> float:
    """Feature vectors a second of speech."""
    return 1000 / (frontend.shift_ms * frontend.skip)


def made(design: Mapping[str, Any]) -> dict[str, Any]:
    """What a `design.json` says of choices that rows would not show."""
    beats = {f"{name}_per_beat": design[side]["per_beat"] for name, side in _BEATS.items()}
    return {"weights": design["weights"], **beats}


def rows(measured: Measured, synthesis: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for every device and flow that the design was synthesized with, the one to quote first.

    Args:
        synthesis: rows of the stage `synthesize`.

    Raises:
        UserError: no rows, or a device that `ernn.devices.catalogue` does not know.
    """
    if not synthesis:
        raise UserError("synthesis has no rows; name a device to synthesize for and run `dvc repro`")
    return sorted((_row(measured, each) for each in synthesis), key=_rank)


def metrics(row: Mapping[str, Any]) -> dict[str, float]:
    """Numbers of a row by their names in `ernn.report.metrics`; what is estimated is named so."""
    names = (*SPEED, *RESOURCES, *(f"{name}_percent" for name in RESOURCES))
    suffix = "_estimate" if row["energy_kind"] == "estimate" else ""
    powered = ("energy_uj_per_frame", "frames_per_s_per_w")
    return {name: row[name] for name in names} | {f"{name}{suffix}": row[name] for name in powered}


def _row(measured: Measured, synthesis: Mapping[str, Any]) -> dict[str, Any]:
    if synthesis["device"] not in DEVICES:
        raise UserError(f"device={synthesis['device']} must be one of {', '.join(DEVICES)}")
    device, clock = DEVICES[synthesis["device"]], float(synthesis["fmax_mhz"])
    interval = measured.cycles_per_frame / clock
    frames_per_s = 1e6 / interval
    used = {name: synthesis[name] for name in RESOURCES}
    shares = device.shares(Resources(**used))
    percent = {f"{name}_percent": 100 * shares.get(name, 0.0) for name in RESOURCES}
    return {
        "design": synthesis["design"],
        "device": device.name,
        "flow": synthesis["flow"],
        "cycles_per_frame": measured.cycles_per_frame,
        "latency_cycles": measured.latency_cycles,
        "clock_mhz": clock,
        "clock_kind": synthesis["fmax_kind"],
        **{name: synthesis[name] for name in ("levels", "levels_mhz") if name in synthesis},
        "latency_us": measured.latency_cycles / clock,
        "initiation_interval_us": interval,
        "frames_per_s": frames_per_s,
        "real_time_factor": frames_per_s / measured.speech_frames_per_s,
        **measured.made,
        **used,
        **percent,
        **{name: synthesis[name] for name in COUNTS if name in synthesis},
        "fits": synthesis["fits"],
        "binds": synthesis["binds"],
        **_energy(measured, synthesis, clock, interval),
        "per_integer": measured.per,
    }


def _energy(measured: Measured, synthesis: Mapping[str, Any], clock: float, interval: float) -> dict[str, Any]:
    """A measured power where the row has one, else the estimate with its bounds and parts."""
    power = synthesis.get("power_w")
    if power is not None:
        joules = power * interval  # watts times microseconds
        return {
            "energy_uj_per_frame": joules,
            "frames_per_s_per_w": 1e6 / joules,
            "energy_kind": synthesis["power_kind"],
        }
    device = DEVICES[synthesis["device"]]
    found = energy.estimate(
        measured.work,
        measured.cycles_per_frame,
        clock,
        synthesis["ff"],
        measured.register_toggles_per_frame,
        device,
    )
    return {
        "energy_uj_per_frame": found.total.value,
        "energy_uj_per_frame_low": found.total.low,
        "energy_uj_per_frame_high": found.total.high,
        "energy_parts_uj": {name: each.value for name, each in found.parts.items()},
        "frames_per_s_per_w": 1e6 / found.total.value,
        "energy_kind": "estimate",
    }


def _rank(row: Mapping[str, Any]) -> tuple[bool, int]:
    """Designs that fit first, and of them routed clocks before estimated ones before assumed ones."""
    return not row["fits"], CLOCK_KINDS.index(row["clock_kind"])
