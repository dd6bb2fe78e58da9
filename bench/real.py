"""Phone error rates on recorded speech: dense, block-circulant, sparse block-circulant and pruned networks, by CTC.

    python -m bench.real FOLDER --seeds 3 --jobs 2

FOLDER is speechocean762, as it is distributed or as a Kaldi corpus with phones (docs/data.md). A network takes about a
quarter of an hour of one core; a seed has ten, three of them for `direct`. Features and trained networks are kept under
the cache folder (ERNN_BENCH_CACHE, else ~/.cache/ernn); an interrupted benchmark resumes, and the table is
written anew after every network that is finished.
"""

import hashlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench import networks, speechocean
from bench.accuracy_jobs import COMPRESSION, SCORING
from bench.networks import Job
from bench.record import record
from ernn.arguments import Parser, number, whole
from ernn.data.dataset import Dataset
from ernn.data.parallel import follow_parent
from ernn.data.sentences import SPLITS
from ernn.errors import UserError
from ernn.params import Corpus, Design, Features, Network, Training

NETWORK = Network(cell="lstm", layers=2, cells=128)
FEATURES = Features()
TRAINING = Training(criterion="ctc", epochs=24, threads=1)
DESIGNS: dict[str, dict[str, Any] | None] = {
    "dense": None,
    "admm-k4": {"block_size": 4},
    "admm-k8": {"block_size": 8},
    "direct-k8": {"method": "direct", "block_size": 8},
    "sparse-k4": {"block_size": 4, "density": 0.5},
    "sparse-k2": {"block_size": 2, "density": 0.25},
    "pruned-by-admm": {"block_size": 1, "density": 0.125},
    "pruned": {"method": "prune", "pruning_ratio": 8.0},
}
# Learning rates and batch sizes that `direct` is tried with; dev chooses. It leaves CTC's plateau by steps: on the
# shortest third of the default corpus (616 utterances, one seed) the loss falls below 3 nats a phone after 350 steps
# in batches of 32 at 0.007, after 600 in batches of 8 at 0.0035 or 0.007 (11,200 and 4,800 utterances), and at 0.02 or
# 0.002 not within 250 of 32. The dense network needs 150 steps.
DIRECT_SCHEDULES = ((TRAINING.learning_rate, TRAINING.batch_utterances), (7e-3, 8), (3.5e-3, 8))
CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "real"
TABLES = ("wav.scp", "utt2spk", "text-phone", "text", "segments")  # of a Kaldi folder, that decide its utterances
MEASURES = ("ernn/compression", "ernn/data", "ernn/nn", "ernn/scoring", "ernn/training")
NOTE = (
    f"{speechocean.LICENCE} "
    "Utterances: {utterances}; one training speaker in ten is the dev split. References are the phones of the lexicon, "
    "not what a speaker made of them. LSTM 2x128 by CTC, {epochs} epochs with dropout {dropout:g} for every row. "
    "`decoder` is the bigram's scale and the insertion penalty with which the dense network of the same seed has the "
    "fewest errors on dev. PER in percent, 39 phones, over the whole test split, mean over seeds, with its bootstrap "
    "95 % interval over utterances; `degradation` in points against the dense networks of the same seeds, with its "
    "paired interval. `density` is the share of blocks, or with `block_size` 1 of weights, that is kept. `direct` is "
    "trained "
    f"{', '.join(f'at {rate:g} in batches of {size}' for rate, size in DIRECT_SCHEDULES)}, and its row is the one with "
    "the fewest errors on dev; the others have the first of these schedules. "
    "`greedy_deletions` is the share of the phones of dev that are left out where the best class of each frame counts "
    "alone: 99 % and more is CTC's plateau, on which a network has learnt nothing. `bits_with_indices` are those of "
    f"all weights at {networks.BITS} bits, with the index of each block or weight that is kept."
)


def jobs_of(row: str, seed: int, training: Training, speech: str) -> list[Job]:
    """The trainings of a row for a seed: one, or one for each schedule that is tried.

    Args:
        speech: digest of the features.
    """
    given = DESIGNS[row]
    design = None if given is None else Design.model_validate({"network": "lstm-2x128"} | given)
    given_schedule = (training.learning_rate, training.batch_utterances)
    schedules = DIRECT_SCHEDULES if design and design.method == "direct" else (given_schedule,)
    return [
        Job(
            f"{row}-s{seed}" + (f"-{rate:g}-{size}" if len(schedules) > 1 else ""),
            NETWORK,
            training.model_copy(update={"seed": seed, "learning_rate": rate, "batch_utterances": size}),
            COMPRESSION,
            SCORING,
            speech,
            design,
            f"dense-s{seed}",
        )
        for rate, size in schedules
    ]


