"""`python -m bench.explore [PART ...]`: what the design search finds, and what brute force over the same space does.

replay, replay-cells, replay-sizes: phase I over the recorded errors of docs/benchmarks/accuracy, a search each.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.record import FOLDER, record
from ernn.explore.candidates import Candidate, Cost, name_of, strength, uniform
from ernn.explore.phase_one import Problem, Tried, carry_out
from ernn.params import Design, Network

MEASURES = ("ernn/explore", "ernn/estimate")
NOTE = """\
`replay` searches the block size of a network for a phone error rate, over errors recorded in [accuracy.md](accuracy.md)
and without training; the cost is the number of stored words. `replay-cells` leaves the cell open, `replay-sizes` the
number of cells. Those tables have test errors only, so that a replay checks the search's logic and says nothing of
choices made on a dev split. `near` requirements lie within 0.2 points of a recorded error. No requirement is decided by
the dense network alone. `trials` is the largest number of trainings that a search of the row took, `agrees` in how many
of them the choice was that of brute force, `met` in how many any design keeps the requirement."""
NEAR = (-0.15, -0.1, -0.05, 0.05, 0.1, 0.15)  # points from a recorded error
EVENLY = 24  # further requirements of a network
NETWORKS = {
    "lstm-2x128": Network(cell="lstm", cells=128),
    "lstm-2x256": Network(cell="lstm", cells=256),
    "lstm-2x512": Network(cell="lstm", cells=512),
    "gru-2x128": Network(cell="gru", cells=128),
}
Errors = Mapping[str, float]  # of designs by their names, percent


def recorded() -> tuple[dict[str, float], list[Candidate], Errors]:
    """Errors of the dense networks, and all recorded block sizes with theirs."""
    rows = json.loads((FOLDER / "accuracy.json").read_text())["rows"]
    dense = {row["network"]: float(row["per_mean"]) for row in rows if row["method"] == "dense"}
    candidates, errors = [], {}
    for row in rows:
        if row["method"] == "admm":
            shape, design = NETWORKS[row["network"]], uniform(row["network"], row["block_size"])
            name, words = name_of(design, shape), row["stored_weights"]
            cost = Cost(0, float(words))
            candidates.append(Candidate(name, row["network"], design, shape, strength(design, shape), words, cost))
            errors[name] = float(row["per_mean"])
    return dense, candidates, errors


def limits(errors: Sequence[float], dense: float) -> list[float]:
    """Requirements: some near recorded errors, as many evenly spread; all above what the dense network has."""
    near = [error + step for error in errors for step in NEAR]
    spread = [dense + (max(errors) + 0.5 - dense) * (step + 1) / (EVENLY + 1) for step in range(EVENLY)]
    return [round(each, 3) for each in [*near, *spread] if each > dense]


def replay(part: str, names: Sequence[str], budget: int) -> dict[str, Any]:
    """Searches over some networks, the first of which is the reference; a row."""
    dense, candidates, errors = recorded()
    chosen = [each for each in candidates if each.network in names]
    reference = min(dense[name] for name in names)
    wanted = limits([errors[each.name] for each in chosen], reference)
    found = [_search(names[0], chosen, errors, limit, budget) for limit in wanted]
    met = [brute for _, brute, _ in found if brute is not None]
    return {
        "part": part,
        "requirement": f"{len(wanted)} phone error rates, {min(wanted):.2f} to {max(wanted):.2f} %",
        "near": sum(min(abs(limit - error) for error in errors.values()) <= 0.2 for limit in wanted),
        "space": f"{', '.join(names)}: {len(chosen)} designs",
        "trials": max(trials for *_, trials in found),
        "met": len(met),
        "chosen": sum(cost is not None for cost, _, _ in found),
        "cost": round(sum(cost or 0 for cost, _, _ in found)),
        "brute_force_cost": round(sum(met)),
        "agrees": f"{sum(cost == brute for cost, brute, _ in found)} of {len(found)}",
    }


def _search(
    reference: str, candidates: Sequence[Candidate], errors: Errors, limit: float, budget: int
) -> tuple[float | None, float | None, int]:
    """Cost of the choice, of that of brute force, and trainings; None where nothing keeps the limit."""
    problem = Problem(limit, reference, tuple(candidates), budget, _nothing_else, "none")
    choice, tried = carry_out(problem, lambda step: Tried(step.candidate, errors[step.candidate.name]), _unmeasured)
    brute = min((each.price.value for each in candidates if errors[each.name] <= limit), default=None)
    return choice.best.price.value if choice.best else None, brute, len(tried)


def _nothing_else(design: Design) -> Candidate:
    raise AssertionError(f"nothing is mixed, got {design}")


def _unmeasured(candidate: Candidate) -> Mapping[tuple[int, str], float]:
    raise AssertionError(f"nothing is mixed, got {candidate.name}")


def replays() -> list[dict[str, Any]]:
    """Each network by itself, and all LSTMs together."""
    return [
        *(replay("replay", [name], 5) for name in NETWORKS),
        replay("replay-cells", ["lstm-2x128", "gru-2x128"], 5),
        replay("replay-sizes", [name for name, shape in NETWORKS.items() if shape.cell == "lstm"], 8),
    ]


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {"replay": replays}


def main() -> None:
    """Make the rows of some parts again, and keep those of the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="none: all")
    wanted = parser.parse_args().parts or [*PARTS]
    file = FOLDER / "explore.json"
    old = json.loads(file.read_text())["rows"] if file.exists() else []
    rows = [row for part in PARTS for row in (PARTS[part]() if part in wanted else _of(part, old))]
    record("explore", rows, note=NOTE)


def _of(part: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["part"].startswith(part)]


if __name__ == "__main__":
    main()
