"""The network step by step is the one that is trained, and hooks see every value by its name in the integer model."""

import pytest
import torch

from ernn.golden.model import Golden
from ernn.params import ProgramSpec, Quantization
from ernn.quantization import calibrate, simulated, tables
from ernn.quantization.freeze import freeze, frontend_of
from tests.quantization.begun import begun

SHAPES = [
    {"cell": "lstm"},
    {"cell": "lstm", "peepholes": True, "projection": 6},
    {"cell": "gru"},
    {"cell": "gru", "reset": "after"},
    {"cell": "rnn"},
    {"cell": "rnn", "cells": (8, 4)},
    {"cell": "lstm", "cells": (12, 8), "projection": 6},
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block_size", [1, 4])
def test_without_rounding_it_is_the_model(make, shape, block_size):
    model = make(block_size, **shape).double()
    x = torch.randn(7, 3, model.dimension, dtype=torch.float64)
    torch.testing.assert_close(simulated.logits(model, x, lambda _, value: value), model(x))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("block_size", [1, 4])
def test_it_begins_with_the_initial_states_of_the_model(make, shape, block_size):
    model = begun(make(block_size, **shape)).double()
    x, seen = torch.randn(7, 3, model.dimension, dtype=torch.float64), set[str]()

    def hook(name: str, value: torch.Tensor) -> torch.Tensor:
        seen.add(name)
        return value

    torch.testing.assert_close(simulated.logits(model, x, hook), model(x))
    assert {"layers.0.initial_y", "layers.1.initial_y"} <= seen


@pytest.mark.parametrize("shape", SHAPES)
def test_every_named_value_of_the_integer_model_is_seen(make, data, shape):
    model = make(4, **shape)
    ranges = calibrate.measure(model, data.split("train"), 4)
    spec, settings = ProgramSpec(design="toy"), Quantization()
    formats = calibrate.choose(model, ranges, spec, settings)
    functions = tables.activations(formats.preactivation, formats.gate, 8, False)
    program = freeze("toy", model, formats, spec, functions, frontend_of(data.manifest))
    named = Golden(program).trace(torch.zeros(1, model.dimension, dtype=torch.int64).numpy())
    assert set(named) <= {*ranges.values}


@pytest.mark.parametrize("k", [1, 2, 4, 8, 32])
def test_packed_spectra_come_back(k):
    blocks = torch.randn(3, 5, k, dtype=torch.float64)
    packed = calibrate.packed_spectrum(blocks)
    assert packed.shape == blocks.shape
    torch.testing.assert_close(calibrate.unpacked_spectrum(packed), blocks)
