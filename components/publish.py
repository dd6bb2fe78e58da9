"""Finished results to MLflow: one flat run a network, written once however often this runs."""

import itertools
import logging
from pathlib import Path
from typing import Any

from components import runs, tracking
from components.stage import main
from ernn.params import (
    Accelerator,
    Compression,
    Corpus,
    Design,
    Features,
    Hardware,
    Integer,
    Network,
    Quantization,
    Scoring,
    Training,
)

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
    hardware: Hardware,
    accelerators: dict[str, Accelerator],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    models: Path,
    programs_folder: Path,
    hardware_folder: Path,
    benchmarks: Path,
    report: Path,
    receipt: Path,
) -> None:
    """Write one MLflow run a network, integer network and accelerator, and a receipt: where they are, or why not."""
    from ernn import artifacts
    from ernn.report import results

    folders = results.Folders(metrics_folder, curves, scores)
    found = results.load(networks, designs, folders, scoring)
    integers = results.load_integers(programs, designs, networks, folders)
    built = results.load_accelerators(accelerators, integers, metrics_folder, benchmarks)
    common = {"corpus": corpus, "features": features, "training": training, "scoring": scoring}
    sweep = f"{corpus.kind}-{runs.digest(runs.flat(common))[:8]}"
    parameters = {
        each.name: runs.flat(common | {"compression": compression, "network": networks[each.network]})
        | (runs.flat({"design": designs[each.name]}) if not each.dense else {})
        for each in found
    }
    settings = runs.flat(common | {"quantization": quantization})
    everything = itertools.chain(
        runs.networks(found, parameters, sweep, models, report),
        runs.integers(integers, settings, sweep, programs_folder, report),
        runs.accelerators(built, settings | runs.flat({"hardware": hardware}), sweep, hardware_folder, report),
    )
    note: dict[str, Any] = {"experiment": EXPERIMENT, "sweep": sweep, "published": True, "problem": ""}
    try:
        done = tracking.publish(EXPERIMENT, everything)
        names = list(done.runs)
        firsts, lasts = names[: len(found)], names[len(names) - len(built) :]
        note |= {
            "experiment_id": done.experiment_id,
            "runs": {name: done.runs[name] for name in firsts},  # block sizes are compared among floats
            "integer_runs": {name: done.runs[name] for name in names if name not in {*firsts, *lasts}},
            "accelerator_runs": {name: done.runs[name] for name in lasts},
        }
        log.info("published %d runs to %s", len(done.runs), tracking.uri())
    except tracking.Unreachable as error:
        note |= {"published": False, "problem": str(error)}
        log.warning("not published to %s (%s); `make publish` tries again", tracking.uri(), error)
    artifacts.write_json(receipt, note)


if __name__ == "__main__":
    main(publish)
