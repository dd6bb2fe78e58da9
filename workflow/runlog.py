"""build/run.log: everything that the stages of a run and DVC have said."""

from contextlib import suppress
from pathlib import Path

NAME = Path("build", "run.log")


class RunLog:
    """The log of a run, in place of the last one's; one that cannot be written, as on a full disk, ends no run."""

    def __init__(self, folder: Path) -> None:
        self._file = None
        with suppress(OSError):
            (folder / NAME).parent.mkdir(parents=True, exist_ok=True)
            self._file = (folder / NAME).open("w", encoding="utf-8", buffering=1)

    def write(self, line: str) -> None:
        """Keep a line."""
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._file.write(line)


def shown(folder: Path) -> Path:
    """The log of a folder as a person finds it from the checkout.

    >>> str(shown(Path("runs/smoke"))), str(shown(Path("checkout")))
    ('runs/smoke/build/run.log', 'build/run.log')
    """
    return Path(*folder.absolute().parts[-2:], NAME) if folder.absolute().parent.name == "runs" else NAME
