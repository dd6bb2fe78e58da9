"""Finished results to MLflow: one flat run a network, written once however often this runs."""

import hashlib
import itertools
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import tracking
from components.stage import main
from ernn.params import (
    Compression,
    Corpus,
    Design,
    Features,
    Integer,
    Network,
    Quantization,
    Scoring,
    Section,
    Training,
)

if TYPE_CHECKING:
    from ernn.results import IntegerResult, Result

log = logging.getLogger(__name__)

EXPERIMENT = "ernn"


def publish(
    *,
    corpus: Corpus,
    features: Features,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    quantization: Quantization,
    networks: dict[str, Network],
    designs: dict[str, Design],
    programs: dict[str, Integer],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    models: Path,
    programs_folder: Path,
    report: Path,
    receipt: Path,
) -> None:
    """Write one MLflow run for each network, float or integer, and a receipt that says where they are or why not."""
    from ernn import artifacts, results

    folders = results.Folders(metrics_folder, curves, scores)
    found = results.load(networks, designs, folders, scoring)
    integers = results.load_integers(programs, designs, networks, folders)
    common = {"corpus": corpus, "features": features, "training": training, "scoring": scoring}
    sweep = f"{corpus.kind}-{_digest(_flat(common))[:8]}"
    parameters = {
        each.name: _flat(common | {"compression": compression, "network": networks[each.network]})
        | (_flat({"design": designs[each.name]}) if not each.dense else {})
        for each in found
    }
    settings = _flat(common | {"quantization": quantization})
    runs = itertools.chain(
        _runs(found, parameters, sweep, models, report),
        _integer_runs(integers, settings, sweep, programs_folder, report),
    )
    note: dict[str, Any] = {"experiment": EXPERIMENT, "sweep": sweep, "published": True, "problem": ""}
    try:
        done = tracking.publish(EXPERIMENT, runs)
        compared = {each.name: done.runs[each.name] for each in found}  # block sizes are compared among floats
        others = {name: run for name, run in done.runs.items() if name not in compared}
        note |= {"experiment_id": done.experiment_id, "runs": compared, "integer_runs": others}
        log.info("published %d runs to %s", len(done.runs), tracking.uri())
    except tracking.Unreachable as error:
        note |= {"published": False, "problem": str(error)}
        log.warning("not published to %s (%s); `make publish` tries again", tracking.uri(), error)
    artifacts.write_json(receipt, note)


def _runs(
    found: Sequence["Result"], parameters: Mapping[str, dict[str, Any]], sweep: str, models: Path, report: Path
) -> Iterator[tracking.Run]:
    """The runs one after the other, each with a folder of its files that lasts until the next is asked for."""
    from ernn import artifacts, results

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
                fingerprint=_digest(identity | {"name": each.name, "model": artifacts.sha256(model)}),
                tags={"sweep": sweep, "network": each.network, "method": each.method},
                parameters=_axes(each) | parameters[each.name],
                metrics={"per": each.metrics["per"]} | each.metrics,  # the first one is drawn
                curve=[_point(row) for row in each.curve],
                tables={"results.json": _table(each.metrics)},
                folder=folder,
            )


def _integer_runs(
    found: Sequence["IntegerResult"], settings: dict[str, Any], sweep: str, programs: Path, report: Path
) -> Iterator[tracking.Run]:
    """As `_runs`, of integer networks; a curve has the dev PER over the bits of all tensor groups together."""
    from ernn import artifacts, results

    for each in found:
        parameters = settings | _flat({"program": each.integer})
        identity = {"parameters": parameters, "metrics": each.metrics, "curve": each.curve}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(programs / each.name, folder / "program")
            shutil.copyfile(report / "integer.png", folder / "integer.png")
            artifacts.write_json(folder / "metrics.json", each.metrics)
            digest = artifacts.sha256(folder / "program" / "program.json")
            block_size = "1" if each.method == "prune" else each.block_size
            yield tracking.Run(
                name=f"{each.name} (integer)",
                fingerprint=_digest(identity | {"name": each.name, "program": digest}),
                tags={"sweep": sweep, "network": each.network, "method": each.method, "kind": "integer"},
                parameters={"block_size": block_size, "method": each.method, "bits": each.widths} | parameters,
                metrics={"per": each.metrics["per_integer"]} | each.metrics,
                curve=[(results.total_bits(row), {"dev_per": float(row["dev_per"])}) for row in each.curve],
                tables={"results.json": _table(each.metrics)},
                folder=folder,
            )


def _axes(result: "Result") -> dict[str, str | float]:
    """What MLflow's comparison draws first: it takes the first three parameters, by name, that differ."""
    block_size = 1.0 if result.method == "prune" else result.effective_block_size
    return {"block_size": f"{block_size:g}", "method": result.method, "network": result.network}


def _point(row: Mapping[str, float | str]) -> tuple[int, dict[str, float]]:
    values = {key: float(value) for key, value in row.items() if key not in ("epoch", "phase")}
    return int(float(row["epoch"])), values


def _table(metrics: Mapping[str, float]) -> tracking.Table:
    """The metrics with what they mean."""
    from ernn.reporting import METRICS

    known = {name: METRICS[name] for name in metrics}
    return {
        "metric": list(known),
        "value": list(metrics.values()),
        "unit": [metric.unit for metric in known.values()],
        "better": [metric.direction for metric in known.values()],
        "meaning": [metric.text for metric in known.values()],
    }


def _flat(sections: Mapping[str, Section]) -> dict[str, Any]:
    """Every parameter by its full name, `settings.section.key`; structures inside a section as JSON."""
    return {
        f"settings.{name}.{key}": json.dumps(value) if isinstance(value, dict | list) else value
        for name, section in sections.items()
        for key, value in section.model_dump(mode="json").items()
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    main(publish)
