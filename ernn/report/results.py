"""Finished results, read back from `metrics/`, `curves/` and `scores/`: what the report shows and MLflow gets."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ernn import artifacts
from ernn.errors import UserError
from ernn.params import (
    AcceleratorSpec,
    Bits,
    Compression,
    Corpus,
    Design,
    NetworkSpec,
    ProgramSpec,
    Quantization,
    Scoring,
    Training,
)
from ernn.params.methods import DENSE, METHODS
from ernn.records.benchmark import BenchmarkRecord, BenchmarkRow
from ernn.scoring.phone_errors import Score, paired_interval

SEED = 1  # of the bootstrap
GROUPS = tuple(Bits.model_fields)  # tensors that share a width
HARDWARE_STAGES = ("generate", "simulate", "benchmark")
Row = dict[str, float | str]


@dataclass(frozen=True)
class Result:
    """One trained network: a dense one (`method` is `dense`, `name` the network's) or a design, by its family."""

    name: str
    network: str
    method: str
    block_size: str  # as people write it: 8, or 8/4 where the matrices differ
    metrics: dict[str, float]
    curve: tuple[Row, ...]

    @property
    def dense(self) -> bool:
        """Whether this is a baseline."""
        return self.method == DENSE

    @property
    def effective_block_size(self) -> float:
        """The block size if it is one number for all matrices, else how many times fewer weights are stored."""
        alike = METHODS[self.method].blocks and not METHODS[self.method].of and "/" not in self.block_size
        return float(self.block_size) if alike else self.compression

    @property
    def compression(self) -> float:
        """Stored weights of the dense network over those of this one."""
        return self.metrics["compression"]


@dataclass(frozen=True)
class IntegerResult:
    """One integer network."""

    name: str
    spec: ProgramSpec
    method: str  # the family of its design
    network: str
    block_size: str
    metrics: dict[str, float]
    curve: tuple[Row, ...]  # what was measured on the dev split, in order; the last row is the network itself

    @property
    def widths(self) -> str:
        """Bits of weights / activations / accumulators / cell states, or one number for all."""
        bits = [f"{float(self.curve[-1][group]):.0f}" for group in GROUPS]
        return bits[0] if len(set(bits)) == 1 else "/".join(bits)

    @property
    def searched(self) -> list[Row]:
        """The steps of the search for widths."""
        return [row for row in self.curve if row["phase"] == "search"]


@dataclass(frozen=True)
class AcceleratorResult:
    """One accelerator: numbers of all stages, and its benchmark on every device, the one to quote first."""

    name: str
    accelerator: AcceleratorSpec
    integer: IntegerResult
    metrics: dict[str, float]
    table: tuple[BenchmarkRow, ...]


@dataclass(frozen=True)
class Settings:
    """The sections of `params.yaml` that results were made with."""

    corpus: Corpus
    training: Training
    compression: Compression
    scoring: Scoring
    quantization: Quantization
    networks: Mapping[str, NetworkSpec]
    designs: Mapping[str, Design]
    programs: Mapping[str, ProgramSpec]
    accelerators: Mapping[str, AcceleratorSpec]


@dataclass(frozen=True)
class Folders:
    """Where the stages before have left their results."""

    metrics: Path
    curves: Path
    scores: Path
    benchmarks: Path


@dataclass(frozen=True)
class Results:
    """Everything that was made with some settings, in the order of `params.yaml`.

    Args:
        networks: every dense network, then every design.
    """

    settings: Settings
    networks: tuple[Result, ...]
    integers: tuple[IntegerResult, ...]
    accelerators: tuple[AcceleratorResult, ...]


def load(settings: Settings, folders: Folders) -> Results:
    """Read all results.

    Raises:
        UserError: a result is missing or damaged.
    """
    networks = [_dense(name, folders) for name in settings.networks]
    networks += [_design(name, settings, folders) for name in settings.designs]
    integers = {name: _integer(name, settings, folders) for name in settings.programs}
    accelerators = [
        _accelerator(name, each, integers[each.program], folders) for name, each in settings.accelerators.items()
    ]
    return Results(settings, tuple(networks), tuple(integers.values()), tuple(accelerators))


def total_bits(row: Row) -> int:
    """Bits of all groups together."""
    return round(sum(float(row[group]) for group in GROUPS))


def model_file(result: Result, models: Path) -> Path:
    """Where the stage that made `result` has put its model."""
    return models / "dense" / result.name if result.dense else models / result.name


def read_curve(path: Path) -> tuple[Row, ...]:
    """One row an epoch; numbers as floats, empty cells left out.

    Raises:
        UserError: no such file, or a column that should hold numbers does not.
    """
    try:
        with path.open(newline="") as file:
            return tuple(
                {key: text if key == "phase" else float(text) for key, text in row.items() if text}
                for row in csv.DictReader(file)
            )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the stage that makes it (`dvc repro`)") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a training curve ({error}); delete it and run `dvc repro`") from None


