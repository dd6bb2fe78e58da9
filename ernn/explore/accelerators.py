"""An accelerator that a search has found, as an entry of `accelerators`."""

from itertools import chain

from ernn.explore.hardware import Candidate
from ernn.hw.layout.array import Array
from ernn.hw.layout.sizing import Requirements
from ernn.hw.verilog.chain import links
from ernn.params import AcceleratorSpec
from ernn.params.hardware import ArraySize


def spec(candidate: Candidate) -> AcceleratorSpec:
    """The entry of which the generator makes exactly this accelerator."""
    setting, program = candidate.setting, candidate.variant.program
    required = chain.from_iterable(link.arrays for link in links(program, setting.logits))
    return AcceleratorSpec(
        program=candidate.variant.label,
        arrays=tuple(_size(array, each) for array, each in zip(candidate.arrays, required, strict=True)),
        streams=setting.streams,
        clock_mhz=setting.clock_mhz,
        device=setting.device.name,
        memory=setting.memory,
        weights="transformed" if setting.transformed else "words",
        features_per_beat=setting.features,  # type: ignore[arg-type]  # of the space, which takes numbers
        logits_per_beat=setting.logits,  # type: ignore[arg-type]
    )


def _size(array: Array, required: Requirements) -> ArraySize:
    heads = 0 if required.side_by_side else array.heads
    pointwise = 0 if required.name == "output" else max(1, required.cells // array.beats)
    return ArraySize(lanes=array.lanes, columns=array.columns, heads=heads, pointwise=pointwise)
