"""Distillation: a compressed network learns from the posteriors of the dense one, too (arXiv:1503.02531)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ernn.nn.acoustic import AcousticModel
from ernn.params.compression import Distillation
from ernn.training.batches import Batch
from ernn.training.evaluate import loss_sum


@dataclass(frozen=True)
class Distilled:
    """The loss of a student: a share of the criterion, the rest the divergence from its teacher's posteriors.

    Args:
        teacher: in evaluation mode, on the device of the batches; it is not trained.
        options: that share, and the temperature of the softmax of both.
    """

    teacher: AcousticModel
    options: Distillation

    def __call__(
        self, model: AcousticModel, logits: Float[Tensor, "time batch classes"], batch: Batch
    ) -> tuple[Float[Tensor, ""], int]:
        """The summed loss in nats, and the number of things summed as in `loss_sum`.

        The divergence is summed over the frames that the criterion counts: the labelled ones, with CTC all of an
        utterance.
        """
        total, things = loss_sum(model, logits, batch)
        with torch.no_grad():
            wanted = self._softened(self.teacher(batch.x))
        divergence = F.kl_div(self._softened(logits), wanted, reduction="none", log_target=True).sum(-1)
        counted = batch.labels >= 0 if model.criterion == "frames" else _within(batch)
        weight, temperature = self.options.weight, self.options.temperature
        return (1 - weight) * total + weight * temperature**2 * divergence[counted].sum(), things

    def _softened(self, logits: Float[Tensor, "time batch classes"]) -> Float[Tensor, "time batch classes"]:
        return (logits / self.options.temperature).log_softmax(-1)


def _within(batch: Batch) -> Tensor:
    """Whether a frame is one of its utterance and no padding."""
    return torch.arange(len(batch.x), device=batch.x.device)[:, None] < batch.lengths.to(batch.x.device)
