"""One run at a time in a folder, and none beside what a killed one has left."""

import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ernn.errors import UserError

_DEATH_SIGNAL = 1  # of prctl: the signal that this process gets when its parent ends


@contextmanager
def alone(folder: Path) -> Iterator[int]:
    """Until the block ends, no other run begins in the folder.

    A descriptor is given: a process that inherits it counts as a part of the run, and the next one waits for it.

    Raises:
        UserError: another run works there.
    """
    place = folder / ".dvc" / "tmp"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "ernn-run.lock").open("a+") as run, (place / "ernn-stages.lock").open("a") as stages:
        if not _locked(run.fileno()):
            run.seek(0)
            raise UserError(
                f"another run works in {folder} (process {run.read().strip() or 'unknown'}); wait until it has ended, "
                "or end it, and run the same command again"
            )
        run.truncate(0)
        run.write(str(os.getpid()))
        run.flush()
        if not _locked(stages.fileno()):
            print("workflow.local: waiting until the stages of a run that was killed have ended", file=sys.stderr)
            fcntl.flock(stages, fcntl.LOCK_EX)
        yield stages.fileno()


def end_with_parent() -> None:
    """From now on this process is killed when the one that started it ends, however it ends."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(128 + signal.SIGKILL)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
