"""Temporary folders that do not outlive their process for long, even if that was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME, _MARK = "ernn-", ".in-use"  # a file beside the folder, locked while the process lives, or one that it has forked


@contextmanager
def folder(name: str = "") -> Iterator[Path]:
    """A new, empty folder that is removed when the block ends, unless `keep` was called for it."""
    path = Path(tempfile.mkdtemp(prefix=f"{_NAME}{name}"))
    unnamed = path.with_name(f"{path.name}.new")
    lock = os.open(unnamed, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unnamed.rename(_mark(path))  # whoever sees it sees it locked
        yield path
    finally:
        if _mark(path).exists():
            shutil.rmtree(path, ignore_errors=True)
            _mark(path).unlink(missing_ok=True)
        os.close(lock)


def keep(path: Path) -> None:
    """Leave a folder for whoever reads of it in a message."""
    _mark(path).unlink(missing_ok=True)


def sweep() -> None:
    """Remove the folders of processes that were killed."""
    for mark in Path(tempfile.gettempdir()).glob(f"{_NAME}*{_MARK}"):
        with suppress(OSError), mark.open("r+b") as file:  # it is in use, somebody else's, or just gone
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.with_name(mark.name.removesuffix(_MARK)), ignore_errors=True)
            mark.unlink()


def _mark(path: Path) -> Path:
    return path.with_name(path.name + _MARK)
