"""Which candidate to train next, so that the cheapest one that keeps a bound is known after the fewest trainings.

A candidate that keeps the bound rules out all that cost no less; one that does not rules out all that are harder. On
one network, where errors and cost are ordered by the block size, the best order is bisection. Over several networks it
is the order whose worst case is shortest, found by looking ahead.
"""

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from ernn.explore.candidates import Candidate

_LOOK_AHEAD = 14  # candidates, at most, for which all orders are compared


def cheaper(candidates: Iterable[Candidate], best: Candidate | None) -> list[Candidate]:
    """Those that cost less than the best one so far; all of them where there is none."""
    return [each for each in candidates if best is None or each.price < best.price]


def after_met(open: Collection[Candidate], met: Candidate) -> frozenset[Candidate]:
    """What is left to ask when one keeps the bound."""
    return frozenset(each for each in cheaper(open, met) if not met.harder_than(each) and each != met)


def after_missed(open: Collection[Candidate], missed: Candidate) -> frozenset[Candidate]:
    """What is left to ask when one does not."""
    return frozenset(each for each in open if not each.harder_than(missed) and each != missed)


def next_of(open: Collection[Candidate]) -> Candidate:
    """The candidate to train next, of some with a cost.

    The longest way from it to the end is as short as can be, and of those the mean way. Of equally good ones it is the
    dearest, which keeps the bound most probably: a search may end at any time with it.
    """
    left = frozenset(open)
    return min(_ordered(left), key=lambda each: _ways_after(left, each).key)


def trainings(open: Collection[Candidate]) -> int:
    """How many trainings it takes at most, by that order."""
    return _ways(frozenset(open)).longest


class _Ways(NamedTuple):
    """All ways to the end: the longest, how many there are, and trainings on all of them together."""

    longest: int
    ends: int
    total: int

    @property
    def key(self) -> tuple[int, float]:
        return self.longest, self.total / self.ends


@cache
def _ways(open: frozenset[Candidate]) -> _Ways:
    if not open:
        return _Ways(0, 1, 0)
    if len(open) > _LOOK_AHEAD:  # the one that halves them best
        halves = min(_ordered(open), key=lambda e: max(len(after_met(open, e)), len(after_missed(open, e))))
        return _ways_after(open, halves)
    return min((_ways_after(open, each) for each in open), key=lambda ways: ways.key)


def _ways_after(open: frozenset[Candidate], tried: Candidate) -> _Ways:
    met, missed = _ways(after_met(open, tried)), _ways(after_missed(open, tried))
    ends = met.ends + missed.ends
    return _Ways(1 + max(met.longest, missed.longest), ends, ends + met.total + missed.total)


def _ordered(open: Iterable[Candidate]) -> list[Candidate]:
    return sorted(open, key=lambda each: (each.price, each.name), reverse=True)
