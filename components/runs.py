"""What MLflow shows of each result: one flat run for each network, integer network and accelerator."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import safe_open

from components import registered, stories, tracking
from ernn.artifacts import scratch
from ernn.hw.design import ACCELERATOR
from ernn.params import Features, Hardware, Section
from ernn.params.methods import METHODS
from ernn.records import times

if TYPE_CHECKING:
    from ernn.report.results import AcceleratorResult, IntegerResult, Result, Results


@dataclass(frozen=True)
class Sweep:
    """Results that are published together, and the folders of their files.

    Args:
        features, hardware: sections of `params.yaml` that a run shows and no page of the report.
        speech: metrics of the stage `prepare`.
    """

    results: "Results"
    features: Features
    hardware: Hardware
    curves: Path
    models: Path
    programs: Path
    projects: Path
    report: Path
    speech: Mapping[str, float] = field(default_factory=dict)

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
    def data(self) -> list[registered.Data]:
        """The splits of the corpus."""
        corpus = self.results.settings.corpus
        source = {"corpus": corpus.model_dump(mode="json"), "features": self.features.model_dump(mode="json")}
        return [
            registered.Data(
                name=f"{corpus.kind} speech, {split}",
                digest=digest([source, split])[:8],
                source=json.dumps(source, sort_keys=True),
                profile=json.dumps({key: value for key, value in self.speech.items() if key.startswith(split)}),
                use=use,
            )
            for split, use in _SPLITS.items()
        ]

    @property
    def of_integers(self) -> dict[str, Section]:
        """Sections that all integer networks share."""
        return self.common | {"quantization": self.results.settings.quantization}


_SPLITS = {"train": "training", "dev": "validation", "test": "testing"}
_FORM = 2  # of what a run shows: runs of another form are written again
_UNITS = {"%": "percent", "points": "points", "nats": "nats"}  # that names of metrics have not yet
_CURVES = {"dev_per": "dev_per_percent", "dev_loss": "dev_loss_nats", "train_loss": "train_loss_nats"}
_COMMON = ("corpus", "features", "training", "scoring", "compression", "quantization", "hardware")
_SHOWN = {  # keys of common sections that runs are told apart by; all others are in settings.json
    "corpus": {"kind"},
    "training": {"criterion", "epochs", "learning_rate", "seed"},
}


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
    with scratch.folder("publish-") as folder:
        yield _report(sweep, folder)


def _network(result: "Result", sweep: Sweep, folder: Path) -> tracking.Run:
    from ernn import artifacts
    from ernn.report import results

    settings, model = sweep.results.settings, results.model_file(result, sweep.models)
    sections = sweep.common | {"compression": settings.compression, "network": settings.networks[result.network]}
    sections |= {} if result.dense else {"design": settings.designs[result.name]}
    identity = {"parameters": _kept(sections, folder), "metrics": result.metrics, "curve": result.curve}
    shutil.copyfile(model, folder / "model.safetensors")
    shutil.copyfile(sweep.report / f"training-{result.name}.png", folder / "training.png")
    for figure in ("per.png", "degradation.png"):
        shutil.copyfile(sweep.report / figure, folder / figure)
    artifacts.write_json(folder / "metrics.json", result.metrics)
    stage = "pretrain" if result.dense else "compress"
    return tracking.Run(
        name=result.name,
        fingerprint=digest(identity | {"name": result.name, "model": artifacts.sha256(model)}),
        tags={"sweep": sweep.name, "network": result.network, "method": result.method, "kind": "network"},
        parameters=_axes(result) | flat(sections, _SHOWN),
        metrics=named(result.metrics),
        curve=[_point(row) for row in result.curve],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
        description=stories.of_network(result),
        data=sweep.data,
        model=registered.Served(result.name, *_sizes(model), "model.safetensors"),
        times=times.read(sweep.curves / stage / f"{result.name}.csv"),
    )


def _sizes(model: Path) -> tuple[int, int]:
    """Elements of a feature vector, and classes, of a model file."""
    with safe_open(model, framework="numpy") as file:
        header = json.loads(file.metadata()["ernn"])
    return int(header["dimension"]), len(header["phones"]) + (header["criterion"] == "ctc")


def _integer(result: "IntegerResult", sweep: Sweep, folder: Path) -> tracking.Run:
    """The curve has the dev PER over the bits of all tensor groups together."""
    from ernn import artifacts
    from ernn.report import results

    sections = sweep.of_integers | {"program": result.spec}
    identity = {"parameters": _kept(sections, folder), "metrics": result.metrics, "curve": result.curve}
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
        parameters=axes | flat(sections, _SHOWN),
        metrics=named(result.metrics),
        curve=[(results.total_bits(row), {"dev_per_percent": float(row["dev_per"])}) for row in result.curve],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
        description=stories.of_integer(result),
        data=sweep.data,
    )


def _accelerator(result: "AcceleratorResult", sweep: Sweep, folder: Path) -> tracking.Run:
    """Numbers of all stages from the sources to the benchmark on its first device."""
    from ernn import artifacts
    from ernn.records.benchmark import BenchmarkRecord

    row, integer, sizes = result.table[0], result.integer, result.accelerator.array
    sections = sweep.of_integers | {"hardware": sweep.hardware, "accelerator": result.accelerator}
    table = [asdict(each) for each in result.table]
    identity = {"parameters": _kept(sections, folder), "metrics": result.metrics, "table": table}
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
        parameters=axes | flat(sections, _SHOWN),
        metrics=named(result.metrics | {"per_integer": integer.metrics["per_integer"]}, "latency_us"),
        curve=[],
        tables={"results.json": _table(result.metrics)},
        folder=folder,
        description=stories.of_accelerator(result),
    )


def _report(sweep: Sweep, folder: Path) -> tracking.Run:
    """The report with all of its pictures, as files."""
    from ernn import artifacts

    content = {}
    for file in sorted(each for each in sweep.report.iterdir() if each.is_file()):
        shutil.copyfile(file, folder / file.name)
        content[file.name] = artifacts.sha256(file)
    return tracking.Run(
        name="report",
        fingerprint=digest({"name": "report", "files": content}),
        tags={"sweep": sweep.name, "kind": "report"},
        parameters=flat(sweep.common, _SHOWN),
        metrics={},
        curve=[],
        tables={},
        folder=folder,
        description="The report of the sweep: report.html, under Artifacts, shows every design side by side.",
        data=sweep.data,
    )


def named(metrics: Mapping[str, float], first: str = "per_percent") -> dict[str, float]:
    """Metrics as MLflow shows them: with their units, and the PER of whatever the run is of under one name.

    Args:
        first: the one that comparisons draw.

    >>> named({"latency_us": 2.5, "per_integer": 21.5, "integer_loss": 0.1})
    {'per_percent': 21.5, 'latency_us': 2.5, 'integer_loss_points': 0.1}
    """
    from ernn.report.metrics import METRICS

    found = {}
    for name, value in metrics.items():
        unit = _UNITS.get(METRICS[name].unit, "")
        short = name.replace("per_integer", "per")
        found[short if not unit or short.endswith(unit) else f"{short}_{unit}"] = value
    return {name: found[name] for name in sorted(found, key=lambda name: name != first)}


def _kept(sections: Mapping[str, Section], folder: Path) -> tracking.Parameters:
    """All parameters, in a file of the run; they and the form of a run decide which it is."""
    from ernn import artifacts

    artifacts.write_json(
        folder / "settings.json", {key: each.model_dump(mode="json") for key, each in sections.items()}
    )
    return flat(sections) | {"form": _FORM}


def _blocks(integer: "IntegerResult") -> str:
    """Block size; 1 for matrices without blocks."""
    return integer.block_size if METHODS[integer.method].blocks else "1"


def _axes(result: "Result") -> tracking.Parameters:
    """What MLflow's comparison draws first: it takes the first three parameters, by name, that differ."""
    block_size = result.effective_block_size if METHODS[result.method].blocks else 1.0
    return {"block_size": f"{block_size:g}", "method": result.method, "network": result.network}


def _point(row: Mapping[str, float | str]) -> tuple[int, dict[str, float]]:
    values = {_CURVES.get(key, key): float(value) for key, value in row.items() if key not in ("epoch", "phase")}
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


def flat(sections: Mapping[str, Section], shown: Mapping[str, set[str]] | None = None) -> tracking.Parameters:
    """Parameters by their full names, `settings.section.key`; structures inside a section as JSON.

    Args:
        shown: only these keys of these common sections, and of others what differs from its default.
    """
    found: tracking.Parameters = {}
    for name, section in sections.items():
        values = section.model_dump(mode="json")
        if shown is not None:
            given = shown.get(name, set() if name in _COMMON else section.model_fields_set)
            values = {key: values[key] for key in values if key in given}
        for key, value in values.items():
            found[f"settings.{name}.{key}"] = json.dumps(value) if isinstance(value, dict | list) else value
    return found


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
