"""A `dvc repro` of some tasks: what it says is passed on, it ends with the run, and a full disk is said in one line."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from ernn.artifacts import disk
from workflow import guard
from workflow.declaration import Task

DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
GUARDED = (sys.executable, "-I", guard.__file__)
_BEGINS = re.compile(r"(?:Running stage|Stage) '(.+?)'")
_EXITED = re.compile(r"ERROR: failed to reproduce .*, exited with (\d+)")
Hear = Callable[["Process", str, str], None]  # a line, and the name of the task before it
_FLUSH_S, _INTERRUPT_S, _STUCK_S = 5.0, 30.0, 10.0


class Process:
    """`dvc repro` of some tasks, or of all.

    `failure` is why it ended badly, where that can be said in one line.

    Args:
        line: the tasks; none for all of them.
        threads: of the process, unless OMP_NUM_THREADS says otherwise.
        part: descriptor of `alone`.
        hear: is told what they say, by another thread.
    """

    def __init__(
        self, folder: Path, line: list[Task], threads: int | None, part: int, hear: Hear, options: Sequence[str] = ()
    ) -> None:
        self.line, self.name = line, line[0].name if line else "dvc"
        self._folder, self._hear = folder, hear
        self._exited: int | None = None
        self._held: list[str] = []
        self._stuck_since: float | None = None
        single = ["--single-item", *(task.name for task in line)] if line else []
        self._process = subprocess.Popen(
            [*GUARDED, *DVC, "repro", *options, *single],
            cwd=folder,
            env={**({"OMP_NUM_THREADS": str(threads)} if threads else {}), **os.environ},
            stdin=subprocess.PIPE,  # it closes when this process ends, and so does what is guarded
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=[part],
        )
        self._relay = threading.Thread(target=self._relayed, args=(self._process.stdout,), daemon=True)
        self._relay.start()

    @property
    def pid(self) -> int:
        """Of the process above all that it has started."""
        return self._process.pid

    def ended(self) -> int | None:
        """The exit code, that of the stage which failed, once there is one and all is heard."""
        if self._is_stuck():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        code = self._process.poll()
        if code is not None:
            self._relay.join(_FLUSH_S)
            if code == 0:  # it was no failure of its own
                for text in self._held:
                    self._hear(self, self.name, text)
                self._held.clear()
            elif self._exited:
                return self._exited
        return code

    def failure(self) -> str | None:
        """Why it ended badly, where that was a full disk."""
        if not self._held:
            short = short_of_space(self._folder)
            return str(disk.DiskFull.at(short)) if short else None
        first = self._held[0].strip()
        if disk.CURE in first:  # a stage of ours has said it all
            return first
        found = re.search(r"'(/[^']+)'", first)
        return str(disk.DiskFull.at(Path(found[1]) if found else self._folder))

    def interrupt(self) -> None:
        """As Ctrl-C would, with all that it has started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)

    def wait(self) -> None:
        """Until it has ended, by force if an interrupt does not suffice, and all is heard."""
        try:
            self._process.wait(_INTERRUPT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._relay.join(_FLUSH_S)

    def _is_stuck(self) -> bool:
        """Whether DVC alone has been at work on a full disk for a while: its databases try again for ever."""
        if short_of_space(self._folder) is None or any(map(guard.children, guard.children(self._process.pid))):
            self._stuck_since = None
            return False
        self._stuck_since = self._stuck_since or time.monotonic()
        return time.monotonic() - self._stuck_since > _STUCK_S

    def _relayed(self, output: IO[str]) -> None:
        """Pass everything on; from a full disk on keep it, until it is clear whether that ends the process."""
        for text in output:
            if begun := _BEGINS.match(text):
                self.name = begun[1]
            if failed := _EXITED.match(text):
                self._exited = int(failed[1])
            if self._held or disk.says_full(text):
                self._held.append(text)
            else:
                self._hear(self, self.name, text)


def short_of_space(folder: Path) -> Path | None:
    """The folder, or that of DVC's databases, if it is on a disk that has next to no space."""
    places = folder, Path(os.environ.get("DVC_SITE_CACHE_DIR") or "/var/tmp/dvc")
    return next((each for each in places if disk.is_short(each)), None)
