"""What `bench.accuracy` trains: networks, methods, block sizes and seeds, and which of them can run side by side."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bench import accuracy_runs
from bench.accuracy_sizes import Pattern, equal_densities, equal_ratio
from ernn.compression.methods import DIRECT_EXPONENT
from ernn.params import Compression, Corpus, Design, Features, Network, Scoring, Training
from ernn.params.compression import Distillation

CORPUS = Corpus(test_speakers=400)  # 3,200 test utterances: paired differences to within a fifth of a point
FEATURES = Features()
DIMENSION = FEATURES.mels * FEATURES.stack
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
LONG = {"epochs": 32, "dropout": 0.2}
LONG_COMPRESSED: dict[str, object] = {"dropout": 0.0, "pruning_elements": "rows"}  # docs/decisions/0100-dropout.md
TAUGHT = LONG | {"taught": 0.8}  # share of the loss that is the divergence from the dense network
EQUAL = {8: (4, 2), 16: (8, 4, 2)}  # circulant block size -> block sizes of sparse networks with as many bits
SPARSE: dict[str, Pattern] = {"sparse": "gate", "sparse-cell": "cell", "admm-pruned": "gate"}  # ADMM with a density
CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "accuracy"


@dataclass(frozen=True)
class Job:
    """One trained network: a row of the table for one seed."""

    network: str
    method: str  # dense, smaller (dense of equal stored weights), a method of `Design`, or one of `SPARSE`
    block_size: int
    seed: int
    epochs: int = TRAINING.epochs
    dropout: float = TRAINING.dropout
    taught: float = 0.0
    equal: int = 0  # circulant block size of as many bits, indices included; 0: none

    @property
    def design(self) -> Design:
        """The design of a compressed network."""
        network = NETWORKS[self.network]
        values: dict[str, object] = {"network": self.network, "method": self.method, "block_size": self.block_size}
        if self.method in SPARSE:
            pattern = SPARSE[self.method]
            density = equal_densities(network, DIMENSION, self.block_size, pattern, self.equal)
            values |= {"method": "admm", "density": density, "pattern": pattern}
        if self.method == "prune":
            values["pruning_ratio"] = equal_ratio(network, DIMENSION, self.equal) if self.equal else 8.9
        return Design.model_validate(values)

    @property
    def compression(self) -> Compression:
        """The shared options with the teacher of this job and, in compressed networks, those of the longer recipe."""
        longer = LONG_COMPRESSED if self.epochs == LONG["epochs"] and self.method != "dense" else {}
        return COMPRESSION.model_copy(update={"distillation": Distillation(weight=self.taught)} | longer)

    @property
    def dense(self) -> "Job":
        """The dense network that it starts from, that teaches it and that it is compared with."""
        return Job(self.network, "dense", 1, self.seed, self.epochs, self.dropout)

    @property
    def training(self) -> Training:
        """The shared options with those of this job."""
        return TRAINING.model_copy(update={"seed": self.seed, "epochs": self.epochs, "dropout": self.dropout})

    @property
    def row(self) -> str:
        """Of the table, among those of its network."""
        parts = [self.method, f"k{self.block_size}", f"as-k{self.equal}" * bool(self.equal)]
        parts += [f"{self.epochs}-epochs" * (self.epochs == LONG["epochs"]), "taught" * bool(self.taught)]
        return "-".join(part for part in parts if part)

    @property
    def name(self) -> str:
        """Of the run among those of its network."""
        return f"{self.row}-s{self.seed}"

    def path(self, digest: str) -> Path:
        """Where its result is kept: configuration and data decide."""
        parts = [self.training, self.compression, SCORING, NETWORKS[self.network]]
        rate = [DIRECT_EXPONENT] if self.method == "direct" else []
        text = json.dumps([part.model_dump(mode="json") for part in parts] + rate + [digest])
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        return CACHE / key / f"{self.network}-{self.name}.json"


def jobs_of(network: str, seed: int) -> list[Job]:
    """A job for each row of a network."""
    rows = [("dense", 1), ("prune", 1)]
    rows += [(method, k) for k in BLOCK_SIZES for method in ("admm", "smaller")]
    rows += [(method, k) for k in (8, 16) for method in ("direct", "project")]
    return [Job(network, method, k, seed) for method, k in rows] + long_jobs(network, seed)


def long_jobs(network: str, seed: int) -> list[Job]:
    """Those of the longer recipe: circulant, sparse and pruned networks of equal bits, taught and by themselves."""
    rows = [("dense", 1, 0, LONG)]
    for equal, smaller in EQUAL.items():
        for recipe in (TAUGHT, LONG):
            rows += [("admm", equal, 0, recipe), ("admm-pruned", 1, equal, recipe), ("prune", 1, equal, recipe)]
            rows += [("sparse", smaller[-1], equal, recipe)]
        rows += [("sparse", k, equal, TAUGHT) for k in smaller[:-1]] + [("sparse-cell", smaller[0], equal, TAUGHT)]
        rows += [("direct", equal, 0, TAUGHT)]
    return [Job(network, method, k, seed, equal=equal, **recipe) for method, k, equal, recipe in rows]


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
    """What can run side by side: dense networks to where compression starts, the rest, and what needs them whole.

    A projection and a taught network need their dense network, recorded or not.
    """
    after = [job for job in jobs if job.method == "project" or job.taught]
    rest = [job for job in jobs if job not in after]
    rest = [dense for dense in _dense(after) if dense not in rest] + rest  # the longest first
    to_cut = _dense([job for job in jobs if job.method in ("admm", "prune", *SPARSE)])
    return to_cut, rest, after


def _dense(jobs: list[Job]) -> list[Job]:
    return list(dict.fromkeys(job.dense for job in jobs))
