"""Arrays as typed values: sums over columns are exact, and what would not fit is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers, Log, Weights


@given(seed=st.integers(0, 999), bits=st.integers(4, 22), columns=st.integers(1, 40))
def test_a_product_with_weights_is_the_sum_over_the_columns(seed, bits, columns):
    random, format = np.random.default_rng(seed), Format(bits, 3)
    w, x = (random.integers(format.low, format.high + 1, shape) for shape in ((5, columns), (columns, 3)))
    weights = Weights(w.astype(np.float64), format.low, format.high, 3, Log())
    product = weights * Integers(x, format.low, format.high, 3, Log())
    assert (product.array == w @ x).all()
    assert product.fraction == 6
    assert product.low <= product.array.min()
    assert product.array.max() <= product.high


def test_sums_that_float64_does_not_hold_are_refused():
    wide = Format(26, 0)
    weights = Weights(np.zeros((1, 40)), wide.low, wide.high, 0, Log())
    with pytest.raises(ValueError, match=r"sums of 40 products reach .*, beyond 2\^53; choose narrower formats"):
        weights * Integers(np.zeros((40, 1), np.int64), wide.low, wide.high, 0, Log())


@pytest.mark.parametrize(("high", "fits"), [(1 << 23, True), ((1 << 23) + 1, False)])
def test_sums_may_reach_2_to_the_53_and_no_further(high, fits):
    weights = Weights(np.full((1, 4), 1 << 28, np.float64), 0, 1 << 28, 0, Log())
    x = Integers(np.full((4, 1), high), 0, high, 0, Log())
    if fits:
        assert (weights * x).array.tolist() == [[1 << 53]]
    else:
        with pytest.raises(
            ValueError, match=r"^sums of 4 products reach 9007200328482816, beyond 2\^53; choose narrower formats$"
        ):
            weights * x


def test_ranges_beyond_64_bits_are_refused():
    with pytest.raises(ValueError, match="do not fit in 64 bits; choose narrower formats"):
        Integers(np.zeros(1, np.int64), -(1 << 64), 0, 0, Log())


def test_only_named_values_are_counted_and_only_where_utterances_run():
    log = Log(scope="layers.0", frames=np.array([True, False]))
    value = Integers(np.array([[99, 99], [0, 99]]), -100, 100, 0, log)
    value.requantize(Format(4, 0), "y")
    value.requantize(Format(4, 0))
    assert log.saturated == {"layers.0.y": 1}
    assert log.seen == {"layers.0.y": 2}
