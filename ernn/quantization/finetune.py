"""Quantization-aware fine-tuning: training that sees its own rounding, inside the circulant set.

Weights and values are rounded to the formats of the integer network on the way forward; on the way back the rounding
passes gradients straight through, and stops them where a value saturates (Bengio et al. 2013, arXiv:1308.3432). What is
trained are the stored words, so a block-circulant network stays one.
"""

from typing import Any

import torch
from torch import Tensor

from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, RNN_GATES
from ernn.dataflow.formats import Format
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight
from ernn.params import ProgramSpec, Quantization, Training
from ernn.program.plan import SUMS
from ernn.quantization import simulated
from ernn.quantization.calibrate import Formats, packed_spectrum, unpacked_spectrum
from ernn.training.loop import Phase, Run


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

    def __init__(self, model: AcousticModel, formats: Formats, spec: ProgramSpec) -> None:
        self._formats = formats
        self._spectral = {
            str(place)
            for place, matrix in model.matrices()
            if isinstance(matrix, CirculantWeight) and spec.transform == "fourier"
        }

    def __call__(self, name: str, value: Tensor) -> Tensor:
        """`value`, rounded to the format of `name` if it has one."""
        name = name.replace(f".{simulated.INITIAL}", ".")  # in the format of the state
        kind = name.split(".")[-1]
        if name in self._spectral:
            return unpacked_spectrum(_Round.apply(packed_spectrum(value), self._formats[name])).to(value.dtype)
        if kind in SUMS:
            return value
        if kind == "rc":
            return _Round.apply(value, self._formats[name.removesuffix("rc") + "y"])
        if kind.startswith("a_"):
            return _Round.apply(value, self._formats.preactivation)
        if kind in (*LSTM_GATES, *GRU_GATES, *RNN_GATES, "tanh_c"):
            return _Round.apply(value, self._formats.gate)
        return _Round.apply(value, self._formats[name]) if name in self._formats.by_name else value


def finetune(model: AcousticModel, formats: Formats, spec: ProgramSpec, run: Run) -> None:
    """Train `model` in place with its rounding, for all epochs of `run`; a killed run resumes.

    Raises:
        UserError: the loss is no longer finite.
    """
    hook = Rounding(model, formats, spec)
    epochs = run.training.epochs
    run.fit(model, Phase("rounding", 0, epochs, epochs), forward=lambda x: simulated.logits(model, x, hook))
    model.eval()


def options(training: Training, settings: Quantization) -> Training:
    """The optimisation of fine-tuning: that of training with its own epochs and learning rate."""
    changed = {"epochs": settings.finetune_epochs, "learning_rate": settings.finetune_learning_rate, "dropout": 0.0}
    return training.model_copy(update=changed)
