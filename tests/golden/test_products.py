"""Products of whole matrices: those of the dense ones, within the ranges that the values state."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.devices.limits import BLOCK_SIZES
from ernn.golden.integers import Integers, Log
from ernn.golden.products import IntegerProduct
from ernn.program.matrices import Circulant, Numbers, Pruned, Sparse
from tests.dataflow.values import SEEDS, arrays, checked, dense, fourier_of, typed

SIDES, FORMATS = st.integers(1, 20), st.builds(Format, st.integers(2, 10), st.integers(0, 10))
GATES = 2


def circulant(seed: int, rows: int, cols: int, k: int, format: Format, transform) -> Circulant:
    words = arrays(seed, format, GATES, -(-rows // k), -(-cols // k), k)
    return Circulant(rows, cols, k, transform, Numbers(format, words))


def product(matrix: Circulant | Pruned | Sparse, x: Integers) -> Integers:
    """The rows, with the ranges of every value on the way verified."""
    whole = IntegerProduct(matrix, Log())
    factors = whole.factors(x)
    sums = whole.sums(factors)
    rows = whole.rows(sums, "sums")
    for values in (factors, sums, [rows]):
        checked(values)
    return rows


@pytest.mark.parametrize("k", BLOCK_SIZES)
@given(rows=SIDES, cols=SIDES, weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_exact_products_are_those_of_the_dense_matrices(k, rows, cols, weights, inputs, seed):
    matrix, x = circulant(seed, rows, cols, k, weights, Exact()), arrays(seed + 3, inputs, cols, 3)
    found = product(matrix, typed(x, inputs))
    for gate, words in enumerate(matrix.words.integers):
        assert (found.array[gate] == dense(words)[:rows, :cols] @ x).all()
    assert found.fraction == weights.fraction + inputs.fraction


@pytest.mark.parametrize("products", [3, 4])
@given(rows=SIDES, cols=SIDES, k=st.sampled_from(BLOCK_SIZES), weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_fourier_products_stay_within_their_ranges(products, rows, cols, k, weights, inputs, seed):
    spec = fourier_of(k, 8, sums=Format(12, 4), products=products)
    matrix = circulant(seed, rows, cols, k, weights, spec)
    assert product(matrix, typed(arrays(seed + 3, inputs, cols, 3), inputs)).array.shape == (GATES, rows, 3)


@given(rows=SIDES, cols=SIDES, weights=FORMATS, inputs=FORMATS, seed=SEEDS, kept=st.sampled_from([0, 0.3, 1]))
def test_pruned_products_are_those_of_the_dense_matrices(rows, cols, weights, inputs, seed, kept):
    mask = np.random.default_rng(seed).random((GATES * rows, cols)) < kept
    row, columns = np.nonzero(mask)
    values, x = arrays(seed + 1, weights, len(columns)), arrays(seed + 3, inputs, cols, 3)
    matrix = Pruned(
        rows, cols, GATES, Numbers(weights, values), columns, np.searchsorted(row, np.arange(len(mask) + 1))
    )
    full = np.zeros(mask.shape, np.int64)
    full[mask] = values
    assert (product(matrix, typed(x, inputs)).array == (full @ x).reshape(GATES, rows, 3)).all()
    assert (matrix.dense() == full).all()


@pytest.mark.parametrize("transform", ["exact", "fourier"])
@given(rows=SIDES, cols=SIDES, k=st.sampled_from(BLOCK_SIZES), seed=SEEDS, kept=st.sampled_from([0, 0.3, 1]))
def test_sparse_products_are_those_with_zeros_in_the_other_blocks(transform, rows, cols, k, seed, kept):
    format, spec = Format(8, 4), Exact() if transform == "exact" else fourier_of(k, 8, sums=Format(12, 4))
    whole, x = circulant(seed, rows, cols, k, format, spec), arrays(seed + 3, format, cols, 3)
    mask = np.random.default_rng(seed).random(whole.kept.shape) < kept
    words, (row, columns) = whole.words.integers, np.nonzero(mask.reshape(-1, mask.shape[2]))
    starts = np.searchsorted(row, np.arange(mask.shape[0] * mask.shape[1] + 1))
    matrix = Sparse(rows, cols, GATES, k, spec, Numbers(format, words[mask]), columns, starts)
    filled = replace(whole, words=Numbers(format, words * mask[..., None]))
    assert (matrix.filled().words.integers == filled.words.integers).all()
    assert (matrix.filled().kept == mask).all()
    assert matrix.filled().longest_row == max(1, mask.sum(axis=2).max())
    assert (product(matrix, typed(x, format)).array == product(filled, typed(x, format)).array).all()


@given(rows=SIDES, cols=SIDES, k=st.sampled_from(BLOCK_SIZES), seed=SEEDS)
def test_some_gates_are_those_of_all(rows, cols, k, seed):
    format = Format(8, 4)
    whole = IntegerProduct(circulant(seed, rows, cols, k, format, Exact()), Log())
    factors = whole.factors(typed(arrays(seed + 3, format, cols, 3), format))
    both, last = whole.sums(factors), whole.sums(factors, slice(1, 2))
    assert all((a.array[1:] == b.array).all() for a, b in zip(both, last, strict=True))
