"""Phone error rates of every compression method at equal epochs, over networks, block sizes and seeds.

    python -m bench.accuracy --networks lstm-2x128 gru-2x128 --seeds 3 --jobs 2
    python -m bench.accuracy --networks lstm-2x512 --rows dense-k1 admm-k8 direct-k8

Every run is kept under the cache folder (ERNN_BENCH_CACHE, else ~/.cache/ernn) and, once finished, under
docs/benchmarks/accuracy; a killed benchmark goes on where it was, runs that are recorded are not done again, and the
table is made of all of them.
"""

import logging
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import accuracy_runs, accuracy_sizes
from bench.accuracy_jobs import (
    CACHE,
    COMPRESSION,
    CORPUS,
    FEATURES,
    LONG,
    LONG_COMPRESSED,
    MOST_SEEDS,
    NETWORKS,
    SCORING,
    SPARSE,
    TRAINING,
    Job,
    jobs_of,
    key,
    missing,
    waves,
)
from bench.accuracy_runs import Outcome
from bench.record import FOLDER, commit, record
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.compression.methods import compress
from ernn.data.dataset import Dataset
from ernn.data.parallel import follow_parent
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import BlockSizes, Corpus, Network
from ernn.params.compression import Densities
from ernn.scoring import phone_errors
from ernn.training import session
from ernn.training.dense import train_dense
from ernn.training.evaluate import evaluate

MEASURES = ("ernn/compression", "ernn/data", "ernn/nn", "ernn/scoring", "ernn/training")
NOTE = (
    f"Synthetic corpus, {CORPUS.train_speakers} training and {CORPUS.test_speakers} test speakers of 8 utterances; "
    f"{TRAINING.epochs} epochs where a row says no other. `smaller` is the widest dense network of the same depth that "
    "stores no more words than the circulant one of that block size; `project` is the dense network, projected once. "
    "PER in percent, 39 phones, silence a phone; `degradation` in points against the dense networks of the same seeds, "
    "with its paired bootstrap 95 % interval over utterances. `behind_admm` is the same of `direct` against `admm` of "
    "that block size. Pruned weights carry an index each, which `stored_weights` does not count.\n\n"
    f"Dense networks of {LONG['epochs']} epochs train with dropout {LONG['dropout']}, compressed ones with "
    f"{LONG_COMPRESSED['dropout']:g}: chosen on the dev split (docs/decisions/0100). `sparse` keeps some of the "
    "circulant blocks (`sparse-cell`: the same for all gates), `admm-pruned` some of the weights; their densities, and "
    "the ratio of `prune` in these rows, give as many bits as circulant blocks of 8 or 16, with indices and 12 bits a "
    "word (`bits_with_indices`). `products` are multiplications of a frame with the cheapest transform. `taught` is "
    "the share of the loss that is the divergence from the dense network (`compression.distillation`). `behind_..` are "
    "differences as `degradation` is: against circulant blocks of as many bits, against ADMM pruning, of ADMM pruning "
    "against pruning by magnitude, and against the same row without a teacher. An interval that holds 0 says level."
    "\n\n![Degradation over network size](accuracy.png)"
)


