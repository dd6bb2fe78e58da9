"""What all sections of `params.yaml` have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of `params.yaml`: unknown keys, NaN and infinity are refused and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
