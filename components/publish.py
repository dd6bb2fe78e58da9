"""Finished results to MLflow: one flat run a network, written once however often this runs."""

import logging
from pathlib import Path

from components import runs, tracking
from components.stage import OutputFile, main
from ernn.params import (
    AcceleratorSpec,
    Compression,
    Corpus,
    Design,
    Features,
    Hardware,
    NetworkSpec,
    ProgramSpec,
    Quantization,
    Scoring,
    Training,
)

log = logging.getLogger(__name__)


def publish(
    *,
    corpus: Corpus,
    features: Features,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    quantization: Quantization,
    networks: dict[str, NetworkSpec],
    designs: dict[str, Design],
    programs: dict[str, ProgramSpec],
    hardware: Hardware,
    accelerators: dict[str, AcceleratorSpec],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    models: Path,
    programs_folder: Path,
    hardware_folder: Path,
    benchmarks: Path,
    report: Path,
    receipt: OutputFile,
) -> None:
    """Write one MLflow run a network, integer network and accelerator, and a receipt: where they are, or why not."""
    from ernn import artifacts
    from ernn.report import results

    settings = results.Settings(
        corpus=corpus,
        training=training,
        compression=compression,
        scoring=scoring,
        quantization=quantization,
        networks=networks,
        designs=designs,
        programs=programs,
        accelerators=accelerators,
    )
    found = results.load(settings, results.Folders(metrics_folder, curves, scores, benchmarks))
    sweep = runs.Sweep(found, features, hardware, models, programs_folder, hardware_folder, report)
    artifacts.write_record(receipt, _published(sweep))


def _published(sweep: runs.Sweep) -> tracking.Receipt:
    """Publish everything; a store that cannot be reached is a warning, and its reason part of the receipt."""
    store = tracking.shown(tracking.uri())
    groups = len(sweep.results.networks), len(sweep.results.integers)
    try:
        done = tracking.publish(tracking.EXPERIMENT, runs.everything(sweep))
    except tracking.Unreachable as error:
        further = f"{error.cure}, then `make publish`" if error.cure else "`make publish` tries again"
        log.warning("not published to %s (%s); %s", store, error, further)
        return tracking.Receipt(tracking.EXPERIMENT, sweep.name, published=False, problem=str(error), cure=error.cure)
    log.info("published %d runs to %s", len(done.runs), store)
    each = list(done.runs.items())
    networks, rest = each[: groups[0]], each[groups[0] :]
    return tracking.Receipt(
        tracking.EXPERIMENT,
        sweep.name,
        published=True,
        experiment_id=done.experiment_id,
        runs=dict(networks),  # block sizes are compared among floats
        integer_runs=dict(rest[: groups[1]]),
        accelerator_runs=dict(rest[groups[1] :]),
    )


if __name__ == "__main__":
    main(publish)
