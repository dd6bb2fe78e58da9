"""The report: every design side by side, in words, a table and figures."""

from pathlib import Path

from components.stage import OutputFolder, main
from ernn.params import (
    AcceleratorSpec,
    Compression,
    Corpus,
    Design,
    NetworkSpec,
    ProgramSpec,
    Quantization,
    Scoring,
    Training,
)


def report(
    *,
    corpus: Corpus,
    training: Training,
    compression: Compression,
    scoring: Scoring,
    quantization: Quantization,
    networks: dict[str, NetworkSpec],
    designs: dict[str, Design],
    programs: dict[str, ProgramSpec],
    accelerators: dict[str, AcceleratorSpec],
    metrics_folder: Path,
    curves: Path,
    scores: Path,
    benchmarks: Path,
    report: OutputFolder,
) -> None:
    """Write report.md with its figures, the same as one page report.html, and benchmark.txt."""
    from ernn import artifacts
    from ernn.report import figures, results, whole

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
    drawn = whole.drawn(found)
    with artifacts.atomic_folder(report) as folder:
        for name, figure in drawn.items():
            figure.savefig(folder / name, dpi=figures.DPI, format="png", metadata={"Software": None})
        for name, text in whole.texts(found, drawn).items():
            (folder / name).write_text(text)


if __name__ == "__main__":
    main(report)
