"""Laws of the bootstrap, and its width against the formula of a ratio."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.scoring.bootstrap import bootstrap, rate

UTTERANCES = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), min_size=1, max_size=12).filter(
    lambda rows: any(phones for _, phones in rows)
)


@given(rows=UTTERANCES, samples=st.integers(1, 30), seed=st.integers(0, 99))
def test_the_interval_holds_the_estimate_and_repeats_by_its_seed(rows, samples, seed):
    counts, lengths = np.array(rows).T
    low, high = bootstrap(counts, lengths, samples, seed)
    assert low <= rate(counts.sum(), lengths.sum()) <= high
    assert (low, high) == bootstrap(counts, lengths, samples, seed)


def test_another_seed_draws_other_utterances():
    counts, lengths = np.arange(50), np.full(50, 50)
    assert bootstrap(counts, lengths, 20, 1) != bootstrap(counts, lengths, 20, 2)


def test_utterances_of_one_rate_leave_no_doubt():
    assert bootstrap(np.array([1, 2, 3]), np.array([4, 8, 12]), 50, 0) == (25.0, 25.0)


def test_the_width_is_that_of_a_normal_ratio_estimate():
    random = np.random.default_rng(0)
    lengths = random.integers(20, 60, 400)
    counts = random.binomial(lengths, 0.2)
    low, high = bootstrap(counts, lengths, 2000, 1)
    residuals = counts - lengths * counts.sum() / lengths.sum()
    error = 100 * np.sqrt((residuals**2).sum()) / lengths.sum()  # delta method
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
