"""How long a search has worked, all of its starts together: kept in a file, since a start may be killed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ernn.artifacts import Record, read_record, write_record
from ernn.errors import UserError


@dataclass(frozen=True)
class Times(Record):
    """explored/NAME/times.json.

    Args:
        of: digest of what was asked; another question begins at nothing.
        seconds: of all starts, up to what was finished last.
        starts: how many.
        trials: seconds of each training, by the name of its design.
    """

    of: str
    seconds: float
    starts: int
    trials: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Clock:
    """Seconds of a search.

    Args:
        file: where they are kept; None: nowhere.
        of: digest of what was asked.
        begun: when this start began, of `time.monotonic`.
    """

    file: Path | None = None
    of: str = ""
    begun: float = field(default_factory=time.monotonic)
    _before: Times = field(init=False)
    _trials: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        found = self._read()
        self._before = found if found is not None and found.of == self.of else Times(self.of, 0.0, 0)
        self._trials = dict(self._before.trials)

    @property
    def starts(self) -> int:
        """With this one."""
        return self._before.starts + 1

    @property
    def seconds(self) -> float:
        """Of all starts until now, each of the earlier ones up to what it has finished last."""
        return self._before.seconds + time.monotonic() - self.begun

    def trial(self, name: str, seconds: float) -> float:
        """Seconds of a training: of the start that trained it, since others find it finished."""
        self._trials[name] = max(seconds, self._trials.get(name, 0.0))
        return self._trials[name]

    def keep(self) -> None:
        """Write what counts so far."""
        if self.file is not None:
            write_record(self.file, Times(self.of, self.seconds, self.starts, self._trials))

    def _read(self) -> Times | None:
        """None where there is no file, or a damaged one: a search does not stop for it."""
        try:
            return None if self.file is None else read_record(self.file, Times)
        except UserError:
            return None
