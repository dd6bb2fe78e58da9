"""A command that ends, with all that it has started, when its guard's standard input does.

That is a pipe of whoever started the guard, and closes however that process ends. It runs as a file of its own:
`python -I guard.py COMMAND [ARGUMENT ...]`.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36  # of prctl: what a dead child has started becomes a child of this process


def children(pid: int) -> list[int]:
    """Processes that a process has started and that have not ended."""
    found: list[int] = []
    for file in Path("/proc", str(pid), "task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found


def main() -> None:
    """Run the command; the exit code is its own, 128 and the number of the signal that ended it."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, lambda number, frame: None)  # the command gets it too, and decides
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    ended = os.pidfd_open(command.pid)
    if ended not in select.select([sys.stdin.fileno(), ended], [], [])[0]:
        _end_all()
        sys.exit(128 + signal.SIGKILL)
    code = command.wait()
    sys.exit(code if code >= 0 else 128 - code)


def _end_all() -> None:
    """Children, and theirs as they become ours."""
    while left := children(os.getpid()):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.wait()


if __name__ == "__main__":
    main()
