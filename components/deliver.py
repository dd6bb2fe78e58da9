"""Small files of a round of a design search, kept in MLflow, where the search reads them back."""

import shutil
from pathlib import Path

from components import tracking
from components.stage import main
from ernn.artifacts import scratch
from ernn.errors import UserError


def deliver(
    *,
    round: str,
    features: Path,
    curves: Path,
    scores: Path,
    metrics_folder: Path,
    sensitivities: Path,
    programs_folder: Path,
    benchmarks: Path,
    build: Path,
) -> None:
    """Keep what a search reads of a round, laid out as on a laptop, as files of one MLflow run."""
    folders = {"curves": curves, "scores": scores, "metrics": metrics_folder, "sensitivities": sensitivities}
    folders |= {"programs": programs_folder, "benchmarks": benchmarks, "build": build}
    with scratch.folder("deliver-") as folder:
        for name, source in folders.items():
            shutil.copytree(source, folder / name)
        manifest = Path("data", "features", "manifest.json")
        (folder / manifest).parent.mkdir(parents=True)
        shutil.copyfile(features / manifest.name, folder / manifest)
        tags = {"kind": "round"}
        kept = tracking.Run(
            name=round, fingerprint=round, tags=tags, parameters={}, metrics={}, curve=[], tables={}, folder=folder
        )
        try:
            tracking.publish(tracking.ROUNDS, iter([kept]))
        except tracking.Unreachable as error:
            cure = error.cure or "the search reads its results there; see to it, then run the search again"
            raise UserError(f"{tracking.shown(tracking.uri())}: {error}; {cure}") from None


if __name__ == "__main__":
    main(deliver)
