"""A disk without space, whoever met it: one line that says what could not be written and how much is free."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ernn.errors import UserError

ROOM = 1_000_000  # bytes; with less, tools and databases end in words of their own, or write what is cut off
CURE = "free some space and run the same command again"
_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full")


class DiskFull(UserError):
    """Something could not be written for want of space.

    Args:
        path: what it is.
        free: bytes left on its disk when that was seen.
        total: bytes of the disk.
    """

    def __init__(self, path: Path, free: int, total: int) -> None:
        super().__init__(
            f"{path}: no space left on device to write it ({size(free)} of {size(total)} are free); {CURE}"
        )
        self.path, self.free, self.total = path, free, total

    def __reduce__(self) -> tuple[object, ...]:
        """For errors that come from a worker process."""
        return DiskFull, (self.path, self.free, self.total)

    @classmethod
    def at(cls, path: Path) -> "DiskFull":
        """The same of the disk of `path` as it is now."""
        return cls(path, *_usage(path))


def size(count: float) -> str:
    """Bytes as people read them.

    >>> size(999), size(2_500_000)
    ('999 B', '2.5 MB')
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def says_full(text: str) -> bool:
    """Whether a program's words say that a disk has no space."""
    return any(words in text.lower() for words in _WORDS)


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, is of a disk without space; each library has its own type."""
    while error is not None:
        if isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in _ERRORS):
            return True
        if says_full(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def is_short(path: Path) -> bool:
    """Whether the disk of `path` has less than `ROOM` left."""
    return _usage(path)[0] < ROOM


@contextmanager
def written(path: Path) -> Iterator[None]:
    """What is done here writes `path`, or files for it.

    Raises:
        DiskFull: there was no space, whatever the type of the error.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, DiskFull):  # of a file inside: what it measured is from before that was removed
            raise DiskFull(path, error.free, error.total) from None
        if is_full(error):
            raise DiskFull.at(path) from error
        raise


def named(error: BaseException) -> DiskFull:
    """An error of which `is_full` holds, with the file that it names, or else the folder here whose disk is fuller."""
    if isinstance(error, DiskFull):
        return error
    if isinstance(error, OSError) and isinstance(error.filename, (str, Path)):
        return DiskFull.at(Path(error.filename))
    return DiskFull.at(min(Path.cwd(), Path(tempfile.gettempdir()), key=lambda path: _usage(path)[0]))


def _usage(path: Path) -> tuple[int, int]:
    """Free and all bytes of the disk on which `path` is or would be."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    usage = shutil.disk_usage(place)
    return usage.free, usage.total
