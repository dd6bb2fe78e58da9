"""Trials of a design search: its designs become entries of params.yaml, and the ordinary stages make them.

Who runs the stages is a `Chain`: DVC in a working copy here, or a cluster (`workflow.rounds`).
"""

import csv
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from safetensors import SafetensorError, safe_open

from components import tracking
from ernn import artifacts
from ernn.errors import UserError
from ernn.explore.options import FAILED, MISTAKE
from ernn.explore.trials import Hopeless, Trained
from ernn.params import AcceleratorSpec, Design, ProgramSpec
from ernn.records.benchmark import BenchmarkRecord, BenchmarkRow
from ernn.records.sensitivity import SensitivityRecord
from workflow import declaration, digests, local, presets
from workflow.clock import Clock
from workflow.runlog import RunLog

_CHECKPOINTS = "ERNN_CHECKPOINTS"
Curve = Sequence[Mapping[str, Any]]  # rows of a training so far, one an epoch


class Failed(UserError):
    """A stage failed; it has said why."""

    def __init__(self, code: int, text: str = "a stage failed, see above") -> None:
        super().__init__(f"{text}; what is finished is kept, the same command goes on")
        self.code = code


class Chain(Protocol):
    """Who makes what tasks of dvc.yaml write."""

    @property
    def folder(self) -> Path:
        """Where the small files of finished tasks lie, as dvc.yaml names them: curves, scores, metrics, programs."""

    def make(
        self, values: Mapping[str, Any], targets: Sequence[str], hopeless: Callable[[Curve], bool] | None = None
    ) -> bool:
        """Make some tasks and all that they read, unless it was made before; False where they were stopped.

        Args:
            values: of params.yaml.
            targets: names of tasks.
            hopeless: of the curve of the one training among the tasks: whether to stop it. Not every chain asks.

        Raises:
            Failed: a task failed.
            UserError: what a user must change.
        """


