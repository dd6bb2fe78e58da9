"""The report: every design side by side, in words, a table and figures."""

from pathlib import Path

from components.stage import main
from ernn.params import Accelerator, Compression, Corpus, Design, Integer, Network, Quantization, Scoring, Training


def report(
    *,
    corpus: Corpus,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    quantization: Quantization,
    networks: dict[str, Network],
    designs: dict[str, Design],
    programs: dict[str, Integer],
    accelerators: dict[str, Accelerator],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    benchmarks: Path,
    report: Path,
) -> None:
    """Write report.md and its figures."""
    from ernn import artifacts
    from ernn.report import benchmark, benchmark_figures, document, figures, hardware, integer, results
    from ernn.report.published import published

    folders = results.Folders(metrics_folder, curves, scores)
    found = results.load(networks, designs, folders, scoring)
    integers = results.load_integers(programs, designs, networks, folders)
    built = results.load_accelerators(accelerators, integers, metrics_folder, benchmarks)
    drawn = {
        "per": figures.per_over_block_size(found),
        "degradation": figures.degradation(found),
        "training": figures.training_curves(found),
    } | {f"training-{each.name}": figures.one_curve(each) for each in found}
    drawn |= integer.figures(integers) | benchmark_figures.figures(built, published())
    for name, figure in drawn.items():
        with artifacts.atomic(report / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=figures.DPI, format="png", metadata={"Software": None})
    section = integer.text(integers, quantization.budget_points)
    section += hardware.text(built) + benchmark.text(built)
    text = document.text(found, corpus, training, compression, networks, section)
    with artifacts.atomic(report / "report.md") as temporary:
        temporary.write_text(text)
    with artifacts.atomic(report / "benchmark.txt") as temporary:
        temporary.write_text(benchmark.terminal(built))


if __name__ == "__main__":
    main(report)
