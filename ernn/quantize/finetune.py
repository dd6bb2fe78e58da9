"""Quantization-aware fine-tuning: training that sees its own rounding, inside the circulant set.

Weights and values are rounded to the formats of the integer network on the way forward; on the way back the rounding
passes gradients straight through, and stops them where a value saturates (Bengio et al. 2013, arXiv:1308.3432). What is
trained are the stored words, so a block-circulant network stays one.
"""

import logging
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ernn.data.dataset import Split
from ernn.dataflow.formats import Format
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import Circulant
from ernn.params import Integer, Quantization, Training
from ernn.quantize import simulated
from ernn.quantize.calibrate import SPECTRA, Formats, packed_spectrum, unpacked_spectrum
from ernn.training import schedule
from ernn.training.batches import gather, order
from ernn.training.evaluate import loss_sum

log = logging.getLogger(__name__)


class _Round(torch.autograd.Function):
    """The nearest value of a format, halves upwards; gradients pass where it does not saturate."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, format: Format) -> Tensor:
        integers = torch.floor(value * 2.0**format.fraction + 0.5)
        clipped = integers.clamp(format.low, format.high)
        ctx.save_for_backward(clipped == integers)
        return clipped * format.resolution

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return gradients[0] * inside, None


class Rounding:
    """The hook that rounds every value as the integer network does, but for transforms, whose error is far smaller."""

    def __init__(self, model: AcousticModel, formats: Formats, program: Integer) -> None:
        self._formats = formats
        self._spectral = {
            str(place)
            for place, matrix in model.matrices()
            if isinstance(matrix, Circulant) and program.transform == "fourier"
        }

    def __call__(self, name: str, value: Tensor) -> Tensor:
        """`value`, rounded to the format of `name` if it has one."""
        kind = name.split(".")[-1]
        if name in self._spectral:
            return unpacked_spectrum(_Round.apply(packed_spectrum(value), self._formats[name])).to(value.dtype)
        if kind in SPECTRA:
            return value
        if kind == "rc":
            return _Round.apply(value, self._formats[name.removesuffix("rc") + "y"])
        if kind.startswith("a_"):
            return _Round.apply(value, self._formats.preactivation)
        if kind in ("i", "f", "g", "o", "z", "r", "n", "tanh_c"):
            return _Round.apply(value, self._formats.gate)
        return _Round.apply(value, self._formats[name]) if name in self._formats.by_name else value


def finetune(
    model: AcousticModel, formats: Formats, program: Integer, settings: Quantization, training: Training, train: Split
) -> None:
    """Train `model` in place for `settings.finetune_epochs` with its rounding.

    Raises:
        UserError: the loss is no longer finite.
    """
    hook = Rounding(model, formats, program)
    rate, epochs = settings.finetune_learning_rate, settings.finetune_epochs
    optimizer = torch.optim.Adam(model.parameter_groups(), lr=rate)
    lengths = np.diff(train.offsets)
    model.train()
    for epoch in range(epochs):
        plan = order(lengths, training.batch_utterances, training.seed, epoch)
        total = 0.0
        for step, indices in enumerate(plan):
            done, steps = epoch * len(plan) + step, epochs * len(plan)
            now = schedule.learning_rate(rate, done / steps, done, steps)
            for group in optimizer.param_groups:
                group["lr"] = now * group["scale"]
            batch = gather(train, indices)
            optimizer.zero_grad(set_to_none=True)
            summed, things = loss_sum(model, simulated.logits(model, batch.x, hook), batch)
            loss = summed / max(things, 1)
            if not loss.isfinite():
                raise UserError(
                    f"quantization.finetune_learning_rate={rate}: the loss is no longer finite in epoch {epoch + 1}, "
                    f"step {step + 1}; lower it, or set quantization.finetune_epochs: 0"
                )
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), training.gradient_clip)
            optimizer.step()
            total += float(loss.detach())
        log.info("epoch %d/%d with rounding: train loss %.4f", epoch + 1, epochs, total / max(len(plan), 1))
    model.eval()
