"""`python -m bench.explore [PART ...]`: what the design search finds, and what brute force over the same space does.

replay, replay-cells, replay-sizes: phase I over the recorded errors of docs/benchmarks/accuracy, a search each.
live: phase I on the default corpus, with every design of the space trained; a killed benchmark resumes.
paper: phase I at the sizes of E-RNN, with the published errors.
candidates: how many accelerators the search for hardware covers in a minute.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench import candidates as hardware
from bench.record import FOLDER, commit, record
from ernn import params
from ernn.arguments import Parser
from ernn.explore.candidates import Candidate, Cost, mixed, name_of, strength, uniform
from ernn.explore.costs import Costs
from ernn.explore.phase_one import carry_out
from ernn.explore.problem import Problem, Tried
from ernn.explore.requirement import limit_of
from ernn.params import Design, Network
from ernn.params.requirement import Requirement
from ernn.report.published import published
from workflow import presets
from workflow.trials import DvcChain, StageTrials

MEASURES = ("ernn/explore", "ernn/estimate")
NOTE = """\
`replay` searches the block size of a network for a phone error rate, over errors recorded in [accuracy.md](accuracy.md)
and without training; the cost is the number of stored words. `replay-cells` leaves the cell open, `replay-sizes` the
number of cells. Those tables have test errors only, so that a replay checks the search's logic and says nothing of
choices made on a dev split. `near` requirements lie within 0.2 points of a recorded error. No requirement is decided by
the dense network alone. `trials` is the largest number of trainings that a search of the row took, `agrees` in how many
of them the choice was that of brute force, `met` in how many any design keeps the requirement.

`live` rows are single searches on the default corpus: `chosen` among the designs of `space`, all of which were trained,
by phone errors of the dev split; `trials` is what the search asked for. The cost is the generator's estimate of what is
minimised (the share of the scarcest resource), for the best hardware of each design.

`paper` rows have E-RNN's networks (one layer of 1024 cells, 153 inputs) and their published losses of phone errors on
TIMIT (`published`; of `published.csv`, with their confidence), for k = 8 and 16 only: no other block size is searched,
since its loss is unknown. The paper shows all four and names none as its choice. Published losses are less than the
differences between seeds in [accuracy.md](accuracy.md).

