"""When a training began and when its epochs ended, next to its curve."""

from pathlib import Path

from ernn import artifacts
from ernn.records.times import Times, file_of
from ernn.training.loop import Run


def write(curve: Path, run: Run) -> None:
    """Write the times of a run whose curve is written already."""
    ended = {str(epoch): time for epoch, time in run.ended.items()}
    artifacts.write_record(file_of(curve), Times(artifacts.sha256(curve), run.begun, ended))
