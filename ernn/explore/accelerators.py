"""An accelerator that a search has found, as an entry of `accelerators`."""

from ernn.explore.hardware import Candidate
from ernn.params import AcceleratorSpec
from ernn.params.hardware import ArraySize


def spec(candidate: Candidate) -> AcceleratorSpec:
    """The entry of which the generator makes exactly this accelerator."""
    setting, names = candidate.setting, ("lanes", "columns", "heads", "pointwise")
    return AcceleratorSpec(
        program=candidate.variant.label,
        arrays=tuple(ArraySize(**dict(zip(names, size, strict=False))) for size in candidate.sizes),
        streams=setting.streams,
        clock_mhz=setting.clock_mhz,
        device=setting.device.name,
        memory=setting.memory,
        weights="transformed" if setting.transformed else "words",
        features_per_beat=setting.features,  # type: ignore[arg-type]  # of the space, which takes numbers
        logits_per_beat=setting.logits,  # type: ignore[arg-type]
    )
