"""Networks by their sizes alone: accelerators are accepted and refused as with the frozen network."""

import dataclasses
import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from components.architecture import architecture
from ernn.compression.admm import Pull
from ernn.compression.pruning import Pruner
from ernn.data.phones import PHONES48
from ernn.errors import UserError
from ernn.estimate.shapes import Shape
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import AcceleratorSpec, Admm, Design, Features, Hardware, NetworkSpec, ProgramSpec, Quantization
from ernn.params.hardware import ArraySize
from ernn.program.network import Lstm, Program
from ernn.quantization import calibrate, freeze, tables

INPUTS = 10
HEAD = [{"outputs": 12, "low": 0.0}, {"outputs": 7, "function": "tanh"}]
CASES = {
    "lstm": ({"layers": 2}, {"block_size": 4}, {}),
    "lstm by fourier": ({}, {"block_size": 8}, {"transform": "fourier", "complex_products": 3}),
    "projection": ({"projection": 6, "peepholes": True}, {"block_size": 2}, {}),
    "projection of other blocks": ({"projection": 6}, {"block_size": {"input": 4, "recurrent": 4}}, {}),
    "products of x apart": ({}, {"block_size": {"input": 2, "recurrent": 4}}, {"transform": "fourier"}),
    "layers that differ": ({"layers": 2}, {"block_size": [{"input": 2}, {"recurrent": 8}]}, {}),
    "gru": ({"cell": "gru"}, {"block_size": 4}, {}),
    "gru, reset after": ({"cell": "gru", "reset": "after"}, {"block_size": 8}, {"transform": "fourier"}),
    "pruned lstm": ({"projection": 6}, {"method": "prune", "pruning_ratio": 2.0}, {}),
    "pruned gru": ({"cell": "gru"}, {"method": "prune", "pruning_ratio": 2.0}, {"transform": "fourier"}),
    "sparse lstm": ({"projection": 6}, {"block_size": 2, "density": 0.5, "pattern": "cell"}, {}),
    "sparse gru": ({"cell": "gru", "layers": 2}, {"block_size": 4, "density": {"recurrent": 0.5}}, {}),
    "sparse by fourier": ({}, {"block_size": 4, "density": [{"recurrent": 0.25}]}, {"transform": "fourier"}),
    "single weights": ({}, {"density": 0.25}, {}),
    "rnn": ({"cell": "rnn", "layers": 2}, {"block_size": 4}, {"transform": "fourier"}),
    "sizes that differ": ({"layers": 2, "cells": (16, 8), "projection": 6}, {"block_size": 4}, {}),
    "pruned rnn": ({"cell": "rnn", "layers": 2, "cells": (8, 12)}, {"method": "prune", "pruning_ratio": 2.0}, {}),
    "dense": ({"cell": "gru"}, {"method": "direct"}, {}),
    "head": ({"layers": 2, "head": HEAD}, {"block_size": [{"recurrent": 8}, {"input": 4}]}, {"transform": "fourier"}),
    "head of a projection": ({"projection": 6, "head": HEAD[:1]}, {"block_size": 2, "density": 0.5}, {}),
    "pruned head": ({"cell": "gru", "head": HEAD}, {"method": "prune", "pruning_ratio": 2.0}, {}),
}


def parts(name: str) -> tuple[NetworkSpec, Design, ProgramSpec]:
    network, design, spec = CASES[name]
    return (
        NetworkSpec(**({"layers": 1, "cells": 16} | network)),
        Design(network="n", **design),
        ProgramSpec(design="d", **spec),
    )


@functools.cache
def frozen(name: str) -> Program:
    """The integer network of an untrained one."""
    network, design, spec = parts(name)
    torch.manual_seed(1)
    model = AcousticModel(network.network, INPUTS, PHONES48, head=network.head)
    if design.method == "prune":
        Pruner(model, design.pruning_ratio, "rows").finish(model)
    elif design.sparse:
        densities = design.densities(network.layers)
        Pull(model, design.blocks(network.layers), Admm(), densities, design.pattern == "cell").finish(model)
    else:
        make_circulant(model, design.blocks(network.layers))
    ranges = calibrate.measure_batch(model, torch.randn(3, 2, INPUTS))
    formats = calibrate.choose(model, ranges, spec, Quantization())
    functions = tables.activations(formats.preactivation, formats.gate, 1, False)
    frontend = freeze.frontend_of({"features": Features().model_dump()})
    return freeze.freeze(name, model, formats, spec, functions, frontend)


def arrays(accelerator: AcceleratorSpec, program: Program) -> object:
    try:
        return architecture(accelerator, Hardware(), program).arrays
    except UserError as error:
        return str(error)


