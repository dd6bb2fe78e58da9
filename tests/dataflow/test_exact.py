"""Cyclic convolution in integers against dense circulant products: equal, whatever the shape and the block size."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow import exact
from ernn.dataflow.formats import Format
from ernn.dataflow.value import Value
from ernn.devices.limits import BLOCK_SIZES
from tests.dataflow.values import FORMATS, SEEDS, arrays, block, checked, dense


@pytest.mark.parametrize("k", BLOCK_SIZES)
@given(p=st.integers(1, 3), q=st.integers(1, 3), weights=FORMATS, inputs=FORMATS, seed=SEEDS)
def test_products_are_those_of_the_dense_matrix(k, p, q, weights, inputs, seed):
    columns, x = arrays(seed, weights, p, q, k), arrays(seed + 3, inputs, q, k, 2)
    weight_factors = [exact.factors(block(columns[:, j].T[..., None], weights)) for j in range(q)]  # each (p, 1)
    x_factors = [exact.factors(block(each, inputs)) for each in x]
    products = [[w * v for w, v in zip(*pair, strict=True)] for pair in zip(weight_factors, x_factors, strict=True)]
    rows = exact.combine([reduce(add, each) for each in zip(*products, strict=True)], k)
    got = checked(rows).swapaxes(0, 1).reshape(p * k, 2)
    assert (got == dense(columns) @ x.reshape(q * k, 2)).all()
    assert {row.fraction for row in rows} == {weights.fraction + inputs.fraction}


@pytest.mark.parametrize(("k", "products"), [(1, 1), (2, 2), (4, 5), (8, 14), (16, 41), (32, 122), (64, 365)])
def test_factors_are_as_many_as_products(k, products, count):
    calls = count(Value, "__mul__")
    assert exact.multiplications(k) == products
    assert len(exact.factors(block(np.ones((k, 1)), Format(2, 0)))) == products
    assert not calls  # factors are sums only
