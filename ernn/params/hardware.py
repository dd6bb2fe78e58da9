"""Sections on accelerators: their sizes and devices, and how they are simulated and synthesized."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from ernn.devices.catalogue import DEVICES, Device
from ernn.params.section import Section


def _known(name: str) -> str:
    if name not in DEVICES:
        raise ValueError(f"device={name} must be one of {', '.join(DEVICES)}")
    return name


DeviceName = Annotated[str, AfterValidator(_known)]
PerBeat = Literal[1, 2, 4, 8, 16]


class Hardware(Section):
    """What all accelerators share."""

    clock_mhz: Annotated[float, Field(ge=10, le=1000)] = 200.0  # that pipelines are scheduled for
    device: DeviceName = "xcku060"  # whose family's delays they are scheduled with
    memory: Literal["auto", "block", "distributed"] = "auto"  # of weights: the kind of memory that synthesis takes
    # What lanes store: the k words of a block, the factors of its products, or by the rule of docs/accelerator.md.
    weights: Literal["auto", "words", "transformed"] = "auto"
    features_per_beat: PerBeat = 1  # of the RTL's input stream
    logits_per_beat: PerBeat = 1  # of its output stream


class ArraySize(Section):
    """Processing elements of one array."""

    lanes: PositiveInt = 8  # block rows at a time; an LSTM's are a multiple of 4
    columns: PositiveInt = 2  # blocks of a row at a time
    heads: Annotated[int, Field(ge=0)] = 0  # blocks that leave the array at a time, in a GRU; 0 = as few as keep up
    pointwise: Annotated[int, Field(ge=0)] = 0  # cells of a block that are updated at a time; 0 = as few as keep up


class AcceleratorSpec(Section):
    """One accelerator: a program and the sizes of its arrays."""

    program: str
    array: ArraySize = ArraySize()  # of every recurrent layer
    output: ArraySize = ArraySize(lanes=16, columns=4)
    arrays: tuple[ArraySize, ...] = ()  # of every array by itself, in the order of the data, instead of the two above
    streams: Annotated[int, Field(ge=1, le=64)] = 1  # that take turns, each with states of its own
    clock_mhz: Annotated[float, Field(ge=10, le=1000)] | None = None  # instead of hardware.clock_mhz
    device: DeviceName | None = None  # instead of hardware.device
    weights: Literal["auto", "words", "transformed"] | None = None  # instead of hardware.weights
    features_per_beat: PerBeat | None = None  # instead of hardware.features_per_beat
    logits_per_beat: PerBeat | None = None  # instead of hardware.logits_per_beat


def device_of(accelerator: AcceleratorSpec, hardware: Hardware) -> Device:
    """The device that an accelerator is for."""
    return DEVICES[accelerator.device or hardware.device]


class Simulation(Section):
    """What is simulated: utterances of the test split, first undisturbed, then with pauses."""

    utterances: PositiveInt = 4
    gaps: Annotated[int, Field(ge=0, le=255)] = 64  # of 256 cycles without a feature
    stalls: Annotated[int, Field(ge=0, le=255)] = 64  # of 256 cycles that take no logit
    waveform: bool = False  # around the first difference, if there is one: simulations/NAME.vcd


class Synthesis(Section):
    """How accelerators are synthesized; those for ECP5 and GateMate are placed and routed too."""

    seeds: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (1, 2)  # of place and route
    plain_counts: bool = False  # count without the family's own modules, too: twice the time where nothing is routed
