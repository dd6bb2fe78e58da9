"""Searches with made-up errors and costs, and the choice of brute force."""

from collections.abc import Callable, Mapping, Sequence

from ernn.explore.candidates import Candidate, Cost, name_of, strength, uniform
from ernn.explore.phase_one import carry_out
from ernn.explore.problem import Choice, Problem, Train, Tried
from ernn.params import Design, Network

SIZES = (2, 4, 8, 16)


def candidate(shape: Network, design: Design, cost: float | None, device: int = 0) -> Candidate:
    made = None if cost is None else Cost(device, cost)
    return Candidate(name_of(design, shape), design.network, design, shape, strength(design, shape), 1, made, "bram")


def chain(network: str, shape: Network, costs: Sequence[float | None]) -> tuple[Candidate, ...]:
    """Candidates of one block size each."""
    return tuple(candidate(shape, uniform(network, k), cost) for k, cost in zip(SIZES, costs, strict=False))


def run(
    problem: Problem,
    errors: Callable[[Candidate], float],
    sensitivities: Callable[[Candidate], Mapping[tuple[int, str], float]] = dict,
    side_by_side: int = 1,
) -> tuple[Choice, list[Tried], list[str]]:
    """A search to its end: its choice, trials and reasons; nothing is trained or measured twice."""
    reasons: dict[str, str] = {}
    measured: set[str] = set()

    def train(step: Train) -> Tried:
        assert step.candidate.name not in reasons
        reasons[step.candidate.name] = step.reason
        return Tried(step.candidate, errors(step.candidate))

    def measure(candidate: Candidate) -> Mapping[tuple[int, str], float]:
        assert candidate.name not in measured
        measured.add(candidate.name)
        return sensitivities(candidate)

    choice, tried = carry_out(problem, train, measure, side_by_side)
    return choice, tried, [*reasons.values()]


def brute_force(candidates: Sequence[Candidate], limit: float, errors: Callable[[Candidate], float]) -> Cost | None:
    """The least cost of all candidates that keep the limit."""
    met = [each.price for each in candidates if each.cost is not None and errors(each) <= limit]
    return min(met, default=None)


def none(design: Design) -> Candidate:
    raise AssertionError(f"nothing is mixed, got {design}")
