"""Load-balance-aware magnitude pruning, the baseline of ESE (arXiv:1612.00694).

Row r of a matrix belongs to processing element r mod N, or every row is an element by itself; each keeps equally many
weights, its largest. The share that is kept falls along a cubic to its target (Zhu and Gupta, arXiv:1710.01878), then
the pattern stays for retraining.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ernn.devices import limits
from ernn.nn.matrices import PrunedWeight
from ernn.nn.recurrent import RecurrentModel

UPDATES_PER_EPOCH = 4


def balanced_mask(weight: Float[Tensor, "rows cols"], kept: float, elements: int) -> Bool[Tensor, "rows cols"]:
    """Where the largest weights of each processing element are, equally many for each.

    Args:
        weight: a matrix whose row r belongs to element r mod `elements`.
        kept: share of the weights to keep, 0..1.
        elements: processing elements.

    Raises:
        UserError: fewer rows than elements.
    """
    rows, cols = weight.shape
    limits.check_pruning_elements(elements, rows)
    fewest = rows // elements * cols  # weights of an element without one of the left-over rows
    count = min(fewest, max(1, round(kept * rows * cols / elements)))
    mask = torch.zeros_like(weight, dtype=torch.bool)
    for element in range(elements):
        own = weight[element::elements].abs()
        chosen = torch.zeros_like(own, dtype=torch.bool).flatten()
        chosen[own.flatten().topk(count).indices] = True
        mask[element::elements] = chosen.view_as(own)
    return mask


class Pruner:
    """Keeps a shrinking share of the weights of every matrix of a dense model."""

    def __init__(self, model: RecurrentModel, ratio: float, elements: int | Literal["rows"]) -> None:
        self.ratio, self.elements = ratio, elements
        self.kept, self.step = 1.0, 0
        self._matrices = dict(model.matrices())
        self._masks = {
            place: torch.ones_like(matrix().detach(), dtype=torch.bool) for place, matrix in self._matrices.items()
        }

    def after_step(self, progress: float, steps_per_epoch: int) -> None:
        """Hold pruned weights at zero; shrink the pattern at some moments of an epoch."""
        self.step += 1
        if self.step % max(1, steps_per_epoch // UPDATES_PER_EPOCH) == 0:
            self.shrink(progress)
        for place, matrix in self._matrices.items():
            matrix().detach().mul_(self._masks[place])

    def shrink(self, progress: float) -> None:
        """Keep the share of the weights that belongs to `progress` in 0..1."""
        self.kept = 1 - (1 - 1 / self.ratio) * (1 - (1 - progress) ** 3)
        for place, matrix in self._matrices.items():
            gates = matrix().detach().unflatten(0, (matrix.gates, matrix.rows))
            elements = matrix.rows if self.elements == "rows" else self.elements
            self._masks[place] = torch.cat([balanced_mask(gate, self.kept, elements) for gate in gates])

    def finish(self, model: RecurrentModel) -> None:
        """Replace, in place, the matrices of `model` by pruned ones of the final pattern."""
        self.shrink(1.0)
        for place, matrix in self._matrices.items():
            model.replace(place, PrunedWeight.masked(matrix, self._masks[place]))

    def row(self) -> dict[str, float]:
        """The share of the weights that is kept, for the curve."""
        return {"kept": self.kept}

    def state(self) -> dict[str, Tensor]:
        """Everything that a resumed run needs."""
        scalars = {"kept": torch.tensor(self.kept, dtype=torch.float64), "step": torch.tensor(self.step)}
        return scalars | {f"mask.{place}": mask for place, mask in self._masks.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up `state`."""
        self.kept, self.step = float(state["kept"]), int(state["step"])
        for place, mask in self._masks.items():
            mask.copy_(state[f"mask.{place}"])