def block_label(design: Design, layers: int) -> str:
    """Block sizes in the shortest form that tells them apart.

    >>> block_label(Design(network="lstm", block_size=8), layers=2)
    '8'
    >>> block_label(Design(network="lstm", block_size={"input": 16, "recurrent": 8}), layers=2)
    '16/8/1'
    >>> block_label(Design(network="lstm", block_size=4, density=0.5), layers=2)
    '4, 50 % kept'
    """
    kept = f", {100 * design.density:g} % kept" if isinstance(design.density, float) else ", some kept"
    kept *= design.sparse
    rows = [[sizes.input, sizes.recurrent, sizes.projection] for sizes in design.blocks(layers)]
    if len({size for row in rows for size in row}) == 1:
        return f"{rows[0][0]}{kept}"
    labels = ["/".join(str(size) for size in row) for row in rows]
    return (labels[0] if len(set(labels)) == 1 else ", ".join(labels)) + kept


def _dense(name: str, folders: Folders) -> Result:
    metrics = artifacts.read_json(folders.metrics / "pretrain" / f"{name}.json") | {"compression": 1.0}
    return Result(name, name, DENSE, "1", metrics, read_curve(folders.curves / "pretrain" / f"{name}.csv"))


def _design(name: str, settings: Settings, folders: Folders) -> Result:
    design, samples = settings.designs[name], settings.scoring.bootstrap_samples
    metrics = artifacts.read_json(folders.metrics / "compress" / f"{name}.json")
    ours, theirs = _scores(folders.scores / f"{name}.json", folders.scores / f"dense/{design.network}.json")
    low, high = paired_interval(ours.with_silences, theirs.with_silences, samples, SEED)
    metrics |= {"degradation": ours.per - theirs.per, "degradation_low": low, "degradation_high": high}
    curve = read_curve(folders.curves / "compress" / f"{name}.csv")
    return Result(name, design.network, design.family, _block_size(design, settings), metrics, curve)


def _integer(name: str, settings: Settings, folders: Folders) -> IntegerResult:
    spec = settings.programs[name]
    design = settings.designs[spec.design]
    metrics = artifacts.read_json(folders.metrics / "quantize" / f"{name}.json")
    curve = read_curve(folders.curves / "quantize" / f"{name}.csv")
    label = _block_size(design, settings)
    return IntegerResult(name, spec, design.family, design.network, label, metrics, curve)


def _block_size(design: Design, settings: Settings) -> str:
    return block_label(design, settings.networks[design.network].layers)


def _accelerator(
    name: str, accelerator: AcceleratorSpec, integer: IntegerResult, folders: Folders
) -> AcceleratorResult:
    merged: dict[str, float] = {}
    for stage in HARDWARE_STAGES:
        merged |= artifacts.read_json(folders.metrics / stage / f"{name}.json")
    table = artifacts.read_record(folders.benchmarks / f"{name}.json", BenchmarkRecord).rows
    return AcceleratorResult(name, accelerator, integer, merged, table)


def _scores(*paths: Path) -> list[Score]:
    """Scores that are compared.

    Raises:
        UserError: no such file, no score in it, or scores of different utterances.
    """
    values = [artifacts.read_json(path) for path in paths]
    found = [_score(path, value) for path, value in zip(paths, values, strict=True)]
    for path, value in zip(paths, values, strict=True):
        if value.get("utterances") != values[0].get("utterances"):
            raise UserError(f"{path}: a score of other utterances than {paths[0]}; run the stages again (`dvc repro`)")
    return found


def _score(path: Path, value: object) -> Score:
    try:
        return Score.from_json(value)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
