"""Circulant algebra against dense twins; whole numbers in float64 are exact, so equality is `==`."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.nn import circulant

SIDES = st.integers(1, 20)
BLOCK_SIZES = st.sampled_from([1, 2, 3, 4, 5, 8, 16])
SEEDS = st.integers(0, 2**16)


def integers(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(-99, 100, shape).astype(np.float64))


def columns_for(seed: int, rows: int, cols: int, k: int) -> torch.Tensor:
    return integers(seed, circulant.blocks_of(rows, k), circulant.blocks_of(cols, k), k)


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_projection_error_is_orthogonal_to_the_constraint_set(rows, cols, k, seed):
    weight, other = integers(seed, rows, cols), circulant.expand(columns_for(seed + 1, rows, cols, k), rows, cols)
    error = weight - circulant.expand(circulant.project(weight, k), rows, cols)
    torch.testing.assert_close((error * other).sum(), torch.tensor(0.0).double(), atol=1e-7, rtol=0)


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_projection_of_a_block_circulant_matrix_is_itself(rows, cols, k, seed):
    dense = circulant.expand(columns_for(seed, rows, cols, k), rows, cols)
    again = circulant.expand(circulant.project(dense, k), rows, cols)
    torch.testing.assert_close(again, dense, atol=1e-10, rtol=0)


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_expansion_is_scipy_circulant_block_by_block(rows, cols, k, seed):
    columns = columns_for(seed, rows, cols, k)
    p, q, _ = columns.shape
    twin = np.block([[scipy.linalg.circulant(columns[i, j].numpy()) for j in range(q)] for i in range(p)])
    assert (circulant.expand(columns, rows, cols).numpy() == twin[:rows, :cols]).all()


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_transform_product_is_the_dense_product(rows, cols, k, seed):
    columns, x = columns_for(seed, rows, cols, k), integers(seed + 1, 3, cols)
    dense = circulant.expand(columns, rows, cols)
    torch.testing.assert_close(circulant.multiply(columns, x, rows), x @ dense.T, atol=1e-6, rtol=1e-9)


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_gradient_of_expansion_is_its_adjoint(rows, cols, k, seed):
    columns, other = columns_for(seed, rows, cols, k).requires_grad_(), integers(seed + 1, rows, cols)
    (circulant.expand(columns, rows, cols) * other).sum().backward()
    probe = columns_for(seed + 2, rows, cols, k)
    assert (columns.grad * probe).sum() == (circulant.expand(probe, rows, cols) * other).sum()


@given(rows=SIDES, cols=SIDES, k=BLOCK_SIZES, seed=SEEDS)
def test_offset_is_added_and_gets_the_gradient_of_the_sum(rows, cols, k, seed):
    columns, offset = columns_for(seed, rows, cols, k), integers(seed + 1, rows, cols).requires_grad_()
    factor = integers(seed + 2, rows, cols)
    total = circulant.expand(columns, rows, cols, offset)
    assert (total == circulant.expand(columns, rows, cols) + offset).all()
    (total * factor).sum().backward()
    assert (offset.grad == factor).all()


@given(k=BLOCK_SIZES, seed=SEEDS)
def test_batched_gates_are_projected_one_by_one(k, seed):
    gates = integers(seed, 4, 10, 9)
    assert all((circulant.project(gates, k)[g] == circulant.project(gates[g], k)).all() for g in range(4))


def test_a_random_block_keeps_one_kth_of_its_energy():
    weight = torch.randn(512, 512, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for k in (2, 4, 8, 16):
        kept = circulant.expand(circulant.project(weight, k), 512, 512).square().sum() / weight.square().sum()
        assert kept == pytest.approx(1 / k, rel=0.05)


@pytest.mark.parametrize(
    ("rows", "cols", "k", "words"),
    [(1024, 160, 8, 20480), (1024, 153, 8, 20480), (1024, 153, 1, 156672), (1024, 153, 16, 10240)],
)
def test_stored_words_of_the_paper_sizes(rows, cols, k, words):
    assert circulant.stored_words(rows, cols, k) == words


def test_refusals_say_what_fits():
    with pytest.raises(ValueError, match="block_size=0 must be at least 1"):
        circulant.project(torch.zeros(4, 4), 0)
    with pytest.raises(ValueError, match="1x1 blocks of 4 do not cover a 8x4 matrix: 2x1 blocks do"):
        circulant.expand(torch.zeros(1, 1, 4), 8, 4)
    with pytest.raises(ValueError, match="1x1 blocks of 4 cannot map 5 elements to 4"):
        circulant.multiply(torch.zeros(1, 1, 4), torch.zeros(5), 4)
