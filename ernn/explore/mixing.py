"""Step 3 of phase I: block sizes of their own for some matrices, in the order of their measured sensitivity."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from ernn.explore import bisection
from ernn.explore.candidates import Candidate, kinds, mixed, useful
from ernn.explore.problem import Matrices, Measure, Mixing, Problem, Sensitivities, Train, Tried, still_open
from ernn.params import Design
from ernn.params.methods import METHODS


def step(problem: Problem, tried: Sequence[Tried], sensitivities: Sensitivities) -> Train | Measure | None:
    """Step 3: some matrices coarser than the best trial's, or, where none keeps the limit, finer than the nearest's."""
    base = _base(problem, tried)
    if base is None or problem.mixing == "none":
        return None
    candidate, finer = base.candidate, not problem.met(base)
    groups = _groups(candidate, problem.mixing)
    if candidate.name not in sensitivities:
        sets = [(group,) for group in groups] + [tuple(each for each in groups if each != group) for group in groups]
        possible = [_changed(problem, candidate, changed, finer) for changed in sets if changed]
        return Measure(candidate) if still_open(problem, tried, useful(each for each in possible if each)) else None
    losses = {group: sum(sensitivities[candidate.name][matrix] for matrix in group) for group in groups}
    ordered = sorted(groups, key=lambda group: losses[group], reverse=finer)
    chain: dict[str, tuple[Candidate, float]] = {}
    for changed, loss in zip(_prefixes(ordered), accumulate(losses[group] for group in ordered), strict=True):
        if len(changed) < len(groups) and (each := _changed(problem, candidate, changed, finer)) is not None:
            chain[each.name] = each, loss
    open = still_open(problem, tried, useful(each for each, _ in chain.values()))
    if not open:
        return None
    chosen = _predicted(problem, tried, base, open, {name: loss for name, (_, loss) in chain.items()}, losses)
    order = ", ".join(f"{_named(group)} {losses[group]:+.2f}" for group in ordered)
    verb = "finer where errors are most sensitive" if finer else "coarser where errors are least sensitive"
    return Train(chosen, f"{candidate.name} with blocks {verb}; alone, twice the block size costs, in points: {order}")


def _base(problem: Problem, tried: Sequence[Tried]) -> Tried | None:
    """The trial of one block size that others vary: the cheapest that keeps the limit, else that of fewest errors."""
    plain = [each for each in tried if _mixes(each.candidate.design)]
    met = [each for each in plain if problem.met(each)]
    if met:
        return min(met, key=lambda each: each.candidate.price)
    return min((each for each in plain if not each.stopped), key=lambda each: each.per, default=None)


def _mixes(design: Design) -> bool:
    """Whether its matrices have all blocks, of one size."""
    return METHODS[design.method].blocks and isinstance(design.block_size, int) and not design.sparse


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
        and each.candidate.design.family == base.candidate.design.family
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


def _named(group: Matrices) -> str:
    if len(group) == 1:
        layer, kind = group[0]
        return f"layer {layer} {kind}"
    return group[0][1]
