"""The report: every design side by side, in words, a table and figures."""

from pathlib import Path

from components.stage import main
from ernn.params import Compression, Corpus, Design, Network, Scoring, Training


def report(
    *,
    corpus: Corpus,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    networks: dict[str, Network],
    designs: dict[str, Design],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    report: Path,
) -> None:
    """Write report.md and its figures."""
    from ernn import artifacts, figures, narrative, results

    found = results.load(networks, designs, results.Folders(metrics_folder, curves, scores), scoring)
    drawn = {
        "per": figures.per_over_block_size(found),
        "degradation": figures.degradation(found),
        "training": figures.training_curves(found),
    } | {f"training-{each.name}": figures.one_curve(each) for each in found}
    for name, figure in drawn.items():
        with artifacts.atomic(report / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=figures.DPI, format="png", metadata={"Software": None})
    text = narrative.text(found, corpus, training, compression, networks)
    with artifacts.atomic(report / "report.md") as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    main(report)
