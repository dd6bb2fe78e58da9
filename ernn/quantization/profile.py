"""Every named value of a network in floats and in integers: ranges, formats, saturation and errors."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ernn.dataflow.formats import Format
from ernn.golden.model import Golden
from ernn.nn.recurrent import RecurrentModel
from ernn.program.network import Program
from ernn.quantization import simulated

QUANTILES = (0.25, 0.5, 0.75)  # of absolute values that are not 0


@dataclass(frozen=True)
class ProfileRow:
    """A value of all steps and cells.

    Args:
        name: of the integer model: `layers.0.a_i`.
        format: of its integers.
        largest: absolute value in floats.
        quantiles: of absolute values in floats, those of `QUANTILES`.
        saturated: share that had no room in the format.
        mean, worst: absolute difference between integers and floats.
        deviation: of the floats.
    """

    name: str
    format: Format
    largest: float
    quantiles: tuple[float, ...]
    saturated: float
    mean: float
    worst: float
    deviation: float


@torch.no_grad()
def profile(
    program: Program, model: RecurrentModel, sequences: Sequence[Float[np.ndarray, "frames inputs"]]
) -> tuple[ProfileRow, ...]:
    """A row for every value that both networks name, in the order of the equations.

    Args:
        program: made of `model`.
        sequences: that run through both.
    """
    golden = Golden(program)
    integers: dict[str, list[np.ndarray]] = defaultdict(list)
    floats: dict[str, list[np.ndarray]] = defaultdict(list)
    for x in sequences:
        for name, array in golden.trace(golden.quantize(x)).items():
            integers[name].append(array)
        for name, rows in _seen(model, torch.from_numpy(x)[:, None], integers.keys()).items():
            floats[name].append(rows)
    saturated = {each.name: each.share for each in golden.overflows()}
    names = [name for name in integers if name in floats]
    return tuple(
        _row(name, golden.formats[name], np.concatenate(integers[name]), np.concatenate(floats[name]), saturated)
        for name in names
    )


def _seen(model: RecurrentModel, x: Tensor, names: Collection[str]) -> dict[str, np.ndarray]:
    """Values of a sequence in floats, (frames, elements), of these names."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)

    def keep(name: str, value: Tensor) -> Tensor:
        if name in names:  # sums of the gates of a GRU have one name and several widths
            found[name].append(value.double().reshape(-1, value.shape[-1]).numpy())
        return value

    simulated.logits(model, x, keep)
    return {name: np.concatenate(rows) for name, rows in found.items()}


def _row(
    name: str, format: Format, integers: np.ndarray, floats: np.ndarray, saturated: dict[str, float]
) -> ProfileRow:
    size = np.abs(floats)
    difference = np.abs(integers * format.resolution - floats)
    quantiles = tuple(float(each) for each in np.quantile(size[size > 0], QUANTILES)) if size.any() else (0.0,) * 3
    share = saturated.get(name, 0.0)
    spread = float(floats.std())
    return ProfileRow(
        name, format, float(size.max()), quantiles, share, float(difference.mean()), float(difference.max()), spread
    )
