"""Frame by frame equals whole utterances: products against the dense twin, networks against their forward pass."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.nn import circulant
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight
from ernn.nn.recurrent import make_circulant, randomise
from ernn.nn.streaming import CirculantProduct, Stream, packed_transform
from ernn.params import Design, Network

PHONES = ["a", "b", "c"]
NETWORKS = {
    "lstm": Network(cell="lstm", layers=2, cells=24),
    "peepholes and projection": Network(cell="lstm", layers=2, cells=24, projection=16, peepholes=True),
    "gru": Network(cell="gru", layers=2, cells=24),
    "gru, reset after": Network(cell="gru", layers=1, cells=24, reset="after"),
    "rnn": Network(cell="rnn", layers=2, cells=24),
    "layers of different sizes": Network(cell="lstm", layers=2, cells=(24, 16)),
    "rows that fill no blocks": Network(cell="lstm", layers=2, cells=21),
}


@given(p=st.integers(1, 4), q=st.integers(1, 4), k=st.sampled_from([1, 2, 4, 8, 16, 32]), seed=st.integers(0, 99))
def test_a_product_equals_that_of_the_expanded_matrix(p, q, k, seed):
    random = np.random.default_rng(seed)
    columns, x = random.standard_normal((p, q, k)), random.standard_normal(q * k)
    dense = circulant.expand(torch.from_numpy(columns), p * k, q * k).numpy()
    np.testing.assert_allclose(CirculantProduct(columns)(x), dense @ x, rtol=1e-4, atol=1e-4)


def test_a_shorter_vector_is_padded_with_zeros_and_not_with_what_was_there():
    columns, x = np.random.default_rng(0).standard_normal((2, 3, 4)), np.arange(1.0, 13)
    product = CirculantProduct(columns)
    whole, short = product(x), product(x[:10])
    np.testing.assert_array_equal(short, CirculantProduct(columns)(x * (x <= 10)))
    assert not np.array_equal(short, whole)


@pytest.mark.parametrize("parts", [[8], [13], [4, 4], [4, 8, 1]])
def test_parts_of_other_blocks_are_refused(parts):
    with pytest.raises(ValueError, match=r"3 blocks of 4 elements are multiplied, got parts of \["):
        CirculantProduct(np.ones((2, 3, 4)))(*map(np.ones, parts))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("shape", [(12,), (14,), (26,), (1, 13)])
def test_vectors_of_another_size_are_refused(network, shape):
    stream = Stream(AcousticModel(network, 13, PHONES).eval())
    with pytest.raises(ValueError, match=r"x has shape .*, the network takes vectors of 13 elements"):
        stream(np.zeros(shape, np.float32))


@given(k=st.sampled_from([1, 2, 4, 8, 16, 64]))
def test_packed_spectra_are_the_spectra(k):
    x = np.random.default_rng(k).standard_normal(k)
    packed, spectrum = x @ packed_transform(k), np.fft.rfft(x)
    assert packed.shape == (k,)
    np.testing.assert_allclose(packed[0], spectrum[0].real, atol=1e-12)
    if k > 1:
        np.testing.assert_allclose(packed[1], spectrum[-1].real, atol=1e-12)
        np.testing.assert_allclose(packed[2::2] + 1j * packed[3::2], spectrum[1:-1], atol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 4, 8, 16])
def test_spectra_have_k_words_a_block(k):
    assert CirculantProduct(np.ones((3, 5, k))).stored_words == 3 * 5 * k


@pytest.mark.parametrize("block_size", [1, 4, 8])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_frame_by_frame_equals_whole_utterances(network, block_size):
    model = AcousticModel(network, 13, PHONES).eval()
    if block_size > 1:
        make_circulant(model, Design(network="n", block_size=block_size).blocks(network.layers))
    randomise(model, seed=3)
    assert_streams(model)


def test_other_blocks_for_x_and_pruned_matrices():
    model = AcousticModel(NETWORKS["lstm"], 13, PHONES).eval()
    for place, matrix in list(model.matrices()):
        if place.kind == "input":
            model.replace(place, CirculantWeight.nearest(matrix, 4 if place.layer else 8))
        elif place.layer:
            model.replace(place, PrunedWeight.masked(matrix, torch.rand(4 * 24, matrix.cols) < 0.5))
    assert_streams(model)


def test_matrices_with_some_of_their_blocks():
    model = AcousticModel(NETWORKS["lstm"], 13, PHONES).eval()
    for place, matrix in list(model.matrices()):
        circulant = CirculantWeight.nearest(matrix, 4)
        columns = circulant.columns.detach()
        model.replace(place, SparseWeight.of(circulant, columns, torch.rand(columns.shape[:3]) < 0.5))
    assert_streams(model)


def assert_streams(model):
    x = torch.randn(9, 1, 13, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole = model(x)[:, 0].numpy()
    stream = Stream(model)
    for _ in range(2):  # a reset forgets the utterance before it
        stream.reset()
        found = np.stack([stream(frame) for frame in x[:, 0].numpy()])
        np.testing.assert_allclose(found, whole, rtol=1e-4, atol=2e-5)
    carried = np.stack([stream(frame) for frame in x[:, 0].numpy()])
    assert np.abs(carried - whole).max() > 1e-3
