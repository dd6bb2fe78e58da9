"""Some circulant blocks of a matrix: the nearest such matrix, by all others; equally many in each block row."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.nn import circulant, sparse
from ernn.nn.matrices import CirculantWeight, DenseWeight, SparseWeight
from tests.nn.test_circulant import SEEDS, integers

BLOCK_SIZES = st.sampled_from([1, 2, 3, 4])


@st.composite
def weights(draw: st.DrawFn) -> tuple[torch.Tensor, int, int, bool]:
    """Some gates of a matrix, a block size, blocks to keep of each row, and whether all gates keep the same."""
    k = draw(BLOCK_SIZES)
    rows, cols = draw(st.integers(1, 2 * k)), draw(st.integers(1, 4 * k))
    kept = draw(st.integers(1, circulant.blocks_of(cols, k)))
    return integers(draw(SEEDS), draw(st.integers(1, 2)), rows, cols), k, kept, draw(st.booleans())


def distance(weight: torch.Tensor, columns: torch.Tensor) -> float:
    return float((weight - circulant.expand(columns, *weight.shape[1:])).square().sum())


@given(weights())
def test_no_other_choice_of_blocks_is_nearer(given):
    weight, k, kept, together = given
    columns, mask = sparse.project(weight, k, kept, together)
    whole = circulant.project(weight, k)
    gates, p, q = mask.shape
    choices = [torch.zeros(q, dtype=torch.bool).index_fill(0, torch.tensor(c), True) for c in
               itertools.combinations(range(q), kept)]  # fmt: skip
    for row in range(p):
        for group in [range(gates)] if together else [[gate] for gate in range(gates)]:
            for choice in choices:
                other = mask.clone()
                other[list(group), row] = choice
                assert distance(weight, columns) <= distance(weight, whole * other[..., None]) + 1e-6


@given(given=weights(), move=SEEDS)
def test_given_its_pattern_it_is_nearest(given, move):
    weight, k, kept, together = given
    columns, mask = sparse.project(weight, k, kept, together)
    other = columns + integers(move, *columns.shape) / 50 * mask[..., None]
    assert distance(weight, columns) <= distance(weight, other) + 1e-9


@given(weights())
def test_every_block_row_keeps_equally_many(given):
    weight, k, kept, together = given
    columns, mask = sparse.project(weight, k, kept, together)
    assert (mask.sum(-1) == kept).all()
    assert (columns[~mask] == 0).all()
    assert not together or (mask == mask[:1]).all()


@given(weights())
def test_projected_again_it_stays(given):
    weight, k, kept, together = given
    columns, _ = sparse.project(weight, k, kept, together)
    again, _ = sparse.project(circulant.expand(columns, *weight.shape[1:]), k, kept, together)
    torch.testing.assert_close(again, columns)


@given(weights())
def test_with_all_blocks_it_is_circulant(given):
    weight, k, _, together = given
    whole = circulant.project(weight, k)
    columns, mask = sparse.project(weight, k, whole.shape[2], together)
    assert mask.all()
    assert torch.equal(columns, whole)


@given(k=BLOCK_SIZES, rows=st.integers(1, 9), cols=st.integers(1, 9), seed=SEEDS)
def test_energies_are_norms_of_the_blocks_inside(k, rows, cols, seed):
    columns = integers(seed, circulant.blocks_of(rows, k), circulant.blocks_of(cols, k), k)
    dense, found = circulant.expand(columns, rows, cols), sparse.energies(columns, rows, cols)
    for (i, row), (j, col) in itertools.product(enumerate(range(0, rows, k)), enumerate(range(0, cols, k))):
        assert found[i, j] == dense[row : row + k, col : col + k].square().sum()


@pytest.fixture
def weight() -> SparseWeight:
    torch.manual_seed(1)
    dense = DenseWeight(2, 8, 12)
    torch.nn.init.normal_(dense.weight)
    matrix = CirculantWeight.nearest(dense, 4)
    mask = sparse.largest(sparse.energies(matrix.columns.detach(), 8, 12), 2)
    return SparseWeight.of(matrix, matrix.columns.detach(), mask)


def test_a_sparse_weight_stores_the_blocks_that_it_keeps(weight):
    assert weight.stored_words == 2 * 2 * 2 * 4
    blocks = weight().detach().reshape(2, 2, 4, 3, 4).transpose(2, 3)
    assert ((blocks != 0).any((-1, -2)) == weight.mask).all()


def test_blocks_outside_the_pattern_get_no_gradient(weight):
    weight().sum().backward()
    assert (weight.columns.grad[weight.mask] != 0).all()
    assert not weight.columns.grad[~weight.mask].any()
