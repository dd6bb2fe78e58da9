"""Finished results to MLflow: one flat run a network, written once however often this runs."""

import logging
from pathlib import Path

from components import runs, stories, tracking
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
from ernn.params.methods import METHODS

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
    prepared = metrics_folder / "prepare.json"
    speech = artifacts.read_json(prepared) if prepared.exists() else {}
    sweep = runs.Sweep(found, features, hardware, curves, models, programs_folder, hardware_folder, report, speech)
    artifacts.write_record(receipt, _published(sweep))


def _published(sweep: runs.Sweep) -> tracking.Receipt:
    """Publish everything; a store that cannot be reached is a warning, and its reason part of the receipt."""
    store = tracking.shown(tracking.uri())
    groups = len(sweep.results.networks), len(sweep.results.integers)
    try:
        done = tracking.publish(tracking.EXPERIMENT, runs.everything(sweep), stories.of_everything(sweep.results))
    except tracking.Unreachable as error:
        further = f"{error.cure}, then `make publish`" if error.cure else "`make publish` tries again"
        log.warning("not published to %s (%s); %s", store, error, further)
        return tracking.Receipt(tracking.EXPERIMENT, sweep.name, published=False, problem=str(error), cure=error.cure)
    log.info("published %d runs to %s", len(done.runs), store)
    each = list(done.runs.items())
    networks, rest = dict(each[: groups[0]]), each[groups[0] : -1]  # the last one is the report
    blocks = {result.name for result in sweep.results.networks if result.dense or METHODS[result.method].blocks}
    return tracking.Receipt(
        tracking.EXPERIMENT,
        sweep.name,
        published=True,
        experiment_id=done.experiment_id,
        runs=networks,
        integer_runs=dict(rest[: groups[1]]),
        accelerator_runs=dict(rest[groups[1] :]),
        block_runs={name: run for name, run in networks.items() if name in blocks},
    )


if __name__ == "__main__":
    main(publish)