SIZES = st.builds(
    ArraySize,
    lanes=st.integers(1, 16),
    columns=st.integers(1, 5),
    heads=st.integers(0, 5),
    pointwise=st.sampled_from([0, 0, 1, 2, 3, 4, 16]),
)
ACCELERATORS = st.builds(
    AcceleratorSpec,
    program=st.just("p"),
    array=SIZES,
    output=SIZES,
    arrays=st.one_of(st.just(()), st.lists(SIZES, min_size=1, max_size=4).map(tuple)),
    logits_per_beat=st.sampled_from([1, 2, 16]),
)


@pytest.mark.parametrize("name", CASES)
@given(accelerator=ACCELERATORS)
def test_arrays_and_refusals_are_those_of_the_frozen_network(name, accelerator):
    assert arrays(accelerator, Shape.of(*parts(name), INPUTS).program()) == arrays(accelerator, frozen(name))


@pytest.mark.parametrize("name", CASES)
def test_sizes_are_those_of_the_frozen_network(name):
    found, wanted = Shape.of(*parts(name), INPUTS).program(), frozen(name)
    assert found.matrices.keys() == wanted.matrices.keys()
    for place, matrix in found.matrices.items():
        other = wanted.matrices[place]
        assert (matrix.kind, matrix.block_size, matrix.transform.kind) == (
            other.kind,
            other.block_size,
            other.transform.kind,
        )
        assert (matrix.gates, matrix.rows, matrix.cols) == (other.gates, other.rows, other.cols)


@pytest.mark.parametrize("name", CASES)
def test_stored_words_are_those_of_the_network(name):
    network, design, spec = parts(name)
    model = AcousticModel(network.network, INPUTS, PHONES48, head=network.head)
    if design.method == "prune":
        Pruner(model, design.pruning_ratio, "rows").finish(model)
    elif design.sparse:
        densities = design.densities(network.layers)
        Pull(model, design.blocks(network.layers), Admm(), densities, design.pattern == "cell").finish(model)
    else:
        make_circulant(model, design.blocks(network.layers))
    assert Shape.of(network, design, spec, INPUTS, len(PHONES48)).stored_words == model.stored_words


SMALL = Shape(cells=64, inputs=40, classes=12, block_size=4)


def test_a_shape_has_the_sizes_that_it_says():
    program = Shape("lstm", 2, 48, 16, True, inputs=9, classes=5, block_size=8).program()
    first, second = program.layers
    assert isinstance(first, Lstm)
    assert first.peephole is not None
    assert (first.inputs, first.cells, first.outputs, second.inputs, program.decoder.classes) == (9, 48, 16, 16, 5)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape(inputs=9, layers=2, cells=8), "lstm 9-2x8 k=8 12 bits exact"),
        (Shape(inputs=9, layers=2, cells=(8, 8)), "lstm 9-2x8 k=8 12 bits exact"),
        (Shape("rnn", 2, (64, 32), inputs=9), "rnn 9-64-32 k=8 12 bits exact"),
        (Shape(inputs=9, layers=2, cells=(64, 32), projection=16), "lstm 9-64/16-32/16 k=8 12 bits exact"),
    ],
)
def test_names(shape, text):
    assert str(shape) == text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cells": 0}, "cells=0 must be 1 or more"),
        ({"layers": 2, "cells": (8, 0)}, "cells=0 must be 1 or more"),
        ({"cells": (8, 4)}, "cells has 2 entries, layers=1: give one a layer, or one for all"),
        ({"projection": -1}, "projection=-1 must be 0"),
        ({"bits": 3}, "bits=3 must lie in 4..18"),
        ({"block_size": 3}, "block_size=3 must be one of 1, 2, 4"),
        ({"cell": "gru", "projection": 8}, "projection and peepholes are an LSTM's"),
        ({"cell": "rnn", "projection": 8}, "projection and peepholes are an LSTM's; leave them out for cell=rnn"),
        ({"block_size": 1, "transform": "fourier"}, "transform=fourier needs block_size=2"),
    ],
)
def test_sizes_that_describe_no_network_are_refused(wrong, message):
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        dataclasses.replace(SMALL, **wrong)


@given(
    st.builds(
        Shape,
        cell=st.just("lstm"),
        layers=st.integers(1, 3),
        cells=st.integers(1, 40),
        projection=st.integers(0, 20),
        inputs=st.integers(1, 30),
        classes=st.integers(1, 9),
        block_size=st.sampled_from([1, 2, 8]),
        bits=st.integers(6, 16),
    )
    | st.builds(Shape, cell=st.sampled_from(["gru", "rnn"]), layers=st.integers(1, 3), cells=st.integers(1, 40))
    | st.builds(Shape, layers=st.just(2), cells=st.tuples(st.integers(1, 40), st.integers(1, 40)))
)
def test_words_of_matrices_are_those_of_the_program(shape):
    assert shape.matrix_words * shape.bits == shape.program().weight_bits
