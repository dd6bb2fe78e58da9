"""Sizes of an accelerator as `params.yaml` gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ernn.params import AcceleratorSpec, Hardware
from ernn.params.hardware import ArraySize, device_of

if TYPE_CHECKING:
    from ernn.hw.layout.sizing import Size
    from ernn.hw.verilog.network import Architecture
    from ernn.program.network import Program


def architecture(accelerator: AcceleratorSpec, hardware: Hardware, program: Program) -> Architecture:
    """Arrays, clock, streams and beats of an accelerator; weights are stored as words.

    Raises:
        UserError: sizes that a layer cannot be divided into.
    """
    from ernn.devices.timing import TIMINGS
    from ernn.hw.graph.schedule import Clock
    from ernn.hw.layout import sizing
    from ernn.hw.verilog.network import Architecture

    each = [_size(given) for given in accelerator.arrays]
    logits = accelerator.logits_per_beat or hardware.logits_per_beat
    return Architecture(
        sizing.arrays(program, _size(accelerator.array), _size(accelerator.output), each, logits),
        Clock(accelerator.clock_mhz or hardware.clock_mhz, TIMINGS[device_of(accelerator, hardware).family]),
        accelerator.streams,
        accelerator.memory or hardware.memory,
        features=accelerator.features_per_beat or hardware.features_per_beat,
        logits=logits,
    )


def _size(given: ArraySize) -> Size:
    return given.lanes, given.columns, given.heads, given.pointwise
