"""Rounding with gradients straight through, and training that sees it."""

import numpy as np
import pytest
import torch

from ernn.dataflow.formats import Format
from ernn.golden.model import Golden
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight
from ernn.params import Bits, ProgramSpec, Quantization, Scoring, Training
from ernn.program.plan import SUMS
from ernn.quantization import calibrate, finetune, rules, simulated
from ernn.quantization.freeze import freeze
from ernn.training import session
from tests.quantization.begun import begun
from tests.quantization.test_freeze import SHAPES, activations

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


def rounded(model: AcousticModel, data) -> tuple[finetune.Rounding, Golden]:
    """The rounding of a network, and the integers that it stands for."""
    bits = Bits(weights=6, activations=9, accumulators=12, cell=12)
    spec, settings = ProgramSpec(design="toy", bits=bits), Quantization(segments=256)
    formats = calibrate.choose(model, calibrate.measure(model, data.split("train"), 8), spec, settings)
    functions = activations(formats.preactivation, formats.gate, settings.segments, False)
    return finetune.Rounding(model, formats, spec), Golden(freeze("toy", model, formats, spec, functions, None))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_value_of_the_integer_model_is_rounded(make, data, shape):
    hook, golden = rounded(make(4, **shape), data)
    names = golden.trace(np.zeros((1, golden.program.inputs), np.int64))
    value = torch.full((1,), 1 / 3)
    left = {name.split(".")[-1] for name in names if hook(name, value) == value}
    assert left <= {*SUMS} | {f"{sums}{suffix}" for sums in SUMS for suffix in ("_zr", "_n")}


@pytest.mark.parametrize("shape", SHAPES)
def test_initial_states_are_rounded_to_those_of_the_integers(make, data, shape):
    model, seen = begun(make(4, **shape)), dict[str, torch.Tensor]()
    hook, golden = rounded(model, data)

    def keep(name: str, value: torch.Tensor) -> torch.Tensor:
        seen[name] = hook(name, value)
        return seen[name]

    with torch.no_grad():
        simulated.logits(model, torch.zeros(1, 1, model.dimension), keep)
    for number, state in enumerate(golden.initial(1)):
        for kind, integers in state.items():
            format = golden.program.layers[number].output if kind == "y" else golden.program.layers[number].cell
            found = seen[f"layers.{number}.initial_{kind}"].reshape(-1).double().numpy()
            assert (found == integers[:, 0] * format.resolution).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_network_with_its_rounding_is_near_the_integers(make, data, shape):
    """Nearer than the float network is: what is left are the lines of the tables."""
    model, x = make(4, **shape), data.split("train").feature(0)
    hook, golden = rounded(model, data)
    integers = golden.run(golden.quantize(x)[:, None])[0] * golden.program.output.logits.resolution
    with torch.no_grad():
        ours = simulated.logits(model, torch.from_numpy(x)[:, None], hook).numpy()
        floats = model(torch.from_numpy(x)[:, None]).numpy()
    assert np.abs(integers - ours).mean() < 0.3 * np.abs(integers - floats).mean()


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
