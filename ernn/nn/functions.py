"""Functions behind linear layers, as other libraries have them; without torch."""

import math
from dataclasses import dataclass

from ernn.params.head import Kind


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