@dataclass
class DvcChain:
    """Stages on this machine, in the working copy runs/NAME of a checkout.

    Args:
        root: of the checkout.
        jobs: stages side by side.
    """

    root: Path
    name: str
    jobs: int
    _log: RunLog | None = field(default=None, init=False)

    @property
    def folder(self) -> Path:
        """The working copy."""
        return self.root / "runs" / self.name

    def make(
        self, values: Mapping[str, Any], targets: Sequence[str], hopeless: Callable[[Curve], bool] | None = None
    ) -> bool:
        """As `Chain.make`."""
        presets.working_copy(self.root, self.name, values)
        cores = len(os.sched_getaffinity(0))
        kept, before = self.folder, os.environ.get(_CHECKPOINTS)
        if hopeless is not None:
            kept = self.checkpoints(values, targets)
            os.environ[_CHECKPOINTS] = str(kept)

        def stop() -> bool:
            return hopeless is not None and hopeless(curve_so_far(kept))

        try:
            self._log = self._log or RunLog(self.folder)
            code = local.repro(self.folder, self.jobs, max(1, cores // self.jobs), list(targets), stop, self._log)
        finally:
            if hopeless is not None:
                os.environ.pop(_CHECKPOINTS)
                if before is not None:
                    os.environ[_CHECKPOINTS] = before
        if code not in (0, local.STOPPED):
            raise Failed(failed_with(code))
        return code == 0

    def checkpoints(self, values: Mapping[str, Any], targets: Sequence[str]) -> Path:
        """Where a training keeps them: a folder for what decides it, since the curve of another one says nothing."""
        declared, code = declaration.load(self.folder, values), presets.digest(self.folder)
        found = digests.of_tasks(declared, dict.fromkeys((task.meta.image for task in declared.tasks), code))
        return self.folder / ".cache" / "search" / digests.of([found[name] for name in targets])[:32]


@dataclass
class StageTrials:
    """Trials by the stages of dvc.yaml.

    Args:
        chain: runs them.
        values: of params.yaml; its sections are those of the search alone, and grow with it.
        clock: counts what they take.
    """

    chain: Chain
    values: dict[str, Any]
    clock: Clock = field(default_factory=Clock)
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        for section, empty in (("designs", {}), ("programs", {}), ("accelerators", {}), ("sensitivities", [])):
            self.values[section] = empty
        self.folder = self.chain.folder

    def prepare(self) -> tuple[int, int]:
        """Features; elements of a vector, and classes."""
        self._make("prepare")
        manifest = artifacts.read_json(self.folder / "data" / "features" / "manifest.json")
        return int(manifest["dimension"]), len(manifest["phones"])

    def dense(self) -> dict[str, float]:
        """Phone error rates of the dense networks on the dev split, percent, by name."""
        self._make(*(f"pretrain@{name}" for name in self.values["networks"]))
        return {name: self._dev_per("pretrain", name) for name in self.values["networks"]}

    def weights(self, network: str) -> int:
        """Stored words of a dense network."""
        return int(artifacts.read_json(self.folder / "metrics" / "pretrain" / f"{network}.json")["stored_weights"])

    def train(
        self, name: str, design: Design, hopeless: Hopeless, ahead: Mapping[str, Design] = MappingProxyType({})
    ) -> Trained:
        """Compress a network, unless that was done before; stopped when its curve is hopeless.

        Args:
            ahead: designs by name that are trained at its side, for later.
        """
        before = self.values["designs"]
        self.values["designs"] = before | {
            each: spec.model_dump(mode="json", exclude_defaults=True) | {"method": spec.method}
            for each, spec in {**ahead, name: design}.items()
        }
        found: list[float] = []

        def stop(curve: Curve) -> bool:
            bound = hopeless(curve)
            if bound is not None:
                found.append(bound)
            return bound is not None

        begun = time.monotonic()
        targets = [f"compress@{each}" for each in (name, *ahead)]
        try:
            done = self.chain.make(self.values, targets, stop)
            seconds = self.clock.trial(name, time.monotonic() - begun)
        finally:
            self.clock.keep()
        if not done:
            self.values["designs"] = before
            return Trained(found[-1], True, seconds)
        return Trained(self._dev_per("compress", name), False, seconds)

    def sensitivities(self, name: str) -> dict[tuple[int, str], float]:
        """Points of phone errors on the dev split that twice the block size costs, of each matrix of a design alone."""
        if name not in self.values["sensitivities"]:
            self.values["sensitivities"].append(name)
        self._make(f"sensitivity@{name}")
        record = artifacts.read_record(self.folder / "sensitivities" / f"{name}.json", SensitivityRecord)
        return {(row.layer, row.kind): row.dev_per - record.dev_per for row in record.rows}

    def quantize(self, programs: Mapping[str, ProgramSpec]) -> dict[str, float]:
        """Integer networks; their phone error rates on the dev split, percent."""
        self.values["programs"] |= {name: _written(spec) for name, spec in programs.items()}
        self._make(*(f"quantize@{name}" for name in programs))
        return {name: self._dev_per("quantize", name) for name in programs}

    def program_file(self, name: str) -> Path:
        """The file of an integer network."""
        return self.folder / "programs" / name

    def benchmark(self, accelerators: Mapping[str, AcceleratorSpec]) -> dict[str, BenchmarkRow]:
        """Accelerators, simulated and synthesized."""
        self.values["accelerators"] |= {name: _written(spec) for name, spec in accelerators.items()}
        self._make(*(f"benchmark@{name}" for name in accelerators))
        tables = {name: self.folder / "benchmarks" / f"{name}.json" for name in accelerators}
        return {name: artifacts.read_record(path, BenchmarkRecord).rows[0] for name, path in tables.items()}

    def publish(self) -> tracking.Receipt:
        """Report, and runs in MLflow, of all that the search has made; where they are."""
        self._make("publish")
        return artifacts.read_record(self.folder / "build" / "published.json", tracking.Receipt)

    def scores(self, place: str) -> Path:
        """Errors of every utterance of the test split: dense/NETWORK or integer/PROGRAM."""
        return self.folder / "scores" / f"{place}.json"

    def _make(self, *targets: str) -> None:
        try:
            self.chain.make(self.values, targets)
        finally:
            self.clock.keep()

    def _dev_per(self, stage: str, name: str) -> float:
        """The last row of a curve: the network as it is handed on."""
        path = self.folder / "curves" / stage / f"{name}.csv"
        try:
            with path.open(newline="", encoding="utf-8") as file:
                return float([*csv.DictReader(file)][-1]["dev_per"])
        except (FileNotFoundError, IndexError, KeyError, TypeError, ValueError):
            cure = f"remove {self.folder} and run the same command again; what was trained is kept"
            raise UserError(f"{path}: missing, or no curve of a training; {cure}") from None


def _written(spec: ProgramSpec | AcceleratorSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


def failed_with(code: int) -> int:
    """The exit code of a search of which a stage ended with one: 0 and 1 are answers of a search.

    >>> failed_with(1), failed_with(255), failed_with(2)
    (3, 3, 2)
    """
    return code if code == MISTAKE else FAILED


def curve_so_far(checkpoints: Path) -> list[dict[str, Any]]:
    """Rows of a training that is under way, from its checkpoints, one a phase."""
    rows: list[dict[str, Any]] = []
    for path in checkpoints.glob("*/*.safetensors"):
        try:
            with safe_open(path, framework="numpy") as file:
                rows += json.loads(file.metadata()["about"])["rows"]
        except (SafetensorError, OSError):  # it is just being replaced
            return []
    return sorted(rows, key=lambda row: int(row["epoch"]))
