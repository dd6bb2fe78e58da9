"""Published figures of other accelerators of recurrent networks: `published.csv`, each row with its confidence.

Confidence says how a row was obtained: `read` in the paper itself, `cross-checked` with what another paper quotes of
it, or `recalled` and not checked. It is printed with every figure.
"""

import csv
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from ernn.errors import UserError, complaints

Confidence = Literal["read", "cross-checked", "recalled"]
Text = Annotated[str, Field(min_length=1)]


class Published(BaseModel):
    """One system on one device; None where a paper says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    system: Text
    variant: Text
    platform: Text
    cell: Text  # lstm-1024-proj-512, lstm-1024 or gru-1024
    block_size: PositiveInt | None
    weights_m: PositiveFloat | None  # stored weights, millions
    weight_bits: PositiveInt
    clock_mhz: PositiveFloat | None
    dsp: PositiveInt | None
    latency_us: PositiveFloat | None  # of a frame
    frames_per_s: PositiveFloat | None  # of all streams together
    power_w: PositiveFloat | None
    frames_per_s_per_w: PositiveFloat | None
    per_degradation_pp: float | None  # points of phone error rate on TIMIT
    streams: PositiveInt  # utterances that take turns to reach frames_per_s
    confidence: Confidence
    source: Text

    @property
    def name(self) -> str:
        """System and variant.

        >>> published()[0].name
        'ESE pruned 10x'
        """
        return f"{self.system} {self.variant}"

    @property
    def energy_uj_per_frame(self) -> float | None:
        """Power over frames a second, or times the latency of a single stream; None where something is missing."""
        if self.power_w is None:
            return None
        if self.frames_per_s is not None:
            return 1e6 * self.power_w / self.frames_per_s
        return self.power_w * self.latency_us if self.latency_us is not None and self.streams == 1 else None


def published() -> tuple[Published, ...]:
    """All rows of the file that comes with the package."""
    return parse((resources.files("ernn.report") / "published.csv").read_text())


def parse(text: str) -> tuple[Published, ...]:
    """Rows of a table with the fields of `Published` as its columns, empty where nothing is known.

    Raises:
        UserError: a row that `Published` refuses, with its line.
    """
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            found.append(Published.model_validate({key: value or None for key, value in row.items() if key}))
        except ValidationError as error:
            raise UserError(f"published figures, line {number}: {complaints(error)}; correct the row") from None
    return tuple(found)
