"""Linear layers between the recurrent layers and the last one, as files and `params.yaml` describe them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ernn.params.section import Integer, Real, Section

Kind = Literal["sigmoid", "tanh", "clip"]
Bound = Annotated[Real, Field(ge=-1e38, le=1e38)]  # as weights


class HeadSpec(Section):
    """Outputs and function of a linear layer behind the recurrent ones; without bounds, clip is no function."""

    outputs: Annotated[Integer, Field(gt=0, le=16_384)]
    function: Kind = "clip"
    low: Bound | None = None
    high: Bound | None = None

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
