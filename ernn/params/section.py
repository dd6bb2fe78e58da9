"""What all sections of `params.yaml` have in common: strict values, each with its bounds."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """A section of `params.yaml`: unknown keys, NaN and infinity are refused and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _whole(value: Any) -> Any:
    """4.0 as 4: JSON of Kubeflow Pipelines knows no integers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"Input should be a number, got {value}")
    return _whole(value)


Integer = Annotated[int, Field(strict=True), BeforeValidator(_whole)]
Real = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(strict=True, max_length=4096)]
CHOICE = BeforeValidator(_number)  # of a Literal of numbers, which Python would let `true` be one of

Count = Annotated[Integer, Field(gt=0, le=1_000_000)]
Processes = Annotated[Integer, Field(ge=0, le=1024)]
Seed = Annotated[Integer, Field(ge=0, lt=2**32)]
Probability = Annotated[Real, Field(ge=0, le=1)]
Fraction = Annotated[Real, Field(gt=0, lt=1)]
Cells = Annotated[Integer, Field(gt=0, le=16_384)]
LearningRate = Annotated[Real, Field(gt=0, le=10)]
Epochs = Annotated[Integer, Field(ge=0, le=100_000)]
