"""Phase I: which model, in a few trainings (E-RNN, arXiv:1812.07106, section on its design optimization).

    1. one block size for all matrices of the reference's cell, by bisection;
    2. other kinds of networks in its place, those of another cell (a GRU) at its size and strength first;
    3. other block sizes for some matrices, those whose errors are least sensitive to it first.

`decide` is a function of finished trials alone: it trains nothing, and asked again it gives the same answer. The paper
orders step 3 by kind of matrix; here the order is measured (`ernn.explore.sensitivity`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from ernn.explore import bisection
from ernn.explore.candidates import Candidate, kinds, mixed, useful
from ernn.params import Design
from ernn.params.methods import METHODS

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
    """A candidate is to be trained, and why."""

    candidate: Candidate
    reason: str


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
        return _choice(problem, tried, complete=not _open(problem, tried, useful(problem.candidates)))
    pool = _open(problem, tried, useful(problem.candidates))
    reference = next((each for each in problem.candidates if each.network == problem.reference), None)
    best = best_of(problem, tried)
    own = [each for each in pool if reference is not None and each.kind == reference.kind]
    if own:
        return Train(bisection.next_of(own), _of_bisection(own))
    others = [each for each in pool if each not in own]
    step = _mixing(problem, tried, sensitivities)
    if others and (left > 1 or step is None):
        return _other(others, best)
    if step is not None:
        return step
    return _choice(problem, tried, complete=True)


def carry_out(
    problem: Problem, train: Callable[[Train], Tried], measure: Callable[[Candidate], Mapping[tuple[int, str], float]]
) -> tuple[Choice, list[Tried]]:
    """A whole search: its choice, and its trials in order.

    Args:
        train: makes a trial, or finds the one that was made before.
        measure: the sensitivities of a trained candidate.
    """
    tried: list[Tried] = []
    known: dict[str, Mapping[tuple[int, str], float]] = {}
    while not isinstance(step := decide(problem, tried, known), Choice):
        if isinstance(step, Measure):
            known[step.candidate.name] = measure(step.candidate)
        else:
            tried.append(train(step))
    return step, tried


def best_of(problem: Problem, tried: Sequence[Tried]) -> Candidate | None:
    """The cheapest trial so far that keeps the limit."""
    met = [each for each in tried if problem.met(each)]
    if problem.limit is None:
        return min(met, key=lambda each: each.per).candidate if met else None
    return min((each.candidate for each in met), key=lambda each: each.price, default=None)


def _open(problem: Problem, tried: Sequence[Tried], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that may be cheaper than the best so far, as far as finished trials say."""
    done = {each.candidate.name for each in tried}
    missed = [each.candidate for each in tried if not problem.met(each)]
    left = bisection.cheaper(candidates, best_of(problem, tried))
    return [each for each in left if each.name not in done and not any(each.harder_than(one) for one in missed)]


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
            return Train(
                least,
                f"in the place of {best.name}: {least.shape.cell} of the same size and strength, {_saved(least, best)}",
            )
    return Train(bisection.next_of(open), f"another kind of network; {_of_bisection(open)}")


def _saved(candidate: Candidate, best: Candidate) -> str:
    if candidate.price.device != best.price.device:
        return "on a smaller device"
    return f"{100 * (1 - candidate.price.value / best.price.value):.0f} % cheaper"


def _alike(candidate: Candidate, best: Candidate) -> bool:
    sizes = [(each.shape.layers, each.shape.cells) for each in (candidate, best)]
    return sizes[0] == sizes[1] and candidate.strength == best.strength


