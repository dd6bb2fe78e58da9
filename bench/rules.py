"""`python -m bench.rules`: phone errors over the power of errors that chooses binary points (`quantization.power`).

The float networks of `bench.integer`, trained where they are missing, on the dev split. Scores are kept under the cache
folder (ERNN_BENCH_CACHE, else ~/.cache/ernn); a killed benchmark goes on where it was.
"""

import itertools
import logging
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.integer import Job, parameters, prepare, train_dense_networks, trained
from bench.record import record
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.data.dataset import Dataset
from ernn.data.parallel import follow_parent
from ernn.params import Bits, ProgramSpec
from ernn.quantization import chain, evaluate

POWERS = (2.0, 1.75, 1.5, 1.25, 1.0)
WIDTHS = (5, 6, 7, 8, 12)
MEASURES = ("ernn/dataflow", "ernn/golden", "ernn/quantization")
NOTE = """\
The designs of params.yaml, every tensor group with the same width, on the dev split. `change` is the PER with that
power less the one with squares (power 2), in points: the mean over `networks` of all designs and seeds, and the least
and the most of them. Binary points that come out the same count with 0."""


def run(job: Job, dataset: Path) -> dict[str, float]:
    """PER of every transform, width and power, by `name`."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format=f"{job.design} seed {job.seed} %(message)s")
    values, data = parameters(), Dataset.open(dataset)
    path = job.folder(data.digest) / "powers.json"
    found: dict[str, float] = artifacts.read_json(path) if path.exists() else {}
    model, dev = trained(job, data), data.split("dev")
    known: dict[str, float] = {}
    for power in POWERS:
        settings = values.quantization.model_copy(update={"rule": "robust", "power": power})
        quantizer = chain.Quantizer(job.design, model, data, settings, values.scoring)
        for transform, width in itertools.product(transforms(job), WIDTHS):
            if name(transform, width, power) in found:
                continue
            bits = dict.fromkeys(Bits.model_fields, width)
            spec = ProgramSpec.model_validate({"design": job.design, "transform": transform, "bits": bits})
            formats = f"{transform} {quantizer.formats(spec)}"
            if formats not in known:
                known[formats] = evaluate.score(quantizer.program(spec), dev, values.scoring)[0].per
            found[name(transform, width, power)] = known[formats]
            artifacts.write_json(path, found)
    print(job.design, job.seed, file=sys.stderr)
    return found


def transforms(job: Job) -> list[str]:
    """Those of its matrices' products."""
    return ["exact"] if parameters().designs[job.design].method == "prune" else ["exact", "fourier"]


def name(transform: str, width: int, power: float) -> str:
    """Of a score."""
    return f"{transform}-{width}-{power:g}"


def rows(scores: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Changes against squares."""
    changes = defaultdict[tuple[str, int, float], list[float]](list)
    for found, (transform, width, power) in itertools.product(
        scores, itertools.product(("exact", "fourier"), WIDTHS, POWERS[1:])
    ):
        if name(transform, width, power) in found:
            change = found[name(transform, width, power)] - found[name(transform, width, POWERS[0])]
            changes[transform, width, power].append(change)
    return [
        {
            **{"transform": transform, "bits": width, "power": power, "networks": len(each)},
            **{"change": round(float(np.mean(each)), 3), "least": round(min(each), 2), "most": round(max(each), 2)},
        }
        for (transform, width, power), each in changes.items()
    ]


def main() -> None:
    """Score what is missing, then write the table."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=whole(1), default=3, help="of each design; default: %(default)s")
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="at a time; default: one a core")
    options = parser.parse_args()
    dataset = prepare()
    jobs = [Job(design, seed + 1) for design in parameters().designs for seed in range(options.seeds)]
    starts = {(str(job.network), job.seed): job for job in jobs}
    with ProcessPoolExecutor(options.jobs, initializer=follow_parent, max_tasks_per_child=1) as pool:
        list(pool.map(train_dense_networks, starts.values(), [dataset] * len(starts)))
        scores = list(pool.map(run, jobs, [dataset] * len(jobs)))
    record("rules", rows(scores), note=NOTE)


if __name__ == "__main__":
    main()
