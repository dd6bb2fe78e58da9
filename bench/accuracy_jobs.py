"""What `bench.accuracy` trains: networks, methods, block sizes and seeds, and which of them can run side by side."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bench import accuracy_runs
from ernn.compression.methods import DIRECT_EXPONENT
from ernn.params import Compression, Corpus, Design, Features, Network, Scoring, Training

CORPUS = Corpus(test_speakers=400)  # 3,200 test utterances: paired differences to within a fifth of a point
FEATURES = Features()
TRAINING = Training(epochs=16, threads=1)
COMPRESSION = Compression(pruning_elements=4)
SCORING = Scoring()
NETWORKS = {
    f"{cell}-2x{cells}": Network.model_validate({"cell": cell, "cells": cells})
    for cells in (128, 256, 512, 1024)
    for cell in ("lstm", "gru")
}
BLOCK_SIZES = (2, 4, 8, 16)
SEEDS = {128: 3, 256: 1, 512: 1, 1024: 1}  # by cells
MOST_SEEDS = 9  # of any network
CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "accuracy"


@dataclass(frozen=True)
class Job:
    """One trained network: a row of the table for one seed."""

    network: str
    method: str  # dense, smaller (dense of equal stored weights), or a method of `Design`
    block_size: int
    seed: int
    epochs: int = TRAINING.epochs
    dropout: float = TRAINING.dropout

    @property
    def design(self) -> Design:
        """The design of a compressed network."""
        ratio = {"pruning_ratio": 8.9} if self.method == "prune" else {}
        return Design.model_validate(
            {"network": self.network, "method": self.method, "block_size": self.block_size} | ratio
        )

    @property
    def training(self) -> Training:
        """The shared options with those of this job."""
        return TRAINING.model_copy(update={"seed": self.seed, "epochs": self.epochs, "dropout": self.dropout})

    @property
    def row(self) -> str:
        """Of the table, among those of its network."""
        return f"{self.method}-k{self.block_size}"

    @property
    def name(self) -> str:
        """Of the run among those of its network."""
        return f"{self.row}-s{self.seed}"

    def path(self, digest: str) -> Path:
        """Where its result is kept: configuration and data decide."""
        parts = [self.training, COMPRESSION, SCORING, NETWORKS[self.network]]
        rate = [DIRECT_EXPONENT] if self.method == "direct" else []
        text = json.dumps([part.model_dump(mode="json") for part in parts] + rate + [digest])
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        return CACHE / key / f"{self.network}-{self.name}.json"


def jobs_of(network: str, seed: int) -> list[Job]:
    """A job for each row of a network."""
    rows = [("dense", 1), ("prune", 1)]
    rows += [(method, k) for k in BLOCK_SIZES for method in ("admm", "smaller")]
    rows += [(method, k) for k in (8, 16) for method in ("direct", "project")]
    return [Job(network, method, k, seed) for method, k in rows]


def key(network: str) -> str:
    """Of everything but the code that decides the runs of a network; their seeds stand in their names."""
    parts = [CORPUS, FEATURES, TRAINING, COMPRESSION, SCORING, NETWORKS[network]]
    text = json.dumps([part.model_dump(mode="json") for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def missing(networks: list[str], seeds: int | None, named: list[str] | None) -> list[Job]:
    """The jobs of some networks that are not recorded, all rows or the named ones."""
    known = {network: accuracy_runs.read(network, key(network)) for network in networks}
    counts = {network: seeds or SEEDS[NETWORKS[network].cells] for network in networks}
    jobs = [job for network, count in counts.items() for seed in range(count) for job in jobs_of(network, seed + 1)]
    return [job for job in jobs if job.name not in known[job.network] and (not named or job.row in named)]


def waves(jobs: list[Job]) -> tuple[list[Job], list[Job], list[Job]]:
    """What can run side by side: dense networks to where ADMM and pruning start, the rest, and then the projections.

    A projection needs its dense network, recorded or not.
    """
    projections = [job for job in jobs if job.method == "project"]
    rest = [job for job in jobs if job.method != "project"]
    rest = [dense for dense in _dense(projections) if dense not in rest] + rest  # the longest first
    to_cut = _dense([job for job in jobs if job.method in ("admm", "prune")])
    return to_cut, rest, projections


def _dense(jobs: list[Job]) -> list[Job]:
    return list(dict.fromkeys(Job(job.network, "dense", 1, job.seed) for job in jobs))
