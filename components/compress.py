"""Compressed acoustic models: block-circulant by ADMM or from scratch, pruned, or merely projected."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import Compression, Design, Scoring, Training


def compress(
    *,
    design: Design,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    dataset: Path,
    dense: Path,
    checkpoint_at_cut: Path,
    model: OutputFile,
    scores: OutputFile,
    curve: OutputFile,
) -> dict[str, float]:
    """Compress the dense network of a design, with the epochs and learning rates of the dense one in all."""
    from ernn import artifacts
    from ernn.compression.methods import compress as compressed_by
    from ernn.data.dataset import Dataset
    from ernn.nn import model_file
    from ernn.training import outcome, session, times

    data = Dataset.open(dataset)
    at_cut, final = model_file.load(checkpoint_at_cut), model_file.load(dense)
    for file, network in ((checkpoint_at_cut, at_cut), (dense, final)):
        session.check_model(network, file, data, training)
    session.check_networks((checkpoint_at_cut, at_cut), (dense, final))
    identity = {"design": design.model_dump(mode="json"), "compression": compression.model_dump(mode="json")}
    start = artifacts.sha256(checkpoint_at_cut)
    run = session.open_run(data, training, scoring, stage="compress", start=start, **identity)
    words = final.stored_words
    result = compressed_by(at_cut, final, design, compression, run)
    metrics = outcome.measure(result, data.split("test"), scoring, scores)
    if run.group.first:
        outcome.write_curve(curve, run.rows)
        times.write(curve, run)
        model_file.save(result, model)
    run.end()
    return metrics | {"compression": words / result.stored_words}


if __name__ == "__main__":
    main(compress)