def run(job: Job, dataset: Path) -> Path:
    """Train and score `job`, unless its result is there."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format=f"{job.network} {job.method} k={job.block_size} %(message)s")
    data = Dataset.open(dataset)
    path = job.path(data.digest)
    if path.exists():
        return path
    training_run = _open(job, data)
    model = _train(job, data, training_run)
    _, score = evaluate(model, data.split("test"), SCORING)
    row = {
        "per": score.per,
        "stored_weights": model.stored_words,
        "bits": accuracy_sizes.bits(model),
        "products": accuracy_sizes.products(model),
        "cells": model.network.cells,
        "score": score.to_json(),
        "curve": training_run.rows,
        "commit": commit(),
    }
    artifacts.write_json(path, row)
    training_run.end()
    return path


def train_to_cut(job: Job, dataset: Path) -> Path:
    """Train the dense network of `job` up to where compression starts, unless its file exists; `run` starts there."""
    torch.set_num_threads(1)
    data = Dataset.open(dataset)
    path = _model(job, data, "checkpoint_at_cut")
    if not path.exists():
        fresh = session.fresh_model(NETWORKS[job.network], data, job.training)
        at_cut, _ = train_dense(fresh, COMPRESSION, _open(job, data), until_cut=True)
        model_file.save(at_cut, path)
    return path


def _open(job: Job, data: Dataset) -> session.Run:
    return session.open_run(data, job.training, SCORING, job=repr(job), compression=job.compression.model_dump())


def _train(job: Job, data: Dataset, training_run: session.Run) -> AcousticModel:
    if job.method in ("dense", "smaller"):
        network = NETWORKS[job.network] if job.method == "dense" else smaller(job, data)
        _, final = train_dense(session.fresh_model(network, data, job.training), COMPRESSION, training_run)
        if job.method == "dense":
            model_file.save(final, _model(job, data, "dense"))
        return final
    if job.method == "direct":
        start = session.fresh_model(NETWORKS[job.network], data, job.training)
    else:
        start = model_file.load(_model(job, data, "dense" if job.method == "project" else "checkpoint_at_cut"))
    teacher = model_file.load(_model(job, data, "dense")) if job.taught else start
    return compress(start, teacher, job.design, job.compression, training_run)


def _model(job: Job, data: Dataset, kind: str) -> Path:
    """Where the dense network of a job is kept."""
    path = job.dense.path(data.digest)
    return path.with_name(f"{job.network}-s{job.seed}-{kind}.model")


def smaller(job: Job, data: Dataset) -> Network:
    """The widest dense network of the same depth that stores no more than the circulant one of `job`."""
    full = NETWORKS[job.network]
    model = AcousticModel(full, data.dimension, data.phones)
    make_circulant(model, (BlockSizes(input=job.block_size, recurrent=job.block_size),) * full.layers)
    widths = [full.model_copy(update={"cells": cells}) for cells in range(1, full.cells)]
    return max(
        (n for n in widths if AcousticModel(n, data.dimension, data.phones).stored_words <= model.stored_words),
        key=lambda n: n.cells,
    )


def prepare(corpus: Corpus = CORPUS) -> Path:
    """A corpus of this benchmark, made once."""
    from components.prepare import prepare as make

    folder = CACHE / ("dataset" if corpus == CORPUS else f"dataset-{corpus.train_speakers}")
    if not (folder / "manifest.json").exists():
        make(corpus=corpus, features=FEATURES, training=TRAINING, dataset=folder)
    return folder


def keep_finished(dataset: Path) -> None:
    """Record the finished runs of the cache."""
    digest = Dataset.open(dataset).digest
    for network in NETWORKS:
        jobs = [job for seed in range(1, MOST_SEEDS + 1) for job in jobs_of(network, seed)]
        found = {
            job.name: Outcome.of(artifacts.read_json(job.path(digest))) for job in jobs if job.path(digest).exists()
        }
        if found:
            accuracy_runs.write(network, key(network), accuracy_runs.read(network, key(network)) | found)


def rows() -> list[dict[str, Any]]:
    """One row for each network, method and block size that has runs beside the dense one of their seed."""
    result: list[dict[str, Any]] = []
    for network in NETWORKS:
        runs = accuracy_runs.read(network, key(network))
        for first in jobs_of(network, 1):
            whole = _pairs(runs, first, first.dense)
            if whole:
                others = {name: _pairs(runs, first, other) for name, other in _compared(first).items()}
                result.append(_row(first, whole, others))
    return result


def _compared(job: Job) -> dict[str, Job | None]:
    """What a row is compared with besides its dense network, by the column that says so."""
    sparse = job.method in SPARSE and job.method != "admm-pruned"
    return {
        "behind_admm": replace(job, method="admm", equal=0) if job.method == "direct" else None,
        "behind_circulant": replace(job, method="admm", block_size=job.equal, equal=0) if job.equal else None,
        "behind_pruned": replace(job, method="admm-pruned", block_size=1) if sparse else None,
        "behind_magnitude": replace(job, method="prune") if job.method == "admm-pruned" else None,
        "behind_untaught": replace(job, taught=0.0) if job.taught else None,
    }


def _pairs(runs: dict[str, Outcome], job: Job, other: Job | None) -> list[tuple[Outcome, Outcome]]:
    """Runs of a row and those of another one, with the same seeds."""
    if other is None:
        return []
    seeds = [(replace(job, seed=seed).name, replace(other, seed=seed).name) for seed in range(1, MOST_SEEDS + 1)]
    return [(runs[ours], runs[theirs]) for ours, theirs in seeds if ours in runs and theirs in runs]


def with_recorded(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`table` and the rows of the last table whose networks have no runs here, in the order of NETWORKS."""
    recorded = FOLDER / "accuracy.json"
    old = artifacts.read_json(recorded)["rows"] if recorded.exists() else []
    measured = {row["network"] for row in table}
    whole = table + [row for row in old if row["network"] not in measured]
    return sorted(whole, key=lambda row: list(NETWORKS).index(row["network"]))


