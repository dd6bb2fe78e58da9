"""A requirement in words and as bounds, and what an accelerator lacks of it."""

from ernn.devices.catalogue import DEVICES, Device
from ernn.explore.fit import by_size
from ernn.params.requirement import Requirement
from ernn.records.exploration import HardwareRow, Limit

UNITS = {
    "share": "",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram": "block RAM",
    "latency_us": "us",
    "energy_uj": "uJ",
}


def limit_of(requirement: Requirement, reference: float) -> float | None:
    """The greatest phone error rate on the dev split, percent; None where the least is searched.

    Args:
        reference: that of the dense network which `per_loss` is counted from.
    """
    return reference + requirement.per_loss if requirement.per_loss is not None else requirement.per


def devices_of(requirement: Requirement) -> list[Device]:
    """Those that are allowed, the smallest first."""
    return [device for device in by_size() if device.name in requirement.devices]


def limits(requirement: Requirement, per: float | None) -> tuple[Limit, ...]:
    """Lines of the requirement, as a person reads them.

    Args:
        per: greatest phone error rate, percent; None: it is not limited.
    """
    found = []
    if per is not None:
        text = f"phone error rate of at most {per:.2f} % on the dev split"
        if requirement.per_loss is not None:
            text += f", {requirement.per_loss:g} points above the dense network"
        found.append(Limit("per", text, per))
    if requirement.latency_us is not None:
        text = f"at most {requirement.latency_us:g} us from a frame's first feature to its last logit"
        found.append(Limit("latency_us", text, requirement.latency_us))
    if requirement.frames_per_s is not None:
        text = f"at least {requirement.frames_per_s:g} frames a second"
        found.append(Limit("frames_per_s", text, requirement.frames_per_s))
    if requirement.energy_uj is not None:
        text = f"at most {requirement.energy_uj:g} uJ a frame (estimated)"
        found.append(Limit("energy_uj", text, requirement.energy_uj))
    names = [device.name for device in devices_of(requirement)]
    which = names[0] if len(names) == 1 else f"the smallest of {', '.join(names)} that will do"
    text = f"on {which}, at most {requirement.share:.0%} of each of its resources"
    return (*found, Limit("share", text, requirement.share))


def cost(row: HardwareRow, minimise: str, per: float) -> float:
    """What is minimised, of an accelerator; `per` is the phone error rate of its network."""
    if minimise == "per":
        return per
    value = getattr(row.used, minimise) if hasattr(row.used, minimise) else getattr(row, minimise)
    return float(value)


def short_of(row: HardwareRow, requirement: Requirement) -> tuple[str, ...]:
    """What an accelerator takes too much of, with figures; nothing where it keeps the requirement."""
    device, found = DEVICES[row.device], []
    for name, share in sorted(device.shares(row.used).items(), key=lambda each: -each[1]):
        if share > requirement.share:
            allowed = requirement.share * getattr(device.resources, name)
            found.append(f"{UNITS[name]}: {getattr(row.used, name):,.0f} of {allowed:,.0f} on {device.name}")
    if requirement.latency_us is not None and row.latency_us > requirement.latency_us:
        found.append(f"latency: {row.latency_us:.2f} us of the allowed {requirement.latency_us:g}")
    if requirement.frames_per_s is not None and row.frames_per_s < requirement.frames_per_s:
        found.append(f"frames a second: {row.frames_per_s:,.0f} of the required {requirement.frames_per_s:,.0f}")
    if requirement.energy_uj is not None and row.energy_uj > requirement.energy_uj:
        found.append(f"energy: {row.energy_uj:.2f} uJ of the allowed {requirement.energy_uj:g} (estimate)")
    return tuple(found)
