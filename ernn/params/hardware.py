"""Sections on accelerators: their sizes and devices, and how they are simulated and synthesized."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ernn.devices import limits
from ernn.devices.catalogue import DEVICES, Device
from ernn.params.section import CHOICE, Count, Flag, Integer, Real, Section, Text


def _known(name: str) -> str:
    if name not in DEVICES:
        raise ValueError(f"device={name} must be one of {', '.join(DEVICES)}")
    return name


def _some(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not seeds:
        raise ValueError("seeds has one at least, got none; set seeds: [1]")
    return seeds


DeviceName = Annotated[Text, AfterValidator(_known)]
PerBeat = Annotated[Literal[1, 2, 4, 8, 16], CHOICE]
Megahertz = Annotated[Real, Field(ge=limits.CLOCK_MHZ[0], le=limits.CLOCK_MHZ[1])]
PlacementSeed = Annotated[Integer, Field(gt=0, lt=2**31)]
Seeds = Annotated[tuple[PlacementSeed, ...], Field(max_length=100), AfterValidator(_some)]
Elements = Annotated[Integer, Field(ge=0, le=4096)]  # of an array
Arrays = Annotated[tuple["ArraySize", ...], Field(max_length=256)]
Streams = Annotated[Integer, Field(ge=limits.STREAMS[0], le=limits.STREAMS[1])]


class Hardware(Section):
    """What all accelerators share."""

    clock_mhz: Megahertz = 200.0  # that pipelines are scheduled for
    device: DeviceName = "xcku060"  # whose family's delays they are scheduled with
    memory: Literal["auto", "block", "distributed"] = "auto"  # of weights: the kind of memory that synthesis takes
    # What lanes store: the k words of a block, the factors of its products, or by the rule of docs/accelerator.md.
    weights: Literal["auto", "words", "transformed"] = "auto"
    features_per_beat: PerBeat = 1  # of the RTL's input stream
    logits_per_beat: PerBeat = 1  # of its output stream


class ArraySize(Section):
    """Processing elements of one array."""

    lanes: Annotated[Elements, Field(gt=0)] = 8  # block rows at a time; an LSTM's are a multiple of 4
    columns: Annotated[Elements, Field(gt=0)] = 2  # blocks of a row at a time
    heads: Elements = 0  # blocks that leave the array at a time; 0 = as few as keep up, one in an LSTM
    pointwise: Elements = 0  # cells of a block that are updated at a time; 0 = as few as keep up


class AcceleratorSpec(Section):
    """One accelerator: a program and the sizes of its arrays."""

    program: Text
    array: ArraySize = ArraySize()  # of every recurrent layer
    output: ArraySize = ArraySize(lanes=16, columns=4)
    arrays: Arrays = ()  # of every array by itself, in the order of the data, instead of the two above
    streams: Streams = 1  # that take turns, each with states of its own
    clock_mhz: Megahertz | None = None  # instead of hardware.clock_mhz
    device: DeviceName | None = None  # instead of hardware.device
    memory: Literal["auto", "block", "distributed"] | None = None  # instead of hardware.memory
    weights: Literal["auto", "words", "transformed"] | None = None  # instead of hardware.weights
    features_per_beat: PerBeat | None = None  # instead of hardware.features_per_beat
    logits_per_beat: PerBeat | None = None  # instead of hardware.logits_per_beat


def device_of(accelerator: AcceleratorSpec, hardware: Hardware) -> Device:
    """The device that an accelerator is for."""
    return DEVICES[accelerator.device or hardware.device]


class Simulation(Section):
    """What is simulated: utterances of the test split, first undisturbed, then with pauses."""

    utterances: Count = 4
    gaps: Annotated[Integer, Field(ge=0, le=255)] = 64  # of 256 cycles without a feature
    stalls: Annotated[Integer, Field(ge=0, le=255)] = 64  # of 256 cycles that take no logit
    waveform: Flag = False  # around the first difference, if there is one: simulations/NAME.vcd


class Synthesis(Section):
    """How accelerators are synthesized; those for ECP5 and GateMate are placed and routed too."""

    seeds: Seeds = (1, 2)  # of place and route
    plain_counts: Flag = False  # count without the family's own modules, too: twice the time where nothing is routed
