"""From floats to integers: a wide program computes what the float network does, whatever its structure."""

import functools

import numpy as np
import pytest
import torch

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight
from ernn.params import Bits, ProgramSpec, Quantization
from ernn.quantization import calibrate, tables
from ernn.quantization.freeze import freeze, frontend_of
from ernn.quantization.rules import RULES
from ernn.records.decoding import Decoding
from tests.quantization.begun import begun

WIDE = Bits(weights=18, activations=18, accumulators=18, cell=18)
SHAPES = [
    {"cell": "lstm"},
    {"cell": "lstm", "peepholes": True},
    {"cell": "lstm", "peepholes": True, "projection": 6},
    {"cell": "gru"},
    {"cell": "gru", "reset": "after"},
    {"cell": "rnn"},
    {"cell": "rnn", "cells": (8, 16)},
    {"cell": "lstm", "cells": (16, 8)},
]


activations = functools.cache(tables.activations)  # few formats, and a search of seconds for each


def frozen(model: AcousticModel, data, bits: Bits = WIDE, **arithmetic):
    spec, settings = ProgramSpec(design="toy", bits=bits, **arithmetic), Quantization(segments=256)
    ranges = calibrate.measure(model, data.split("train"), 8)
    formats = calibrate.choose(model, ranges, spec, settings)
    functions = activations(formats.preactivation, formats.gate, settings.segments, False)
    return freeze("toy", model, formats, spec, functions, frontend_of(data.manifest))


def difference(model: AcousticModel, program, data) -> float:
    """Largest difference of log posteriors over an utterance."""
    golden, x = Golden(program), data.split("train").feature(0)
    logits, _ = golden.run(golden.quantize(x)[:, None])
    integer = torch.from_numpy(logits[:, 0] * program.output.logits.resolution).log_softmax(-1)
    with torch.no_grad():
        return float((model(torch.from_numpy(x)[:, None])[:, 0].log_softmax(-1) - integer).abs().max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("block_size", "transform", "products"),
    [(1, "exact", 4), (4, "exact", 4), (8, "exact", 4), (4, "fourier", 4), (8, "fourier", 3)],
)
def test_wide_integers_are_the_float_network(make, data, shape, block_size, transform, products):
    model = make(block_size, **shape)
    program = frozen(model, data, transform=transform, complex_products=products)
    assert difference(model, program, data) < (0.01 if transform == "exact" else 0.03)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("block_size", "transform"), [(1, "exact"), (4, "fourier")])
def test_wide_integers_begin_as_the_float_network(make, data, shape, block_size, transform):
    model = begun(make(block_size, **shape))
    program = frozen(model, data, transform=transform)
    assert difference(model, program, data) < (0.01 if transform == "exact" else 0.03)
    for layer, float_layer in zip(program.layers, model.layers, strict=True):
        assert layer.initial is not None
        near = layer.initial.y * layer.output.resolution - float_layer.initial_y.numpy()
        assert np.abs(near).max() <= layer.output.resolution * (0.5 + (layer.kind == "gru"))


@pytest.mark.parametrize("rule", [*RULES])
@pytest.mark.parametrize("shape", [{"cell": "lstm", "projection": 6}, {"cell": "gru"}, {"cell": "rnn"}])
def test_formats_hold_initial_states_beyond_all_that_was_measured(make, data, shape, rule):
    model = begun(make(1, **shape), scale=9.0)
    spec, settings = ProgramSpec(design="toy", bits=Bits()), Quantization(rule=rule)
    formats = calibrate.choose(model, calibrate.measure(model, data.split("train"), 4), spec, settings)
    for number, layer in enumerate(model.layers):
        for kind in ("y", *["c"] * (shape["cell"] != "rnn")):
            assert formats[f"layers.{number}.{kind}"].limit >= float(layer.initial(kind).abs().max())


def test_states_that_round_to_zeros_are_none(make, data):
    program = frozen(begun(make(1, cell="gru"), scale=1e-9), data)
    assert all(layer.initial is None for layer in program.layers)


