"""Finished results to MLflow: one flat run a network, written once however often this runs."""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import tracking
from components.stage import main
from ernn.params import Compression, Corpus, Design, Features, Network, Scoring, Section, Training

if TYPE_CHECKING:
    from ernn.results import Result

log = logging.getLogger(__name__)

EXPERIMENT = "ernn"


def publish(
    *,
    corpus: Corpus,
    features: Features,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    networks: dict[str, Network],
    designs: dict[str, Design],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    models: Path,
    report: Path,
    receipt: Path,
) -> None:
    """Write one MLflow run for each network, and a receipt that says where they are or why not."""
    from ernn import artifacts, results

    found = results.load(networks, designs, results.Folders(metrics_folder, curves, scores), scoring)
    common = {"corpus": corpus, "features": features, "training": training, "scoring": scoring}
    sweep = f"{corpus.kind}-{_digest(_flat(common))[:8]}"
    parameters = {
        each.name: _flat(common | {"compression": compression, "network": networks[each.network]})
        | (_flat({"design": designs[each.name]}) if not each.dense else {})
        for each in found
    }
    note: dict[str, Any] = {"experiment": EXPERIMENT, "sweep": sweep, "published": True, "problem": ""}
    try:
        done = tracking.publish(EXPERIMENT, _runs(found, parameters, sweep, models, report))
        note |= {"experiment_id": done.experiment_id, "runs": done.runs}
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
                tables={"results.json": _table(each)},
                folder=folder,
            )


def _axes(result: "Result") -> dict[str, str | float]:
    """What MLflow's comparison draws first: it takes the first three parameters, by name, that differ."""
    block_size = 1.0 if result.method == "prune" else result.effective_block_size
    return {"block_size": f"{block_size:g}", "method": result.method, "network": result.network}


def _point(row: Mapping[str, float | str]) -> tuple[int, dict[str, float]]:
    values = {key: float(value) for key, value in row.items() if key not in ("epoch", "phase")}
    return int(float(row["epoch"])), values


def _table(result: "Result") -> tracking.Table:
    """The metrics with what they mean."""
    from ernn.reporting import METRICS

    known = {name: METRICS[name] for name in result.metrics}
    return {
        "metric": list(known),
        "value": list(result.metrics.values()),
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
