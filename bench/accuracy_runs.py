"""Finished runs of `bench.accuracy` in git, so that seeds measured on several machines stand in one table.

`docs/benchmarks/accuracy/NETWORK.json` holds the errors of every test utterance of each run, which is what the paired
intervals need, and a key of everything that decides them; runs of another key are forgotten.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.record import FOLDER
from ernn import artifacts
from ernn.scoring.phone_errors import Errors

RUNS = FOLDER / "accuracy"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One trained and scored network; errors in 39 phones, silence a phone."""

    errors: Errors
    stored_weights: int
    commit: str
    bits: int | None = None  # of the matrices, with indices
    products: int | None = None

    @classmethod
    def of(cls, result: dict[str, Any]) -> "Outcome":
        """From what a run has left in the cache."""
        columns = {name: np.array(values) for name, values in result["score"]["with_silences"].items()}
        return cls(Errors(**columns), **_about(result))


def read(network: str, key: str) -> dict[str, Outcome]:
    """The recorded runs of a network by their names; none if they have another key."""
    path = RUNS / f"{network}.json"
    found = artifacts.read_json(path) if path.exists() else {}
    if found.get("key") != key:
        return {}
    lengths = np.array(found["lengths"])
    none = np.zeros_like(lengths)
    return {
        name: Outcome(Errors(none, none, np.array(run["errors"]), lengths), **_about(run))
        for name, run in found["runs"].items()
    }


def write(network: str, key: str, outcomes: dict[str, Outcome]) -> None:
    """Record the runs of a network; a line each."""
    lengths = next(iter(outcomes.values())).errors.lengths.tolist()
    lines = [
        f'"{name}": ' + _compact({"errors": run.errors.counts.tolist()} | _about(vars(run)))
        for name, run in sorted(outcomes.items())
    ]
    text = f'{{"key": "{key}",\n"lengths": {_compact(lengths)},\n"runs": {{\n' + ",\n".join(lines) + "\n}}\n"
    with artifacts.atomic(RUNS / f"{network}.json") as temporary:
        temporary.write_text(text)


def _about(values: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a run besides its errors; runs of the first tables have neither bits nor products."""
    names = ("stored_weights", "commit", "bits", "products")
    return {name: values[name] for name in names if values.get(name) is not None}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
