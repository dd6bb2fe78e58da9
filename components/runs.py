"""What MLflow shows of each result: one flat run for each network, integer network and accelerator."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components import tracking
from ernn.artifacts import scratch
from ernn.hw.design import ACCELERATOR
from ernn.params import Features, Hardware, Section
from ernn.params.methods import METHODS

if TYPE_CHECKING:
    from ernn.report.results import AcceleratorResult, IntegerResult, Result, Results


@dataclass(frozen=True)
class Sweep:
    """Results that are published together, and the folders of their files.

    Args:
        features, hardware: sections of `params.yaml` that a run shows and no page of the report.
    """

    results: "Results"
    features: Features
    hardware: Hardware
    models: Path
    programs: Path
    projects: Path
    report: Path

    @property
    def name(self) -> str:
        """That of the corpus, with a digest of what all runs share."""
        return f"{self.results.settings.corpus.kind}-{digest(flat(self.common))[:8]}"

    @property
    def common(self) -> dict[str, Section]:
        """Sections that all runs share."""
        settings = self.results.settings
        shared = {"corpus": settings.corpus, "features": self.features, "training": settings.training}
        return shared | {"scoring": settings.scoring}

    @property
    def of_integers(self) -> dict[str, Section]:
        """Sections that all integer networks share."""
        return self.common | {"quantization": self.results.settings.quantization}


def everything(sweep: Sweep) -> Iterator[tracking.Run]:
    """The runs one after the other, each with a folder of its files that lasts until the next is asked for."""
    for each in sweep.results.networks:
        with scratch.folder("publish-") as folder:
            yield _network(each, sweep, folder)
    for integer in sweep.results.integers:
        with scratch.folder("publish-") as folder:
            yield _integer(integer, sweep, folder)
    for accelerator in sweep.results.accelerators:
        with scratch.folder("publish-") as folder:
            yield _accelerator(accelerator, sweep, folder)


def _network(result: "Result", sweep: Sweep, folder: Path) -> tracking.Run:
    from ernn import artifacts
    from ernn.report import results

    settings, model = sweep.results.settings, results.model_file(result, sweep.models)
    sections = sweep.common | {"compression": settings.compression, "network": settings.networks[result.network]}
    parameters = flat(sections if result.dense else sections | {"design": settings.designs[result.name]})
    identity = {"parameters": parameters, "metrics": result.metrics, "curve": result.curve}
    shutil.copyfile(model, folder / "model.safetensors")
    shutil.copyfile(sweep.report / f"training-{result.name}.png", folder / "training.png")
    for figure in ("per.png", "degradation.png"):
        shutil.copyfile(sweep.report / figure, folder / figure)
    artifacts.write_json(folder / "metrics.json", result.metrics)
    return tracking.Run(
        name=result.name,
        fingerprint=digest(identity | {"name": result.name, "model": artifacts.sha256(model)}),
        tags={"sweep": sweep.name, "network": result.network, "method": result.method},
        parameters=_axes(result) | parameters,
        metrics={"per": result.metrics["per"]} | result.metrics,  # the first one is drawn
        curve=[_point(row) for row in result.curve],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
    )


def _integer(result: "IntegerResult", sweep: Sweep, folder: Path) -> tracking.Run:
    """The curve has the dev PER over the bits of all tensor groups together."""
    from ernn import artifacts
    from ernn.report import results

    parameters = flat(sweep.of_integers | {"program": result.spec})
    identity = {"parameters": parameters, "metrics": result.metrics, "curve": result.curve}
    program = folder / "program.safetensors"
    shutil.copyfile(sweep.programs / result.name, program)
    shutil.copyfile(sweep.report / "integer.png", folder / "integer.png")
    artifacts.write_json(folder / "metrics.json", result.metrics)
    content = artifacts.sha256(program)
    axes: tracking.Parameters = {"block_size": _blocks(result), "method": result.method, "bits": result.widths}
    return tracking.Run(
        name=f"{result.name} (integer)",
        fingerprint=digest(identity | {"name": result.name, "program": content}),
        tags={"sweep": sweep.name, "network": result.network, "method": result.method, "kind": "integer"},
        parameters=axes | parameters,
        metrics={"per": result.metrics["per_integer"]} | result.metrics,
        curve=[(results.total_bits(row), {"dev_per": float(row["dev_per"])}) for row in result.curve],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
    )


def _accelerator(result: "AcceleratorResult", sweep: Sweep, folder: Path) -> tracking.Run:
    """Numbers of all stages from the sources to the benchmark on its first device."""
    from ernn import artifacts
    from ernn.records.benchmark import BenchmarkRecord

    row, integer, sizes = result.table[0], result.integer, result.accelerator.array
    parameters = flat(sweep.of_integers | {"hardware": sweep.hardware, "accelerator": result.accelerator})
    table = [asdict(each) for each in result.table]
    identity = {"parameters": parameters, "metrics": result.metrics, "table": table}
    axes: tracking.Parameters = {"block_size": _blocks(integer), "bits": integer.widths}
    axes |= {"array": f"{sizes.lanes}x{sizes.columns}", "method": integer.method, "program": integer.name}
    axes |= {"device": row.device, "clock_kind": row.clock_kind, "energy_kind": row.energy.kind}
    for file in (ACCELERATOR, "digest.txt", "registers.md"):
        shutil.copyfile(sweep.projects / result.name / file, folder / file)
    for figure in ("front.png", "resources.png", "energy.png"):
        shutil.copyfile(sweep.report / figure, folder / figure)
    artifacts.write_record(folder / "benchmark.json", BenchmarkRecord(result.table))
    project = (folder / "digest.txt").read_text()
    return tracking.Run(
        name=f"{result.name} (accelerator)",
        fingerprint=digest(identity | {"name": result.name, "project": project}),
        tags={"sweep": sweep.name, "network": integer.network, "method": integer.method, "kind": "accelerator"},
        parameters=axes | parameters,
        metrics={"latency_us": row.speed.latency_us, "per": integer.metrics["per_integer"]} | result.metrics,
        curve=[],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
    )


def _blocks(integer: "IntegerResult") -> str:
    """Block size; 1 for matrices without blocks."""
    return integer.block_size if METHODS[integer.method].blocks else "1"


def _axes(result: "Result") -> tracking.Parameters:
    """What MLflow's comparison draws first: it takes the first three parameters, by name, that differ."""
    block_size = result.effective_block_size if METHODS[result.method].blocks else 1.0
    return {"block_size": f"{block_size:g}", "method": result.method, "network": result.network}


def _point(row: Mapping[str, float | str]) -> tuple[int, dict[str, float]]:
    values = {key: float(value) for key, value in row.items() if key not in ("epoch", "phase")}
    return int(float(row["epoch"])), values


def _table(metrics: Mapping[str, float]) -> tracking.Table:
    """The metrics with what they mean."""
    from ernn.report.metrics import METRICS

    known = {name: METRICS[name] for name in metrics}
    return {
        "metric": list(known),
        "value": list(metrics.values()),
        "unit": [metric.unit for metric in known.values()],
        "better": [metric.direction for metric in known.values()],
        "meaning": [metric.text for metric in known.values()],
    }


def flat(sections: Mapping[str, Section]) -> tracking.Parameters:
    """Every parameter by its full name, `settings.section.key`; structures inside a section as JSON."""
    return {
        f"settings.{name}.{key}": json.dumps(value) if isinstance(value, dict | list) else value
        for name, section in sections.items()
        for key, value in section.model_dump(mode="json").items()
    }


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
