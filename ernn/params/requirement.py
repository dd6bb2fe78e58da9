"""The optional section `requirement`: what `ernn explore` searches a design for. No stage depends on it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ernn.params.hardware import DeviceName, Hardware, Megahertz
from ernn.params.methods import STANDARD, searched
from ernn.params.section import Count, Real, Section, Text

Percent = Annotated[Real, Field(gt=0, le=100)]
Positive = Annotated[Real, Field(gt=0, le=1e12)]
Minimised = Literal["share", "lut", "ff", "dsp", "bram", "latency_us", "energy_uj", "per"]


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("must name one at least, got none; leave the key out for what is standard")
    return names


Methods = Annotated[tuple[Annotated[Text, AfterValidator(searched)], ...], Field(max_length=8), AfterValidator(_some)]
Devices = Annotated[tuple[DeviceName, ...], Field(max_length=100), AfterValidator(_some)]


class Requirement(Section):
    """What a design must keep, and what is to be least among those that keep it.

    Phone errors are those of the dev split: a search must not choose on the test split.

    Attributes:
        networks: of the section `networks`, the reference first; none: all of them.
        per: phone error rate, percent, at most.
        per_loss: points that it may lie above the dense network's, the first of `networks`.
        latency_us: of a frame alone, first feature to last logit, microseconds at most.
        frames_per_s: at least, all streams together.
        energy_uj: of a frame, microjoules at most; the estimate of `ernn.estimate.energy`.
        devices: of which the smallest is taken on which a design keeps the rest.
        share: of each resource of the device that may be used.
        clock_mhz: that pipelines are scheduled for, at most.
        minimise: share is that of the scarcest resource.
        mixing: what may have a block size of its own: kinds of matrices, each matrix, or none.
        methods: of compression; the first is the one that the search begins with.
        trials: trainings besides those of dense networks, at most.
    """

    networks: tuple[Text, ...] = ()
    per: Percent | None = None
    per_loss: Annotated[Real, Field(ge=0, le=100)] | None = None
    latency_us: Positive | None = None
    frames_per_s: Positive | None = None
    energy_uj: Positive | None = None
    devices: Devices = (Hardware().device,)
    share: Annotated[Real, Field(gt=0, le=1)] = 0.9
    clock_mhz: Megahertz = 200.0
    minimise: Minimised = "share"
    mixing: Literal["none", "kinds", "layers"] = "layers"
    methods: Methods = (STANDARD,)
    trials: Count = 5

    @model_validator(mode="after")
    def _consistent(self) -> "Requirement":
        if self.per is not None and self.per_loss is not None:
            raise ValueError(f"per={self.per} and per_loss={self.per_loss}: give one of the two")
        if self.per is None and self.per_loss is None and self.minimise != "per":
            raise ValueError("per or per_loss must be given, or minimise: per; else any error would do")
        if self.minimise == "per" and (self.per is not None or self.per_loss is not None):
            raise ValueError(
                f"minimise: per asks for the fewest errors, so that neither per nor per_loss can be given, got "
                f"{f'per={self.per}' if self.per is not None else f'per_loss={self.per_loss}'}"
            )
        return self
