"""Networks of the sizes of E-RNN on much synthetic speech, on a GPU: dense, block-circulant and sparse block-circulant.

    python -m bench.paper_scale --out FOLDER --rows lstm-dense
    python -m bench.paper_scale --out FOLDER --rows lstm-admm-k8 lstm-sparse-8x-k4
    python -m bench.paper_scale --out FOLDER --table

A start trains for `--minutes` at most and pauses between two epochs; the next start of the same rows on that machine
continues there. Exit code 1 says that a row is not finished. FOLDER takes weights and scores of finished rows (at most
17 MB a file) and never the optimizer's state, which stays in checkpoints (ERNN_CHECKPOINTS, else .cache/checkpoints).
A compressed network needs those of its dense one in FOLDER: carry them to another machine. The corpus is made where the
networks are trained and kept under the cache folder (ERNN_BENCH_CACHE, else ~/.cache/ernn).
"""

import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import accelerator, networks
from bench.accuracy_jobs import COMPRESSION, SCORING
from bench.networks import Job, Paused, TimedRun
from bench.record import record
from ernn import artifacts
from ernn.arguments import Parser, number, whole
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.params import Corpus, Design, Features, Network, Training
from ernn.report.published import published

NETWORKS = {"lstm": accelerator.LSTM, "gru": accelerator.GRU}
DESIGNS: dict[str, dict[str, Any] | None] = {
    "dense": None,
    "admm-k8": {"block_size": 8},
    "admm-k16": {"block_size": 16},
    "sparse-8x-k4": {"block_size": 4, "density": 0.5, "pattern": "cell"},
    "sparse-8x-k2": {"block_size": 2, "density": 0.25},
    "sparse-16x-k4": {"block_size": 4, "density": 0.25, "pattern": "cell"},
    "sparse-16x-k2": {"block_size": 2, "density": 0.125},
}
ROWS = tuple(f"{cell}-{design}" for cell in NETWORKS for design in DESIGNS)
CORPUS = Corpus(train_speakers=4 * 462, test_speakers=400)  # four times TIMIT's training speakers: about 13 hours
FEATURES = Features(kind="ernn153", stack=1, skip=1)  # the 153 inputs of ESE and E-RNN, every 10 ms
TRAINING = Training(epochs=16, batch_utterances=64, dropout=0.2)  # large batches: a GPU takes them in the same time
CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "paper-scale"
CELLS = {"lstm": "lstm-1024-proj-512", "gru": "gru-1024"}  # as published figures call them
MEASURES = ("ernn/compression", "ernn/data", "ernn/nn", "ernn/scoring", "ernn/training")
NOTE = (
    "One recurrent layer with the 153 inputs of ESE and E-RNN: LSTM of 1024 cells with peepholes and a projection to "
    "512 (`lstm`), GRU of 1024 cells (`gru`). Synthetic corpus, {speakers} training and "
    f"{CORPUS.test_speakers} test speakers of {CORPUS.utterances_per_speaker} utterances; "
    "{epochs} epochs in batches of "
    f"{TRAINING.batch_utterances} utterances for every row, one seed. PER in percent, 39 phones, silence a phone, with "
    "its bootstrap 95 % interval over utterances; `degradation` in points against the dense network of the same cell, "
    "with its paired interval. `density` is the share of blocks that is kept; `pattern` `cell`: the gates of a cell "
    f"keep the same ones. `bits_with_indices` are those of all weights at {networks.BITS} bits, with the index of each "
    "block that is kept. `published` is the degradation that E-RNN reports for this block size on TIMIT, with its "
    "`confidence`: other speech and another dense network. `machine` is what the network was trained on."
)


def job_of(row: str, training: Training, speech: str, sizes: dict[str, Network]) -> Job:
    """The training of a row.

    Args:
        speech: digest of the parameters of the corpus.
        sizes: network of each cell.
    """
    cell, _, name = row.partition("-")
    given = DESIGNS[name]
    design = None if given is None else Design.model_validate({"network": cell} | given)
    return Job(row, sizes[cell], training, COMPRESSION, SCORING, speech, design, f"{cell}-dense")


def train(jobs: Sequence[Job], data: Dataset, folder: Path, ends: float, code: str = "") -> str:
    """Train the jobs that have no result, one after the other, until a moment of `time.monotonic`.

    Returns:
        Where it paused; empty if all are finished.

    Raises:
        UserError: the dense network of a job is missing.
    """
    for job in jobs:
        if job.design and not (folder / f"{job.start}.safetensors").exists():
            raise UserError(
                f"{folder}: no {job.start}.safetensors, which {job.name} starts from; train {job.start} first"
            )
        try:
            networks.train(job, data, folder, partial(TimedRun.of, ends=ends), code)
        except Paused as pause:
            return f"{job.name}: {pause}"
    return ""


def rows(jobs: Sequence[Job], folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each finished job whose dense network is there too."""
    results = {job.name: job.result(folder) for job in jobs}
    for job in jobs:
        ours, dense = results[job.name], results.get(job.start)
        if ours and dense:
            yield _row(job, ours, dense)


def _row(job: Job, result: dict[str, Any], dense: dict[str, Any]) -> dict[str, Any]:
    design, cell = job.design, job.network.cell
    theirs = [
        each
        for each in published()
        if each.system == "E-RNN"
        and design
        and not design.sparse
        and (each.cell, each.block_size) == (CELLS[cell], design.block_size)
    ]
    return {
        "network": cell,
        "method": design.family if design else "dense",
        "block_size": design.block_size if design else 1,
        "density": design.density if design else 1.0,
        "pattern": design.pattern if design and design.sparse else None,
        **networks.measured([result], [dense]),
        "published": theirs[0].per_degradation_pp if theirs else None,
        "confidence": theirs[0].confidence if theirs else None,
        "machine": result["machine"],
    }


def main() -> None:
    """Train some rows for some minutes, or make the table."""
    begun = time.monotonic()
    parser = Parser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of weights and scores")
    parser.add_argument("--rows", nargs="+", choices=ROWS, metavar="ROW", help="networks, a row each; default: all")
    parser.add_argument("--minutes", type=number(0), default=4.0, help="of training, the making of the corpus included")
    parser.add_argument("--train-speakers", type=whole(2), default=CORPUS.train_speakers, help="of the corpus")
    parser.add_argument("--epochs", type=whole(2, 10_000), default=TRAINING.epochs, help="of every network")
    parser.add_argument("--commit", default="", help="of the code, where there is no git")
    parser.add_argument("--table", action="store_true", help="only make the table of the rows that are finished")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    corpus = CORPUS.model_copy(update={"train_speakers": options.train_speakers})
    training = TRAINING.model_copy(update={"epochs": options.epochs})
    speech = networks.digest([corpus, FEATURES])
    jobs = [job_of(row, training, speech, NETWORKS) for row in ROWS]
    try:
        if options.table:
            note = NOTE.format(speakers=options.train_speakers, epochs=options.epochs)
            record("paper_scale", [*rows(jobs, options.out)], note=note)
            return
        artifacts.check_writable(options.out, folder=True)
        data = networks.prepared(CACHE / f"dataset-{speech}", corpus, FEATURES, training)
        wanted = [job for job in jobs if job.name in (options.rows or ROWS)]
        paused = train(wanted, data, options.out, begun + 60 * options.minutes, options.commit)
    except UserError as error:
        parser.error(str(error))
    if paused:
        sys.exit(f"paused in {paused}; the next start continues there")


if __name__ == "__main__":
    main()
