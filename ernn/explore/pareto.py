"""Rows of numbers of which no other one is better everywhere."""

import numpy as np

_CHUNK = 256


def front(rows: np.ndarray, ties: np.ndarray | None = None, slack: float = 0.0) -> np.ndarray:
    """Numbers of the rows that no other row is below or equal to in every column; of equal rows one.

    Args:
        rows: (rows, quantities), less is better.
        ties: (rows,) a number that says which of equal rows is left: that with the least; none: the first.
        slack: a row also goes if another one is not above 1 + slack times it in any column, which stays.
    """
    if len(rows) < 2:
        return np.arange(len(rows))
    moved = rows - rows.min(axis=0)
    scale = moved.max(axis=0)
    # In this order no row is below an earlier one, but for the rounding of sums: then both stay.
    order = np.lexsort((np.zeros(len(rows)) if ties is None else ties, (moved / np.where(scale > 0, scale, 1)).sum(1)))
    kept, count = np.empty_like(rows), 0
    numbers: list[int] = []
    for start in range(0, len(order), _CHUNK):
        chunk = order[start : start + _CHUNK]
        chunk = chunk[~_covered(rows[chunk] * (1 + slack), kept[:count])]
        own = rows[chunk]
        below = np.tril((own[None] <= (1 + slack) * own[:, None]).all(axis=2), k=-1)  # [a, b]: earlier b covers a
        left = _first(below)
        kept[count : count + len(left)] = own[left]
        numbers, count = numbers + chunk[left].tolist(), count + len(left)
    return np.array(sorted(numbers))


def _first(covers: np.ndarray) -> list[int]:
    """Those that none of the ones that are left before them covers."""
    found: list[int] = []
    for number, by in enumerate(covers):
        if not by[found].any():
            found.append(number)
    return found


def _covered(rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Which rows have one among the kept that is below or equal."""
    found: np.ndarray = np.zeros(len(rows), bool)
    for start in range(0, len(kept), _CHUNK):
        left = ~found
        if not left.any():
            break
        part = kept[start : start + _CHUNK]
        found[left] = np.any(np.all(part[None] <= rows[left][:, None], axis=2), axis=1)
    return found
