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
    with only(place / "ernn-run.lock", f"run works in {folder}"), (place / "ernn-stages.lock").open("a") as stages:
        if not _locked(stages.fileno()):
            print("workflow.local: waiting until the stages of a run that was killed have ended", file=sys.stderr)
            fcntl.flock(stages, fcntl.LOCK_EX)
        yield stages.fileno()


@contextmanager
def only(file: Path, what: str) -> Iterator[None]:
    """Until the block ends, no other process holds this file, which is made.

    Args:
        what: another process does that holds it, for the message: run works in FOLDER.

    Raises:
        UserError: another one holds it.
    """
    with file.open("a+") as held:
        if not _locked(held.fileno()):
            held.seek(0)
            raise UserError(
                f"another {what} (process {held.read().strip() or 'unknown'}); wait until it has ended, "
                "or end it, and run the same command again"
            )
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield


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