def run(job: Job, dataset: Path, folder: Path) -> str:
    """Train and score `job`, unless its result is there; its name."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format=f"{job.name} %(message)s")
    networks.train(job, Dataset.open(dataset), folder)
    return job.name


def rows(folder: Path, seeds: int, training: Training, speech: str) -> Iterator[dict[str, Any]]:
    """A row for each design that is finished for some seeds, compared with the dense networks of the same seeds."""
    numbers = range(1, seeds + 1)
    for name in DESIGNS:
        jobs = [jobs_of(name, seed, training, speech) for seed in numbers]
        starts = [jobs_of("dense", seed, training, speech)[0] for seed in numbers]
        if chosen := _chosen([list(each) for each in zip(*jobs, strict=True)], starts, folder):
            yield _row(*chosen)


def _chosen(
    tried: Sequence[Sequence[Job]], starts: Sequence[Job], folder: Path
) -> tuple[Job, list[dict[str, Any]], list[dict[str, Any]]] | None:
    """Of the schedules with the most finished seeds, that with the fewest errors on dev: job, its and dense results."""
    candidates = []
    for jobs in tried:
        pairs = [(job.result(folder), start.result(folder)) for job, start in zip(jobs, starts, strict=True)]
        if found := [(ours, dense) for ours, dense in pairs if ours and dense]:
            dev = float(np.mean([ours["dev_per"] for ours, _ in found]))
            candidates.append((-len(found), dev, jobs[0], found))
    if not candidates:
        return None
    _, _, job, found = min(candidates, key=lambda each: each[:2])
    return job, [ours for ours, _ in found], [dense for _, dense in found]


def _row(job: Job, results: list[dict[str, Any]], dense: list[dict[str, Any]]) -> dict[str, Any]:
    design = job.design
    decoders = dict.fromkeys(
        "bigram x {bigram_scale:g}, {insertion_penalty:g}".format(**r["decoding"]) for r in results
    )
    density = 1.0 if design is None else design.density if design.sparse else 1 / design.pruning_ratio
    return {
        "network": "lstm-2x128",
        "method": design.family if design else "dense",
        "block_size": design.block_size if design else 1,
        "density": density,
        "learning_rate": job.training.learning_rate,
        "batch_utterances": job.training.batch_utterances,
        "decoder": "; ".join(decoders),
        **networks.measured(results, dense),
        "greedy_deletions": round(float(np.mean([each["greedy_deletions"] for each in results])), 2),
    }


def prepare(folder: Path) -> Dataset:
    """Features of the user's corpus, made once for the content of its tables.

    Raises:
        UserError: no corpus there, or one that breaks a rule.
    """
    text = [path.read_bytes() for split in ("train", "dev", "test", "resource") for path in _tables(folder / split)]
    key = hashlib.sha256(b"\0".join([str(folder.absolute()).encode(), *text])).hexdigest()[:12]
    kaldi = speechocean.kaldi_folder(folder, CACHE / f"kaldi-{key}")
    corpus = Corpus(kind="kaldi", path=str(kaldi))
    return networks.prepared(CACHE / f"dataset-{key}-{networks.digest([FEATURES])}", corpus, FEATURES, TRAINING)


def _tables(split: Path) -> list[Path]:
    return [split / name for name in TABLES if (split / name).is_file()]


def finished(jobs: Sequence[Job], dataset: Path, folder: Path, processes: int) -> Iterator[str]:
    """Train all jobs, the dense networks first, and name each that is finished."""
    with ProcessPoolExecutor(processes, initializer=follow_parent, max_tasks_per_child=1) as pool:
        for wave in ([job for job in jobs if not job.design], [job for job in jobs if job.design]):
            for future in as_completed([pool.submit(run, job, dataset, folder) for job in wave]):
                yield future.result()


def main() -> None:
    """Run what is missing; the table is written after each network."""
    parser = Parser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="speechocean762")
    parser.add_argument("--rows", nargs="+", choices=DESIGNS, metavar="ROW", help="designs, a row each; default: all")
    parser.add_argument("--seeds", type=whole(1, 99), default=1, help="of each row")
    parser.add_argument("--epochs", type=whole(2, 10_000), default=TRAINING.epochs, help="of every network")
    parser.add_argument("--dropout", type=number(0, 0.9), default=TRAINING.dropout, help="of every network")
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="networks trained side by side")
    parser.add_argument("--table", action="store_true", help="only make the table of the networks that are there")
    options = parser.parse_args()
    training = TRAINING.model_copy(update={"epochs": options.epochs, "dropout": options.dropout})
    try:
        data = prepare(options.folder)
        counts = ", ".join(f"{data.manifest['splits'][split]['utterances']} {split}" for split in SPLITS)
        note = NOTE.format(utterances=counts, epochs=options.epochs, dropout=options.dropout)
        folder = CACHE / networks.digest([training, COMPRESSION, SCORING, NETWORK], data.digest)
        names = dict.fromkeys(["dense", *(options.rows or DESIGNS)])  # the others start from dense networks
        seeds = range(1, options.seeds + 1)
        jobs = [job for seed in seeds for name in names for job in jobs_of(name, seed, training, data.digest)]
        for name in () if options.table else finished(jobs, data.path, folder, options.jobs):
            print(name, file=sys.stderr)
            record("real", [*rows(folder, options.seeds, training, data.digest)], note=note)
        record("real", [*rows(folder, options.seeds, training, data.digest)], note=note)
    except UserError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