def test_mixed_block_sizes_and_narrow_widths(make, data):
    """Input and recurrent matrices of different block sizes have an inverse transform each; error falls with width."""
    model = make(1)
    from ernn.nn.recurrent import make_circulant
    from ernn.params import BlockSizes

    make_circulant(model, (BlockSizes(input=2, recurrent=8), BlockSizes(input=8, recurrent=4)))
    widths = [
        difference(model, frozen(model, data, Bits(**dict.fromkeys(Bits.model_fields, bits))), data)
        for bits in (6, 10, 14, 18)
    ]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.01


def test_pruned_rows_keep_their_pattern(make, data):
    model = make(1)
    for place, matrix in list(model.matrices()):
        mask = torch.rand(matrix().shape, generator=torch.Generator().manual_seed(place.layer)) < 0.3
        model.replace(place, PrunedWeight.masked(matrix, mask))
    program = frozen(model, data)
    assert difference(model, program, data) < 0.01
    for place, matrix in model.matrices():
        sparse = program.matrices[str(place)]
        assert sparse.stored_words == int(matrix.mask.sum())
        assert (sparse.dense() == 0)[~matrix.mask.numpy()].all()


@pytest.mark.parametrize("transform", ["exact", "fourier"])
@pytest.mark.parametrize("k", [1, 4])
def test_sparse_rows_keep_their_pattern(make, data, k, transform):
    model = make(1)
    for place, matrix in list(model.matrices()):
        circulant = CirculantWeight.nearest(matrix, k)
        mask = torch.rand(circulant.columns.shape[:3], generator=torch.Generator().manual_seed(place.layer)) < 0.4
        model.replace(place, SparseWeight.of(circulant, circulant.columns.detach(), mask))
    program = frozen(model, data, transform=transform)
    assert difference(model, program, data) < (0.01 if transform == "exact" else 0.05)
    for place, matrix in model.matrices():
        sparse = program.matrices[str(place)]
        assert (sparse.kind, sparse.transform.kind) == ("sparse", transform if k > 1 else "exact")
        assert sparse.stored_words == int(matrix.mask.sum()) * k
        assert (sparse.filled().kept == matrix.mask.numpy()).all()


def test_sparse_and_whole_matrices_with_equal_blocks_have_sums_of_their_own(make, data):
    model = make(4)
    matrix = model.layers[0].weight_ih
    mask = torch.rand(matrix.columns.shape[:3]) < 0.5
    model.layers[0].weight_ih = SparseWeight.of(matrix, matrix.columns.detach(), mask)
    program = frozen(model, data, transform="fourier")
    ih, hh = program.layers[0].weight_ih, program.layers[0].weight_hh
    assert ih.transform.sums != hh.transform.sums
    assert difference(model, program, data) < 0.05


def test_exact_words_are_the_rounded_first_columns(make, data):
    model = make(4)
    program = frozen(model, data, Bits())
    for place, matrix in model.matrices():
        words = program.matrices[str(place)].words
        np.testing.assert_allclose(words.values, matrix.columns.detach().numpy(), atol=words.format.resolution / 2)


def test_block_sizes_that_are_no_powers_of_two_are_refused(make, data):
    with pytest.raises(UserError, match=r"layers.0.weight_ih: integer networks need block sizes of .*, got 3; change"):
        frozen(make(3), data)


@pytest.mark.parametrize("normalise", ["speaker", "global"])
def test_frontend_is_the_manifests(data, normalise):
    settings = data.manifest["features"] | {"normalise": normalise}
    moments = {"moments": {"mean": [0.0, 1.0], "deviation": [1.0, 2.0]}} if normalise == "global" else {}
    frontend = frontend_of({"features": settings} | moments)
    assert (frontend.kind, frontend.stack, frontend.normalise) == ("logmel", 2, normalise)
    assert (frontend.mean is not None) == (normalise == "global")


def test_the_decoder_of_ctc_is_that_of_the_model(make, data):
    model = make()
    model.decoding = Decoding(bigram_scale=0.5, insertion_penalty=-2.0)
    decoder = frozen(model, data).decoder
    assert (decoder.bigram_scale, decoder.insertion_penalty) == (0.5, -2.0)
    assert frozen(make(), data).decoder.bigram_scale is None
