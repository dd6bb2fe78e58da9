"""`python -m components.attempts --retries N -- COMMAND ..`: a stage's command, tried again where that can help.

Kubeflow's own retries know no exit codes: they would repeat a user's mistake as well. So a task has none of them, and
its container repeats what failed for another reason: memory that ran out, a service that did not answer.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from ernn.arguments import Parser, whole

MISTAKE = "ERNN_MISTAKE"  # names the file that takes a user's mistake: torchrun does not pass on exit codes
FIRST_WAIT_S = 30.0


def tell_mistake(line: str) -> None:
    """Say to whoever started this process in a cluster that another attempt would end alike.

    Args:
        line: the mistake.
    """
    if os.environ.get(MISTAKE):
        with contextlib.suppress(OSError):  # a full disk may be the mistake; the exit code says it too
            Path(os.environ[MISTAKE]).write_text(line)


class _Stop:
    """What asks this process to stop goes to the command, and ends a wait; nothing is begun after it."""

    def __init__(self) -> None:
        self.number = 0
        self.command: subprocess.Popen[bytes] | None = None
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._take)

    def _take(self, number: int, _: FrameType | None) -> None:
        self.number = number
        if self.command is None:
            sys.exit(128 + number)
        self.command.send_signal(number)


def main(arguments: list[str] | None = None, first_wait_s: float = FIRST_WAIT_S) -> None:
    """Run the command, and leave with its exit code, 2 on a user's mistake, or 128 + the signal that asked to stop.

    Args:
        first_wait_s: before the second attempt; each further wait is twice as long.
    """
    options, stop = _parser().parse_args(arguments), _Stop()
    for attempt in range(options.retries + 1):
        code, mistake = _attempt(options.command, stop)
        if mistake:
            sys.exit(2)
        if stop.number and code:  # torchrun says 1 where its processes were asked to stop
            sys.exit(128 + stop.number)
        if code == 0:
            sys.exit(0)
        if attempt < options.retries:
            wait = first_wait_s * 2**attempt
            print(
                f"attempts: attempt {attempt + 1} of {options.retries + 1} ended with {code}; the next in {wait:g} s",
                file=sys.stderr,
                flush=True,
            )
            time.sleep(wait)
    sys.exit(code)


def _attempt(command: list[str], stop: _Stop) -> tuple[int, bool]:
    """Exit code of a command, 128 + the signal's number if one ended it, and whether it met a user's mistake."""
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "mistake"
        try:
            stop.command = subprocess.Popen(command, env=os.environ | {MISTAKE: str(mark)})
        except OSError as error:
            print(f"attempts: {command[0]}: {(error.strerror or str(error)).lower()}; name a program", file=sys.stderr)
            return 2, True
        code = stop.command.wait()
        stop.command = None
        code = code if code >= 0 else 128 - code
        return code, code == 2 or mark.exists()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m components.attempts", description="A command, tried again if it fails.")
    parser.add_argument(
        "--retries", type=whole(0, 20), default=2, help="further attempts, none after a user's mistake; default: 2"
    )
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="after --")
    return parser


if __name__ == "__main__":
    main()
