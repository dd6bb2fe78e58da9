"""Trials of a design search by DVC: its designs are entries of a working copy, and the ordinary stages make them."""

import csv
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ernn import artifacts
from ernn.errors import UserError
from ernn.explore.trials import Hopeless, Trained
from ernn.params import AcceleratorSpec, Design, ProgramSpec
from ernn.records.benchmark import BenchmarkRecord, BenchmarkRow
from ernn.records.sensitivity import SensitivityRecord
from workflow import local, presets

_CHECKPOINTS = "ERNN_CHECKPOINTS"


class Failed(UserError):
    """A stage failed; it has said why."""

    def __init__(self, code: int) -> None:
        super().__init__("a stage failed, see above; what is finished is kept, the same command goes on")
        self.code = code


@dataclass
class LocalTrials:
    """Stages on this machine, in the working copy runs/NAME of a checkout.

    Args:
        root: of the checkout.
        name: of the search.
        values: of params.yaml; its sections are those of the search alone, and grow with it.
        jobs: stages side by side.
    """

    root: Path
    name: str
    values: dict[str, Any]
    jobs: int
    folder: Path = field(init=False)

    def __post_init__(self) -> None:
        for section, empty in (("designs", {}), ("programs", {}), ("accelerators", {}), ("sensitivities", [])):
            self.values[section] = empty
        self.folder = presets.working_copy(self.root, self.name, self.values)

    def prepare(self) -> tuple[int, int]:
        """Features; elements of a vector, and classes."""
        self._repro("prepare")
        manifest = artifacts.read_json(self.folder / "data" / "features" / "manifest.json")
        return int(manifest["dimension"]), len(manifest["phones"])

    def dense(self) -> dict[str, float]:
        """Phone error rates of the dense networks on the dev split, percent, by name."""
        self._repro(*(f"pretrain@{name}" for name in self.values["networks"]))
        return {name: self._dev_per("pretrain", name) for name in self.values["networks"]}

    def weights(self, network: str) -> int:
        """Stored words of a dense network."""
        return int(artifacts.read_json(self.folder / "metrics" / "pretrain" / f"{network}.json")["stored_weights"])

    def train(self, name: str, design: Design, hopeless: Hopeless) -> Trained:
        """Compress a network, unless that was done before; stopped when its curve is hopeless."""
        self.values["designs"][name] = design.model_dump(mode="json", exclude_defaults=True) | {"method": design.method}
        begun, kept = time.monotonic(), self.folder / ".cache" / "search" / name
        before = os.environ.get(_CHECKPOINTS)
        os.environ[_CHECKPOINTS] = str(kept)
        try:
            found: list[float] = []

            def stop() -> bool:
                bound = hopeless(curve_so_far(kept))
                if bound is not None:
                    found.append(bound)
                return bound is not None

            code = self._code([f"compress@{name}"], stop)
        finally:
            if before is None:
                del os.environ[_CHECKPOINTS]
            else:
                os.environ[_CHECKPOINTS] = before
        seconds = time.monotonic() - begun
        if code == local.STOPPED:
            del self.values["designs"][name]
            return Trained(found[-1], True, seconds)
        if code:
            raise Failed(code)
        return Trained(self._dev_per("compress", name), False, seconds)

    def sensitivities(self, name: str) -> dict[tuple[int, str], float]:
        """Points of phone errors on the dev split that twice the block size costs, of each matrix of a design alone."""
        if name not in self.values["sensitivities"]:
            self.values["sensitivities"].append(name)
        self._repro(f"sensitivity@{name}")
        record = artifacts.read_record(self.folder / "sensitivities" / f"{name}.json", SensitivityRecord)
        return {(row.layer, row.kind): row.dev_per - record.dev_per for row in record.rows}

    def quantize(self, programs: Mapping[str, ProgramSpec]) -> dict[str, float]:
        """Integer networks; their phone error rates on the dev split, percent."""
        self.values["programs"] |= {name: _written(spec) for name, spec in programs.items()}
        self._repro(*(f"quantize@{name}" for name in programs))
        return {name: self._dev_per("quantize", name) for name in programs}

    def program_file(self, name: str) -> Path:
        """The file of an integer network."""
        return self.folder / "programs" / name

    def benchmark(self, accelerators: Mapping[str, AcceleratorSpec]) -> dict[str, BenchmarkRow]:
        """Accelerators, simulated and synthesized."""
        self.values["accelerators"] |= {name: _written(spec) for name, spec in accelerators.items()}
        self._repro(*(f"benchmark@{name}" for name in accelerators))
        tables = {name: self.folder / "benchmarks" / f"{name}.json" for name in accelerators}
        return {name: artifacts.read_record(path, BenchmarkRecord).rows[0] for name, path in tables.items()}

    def publish(self) -> None:
        """Report and runs in MLflow of all that the search has made."""
        self._repro("publish")

    def scores(self, place: str) -> Path:
        """Errors of every utterance of the test split: dense/NETWORK or integer/PROGRAM."""
        return self.folder / "scores" / f"{place}.json"

    def _repro(self, *targets: str) -> None:
        if code := self._code(targets):
            raise Failed(code)

    def _code(self, targets: Sequence[str], stop: Callable[[], bool] = local.never) -> int:
        presets.working_copy(self.root, self.name, self.values)
        cores = len(os.sched_getaffinity(0))
        return local.repro(self.folder, self.jobs, max(1, cores // self.jobs), list(targets), stop)

    def _dev_per(self, stage: str, name: str) -> float:
        """The last row of a curve: the network as it is handed on."""
        with (self.folder / "curves" / stage / f"{name}.csv").open(newline="") as file:
            return float([*csv.DictReader(file)][-1]["dev_per"])


def _written(spec: ProgramSpec | AcceleratorSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_defaults=True)


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
