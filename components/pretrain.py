"""Dense acoustic models, the start and the baseline of compression."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import Compression, NetworkSpec, Scoring, Training


def pretrain(
    *,
    network: NetworkSpec,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    dataset: Path,
    model: OutputFile,
    checkpoint_at_cut: OutputFile,
    scores: OutputFile,
    curve: OutputFile,
) -> dict[str, float]:
    """Train a dense network for all its epochs, and keep it at the epoch where compression starts too.

    A network with a file is taken as it is: compression starts from it.
    """
    from ernn.data.dataset import Dataset
    from ernn.nn import model_file
    from ernn.scoring.doubts import IMPORTED, TRAINED
    from ernn.training import imported, outcome, session, times
    from ernn.training.dense import train_dense
    from ernn.training.evaluate import choose_decoding, evaluate

    data = Dataset.open(dataset)
    identity = {"network": network.model_dump(exclude={"file", "sha256"}), "cut": compression.dense_share}
    run = session.open_run(data, training, scoring, stage="pretrain", **identity)
    if network.file:
        early = trained = imported.load(network, data, training)
    else:
        start = session.fresh_model(network.network, data, training, network.head)
        early, trained = train_dense(start, compression, run)
    choose_decoding(trained, run.dev)
    if network.file:
        loss, score = evaluate(trained, run.dev, scoring)
        run.rows.append({"epoch": 0, "phase": "imported", "dev_loss": loss, "dev_per": score.per})
    early.decoding = trained.decoding  # all designs are decoded as their dense network is
    metrics = outcome.measure(trained, data.split("test"), scoring, scores, cures=IMPORTED if network.file else TRAINED)
    if run.group.first:
        outcome.write_curve(curve, run.rows)
        times.write(curve, run)
        model_file.save(early, checkpoint_at_cut)
        model_file.save(trained, model)
    run.end()
    return metrics


if __name__ == "__main__":
    main(pretrain)
