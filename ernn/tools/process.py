"""Finding tools and running them: command, version and output are kept beside what they make."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ernn.errors import UserError


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
        given = os.environ.get(self.variable)
        beside = Path(sys.executable).parent / self.name  # an environment that is not activated
        found = shutil.which(given or self.name) or (str(beside) if not given and beside.exists() else None)
        if found is None:
            where = f"{self.variable}={given} is no executable" if given else f"{self.name} was not found"
            raise UserError(f"{where}: {self.cure}, or set {self.variable} to its path")
        return Path(found)

    def version(self) -> str:
        """First line of what `--version` prints."""
        run = subprocess.run([self.path(), "--version"], capture_output=True, text=True, check=False)
        return (run.stdout or run.stderr).strip().splitlines()[0] if run.stdout or run.stderr else "unknown"


def run(command: Sequence[str | Path], folder: Path, log: Path, environment: Mapping[str, str] | None = None) -> str:
    """What a command in a folder prints, kept in `log` with the command itself.

    Raises:
        UserError: it failed; the message has its last lines and names the log.
    """
    words = [str(word) for word in command]
    finished = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(f"$ {' '.join(words)}\n{finished.stdout}\nexit code {finished.returncode}\n")
    if finished.returncode:
        end = " | ".join(finished.stdout.strip().splitlines()[-3:])
        raise UserError(
            f"{Path(words[0]).name} ended with exit code {finished.returncode}: {end}; all of it is in {log}"
        )
    return finished.stdout
