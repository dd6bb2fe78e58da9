"""Finding tools and running them: command, version and output are kept with what they make."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ernn.artifacts import disk, scratch
from ernn.errors import UserError

Optimize = Literal["-O0", "-O1", "-O2"]  # of C++ compilers


@dataclass(frozen=True)
class Tool:
    """A program that may be missing.

    Args:
        name: of the executable.
        variable: of the environment, which may hold its path instead.
        cure: how it is installed.
    """

    name: str
    variable: str
    cure: str

    def path(self) -> Path:
        """The executable.

        Raises:
            UserError: it is neither installed nor pointed at.
        """
        found = self.found()
        if found is None:
            given = os.environ.get(self.variable)
            where = f"{self.variable}={given} is no executable" if given else f"{self.name} was not found"
            raise UserError(f"{where}: {self.cure}, or set {self.variable} to its path")
        return found

    def found(self) -> Path | None:
        """The executable, if there is one."""
        given = os.environ.get(self.variable)
        beside = Path(sys.executable).parent / self.name  # an environment that is not activated
        found = shutil.which(given or self.name) or (beside if not given and beside.exists() else None)
        return Path(found).absolute() if found else None  # it runs in other folders

    def version(self) -> str:
        """First line of what `--version` prints."""
        run = subprocess.run([self.path(), "--version"], capture_output=True, text=True, check=False)
        return (run.stdout or run.stderr).strip().splitlines()[0] if run.stdout or run.stderr else "unknown"


class OutOfTime(UserError):
    """A tool was stopped at its limit of time."""


@contextmanager
def work_folder() -> Iterator[Path]:
    """A temporary folder for what tools write; it stays when a UserError leaves it that names a file there."""
    with scratch.folder() as folder:
        try:
            yield folder
        except disk.DiskFull:
            raise  # its logs would take what little space there is
        except UserError as error:
            if str(folder) in str(error):
                scratch.keep(folder)
            raise


def run(
    command: Sequence[str | Path],
    folder: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    limit_s: float | None = None,
) -> str:
    """What a command in a folder prints, kept in `log` with the command itself from its first line on.

    Args:
        command: a program and its arguments; the program's path is that of the caller's folder.
        limit_s: seconds after which it is stopped.

    Raises:
        UserError: it failed, or was stopped (OutOfTime); the message has its last lines and names the log.
        disk.DiskFull: it failed for want of space, or ended with next to none: what it wrote may be cut off.
    """
    words = [str(word) for word in command]
    if os.sep in words[0]:
        words[0] = str(Path(words[0]).absolute())
    with disk.written(log):
        code, printed = _logged(words, folder, log, environment, limit_s)
    if disk.is_short(folder) or (code and disk.says_full(printed)):
        raise disk.DiskFull.at(folder / Path(words[0]).name)
    end = " | ".join(printed.strip().splitlines()[-3:])
    name = Path(words[0]).name
    if code is None:
        raise OutOfTime(f"{name} was stopped after {limit_s:g} s: {end}; all of it is in {log}")
    if code:
        raise UserError(f"{name} ended with exit code {code}: {end}; all of it is in {log}")
    return printed


def _logged(
    words: list[str], folder: Path, log: Path, environment: Mapping[str, str] | None, limit_s: float | None
) -> tuple[int | None, str]:
    """The exit code, none if the command was stopped, and what it printed, which is kept."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w+", encoding="utf-8", errors="replace") as kept:
        kept.write(f"$ {' '.join(words)}\n")
        kept.flush()
        start = kept.tell()
        code = _run(words, folder, environment, kept, limit_s)
        kept.seek(start)
        printed = kept.read()
        kept.seek(0, os.SEEK_END)
        kept.write("\nstopped\n" if code is None else f"\nexit code {code}\n")
    return code, printed


def _run(
    words: list[str], folder: Path, environment: Mapping[str, str] | None, output: IO[str], limit_s: float | None
) -> int | None:
    """The exit code; none if the command was stopped."""
    try:
        with scratch.folder("tool-") as temporary:  # where tools that are killed leave theirs
            finished = subprocess.run(
                words,
                cwd=folder,
                env={**os.environ, "TMPDIR": str(temporary), **(environment or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return None
    return finished.returncode
