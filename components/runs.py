"""What MLflow shows of each result: one flat run for each network, integer network and accelerator."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import tracking
from ernn.params import Section
from ernn.params.methods import METHODS

if TYPE_CHECKING:
    from ernn.report.results import AcceleratorResult, IntegerResult, Result


def networks(
    found: Sequence["Result"], parameters: Mapping[str, dict[str, Any]], sweep: str, models: Path, report: Path
) -> Iterator[tracking.Run]:
    """The runs one after the other, each with a folder of its files that lasts until the next is asked for."""
    from ernn import artifacts
    from ernn.report import results

    for each in found:
        model = results.model_file(each, models)
        identity = {"parameters": parameters[each.name], "metrics": each.metrics, "curve": each.curve}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copyfile(model, folder / "model.safetensors")
            shutil.copyfile(report / f"training-{each.name}.png", folder / "training.png")
            for figure in ("per.png", "degradation.png"):
                shutil.copyfile(report / figure, folder / figure)
            artifacts.write_json(folder / "metrics.json", each.metrics)
            yield tracking.Run(
                name=each.name,
                fingerprint=digest(identity | {"name": each.name, "model": artifacts.sha256(model)}),
                tags={"sweep": sweep, "network": each.network, "method": each.method},
                parameters=_axes(each) | parameters[each.name],
                metrics={"per": each.metrics["per"]} | each.metrics,  # the first one is drawn
                curve=[_point(row) for row in each.curve],
                tables={"results.json": _table(each.metrics)},
                folder=folder,
            )


def integers(
    found: Sequence["IntegerResult"], settings: dict[str, Any], sweep: str, programs: Path, report: Path
) -> Iterator[tracking.Run]:
    """As `networks`, of integer networks; a curve has the dev PER over the bits of all tensor groups together."""
    from ernn import artifacts
    from ernn.report import results

    for each in found:
        parameters = settings | flat({"program": each.integer})
        identity = {"parameters": parameters, "metrics": each.metrics, "curve": each.curve}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            program = folder / "program.safetensors"
            shutil.copyfile(programs / each.name, program)
            shutil.copyfile(report / "integer.png", folder / "integer.png")
            artifacts.write_json(folder / "metrics.json", each.metrics)
            block_size = each.block_size if METHODS[each.method].blocks else "1"
            yield tracking.Run(
                name=f"{each.name} (integer)",
                fingerprint=digest(identity | {"name": each.name, "program": artifacts.sha256(program)}),
                tags={"sweep": sweep, "network": each.network, "method": each.method, "kind": "integer"},
                parameters={"block_size": block_size, "method": each.method, "bits": each.widths} | parameters,
                metrics={"per": each.metrics["per_integer"]} | each.metrics,
                curve=[(results.total_bits(row), {"dev_per": float(row["dev_per"])}) for row in each.curve],
                tables={"results.json": _table(each.metrics)},
                folder=folder,
            )


def accelerators(
    found: Sequence["AcceleratorResult"], settings: dict[str, Any], sweep: str, projects: Path, report: Path
) -> Iterator[tracking.Run]:
    """As `networks`, of accelerators: numbers of all stages from the sources to the benchmark on its first device."""
    from ernn import artifacts

    for each in found:
        row, integer = each.table[0], each.integer
        sizes = each.accelerator.array
        parameters = settings | flat({"accelerator": each.accelerator})
        identity = {"parameters": parameters, "metrics": each.metrics, "table": each.table}
        block_size = integer.block_size if METHODS[integer.method].blocks else "1"
        axes = {"block_size": block_size, "bits": integer.widths, "array": f"{sizes.lanes}x{sizes.columns}"}
        kinds = {"device": row["device"], "clock_kind": row["clock_kind"], "energy_kind": row["energy_kind"]}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file in ("design.json", "digest.txt", "registers.md"):
                shutil.copyfile(projects / each.name / file, folder / file)
            for figure in ("per-latency.png", "resources.png", "energy.png"):
                shutil.copyfile(report / figure, folder / figure)
            artifacts.write_json(folder / "benchmark.json", {"rows": each.table})
            project = (folder / "digest.txt").read_text()
            yield tracking.Run(
                name=f"{each.name} (accelerator)",
                fingerprint=digest(identity | {"name": each.name, "project": project}),
                tags={"sweep": sweep, "network": integer.network, "method": integer.method, "kind": "accelerator"},
                parameters=axes | {"method": integer.method, "program": integer.name} | kinds | parameters,
                metrics={"latency_us": row["latency_us"], "per": integer.metrics["per_integer"]} | each.metrics,
                curve=[],
                tables={"results.json": _table(each.metrics)},
                folder=folder,
            )


def _axes(result: "Result") -> dict[str, str | float]:
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


def flat(sections: Mapping[str, Section]) -> dict[str, Any]:
    """Every parameter by its full name, `settings.section.key`; structures inside a section as JSON."""
    return {
        f"settings.{name}.{key}": json.dumps(value) if isinstance(value, dict | list) else value
        for name, section in sections.items()
        for key, value in section.model_dump(mode="json").items()
    }


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
