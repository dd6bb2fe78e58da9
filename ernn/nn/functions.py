"""Functions behind linear layers: as other libraries have them, and as a network of ours keeps them; without torch."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ernn.params.section import Integer, Real, Section

Kind = Literal["sigmoid", "tanh", "clip"]


@dataclass(frozen=True)
class Function:
    """A function of other libraries, f(slope a + offset); the slope and the offset go into the weights before it.

    Args:
        kind: sigma, tanh, or the value itself between two bounds.
        low, high: of clip; None: there is no such bound.
    """

    kind: Kind = "clip"
    low: float | None = None
    high: float | None = None
    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if self.low == -math.inf:  # no bound, as other libraries say it
            object.__setattr__(self, "low", None)
        if self.high == math.inf:
            object.__setattr__(self, "high", None)


def hard_sigmoid(slope: float, offset: float) -> Function:
    """slope a + offset, between 0 and 1."""
    return Function("clip", 0.0, 1.0, slope, offset)


FUNCTIONS = {
    "none": Function(),
    "relu": Function("clip", 0.0),
    "relu6": Function("clip", 0.0, 6.0),
    "sigmoid": Function("sigmoid"),
    "tanh": Function("tanh"),
    "hardtanh": Function("clip", -1.0, 1.0),
    "hardsigmoid": hard_sigmoid(1 / 6, 0.5),  # torch's and Keras's; ONNX's default has other numbers
}


class HeadSpec(Section):
    """Outputs and function of a linear layer behind the recurrent ones; without bounds, clip is no function."""

    outputs: Annotated[Integer, Field(gt=0, le=16_384)]
    function: Kind = "clip"
    low: Real | None = None
    high: Real | None = None

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Least and largest output, where there are such bounds."""
        return self.low, self.high

    @model_validator(mode="after")
    def _bounded(self) -> "HeadSpec":
        bounds = [each for each in self.bounds if each is not None]
        if bounds and self.function != "clip":
            raise ValueError(f"low and high are bounds of function=clip, not of {self.function}")
        if len(bounds) == 2 and bounds[0] >= bounds[1]:
            raise ValueError(f"low={bounds[0]:g} must be below high={bounds[1]:g}")
        return self

    def __str__(self) -> str:
        if self.function != "clip":
            return self.function
        named: dict[tuple[float | None, float | None], str]
        named = {(None, None): "no function", (0, None): "relu", (-1, 1): "hard tanh", (0, 1): "hard sigmoid"}
        low, high = ("" if each is None else f"{each:g}" for each in self.bounds)
        return named.get(self.bounds, f"clip to {low}..{high}")
