"""Dense acoustic models, the start and the baseline of compression."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import Compression, Network, Scoring, Training


def pretrain(
    *,
    network: Network,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    dataset: Path,
    model: OutputFile,
    checkpoint_at_cut: OutputFile,
    scores: OutputFile,
    curve: OutputFile,
) -> dict[str, float]:
    """Train a dense network for all its epochs, and keep it at the epoch where compression starts too."""
    from ernn.data.dataset import Dataset
    from ernn.nn import model_file
    from ernn.training import outcome, session
    from ernn.training.dense import train_dense
    from ernn.training.evaluate import choose_decoding

    data = Dataset.open(dataset)
    run = session.open_run(
        data, training, scoring, stage="pretrain", network=network.model_dump(), cut=compression.dense_share
    )
    start = session.fresh_model(network, data, training)
    early, trained = train_dense(start, compression, run)
    choose_decoding(trained, run.dev)
    early.decoding = trained.decoding  # all designs are decoded as their dense network is
    metrics = outcome.measure(trained, data.split("test"), scoring, scores)
    if run.group.first:
        outcome.write_curve(curve, run.rows)
        model_file.save(early, checkpoint_at_cut)
        model_file.save(trained, model)
    run.end()
    return metrics


if __name__ == "__main__":
    main(pretrain)
