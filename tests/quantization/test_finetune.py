"""Rounding with gradients straight through, and training that sees it."""

import numpy as np
import pytest
import torch

from ernn.dataflow.formats import Format
from ernn.nn.matrices import CirculantWeight
from ernn.params import Bits, ProgramSpec, Quantization, Scoring, Training
from ernn.quantization import calibrate, finetune, rules, simulated
from ernn.training import session

NARROW = Bits(weights=4, activations=5, accumulators=6, cell=6)


def test_rounding_is_that_of_the_integers_and_saturation_stops_gradients():
    value = torch.linspace(-3, 3, 41, dtype=torch.float64, requires_grad=True)
    format = Format(4, 2)
    rounded = finetune._Round.apply(value, format)
    rounded.sum().backward()
    assert (rounded.detach().numpy() == rules.quantized(value.detach().numpy(), format)).all()
    inside = (value.detach() >= -2.125) & (value.detach() < 1.875)
    assert (value.grad == inside).all()


@pytest.mark.parametrize("transform", ["exact", "fourier"])
def test_weights_that_the_network_sees_are_the_programs(make, data, transform):
    model = make(4)
    spec = ProgramSpec(design="toy", transform=transform, bits=NARROW)
    formats = calibrate.choose(model, calibrate.measure(model, data.split("train"), 4), spec, Quantization())
    hook = finetune.Rounding(model, formats, spec)
    for place, matrix in model.matrices():
        seen = hook(str(place), simulated.stored(matrix)).detach().numpy().astype(np.float64)
        if transform == "fourier":
            seen = calibrate.packed_spectrum(torch.from_numpy(seen)).numpy()
        steps = seen / formats[str(place)].resolution
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)


def test_training_with_rounding_helps_where_rounding_hurts(make, data, monkeypatch, tmp_path):
    """The loss with rounding falls, and the network stays block-circulant."""
    monkeypatch.setenv("ERNN_CHECKPOINTS", str(tmp_path))
    model = make(4)
    spec = ProgramSpec(design="toy", bits=NARROW)
    settings = Quantization(finetune_epochs=6, finetune_learning_rate=0.02)
    formats = calibrate.choose(model, calibrate.measure(model, data.split("train"), 8), spec, settings)
    options = finetune.options(Training(batch_utterances=8, threads=1), settings)
    assert (options.epochs, options.learning_rate) == (6, 0.02)
    run = session.open_run(data, options, Scoring(), test="finetune")
    finetune.finetune(model, formats, spec, run)
    losses = [row["train_loss"] for row in run.rows]
    assert losses[-1] < 0.8 * losses[0]
    assert all(isinstance(matrix, CirculantWeight) for _, matrix in model.matrices())
    assert {row["phase"] for row in run.rows} == {"rounding"}
