"""Arrays of the files that `np.save` and `np.savez` write."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ernn.errors import UserError

# What readers of arrays raise for content that is not theirs; for a size that nobody wrote there is no memory.
_BROKEN = (
    ValueError, TypeError, KeyError, OSError, EOFError, MemoryError, OverflowError, RuntimeError, SyntaxError,
    AssertionError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def refused(where: str, cure: str) -> Iterator[None]:
    """Refuse content that no array can be read from.

    Args:
        where: it stands, the beginning of the message.
        cure: what to do, its end.

    Raises:
        UserError: whatever is wrong with the content, in a line.
    """
    try:
        yield
    except UserError:
        raise
    except _BROKEN as error:
        raise UserError(f"{where} ({' '.join(str(error).split())}); {cure}") from None


def opened(file: Path) -> "np.ndarray | Mapping[str, np.ndarray]":
    """The array of a file, or its arrays, read one by one as they are asked for; see `refused`."""
    found: np.ndarray | Mapping[str, np.ndarray] = np.load(file, allow_pickle=False)
    return found


def member(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """One of several arrays.

    Raises:
        ValueError: a member of another kind, of which NumPy gives the bytes.
    """
    found: object = arrays[name]
    if not isinstance(found, np.ndarray):
        raise ValueError(f"{name} is no array")
    return found
