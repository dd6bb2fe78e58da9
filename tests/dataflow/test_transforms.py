"""Block products by either transform: their sums against the dense matrix and plain integers, and their cost."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow import exact, transforms
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact, Transform
from ernn.dataflow.value import Value
from ernn.devices.limits import BLOCK_SIZES
from ernn.golden.integers import Integers
from tests.dataflow import plain
from tests.dataflow.values import FORMATS, SEEDS, WIDE_SUMS, arrays, block, checked, dense, fourier_of, specs

COLUMNS = st.integers(1, 3)
SUMS = st.builds(Format, st.integers(8, 24), st.integers(0, 12))


def product(
    words: np.ndarray, weights: Format, x: np.ndarray, inputs: Format, transform: Transform, name: str = ""
) -> list[Integers]:
    """The k rows of one row of blocks: words (q, k) and x (q, k, columns)."""
    pairs = [
        transforms.products(
            transforms.weight_factors(block(word[:, None], weights), transform),
            transforms.factors(block(each, inputs), transform),
            transform,
        )
        for word, each in zip(words, x, strict=True)
    ]
    sums = [reduce(add, each) for each in zip(*pairs, strict=True)]
    return transforms.combine(sums, words.shape[-1], transform, name)


@given(case=specs(SUMS), q=COLUMNS, weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_fourier_rows_are_those_of_plain_integers(case, q, weights, inputs, seed):
    k, spec = case
    words, x = arrays(seed, weights, q, k), arrays(seed + 3, inputs, q, k, 2)
    rows = product(words, weights, x, inputs, spec)
    spectra = [[plain.number(n, weights.fraction) for n in word] for word in words]
    for column, got in enumerate(checked(rows).T):
        blocks = [[plain.number(n, inputs.fraction) for n in each[:, column]] for each in x]
        numbers = [plain.number(n, row.fraction) for n, row in zip(got, rows, strict=True)]
        assert numbers == plain.rows(spectra, blocks, inputs.fraction, spec)


@pytest.mark.parametrize("sums", [WIDE_SUMS, Format(8, 4)], ids=["exact", "saturated"])
@given(k=st.sampled_from(BLOCK_SIZES), q=COLUMNS, weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_three_products_give_the_sums_of_four(sums, k, q, weights, inputs, seed):
    words, x = arrays(seed, weights, q, k), arrays(seed + 3, inputs, q, k, 2)
    three, four = (product(words, weights, x, inputs, fourier_of(k, 8, sums=sums, products=n), "sums") for n in (3, 4))
    assert (checked(three) == checked(four)).all()
    assert [row.fraction for row in three] == [row.fraction for row in four]


@pytest.mark.parametrize("k", BLOCK_SIZES)
@given(q=COLUMNS, weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_exact_rows_are_those_of_the_dense_matrix(k, q, weights, inputs, seed):
    columns, x = arrays(seed, weights, q, k), arrays(seed + 3, inputs, q, k, 2)
    rows = product(columns, weights, x, inputs, Exact())
    assert (checked(rows) == dense(columns[None]) @ x.reshape(q * k, 2)).all()


@pytest.mark.parametrize("products", [3, 4])
@pytest.mark.parametrize("k", BLOCK_SIZES)
def test_fourier_rows_come_near_those_of_the_dense_matrix(products, k):
    columns, inputs, weights = arrays(1, Format(8, 7), 2, k) / 128, Format(12, 11), Format(20, 12)
    x = arrays(2, inputs, 2, k, 8)
    bins = np.fft.rfft(columns, axis=1)
    parts = [part for m in range(1, k // 2) for part in (bins[:, m].real, bins[:, m].imag)]
    words = np.stack([bins[:, 0].real, bins[:, -1].real, *parts][:k], axis=1)
    rows = product(np.round(words * 2.0**12).astype(int), weights, x, inputs, fourier_of(k, 16, products=products))
    got = checked(rows) * np.array([2.0**-row.fraction for row in rows])[:, None]
    expected = dense(columns[None]) @ x.reshape(2 * k, 8) * inputs.resolution
    assert np.abs(got - expected).max() < k * 2.0**-11


def test_saturated_sums_are_counted_under_their_name():
    sums, word = Format(8, 0), np.array([[1, 1, 1, 1]])
    x = np.array([[[127], [127], [0], [0]]])
    narrow = fourier_of(4, 8, sums=sums)
    rows = product(word, Format(2, 0), x, Format(8, 0), narrow, "sums")
    assert rows[0].log.saturated == {"sums.0": 1}  # 254; the words of a block have a log each here


@pytest.mark.parametrize("k", BLOCK_SIZES)
@pytest.mark.parametrize("transform", ["exact", "three", "four"])
def test_cost_is_the_number_of_products(transform, k, count):
    transform = {"exact": Exact(), "three": fourier_of(k, 12, products=3), "four": fourier_of(k, 12)}[transform]
    calls = count(Value, "__mul__")
    ones = np.ones((1, k), int)
    product(ones, Format(2, 0), ones[..., None], Format(2, 0), transform)
    assert len(calls) == transforms.multiplications(k, transform)


@pytest.mark.parametrize(("products", "costs"), [(3, (1, 2, 5, 11, 23, 47, 95)), (4, (1, 2, 6, 14, 30, 62, 126))])
def test_costs_of_the_paper(products, costs):
    assert tuple(transforms.multiplications(k, fourier_of(k, 12, products=products)) for k in BLOCK_SIZES) == costs


def test_exact_factors_are_those_of_both_operands():
    words = block(np.arange(8)[:, None], Format(4, 0))
    expected = [value.array.tolist() for value in exact.factors(words)]
    for factors in (transforms.factors, transforms.weight_factors):
        assert [value.array.tolist() for value in factors(words, Exact())] == expected
