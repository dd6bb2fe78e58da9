"""What phase I of a search is given, what it asks for, and what finished trials say of the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ernn.explore import bisection
from ernn.explore.candidates import Candidate
from ernn.params import Design

Matrices = tuple[tuple[int, str], ...]  # matrices that change their block size together: layer and kind of each
Mixing = Literal["none", "kinds", "layers"]  # what may have a block size of its own: a kind of matrix, or each matrix


@dataclass(frozen=True)
class Tried:
    """A finished trial.

    Args:
        per: phone error rate of the dev split, percent; of one that was stopped, the least that it could have reached.
        stopped: before its last epoch.
    """

    candidate: Candidate
    per: float
    stopped: bool = False


@dataclass(frozen=True)
class Problem:
    """What is searched.

    Args:
        limit: greatest phone error rate of the dev split, percent; None: the least is searched.
        reference: name of the network that the search begins with.
        candidates: of one block size for all matrices, or pruned: of every network and method.
        budget: trainings at most.
        candidate: the candidate of any other design, with its cost.
        mixing: what may have a block size of its own.
    """

    limit: float | None
    reference: str
    candidates: tuple[Candidate, ...]
    budget: int
    candidate: Callable[[Design], Candidate]
    mixing: Mixing = "layers"

    def met(self, tried: Tried) -> bool:
        """Whether a trial keeps the limit."""
        return not tried.stopped and (self.limit is None or tried.per <= self.limit)


@dataclass(frozen=True)
class Train:
    """A candidate is to be trained, and why.

    Args:
        ahead: candidates that may be asked for next, whichever way this one ends.
    """

    candidate: Candidate
    reason: str
    ahead: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Measure:
    """The sensitivities of a trained candidate are to be measured."""

    candidate: Candidate


@dataclass(frozen=True)
class Choice:
    """The search has ended.

    Args:
        best: the cheapest candidate that was trained and keeps the limit; None: none does.
        nearest: the trial with the fewest errors where none keeps the limit.
        reason: in words, with what binds.
        complete: whether no candidate is left that might be cheaper; False: trainings are used up.
    """

    best: Candidate | None
    nearest: Candidate | None
    reason: str
    complete: bool


Step = Train | Measure | Choice
Sensitivities = Mapping[str, Mapping[tuple[int, str], float]]  # points lost, by matrix, by name of the design


def best_of(problem: Problem, tried: Sequence[Tried]) -> Candidate | None:
    """The cheapest trial so far that keeps the limit."""
    met = [each for each in tried if problem.met(each)]
    if problem.limit is None:
        return min(met, key=lambda each: each.per).candidate if met else None
    return min((each.candidate for each in met), key=lambda each: each.price, default=None)


def still_open(problem: Problem, tried: Sequence[Tried], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that may be cheaper than the best so far, as far as finished trials say."""
    done = {each.candidate.name for each in tried}
    missed = [each.candidate for each in tried if not problem.met(each)]
    left = bisection.cheaper(candidates, best_of(problem, tried))
    return [each for each in left if each.name not in done and not any(each.harder_than(one) for one in missed)]
