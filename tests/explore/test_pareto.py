"""Rows that no other one beats, against a comparison of all with all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ernn.explore.pareto import front

ROWS = arrays(np.float64, st.tuples(st.integers(0, 60), st.integers(1, 4)), elements=st.integers(0, 5).map(float))


def beaten(row: np.ndarray, by: np.ndarray) -> bool:
    return bool((by <= row).all() and (by < row).any())


@given(ROWS)
def test_a_front_is_what_nothing_beats_and_each_row_once(rows):
    left = front(rows)
    unbeaten = [n for n, row in enumerate(rows) if not any(beaten(row, each) for each in rows)]
    assert {tuple(rows[n]) for n in left} == {tuple(rows[n]) for n in unbeaten}
    assert len({tuple(rows[n]) for n in left}) == len(left)


@given(ROWS, st.floats(0, 1))
def test_with_slack_every_row_has_one_that_is_hardly_above_it(rows, slack):
    left = rows[front(rows, slack=slack)] if len(rows) else rows
    for row in rows:
        assert (left <= (1 + slack) * row + 1e-9).all(axis=1).any()
    assert len(left) <= len(front(rows))


def test_of_equal_rows_the_tie_decides():
    rows = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 3.0]])
    assert front(rows, np.array([2.0, 1.0, 0.0])).tolist() == [1, 2]
    assert front(rows).tolist() == [0, 2]


def test_many_rows_are_compared_with_those_of_all_chunks():
    number = np.arange(2000.0)
    rows = np.stack([number, 2000 - number], axis=1)
    assert len(front(rows)) == 2000
    assert front(np.concatenate([rows + 1, rows])).tolist() == list(range(2000, 4000))


def test_a_row_that_went_covers_no_other():
    """(5, 0) covers (3, 5), which would cover (2, 10); but (5, 0) is above 1.7 times (2, 10)."""
    rows = np.array([[5.0, 0.0], [3.0, 5.0], [2.0, 10.0], [102.0, 0.0]])
    assert front(rows, slack=0.7).tolist() == [0, 2]
