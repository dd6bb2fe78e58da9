"""When a network was trained: a file next to its curve that no stage depends on, since no two runs have equal ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ernn import artifacts
from ernn.artifacts import Record
from ernn.errors import UserError

_END = 1 << 53  # beyond every clock; JSON and MLflow take it


@dataclass(frozen=True)
class Times(Record):
    """When a training began and when each of its epochs ended, in milliseconds since 1970 by the machine's clock.

    Args:
        curve: SHA-256 of the file of the curve; of another curve the times mean nothing.
        begun: of the first attempt, where a checkpoint was resumed.
        ended: by the number of the epoch.
    """

    curve: str
    begun: int
    ended: Mapping[str, int]


def file_of(curve: Path) -> Path:
    """Where the times of a curve are."""
    return curve.with_name(f"{curve.name}.times.json")


def read(curve: Path) -> Times | None:
    """The times of a curve, or None where they are lost, damaged, impossible, or of another curve."""
    try:
        found = artifacts.read_record(file_of(curve), Times)
        same = found.curve == artifacts.sha256(curve)
    except (UserError, OSError, ValueError, RecursionError):  # whatever a damaged file does to JSON
        return None
    numbered = all(epoch.isdecimal() for epoch in found.ended)
    possible = all(0 <= found.begun <= ended < _END for ended in (found.begun, *found.ended.values()))
    return found if same and numbered and possible else None
