"""What scarce data does to the cost of ADMM and to its lead over direct training and smaller dense networks.

The runs are those of `bench.accuracy` and kept where it keeps them; a killed benchmark goes on where it was.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.accuracy import difference, prepare, run, train_to_cut
from bench.accuracy_jobs import CORPUS, TRAINING, Job
from bench.accuracy_runs import Outcome
from bench.record import record
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.data.parallel import follow_parent


@dataclass(frozen=True)
class Case:
    """A network on a part of the training speakers, trained for as many steps as on all of them."""

    network: str
    block_size: int
    part: int  # one of so many
    dropout: float = 0.0

    @property
    def train_speakers(self) -> int:
        """What is left of the corpus; its dev and test speakers stay."""
        return round(CORPUS.train_speakers / self.part)

    def job(self, method: str) -> Job:
        """The training by one method."""
        block_size = 1 if method == "dense" else self.block_size
        return Job(self.network, method, block_size, 1, TRAINING.epochs * self.part, self.dropout)


CASES = [
    Case("lstm-2x128", 8, 1),
    Case("lstm-2x128", 8, 8),
    Case("lstm-2x128", 8, 8, dropout=0.2),
    Case("lstm-2x512", 16, 1),
    Case("lstm-2x512", 16, 1, dropout=0.2),
]
METHODS = ("dense", "admm", "direct", "smaller")
MEASURES = ("ernn/compression", "ernn/data", "ernn/nn", "ernn/scoring", "ernn/training")
NOTE = (
    "Corpus, test set and options of `bench.accuracy`, one seed, with all of its training speakers or one in eight and "
    "eight times the epochs: as many steps on less speech. Losses are those of the last epoch, in nats a frame; "
    "`weights_per_second` is stored weights of `admm` over seconds of training speech. `degradation` is the PER of "
    "`admm` less that of `dense`, in points, with its paired bootstrap 95 % interval over utterances; `direct_behind` "
    "that of `direct` less that of `admm`, and `smaller_behind` that of the dense network of equal stored weights."
)


def main() -> None:
    """Run what is missing, then write the table."""
    parser = Parser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="trainings side by side")
    options = parser.parse_args()
    datasets = {case: prepare(CORPUS.model_copy(update={"train_speakers": case.train_speakers})) for case in CASES}
    with ProcessPoolExecutor(options.jobs, initializer=follow_parent, max_tasks_per_child=1) as pool:
        list(pool.map(train_to_cut, [case.job("admm") for case in CASES], datasets.values()))
        runs = {
            (case, method): pool.submit(run, case.job(method), datasets[case]) for case in CASES for method in METHODS
        }
        found = {key: future.result() for key, future in runs.items()}
    record(
        "overfitting",
        [row(case, datasets[case], [found[case, method] for method in METHODS]) for case in CASES],
        note=NOTE,
    )


def row(case: Case, dataset: Path, paths: list[Path]) -> dict[str, Any]:
    """All methods on one case."""
    results = dict(zip(METHODS, map(artifacts.read_json, paths), strict=True))
    found = {method: Outcome.of(result) for method, result in results.items()}
    seconds = artifacts.read_json(dataset / "manifest.json")["splits"]["train"]["seconds"]
    values: dict[str, Any] = {
        "network": case.network,
        "block_size": case.block_size,
        "train_speakers": case.train_speakers,
        "epochs": case.job("admm").epochs,
        "dropout": case.dropout,
        "weights_per_second": round(found["admm"].stored_weights / seconds, 2),
    }
    for column in ("per", "train_loss", "dev_loss"):
        for method, result in results.items():
            values[f"{method}_{column}"] = round(result["per"] if column == "per" else result["curve"][-1][column], 3)
    values |= difference("degradation", [(found["admm"], found["dense"])])
    for method in ("direct", "smaller"):
        values |= difference(f"{method}_behind", [(found[method], found["admm"])])
    return values | {"commit": ", ".join(sorted({each.commit for each in found.values()}))}


if __name__ == "__main__":
    main()