`candidates` rows are the search for hardware of one network: accelerators that its answer covers (all of `space`),
modules that were estimated for it, and how many a minute of one core. Bar: 2,000 accelerators a minute. Rows carry the
commit that they were measured with."""
COLUMNS = (
    *("part", "requirement", "near", "space", "trials", "met", "chosen", "cost", "brute_force_cost", "agrees"),
    *("brute_force", "tried", "limit_percent", "published", "network", "device", "covered", "modules_built"),
    *("evaluated", "seconds", "covered_a_minute", "built_a_minute", "front", "best", "commit"),
)
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
        if row["method"] == "admm" and not row.get("taught") and row.get("epochs", 16) == 16:
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


LIVE = {  # requirements, each on a device
    "at most 1 point more, 20 us": Requirement(
        per_loss=1.0, latency_us=20, devices=("xc7z020",), mixing="kinds", networks=("lstm", "gru")
    ),
    "at most 3.5 points more, 50,000 frames a second": Requirement(
        per_loss=3.5, frames_per_s=50_000, devices=("ecp5-85f",), clock_mhz=60, mixing="kinds", networks=("lstm", "gru")
    ),
    "at most 2.5 points more, 3 us": Requirement(
        per_loss=2.5, latency_us=3, devices=("xcku060",), mixing="kinds", networks=("lstm", "gru")
    ),
    "at most 15 %": Requirement(per=15.0, devices=("xcku060",), mixing="kinds", networks=("lstm", "gru")),
}
KINDS = ((4, 2), (8, 2), (8, 4), (16, 4), (16, 8), (2, 4), (4, 8), (8, 16))  # of input and recurrent matrices


def space(networks: Mapping[str, Network]) -> list[Design]:
    """All designs of the live part: block sizes of 2 to 16, for all matrices or by kind."""
    found = []
    for name, shape in networks.items():
        found += [uniform(name, k) for k in (2, 4, 8, 16)]
        for input, recurrent in KINDS:
            sizes = {
                (n, kind): k for n in range(shape.layers) for kind, k in (("input", input), ("recurrent", recurrent))
            }
            found.append(mixed(name, shape, sizes))
    return found


def live() -> list[dict[str, Any]]:
    """The default corpus: all designs trained, then a search for each requirement over them."""
    root = Path.cwd()
    values = presets.parameters(root, "default")
    checked = params.check(values, "params.yaml")
    trials = StageTrials(DvcChain(root, "explore-live", 1), values)
    inputs, classes = trials.prepare()
    dense, networks = trials.dense(), dict(checked.networks)
    designs = {name_of(each, networks[each.network]): each for each in space(networks)}
    errors = {name: trials.train(name, each, lambda rows: None).per for name, each in designs.items()}
    sensitivities = {
        name: trials.sensitivities(name) for name, each in designs.items() if isinstance(each.block_size, int)
    }
    rows = []
    for text, requirement in LIVE.items():
        costs = Costs(networks, requirement, inputs, classes)
        limit = limit_of(requirement, dense["lstm"])
        candidates = [costs.candidate(each) for each in designs.values()]
        rows.append(_live(text, requirement, limit, candidates, costs, errors, sensitivities))
    return rows


def _live(
    text: str,
    requirement: Requirement,
    limit: float | None,
    candidates: Sequence[Candidate],
    costs: Costs,
    errors: Errors,
    sensitivities: Mapping[str, Mapping[tuple[int, str], float]],
) -> dict[str, Any]:
    plain = tuple(each for each in candidates if isinstance(each.design.block_size, int))
    known = {each.name: each for each in candidates}

    def candidate(design: Design) -> Candidate:
        found = costs.candidate(design)
        return found if found.name in known else replace(found, cost=None)  # outside the space

    problem = Problem(limit, "lstm", plain, requirement.trials, candidate, requirement.mixing)
    choice, tried = carry_out(
        problem, lambda step: Tried(step.candidate, errors[step.candidate.name]), lambda each: sensitivities[each.name]
    )
    assert limit is not None
    met = [each for each in candidates if each.cost is not None and errors[each.name] <= limit]
    best = min(met, key=lambda each: each.price, default=None)
    return {
        "part": "live",
        "requirement": f"{text}, {requirement.devices[0]}",
        "space": f"{len(candidates)} designs",
        "trials": len(tried),
        "met": len(met),
        "chosen": choice.best.name if choice.best else f"none; {choice.reason}",
        "cost": choice.best.price.value if choice.best else None,
        "brute_force": best.name if best else "none",
        "brute_force_cost": best.price.value if best else None,
        "agrees": "yes" if (choice.best and choice.best.name) == (best and best.name) else "no",
        "tried": ", ".join(f"{each.candidate.name} {each.per:.2f} %" for each in tried),
        "limit_percent": round(limit, 3),
    }


PUBLISHED = {"lstm": "FFT{k} LSTM", "gru": "FFT{k} GRU"}  # variants of E-RNN by cell
PAPER_NETWORKS = {
    "lstm": Network(cell="lstm", layers=1, cells=1024, projection=512, peepholes=True),
    "gru": Network(cell="gru", layers=1, cells=1024),
}
PAPER_INPUTS = 153
PAPER_LOSSES = (0.16, 0.2, 0.35)  # points that are allowed


def paper() -> list[dict[str, Any]]:
    """E-RNN's networks with their published errors, on both of its devices."""
    found = {
        (cell, k): next(each for each in published() if (each.system, each.variant) == ("E-RNN", name.format(k=k)))
        for cell, name in PUBLISHED.items()
        for k in (8, 16)
    }
    losses = {key: each.per_degradation_pp for key, each in found.items()}
    text = ", ".join(f"{cell} k={k} {losses[cell, k]:+.2f} ({each.confidence})" for (cell, k), each in found.items())
    rows = []
    for device in ("xcku060", "xc7vx690t"):
        for loss in PAPER_LOSSES:
            requirement = Requirement(per_loss=loss, devices=(device,), frames_per_s=200_000, mixing="none")
            costs = Costs(PAPER_NETWORKS, requirement, PAPER_INPUTS, 48)
            candidates = [costs.candidate(uniform(cell, k)) for cell in PAPER_NETWORKS for k in (8, 16)]
            errors = {
                name_of(uniform(cell, k), PAPER_NETWORKS[cell]): float(each or 0) for (cell, k), each in losses.items()
            }
            row = _live(
                f"at most {loss} points more, 200,000 frames a second", requirement, loss, candidates, costs, errors, {}
            )
            rows.append(row | {"part": "paper", "published": text})
    return rows


def candidates() -> list[dict[str, Any]]:
    """How many accelerators the search for hardware covers in a minute."""
    return [{"part": "candidates", **hardware.candidates_a_minute(name)} for name in hardware.CASES]


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "replay": replays,
    "live": live,
    "paper": paper,
    "candidates": candidates,
}


def main() -> None:
    """Make the rows of some parts again, and keep those of the others."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="none: all")
    wanted = parser.parse_args().parts or [*PARTS]
    file = FOLDER / "explore.json"
    found = json.loads(file.read_text()) if file.exists() else {"rows": [], "commit": ""}
    old = [{"commit": found["commit"]} | row for row in found["rows"]]  # of a table whose rows had none of their own
    made = {part: [row | {"commit": commit()} for row in PARTS[part]()] for part in PARTS if part in wanted}
    rows = [row for part in PARTS for row in made.get(part, _of(part, old))]
    record("explore", [{column: row.get(column) for column in COLUMNS} for row in rows], note=NOTE)


def _of(part: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["part"].startswith(part)]


if __name__ == "__main__":
    main()