Pairs = list[tuple[Outcome, Outcome]]


def _row(job: Job, pairs: Pairs, others: Mapping[str, Pairs]) -> dict[str, Any]:
    pers = np.array([ours.errors.per for ours, _ in pairs])
    stored, dense = pairs[0][0].stored_weights, pairs[0][1].stored_weights
    return {
        "network": job.network,
        "method": job.method,
        "block_size": job.block_size,
        "density": _density(job.design.density) if job.method in SPARSE else None,
        "epochs": job.epochs,
        "taught": job.taught,
        "seeds": len(pairs),
        "per_mean": round(float(pers.mean()), 3),
        "per_std": round(float(pers.std(ddof=1)), 3) if len(pers) > 1 else None,
        **difference("degradation", pairs),
        **{column: value for name, found in others.items() for column, value in difference(name, found).items()},
        "compression": round(dense / stored, 2),
        "stored_weights": stored,
        "bits_with_indices": pairs[0][0].bits,
        "products": pairs[0][0].products,
        "commit": ", ".join(sorted({ours.commit for ours, _ in pairs})),
    }


def _density(given: object) -> str:
    """Of input and recurrent matrices."""
    assert isinstance(given, Densities)
    return f"{given.input:.3g}, {given.recurrent:.3g}"


def difference(name: str, pairs: list[tuple[Outcome, Outcome]]) -> dict[str, float | None]:
    """PER of the first of each pair less that of the second, in points, and its paired 95 % interval."""
    columns = (name, f"{name}_low", f"{name}_high")
    if not pairs:
        return dict.fromkeys(columns)
    ours, theirs = (phone_errors.pooled([run.errors for run in runs]) for runs in zip(*pairs, strict=True))
    values = (ours.per - theirs.per, *phone_errors.paired_interval(ours, theirs, 2000, seed=1))
    return {column: round(value, 3) for column, value in zip(columns, values, strict=True)}


def draw(table: list[dict[str, Any]], path: Path) -> None:
    """Degradation over network size, a line for each method and block size, with the paired 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    for axes, cell in zip(figure.subplots(1, 2, sharey=True), ("lstm", "gru"), strict=True):
        lines = defaultdict(list)
        for row in table:
            shown = row["method"] in ("admm", "direct", "prune") and row["epochs"] == TRAINING.epochs
            if row["network"].startswith(cell) and shown:
                lines[row["method"], row["block_size"]].append(row)
        for (method, k), found in lines.items():
            sizes = [NETWORKS[row["network"]].cells for row in found]
            values = np.array([[row[f"degradation{end}"] for end in ("", "_low", "_high")] for row in found]).T
            label = "pruned" if method == "prune" else f"{method}, k = {k}"
            axes.errorbar(sizes, values[0], np.abs(values[1:] - values[0]), label=label, marker="o", capsize=3)
        axes.set(xscale="log", xlabel="cells in each of two layers", title=cell.upper())
        axes.set_xticks([128, 256, 512, 1024], labels=["128", "256", "512", "1024"], minor=False)
        axes.minorticks_off()
        axes.axhline(0, color="black", linewidth=0.8)
        if lines:
            axes.legend()
    figure.supylabel("PER above the dense network (points)")
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run what is missing, then write the table."""
    parser = Parser(description=__doc__.split("\n")[0])
    largest = 1024 if torch.cuda.is_available() else 512
    default = [name for name, network in NETWORKS.items() if network.cells <= largest]
    parser.add_argument("--networks", nargs="+", default=default, choices=NETWORKS, help="that are trained")
    parser.add_argument("--seeds", type=whole(1), help="of each network; default: three at 128 cells, else one")
    names = [job.row for job in jobs_of(default[0], 1)]
    parser.add_argument("--rows", nargs="+", choices=names, metavar="ROW", help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="trainings side by side")
    parser.add_argument("--table", action="store_true", help="only make the table of the runs that are there")
    options = parser.parse_args()
    dataset = prepare()
    if not options.table:
        with ProcessPoolExecutor(options.jobs, initializer=follow_parent, max_tasks_per_child=1) as pool:
            to_cut, rest, projections = waves(missing(options.networks, options.seeds, options.rows))
            for work, jobs in ((train_to_cut, to_cut), (run, rest), (run, projections)):
                for future in as_completed([pool.submit(work, job, dataset) for job in jobs]):
                    print(future.result(), file=sys.stderr)
                    keep_finished(dataset)
    keep_finished(dataset)
    table = with_recorded(rows())
    record("accuracy", table, note=NOTE)
    draw(table, FOLDER / "accuracy.png")


if __name__ == "__main__":
    main()
