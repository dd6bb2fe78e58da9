"""The acoustic model: shapes, counts of the paper, structure put in and out."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import FASTEST_SUM, CirculantWeight, Weight
from ernn.nn.recurrent import Place, block_size_at, make_circulant, randomise
from ernn.params import BlockSizes, Network
from tests import toy

PHONES = [str(index) for index in range(toy.PHONES)]


def model(**changes) -> AcousticModel:
    torch.manual_seed(1)
    return AcousticModel(toy.network(**changes), toy.DIMENSION, PHONES)


AFTER = {"cell": "gru", "reset": "after"}
CELLS = [{}, {"peepholes": True}, {"projection": 4}, {"projection": 4, "peepholes": True}, {"cell": "gru"}, AFTER]
CELLS += [{"cell": "rnn"}, {"cells": (8, 4)}, {"projection": 2, "cells": (8, 4)}, {"cell": "rnn", "cells": (4, 8)}]


@pytest.mark.parametrize("changes", CELLS)
def test_padding_changes_nothing_before_it(changes):
    network, x = model(**changes), torch.randn(9, 3, toy.DIMENSION)
    long = network(torch.cat([x, torch.randn(4, 3, toy.DIMENSION)]))
    torch.testing.assert_close(long[:9], network(x))


@pytest.mark.parametrize("changes", CELLS)
def test_circulant_network_is_the_dense_one_with_projected_weights(changes):
    network, x = model(**changes), torch.randn(6, 2, toy.DIMENSION)
    make_circulant(network, (BlockSizes(input=4, recurrent=2, projection=2),) * 2)
    dense = model(**changes)
    for (_, ours), (_, theirs) in zip(network.matrices(), dense.matrices(), strict=True):
        assert isinstance(ours, CirculantWeight)
        theirs.weight.data.copy_(ours())
    torch.testing.assert_close(network(x), dense(x))


def test_ctc_has_one_more_class():
    assert AcousticModel(toy.network(), toy.DIMENSION, PHONES, "ctc").output.out_features == toy.PHONES + 1


@pytest.mark.parametrize(
    ("network", "block_size", "words"),
    [
        (Network(layers=1, cells=1024, projection=512), 8, 409_600),
        (Network(layers=1, cells=1024, projection=512), 16, 204_800),
        (Network(cell="gru", layers=1, cells=1024), 8, 454_656),
        (Network(cell="gru", layers=1, cells=1024), 16, 227_328),
    ],
)
def test_stored_weights_of_the_paper(network, block_size, words):
    large = AcousticModel(network, 153, PHONES)
    make_circulant(large, (BlockSizes(input=block_size, recurrent=block_size, projection=block_size),))
    assert sum(matrix.stored_words for _, matrix in large.matrices()) == words


@pytest.mark.parametrize("changes", CELLS)
def test_stored_words_count_everything(changes):
    network = model(**changes)
    assert network.stored_words == sum(parameter.numel() for parameter in network.parameters())


def test_only_the_gru_that_resets_after_the_product_has_a_second_bias():
    biases = [[layer.bias_hn for layer in model(**changes).layers] for changes in CELLS]
    place = CELLS.index(AFTER)
    assert [bias.shape for bias in biases.pop(place)] == [(8,), (8,)]
    assert not any(bias is not None for others in biases for bias in others)


@pytest.mark.parametrize("changes", CELLS)
def test_every_weight_has_a_gradient(changes):
    network = model(**changes)
    network(torch.randn(6, 2, toy.DIMENSION)).square().sum().backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.parametrize("changes", CELLS)
def test_randomise_is_a_function_of_the_seed_and_replaces_every_weight(changes):
    networks = [model(**changes) for _ in range(3)]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        make_circulant(network, (BlockSizes(input=2, recurrent=2),) * 2)
        before = [parameter.clone() for parameter in network.parameters()]
        randomise(network, seed)
        assert not any(torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
    same, other = (list(network.parameters()) for network in networks[1:])
    assert all(torch.equal(a, b) for a, b in zip(networks[0].parameters(), same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(same, other, strict=True))


def test_block_sizes_by_place():
    blocks = (BlockSizes(input=2, recurrent=4), BlockSizes(projection=8))
    assert [block_size_at(blocks, Place(*place)) for place in ((0, "input"), (0, "recurrent"), (1, "projection"))] == [
        2,
        4,
        8,
    ]


@pytest.mark.parametrize("exponent", [0.25, 0.5])
@pytest.mark.parametrize("changes", CELLS)
def test_every_parameter_has_one_learning_rate_scale(changes, exponent):
    network = model(**changes)
    make_circulant(network, (BlockSizes(input=4, recurrent=2), BlockSizes(input=4)))
    scales = {id(p): group["scale"] for group in network.parameter_groups(exponent) for p in group["params"]}
    assert set(scales) == {id(p) for p in network.parameters()}
    assert scales[id(network.layers[0].weight_ih.columns)] == 4**exponent
    assert scales[id(network.layers[0].weight_hh.columns)] == 2**exponent
    assert scales[id(network.layers[1].weight_hh.weight)] == scales[id(network.output.bias)] == 1


@given(st.integers(0, 6), st.integers(1, 4096), st.sampled_from([0.0, 0.25, 0.5]))
def test_first_columns_learn_faster_until_a_sum_would_move_too_far(power, cols, exponent):
    k = 2**power
    scale = CirculantWeight(1, 1, cols, k).learning_rate_scale("columns", exponent)
    bounds = (scale / k**exponent, scale * cols * k**0.5 / FASTEST_SUM)
    assert max(bounds) == pytest.approx(1)


def test_a_matrix_without_structure_is_refused():
    with pytest.raises(TypeError, match="use DenseWeight, CirculantWeight or PrunedWeight"):
        Weight(1, 2, 2)()