def _mixing(problem: Problem, tried: Sequence[Tried], sensitivities: Sensitivities) -> Train | Measure | None:
    """Step 3: some matrices coarser than the best trial's, or, where none keeps the limit, finer than the nearest's."""
    base = _base(problem, tried)
    if base is None or problem.mixing == "none":
        return None
    candidate, finer = base.candidate, not problem.met(base)
    groups = _groups(candidate, problem.mixing)
    if candidate.name not in sensitivities:
        sets = [(group,) for group in groups] + [tuple(each for each in groups if each != group) for group in groups]
        possible = [_changed(problem, candidate, changed, finer) for changed in sets if changed]
        return Measure(candidate) if _open(problem, tried, useful(each for each in possible if each)) else None
    losses = {group: sum(sensitivities[candidate.name][matrix] for matrix in group) for group in groups}
    ordered = sorted(groups, key=lambda group: losses[group], reverse=finer)
    chain: dict[str, tuple[Candidate, float]] = {}
    for changed, loss in zip(_prefixes(ordered), accumulate(losses[group] for group in ordered), strict=True):
        if len(changed) < len(groups) and (each := _changed(problem, candidate, changed, finer)) is not None:
            chain[each.name] = each, loss
    open = _open(problem, tried, useful(each for each, _ in chain.values()))
    if not open:
        return None
    chosen = _predicted(problem, tried, base, open, {name: loss for name, (_, loss) in chain.items()}, losses)
    order = ", ".join(f"{_named(group)} {losses[group]:+.2f}" for group in ordered)
    verb = "finer where errors are most sensitive" if finer else "coarser where errors are least sensitive"
    return Train(chosen, f"{candidate.name} with blocks {verb}; alone, twice the block size costs, in points: {order}")


def _base(problem: Problem, tried: Sequence[Tried]) -> Tried | None:
    """The trial of one block size that others vary: the cheapest that keeps the limit, else that of fewest errors."""
    plain = [
        each
        for each in tried
        if METHODS[each.candidate.design.method].blocks and isinstance(each.candidate.design.block_size, int)
    ]
    met = [each for each in plain if problem.met(each)]
    if met:
        return min(met, key=lambda each: each.candidate.price)
    return min((each for each in plain if not each.stopped), key=lambda each: each.per, default=None)


def _groups(candidate: Candidate, mixing: Mixing) -> list[Matrices]:
    layers, of_layer = range(candidate.shape.layers), kinds(candidate.shape)
    if mixing == "kinds":
        return [tuple((layer, kind) for layer in layers) for kind in of_layer]
    return [((layer, kind),) for layer in layers for kind in of_layer]


def _prefixes(groups: Sequence[Matrices]) -> list[tuple[Matrices, ...]]:
    return [tuple(groups[: count + 1]) for count in range(len(groups))]


def _changed(problem: Problem, base: Candidate, groups: tuple[Matrices, ...], finer: bool) -> Candidate | None:
    """The base with twice, or half, the block size in some matrices; None where that is none."""
    size = base.design.block_size
    assert isinstance(size, int)
    other = size // 2 if finer else 2 * size
    if other < 1:
        return None
    layers, of_layer = range(base.shape.layers), kinds(base.shape)
    sizes = {(layer, kind): size for layer in layers for kind in of_layer}
    sizes |= {matrix: other for group in groups for matrix in group}
    return problem.candidate(mixed(base.network, base.shape, sizes, base.design.method))


def _predicted(
    problem: Problem,
    tried: Sequence[Tried],
    base: Tried,
    open: Sequence[Candidate],
    loss: Mapping[str, float],
    losses: Mapping[Matrices, float],
) -> Candidate:
    """The candidate to try: the cheapest that is expected to keep the limit.

    Errors are taken to lie between those of the base and those of the next uniform block size in the proportion of the
    sensitivities, if that was trained; otherwise bisection chooses.
    """
    finer, size = not problem.met(base), base.candidate.design.block_size
    assert isinstance(size, int)
    assert problem.limit is not None
    uniform = size // 2 if finer else 2 * size
    ends = [
        each
        for each in tried
        if each.candidate.network == base.candidate.network
        and each.candidate.design.method == base.candidate.design.method
        and each.candidate.design.block_size == uniform
        and not each.stopped
    ]
    total = sum(max(each, 0.0) for each in losses.values())
    if not ends or total <= 0 or any(each.candidate.name in loss for each in tried):
        return bisection.next_of(open)
    share = {each.name: max(loss[each.name], 0.0) / total for each in open}
    expected = {each.name: base.per + share[each.name] * (ends[0].per - base.per) for each in open}
    good = [each for each in open if expected[each.name] <= problem.limit]
    return min(good, key=lambda each: each.price) if good else max(open, key=lambda each: each.price)


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


def _named(group: Matrices) -> str:
    if len(group) == 1:
        layer, kind = group[0]
        return f"layer {layer} {kind}"
    return group[0][1]
