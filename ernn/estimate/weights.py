"""What the memories of lanes hold: the words of the weights' blocks, or the factors behind their transform.

Factors take more block RAM and fewer look-up tables. `auto` chooses by the cost model's estimates.
"""

from dataclasses import replace
from typing import Literal

from ernn.devices.catalogue import Device, Resources
from ernn.estimate import cost
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.program.network import Program

SAVED = 0.05  # of the look-up tables, at least: estimates are hardly more exact
FREE = 0.5  # share of a device's block RAM that counts as free


def network(
    program: Program,
    architecture: Architecture,
    weights: Literal["words", "transformed", "auto"],
    device: Device,
    free: float = FREE,
) -> NetworkHardware:
    """A network with its weights stored as `weights` says, whatever `architecture.transformed` is.

    Args:
        free: share of a device's block RAM that counts as free.
    """
    words, transformed = replace(architecture, transformed=False), replace(architecture, transformed=True)
    if weights != "auto":
        return NetworkHardware(program, words if weights == "words" else transformed)
    plain, factors = NetworkHardware(program, words), NetworkHardware(program, transformed)
    good = worth(cost.estimate(plain, device).total, cost.estimate(factors, device).total, device, free)
    return factors if good else plain


def worth(words: Resources, transformed: Resources, device: Device, free: float = FREE) -> bool:
    """Whether an accelerator should store factors on a device.

    They save a share `SAVED` of the look-up tables, and the block RAM is there: up to the share `free`, and beyond it
    as long as it stays below those of the look-up tables before and of the multipliers: then it is not what is scarce.

    Args:
        words, transformed: what the accelerator takes with the one and with the other.
    """
    saves = transformed.lut <= (1 - SAVED) * words.lut
    shares = device.shares(words)
    scarcest = max(free, shares["lut"], shares.get("dsp", 0.0))
    return saves and device.shares(transformed)["bram"] <= min(1.0, scarcest)
