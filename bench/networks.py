"""Networks that `bench.real` and `bench.paper_scale` train, dense and compressed, each kept in a folder with its score.

A job leaves NAME.safetensors, of a dense network also NAME-at-cut.safetensors (where compression starts), and at last
NAME.json. A job whose NAME.json is there is done. The optimizer's state is in the checkpoints of `ernn.training` alone.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from bench import accuracy_sizes
from bench.accuracy import difference
from bench.accuracy_runs import Outcome
from bench.record import commit, processor
from ernn import artifacts
from ernn.compression.methods import compress
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import Compression, Corpus, Design, Features, Network, Scoring, Section, Training
from ernn.scoring import phone_errors
from ernn.training import session
from ernn.training.dense import train_dense
from ernn.training.evaluate import choose_decoding, evaluate, loss_sum, missing_share
from ernn.training.loop import Forward, Loss, Penalty, Phase, Run

SAMPLES = 2000  # of the bootstrap over utterances
BITS = accuracy_sizes.WORD_BITS
Clock = Callable[[], float]


@dataclass(frozen=True)
class Job:
    """A network to train: a dense one, or one that is compressed from the dense one of `start`.

    Args:
        name: of its files.
        network: sizes.
        training: optimisation.
        compression: shares of the epochs, and what is learnt from the dense network.
        scoring: decoding of frames.
        speech: what decides the corpus and its features.
        design: how it is compressed; None: it is dense.
        start: name of the job of its dense network.
    """

    name: str
    network: Network
    training: Training
    compression: Compression
    scoring: Scoring
    speech: str
    design: Design | None = None
    start: str = ""

    @property
    def key(self) -> str:
        """Of everything but the code that decides its result."""
        sections = [self.network, self.training, self.compression, self.scoring]
        return digest([*sections, *([self.design] if self.design else [])], self.speech)

    def result(self, folder: Path) -> dict[str, Any] | None:
        """What `train` wrote; None if it was not there yet.

        Raises:
            UserError: the folder has the result of other options.
        """
        path = folder / f"{self.name}.json"
        if not path.exists():
            return None
        found: dict[str, Any] = artifacts.read_json(path)
        if found.get("key") != self.key:
            raise UserError(f"{path}: of other options than those of this start; name another folder, or move it away")
        return found


def digest(sections: Sequence[Section], *more: str) -> str:
    """Of some parameters and texts, in twelve digits."""
    text = json.dumps([section.model_dump(mode="json") for section in sections] + [*more])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Paused(Exception):
    """The time of this start is over; another start of the same job continues after the epoch that the message has."""


@dataclass
class TimedRun(Run):
    """A run that pauses between epochs, so that a command ends in time.

    `ends` is a moment of `clock`, in seconds; no epoch begins that would not be over by then if it took as long as the
    longest one before it.
    """

    ends: float = float("inf")
    clock: Clock = time.monotonic
    longest: float = 0.0

    @classmethod
    def of(cls, run: Run, ends: float, clock: Clock = time.monotonic) -> "TimedRun":
        """`run` until the moment `ends`."""
        return cls(**{each.name: getattr(run, each.name) for each in fields(run)}, ends=ends, clock=clock)

    def fit(
        self,
        model: AcousticModel,
        phase: Phase,
        penalty: Penalty | None = None,
        after_epoch: Callable[[int], None] = lambda epoch: None,
        forward: Forward | None = None,
        loss: Loss = loss_sum,
        until: int | None = None,
    ) -> None:
        """As `Run.fit`, an epoch at a time, each from the checkpoint of the one before.

        Raises:
            Paused: there is no time for another epoch.
        """
        wanted = phase.epochs if until is None else min(until, phase.epochs)
        found = self.checkpoints.read(phase.name)
        done = int(found[1]["epochs"]) if found else 0
        while True:
            begun = self.clock()
            if done < wanted and begun + self.longest > self.ends:
                raise Paused(f"{phase.name}: {phase.first + done} of {phase.total} epochs are done")
            self.rows[:] = [row for row in self.rows if row["phase"] != phase.name]  # the checkpoint has them
            super().fit(model, phase, penalty, after_epoch, forward, loss, min(done + 1, wanted))
            self.longest, done = max(self.longest, self.clock() - begun), done + 1
            if done >= wanted:
                return


def train(job: Job, data: Dataset, folder: Path, pace: Callable[[Run], Run] = lambda run: run, code: str = "") -> None:
    """Train and score a network unless its result is there; an interrupted training continues after its last epoch.

    Args:
        folder: of the results; that of the dense network is there.
        pace: makes the run one that pauses.
        code: commit of the code; empty: that of the checkout.

    Raises:
        UserError: the data do not suit the training, or the loss is no longer finite.
        Paused: `pace` says so.
    """
    if job.result(folder):
        return
    run = pace(
        session.open_run(data, job.training, job.scoring, bench=job.name, key=job.key, start=_start(job, folder))
    )
    model = _compressed(job, job.design, folder, run) if job.design else _dense(job, data, folder, run)
    _, score = evaluate(model, data.split("test"), job.scoring)
    model_file.save(model, folder / f"{job.name}.safetensors")
    result = {
        "key": job.key,
        "per": score.per,
        "dev_per": evaluate(model, run.dev, job.scoring)[1].per,
        "greedy_deletions": missing_share(model, run.dev) if model.criterion == "ctc" else None,
        "decoding": asdict(model.decoding) if model.decoding else None,
        "stored_weights": model.stored_words,
        "bits_with_indices": BITS * model.stored_words + accuracy_sizes.index_bits(model),
        "score": score.to_json(),
        "curve": run.rows,
        "commit": code or commit(),
        "machine": machine(run.device),
    }
    artifacts.write_json(folder / f"{job.name}.json", result)
    run.end()


def _start(job: Job, folder: Path) -> str:
    """Content of the network that a compressed one starts from."""
    return artifacts.sha256(folder / f"{job.start}-at-cut.safetensors") if job.design else ""


def _dense(job: Job, data: Dataset, folder: Path, run: Run) -> AcousticModel:
    """The dense network after all its epochs; that of the cut is saved, and decoded as it is."""
    at_cut, final = train_dense(session.fresh_model(job.network, data, job.training), job.compression, run)
    choose_decoding(final, run.dev)
    at_cut.decoding = final.decoding
    model_file.save(at_cut, folder / f"{job.name}-at-cut.safetensors")
    return final


def _compressed(job: Job, design: Design, folder: Path, run: Run) -> AcousticModel:
    at_cut, dense = (model_file.load(folder / f"{job.start}{end}.safetensors") for end in ("-at-cut", ""))
    return compress(at_cut, dense, design, job.compression, run)


def machine(device: torch.device) -> str:
    """What a network is trained on."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def prepared(folder: Path, corpus: Corpus, features: Features, training: Training) -> Dataset:
    """The features of a corpus, made once.

    Raises:
        UserError: the corpus breaks a rule.
    """
    from components.prepare import prepare

    if not (folder / "manifest.json").exists():
        prepare(corpus=corpus, features=features, training=training, dataset=folder)
    return Dataset.open(folder)


def measured(results: Sequence[dict[str, Any]], dense: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Columns of a row: the results of its seeds, compared with those of their dense networks.

    Raises:
        UserError: they were not scored on the same utterances.
    """
    ours, theirs = ([Outcome.of(each) for each in side] for side in (results, dense))
    pooled = phone_errors.pooled([each.errors for each in ours])
    interval = dict(zip(("per_low", "per_high"), pooled.interval(SAMPLES, seed=1), strict=True))
    compared = [*zip(ours, theirs, strict=True)]
    return {
        "seeds": len(results),
        "per": round(pooled.per, 3),
        **{column: round(value, 3) for column, value in interval.items()},
        **difference("degradation", compared),
        "compression": round(dense[0]["stored_weights"] / results[0]["stored_weights"], 2),
        "stored_weights": results[0]["stored_weights"],
        "bits_with_indices": results[0]["bits_with_indices"],
        "commit": ", ".join(sorted({each.commit for each in ours})),
    }
