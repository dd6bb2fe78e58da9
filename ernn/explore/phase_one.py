"""Phase I: which model, in a few trainings (E-RNN, arXiv:1812.07106, section on its design optimization).

    1. one block size for all matrices of the reference's cell, by bisection;
    2. other kinds of networks in its place, those of another cell (a GRU) at its size and strength first;
    3. other block sizes for some matrices, those whose errors are least sensitive to it first.

`decide` is a function of finished trials alone: it trains nothing, and asked again it gives the same answer. The paper
orders step 3 by kind of matrix; here the order is measured (`ernn.explore.sensitivity`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ernn.explore import bisection, mixing
from ernn.explore.candidates import Candidate, useful
from ernn.explore.problem import Choice, Measure, Problem, Sensitivities, Step, Train, Tried, best_of, still_open


def decide(problem: Problem, tried: Sequence[Tried], sensitivities: Sensitivities) -> Step:
    """The next step of a search.

    Args:
        tried: finished trials, in their order.
        sensitivities: points that the dev split's phone error rate rises by when one matrix alone gets twice its block
            size, of those trials that were measured.
    """
    if problem.limit is None:
        return _least_errors(problem, tried)
    left = problem.budget - len(tried)
    if left <= 0:
        return _choice(problem, tried, complete=not still_open(problem, tried, useful(problem.candidates)))
    pool = still_open(problem, tried, useful(problem.candidates))
    reference = next((each for each in problem.candidates if each.network == problem.reference), None)
    best = best_of(problem, tried)
    own = [each for each in pool if reference is not None and each.kind == reference.kind]
    if own:
        return Train(bisection.next_of(own), _of_bisection(own))
    others = [each for each in pool if each not in own]
    step = mixing.step(problem, tried, sensitivities)
    if others and (left > 1 or step is None):
        return _other(others, best)
    if step is not None:
        return step
    return _choice(problem, tried, complete=True)


def carry_out(
    problem: Problem,
    train: Callable[[Train], Tried],
    measure: Callable[[Candidate], Mapping[tuple[int, str], float]],
    side_by_side: int = 1,
) -> tuple[Choice, list[Tried]]:
    """A whole search: its choice, and its trials in order.

    Args:
        train: makes a trial, or finds the one that was made before.
        measure: the sensitivities of a trained candidate.
        side_by_side: trainings that may run at once; with more than one, a step names candidates to train ahead. The
            choice and the order of trials do not depend on it.
    """
    tried: list[Tried] = []
    known: dict[str, Mapping[tuple[int, str], float]] = {}
    while not isinstance(step := decide(problem, tried, known), Choice):
        if isinstance(step, Measure):
            known[step.candidate.name] = measure(step.candidate)
        else:
            tried.append(train(replace(step, ahead=ahead(problem, tried, known, step, side_by_side - 1))))
    return step, tried


def ahead(
    problem: Problem, tried: Sequence[Tried], sensitivities: Sensitivities, step: Train, count: int
) -> tuple[Candidate, ...]:
    """Candidates that the search may ask for after a training, the nearest steps first, for each way it can end.

    Where the next step depends on how far off an error is, and not on its side of the limit alone, what is named is a
    guess.
    """
    limit = problem.limit if problem.limit is not None else 0.0
    found: dict[str, Candidate] = {}
    left: list[tuple[list[Tried], Train]] = [([*tried], step)]
    while left and len(found) < count:
        before, asked = left.pop(0)
        for per in (limit, limit + 1.0):
            after = [*before, Tried(asked.candidate, per)]
            if isinstance(following := decide(problem, after, sensitivities), Train):
                found.setdefault(following.candidate.name, following.candidate)
                left.append((after, following))
    return tuple(found.values())[:count]


def _of_bisection(open: Sequence[Candidate]) -> str:
    names = ", ".join(
        f"{each.network} {each.blocks}" for each in sorted(open, key=lambda each: each.price, reverse=True)
    )
    if len(open) == 1:
        return f"the only one left that could be cheaper: {names}"
    return f"bisection: it divides what is left best ({names}); at most {bisection.trainings(open)} trainings decide"


def _other(open: Sequence[Candidate], best: Candidate | None) -> Train:
    """Another kind of network; in the place of the best one so far, if there is one."""
    if best is not None:
        in_place = [each for each in open if _alike(each, best)]
        if in_place:
            least = min(in_place, key=lambda each: each.price)
            what = f"{least.shape.cell} of the same size, compressed as much"
            return Train(least, f"in the place of {best.name}: {what}, {_saved(least, best)}")
    return Train(bisection.next_of(open), f"another kind of network; {_of_bisection(open)}")


def _saved(candidate: Candidate, best: Candidate) -> str:
    if candidate.price.device != best.price.device:
        return "on a smaller device"
    return f"{100 * (1 - candidate.price.value / best.price.value):.0f} % cheaper"


def _alike(candidate: Candidate, best: Candidate) -> bool:
    return candidate.shape.sizes == best.shape.sizes and candidate.strength == best.strength


def _least_errors(problem: Problem, tried: Sequence[Tried]) -> Step:
    """Where no limit is given: the weakest compression of each network for which there is hardware."""
    possible = [each for each in problem.candidates if each.cost is not None]
    weakest = [each for each in possible if not any(each.harder_than(other) for other in possible)]
    done = {each.candidate.name for each in tried}
    left = sorted((each for each in weakest if each.name not in done), key=lambda each: -each.stored_weights)
    if left and len(tried) < problem.budget:
        return Train(left[0], "the weakest compression of this network for which there is room")
    return _choice(problem, tried, complete=not left)


def _choice(problem: Problem, tried: Sequence[Tried], complete: bool) -> Choice:
    best = best_of(problem, tried)
    whole = [each for each in tried if not each.stopped] or list(tried)
    nearest = min(whole, key=lambda each: each.per, default=None)
    if best is not None:
        end = "nothing cheaper is left to try" if complete else f"all {problem.budget} trainings are used"
        aim = "fewest errors" if problem.limit is None else "the cheapest trial that keeps the limit"
        return Choice(best, None, f"{aim}; {end}", complete)
    if nearest is None:
        if not problem.candidates:
            return Choice(None, None, "no network has enough cells for blocks of 2 or more", complete=True)
        binding = list(dict.fromkeys(f"{each.network} {each.blocks}: {each.binds}" for each in problem.candidates))
        return Choice(None, None, f"no hardware keeps the requirement: {'; '.join(binding)}", complete=True)
    assert problem.limit is not None
    limit = f"{nearest.candidate.blocks} of {nearest.candidate.network} has {nearest.per:.2f} % of the allowed "
    reason = f"PER: {limit}{problem.limit:.2f} %, {nearest.per - problem.limit:.2f} points too many"
    return Choice(None, nearest.candidate, reason + _smaller(problem, nearest.candidate), complete)


def _smaller(problem: Problem, nearest: Candidate) -> str:
    """Why no weaker compression was tried."""
    easier = [each for each in problem.candidates if nearest.harder_than(each) and each.cost is None]
    if not easier:
        return ""
    nearby = max(easier, key=lambda each: each.strength)
    return f"; {nearby.blocks} does not fit ({nearby.binds})"
