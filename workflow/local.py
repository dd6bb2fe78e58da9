"""`python -m workflow.local [--jobs N]`: the chain of this folder by DVC, several stages at a time.

DVC alone runs one stage after the other, and most of ours keep one core busy. Here every stage that has changed, or
that reads what such a one writes, is run by a `dvc repro --single-item` in parallel with others. It begins as soon as
its files are there; a last `dvc repro` of everything then finds nothing left to do, or does it.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

from ernn.artifacts import disk, scratch
from ernn.errors import UserError
from workflow import declaration, guard
from workflow.alone import alone, end_with_parent
from workflow.declaration import Declaration, Task
from workflow.lockfile import Keeper

DVC = (sys.executable, "-m", "dvc", "--wait-for-lock")
GUARDED = (sys.executable, "-I", guard.__file__)
_BEGINS = re.compile(r"(?:Running stage|Stage) '(.+)'")
_HINTS = (
    "Use `dvc push`",
    "To track the changes",
    "\tgit add",
    "Updating lock file",
    "Data and pipelines are up to date",
)
_GOES_ON = "what is finished is kept, the same command goes on"
_POLL_S, _FLUSH_S, _INTERRUPT_S, _STUCK_S = 0.2, 5.0, 30.0, 10.0


class Schedule:
    """Which tasks may begin now: those whose files are there, as far as processors, memory and the GPU go.

    Tasks nearer to the end of the chain come first, so that the longest chains do not all end last. Tasks that would
    wait for nothing but each other are one line, for one process: DVC takes seconds to start.

    Args:
        jobs: lines at a time.
        memory: of this machine, in bytes; a task that declares more runs alone.
        one_gpu: tasks that can use a GPU run one at a time.
    """

    def __init__(self, declared: Declaration, names: Iterable[str], jobs: int, memory: float, one_gpu: bool) -> None:
        chosen = set(names)
        self._waiting = {task.name: task for task in reversed(declared.ordered()) if task.name in chosen}
        self._graph, self._jobs, self._memory, self._one_gpu = declared.graph, jobs, memory, one_gpu
        self._unwritten = chosen & declared.graph.keys()
        self._running: list[list[Task]] = []

    @property
    def done(self) -> bool:
        """Whether every task has ended."""
        return not self._waiting and not self._running

    def next(self) -> list[Task] | None:
        """A line that is to begin now; it counts as running."""
        for task in self._ready(set()):
            line = [task]
            while len(following := self._ready({each.name for each in line}, line)) == 1:
                line += following
            if self._fits(line):
                self._running.append(line)
                for each in line:
                    del self._waiting[each.name]
                return line
        return None

    def end(self, line: list[Task]) -> None:
        """A line has ended: what it writes is there."""
        self._running.remove(line)
        self._unwritten -= {task.name for task in line}

    def _ready(self, written: set[str], line: Sequence[Task] = ()) -> list[Task]:
        """Tasks outside the line that wait for its files alone, or without one for none."""
        waits = {name: self._graph[name] & self._unwritten for name in self._waiting}
        return [
            task
            for name, task in self._waiting.items()
            if task not in line and waits[name] <= written and (waits[name] or not line)
        ]

    def _fits(self, line: list[Task]) -> bool:
        if not self._running:
            return True
        lines = [*self._running, line]
        with_gpu = sum(any(task.meta.gpu for task in each) for each in lines)
        if len(lines) > self._jobs or (self._one_gpu and with_gpu > 1 and any(task.meta.gpu for task in line)):
            return False
        return sum(max(task.meta.memory_bytes for task in each) for each in lines) <= self._memory


def changed(folder: Path, declared: Declaration) -> set[str]:
    """Names of the tasks that DVC would run, and of all that read what those write.

    Raises:
        UserError: DVC cannot tell.
        disk.DiskFull: for want of space.
    """
    said = subprocess.run([*DVC, "status", "--json"], cwd=folder, capture_output=True, text=True, check=False)
    if said.returncode:
        if (short := _short(folder)) is not None or disk.says_full(said.stderr):
            raise disk.DiskFull.at(short or folder)
        raise UserError(f"dvc status: {' '.join(said.stderr.split()) or f'exit code {said.returncode}'}")
    found = set(json.loads(said.stdout))
    gates = {task.name for task in declared.tasks if task.meta.gate}
    for task in declared.ordered():
        if declared.graph[task.name] & (found - gates):
            found.add(task.name)
    return found & declared.graph.keys()


class Process:
    """`dvc repro` of some tasks, or of all, what they print relayed with the name of the task before it.

    `unheard` is why it is not read any more. `failure` is why it ended badly, where that can be said in one line.

    Args:
        line: the tasks; none for all of them, whose output is relayed as it is.
        threads: of the process, unless OMP_NUM_THREADS says otherwise.
        part: descriptor of `alone`.
    """

    def __init__(
        self, folder: Path, line: list[Task], threads: int | None, part: int, options: Sequence[str] = ()
    ) -> None:
        self.line, self.name = line, line[0].name if line else "dvc"
        self.unheard: OSError | None = None
        self._folder = folder
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

    def ended(self) -> int | None:
        """The exit code, once there is one and all is printed."""
        if self._is_stuck():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        code = self._process.poll()
        if code is not None:
            self._relay.join(_FLUSH_S)
            if code == 0:  # it was no failure of its own
                for text in self._held:
                    self._print(text)
                self._held.clear()
        return code

    def failure(self) -> str | None:
        """Why it ended badly, where that was a full disk."""
        if not self._held:
            short = _short(self._folder)
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
        """Until it has ended, by force if an interrupt does not suffice, and all is printed."""
        try:
            self._process.wait(_INTERRUPT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._relay.join(_FLUSH_S)

    def _is_stuck(self) -> bool:
        """Whether DVC alone has been at work on a full disk for a while: its databases try again for ever."""
        if _short(self._folder) is None or any(map(guard.children, guard.children(self._process.pid))):
            self._stuck_since = None
            return False
        self._stuck_since = self._stuck_since or time.monotonic()
        return time.monotonic() - self._stuck_since > _STUCK_S

    def _relayed(self, output: IO[str]) -> None:
        """Print everything; from a full disk on keep it, until it is clear whether that ends the process."""
        for text in output:
            if begun := _BEGINS.match(text):
                self.name = begun[1]
            if self._held or disk.says_full(text):
                self._held.append(text)
            elif text.strip() and not text.startswith(_HINTS):
                self._print(text)

    def _print(self, text: str) -> None:
        try:
            print(f"{self.name}: {text}" if self.line else text, end="", flush=True)
        except OSError as error:  # read on all the same: who writes must not wait for ever
            self.unheard = error
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _short(folder: Path) -> Path | None:
    """The folder, or that of DVC's databases, if it is on a disk that has next to no space."""
    places = folder, Path(os.environ.get("DVC_SITE_CACHE_DIR") or "/var/tmp/dvc")
    return next((each for each in places if disk.is_short(each)), None)


def run(folder: Path, schedule: Schedule, threads: int, part: int, keeper: Keeper) -> int:
    """Run what is scheduled; the first exit code that is not 0. After it nothing more begins, what runs ends.

    Args:
        threads: of each process, unless OMP_NUM_THREADS says otherwise.
        part: descriptor of `alone`.

    Raises:
        BrokenPipeError: nobody reads what is printed any more.
        UserError: it can no longer be written.
    """
    processes: list[Process] = []
    failed = 0
    try:
        while processes or not (failed or schedule.done):
            while not failed and (line := schedule.next()) is not None:
                processes.append(Process(folder, line, threads, part))
            ended = _ended(processes)
            for process, code in ended:
                processes.remove(process)
                schedule.end(process.line)
                if code and not failed:
                    failed = _failed(process, code, ", ".join(each.name for each in processes))
            if ended and not failed:
                with suppress(disk.DiskFull):  # the old copy stays, and so does what runs
                    keeper.keep()
            time.sleep(_POLL_S)
    finally:
        _stop(processes)
    return failed


def _everything(folder: Path, part: int, options: Sequence[str]) -> int:
    """`dvc repro` of the whole chain, one stage after the other; its exit code."""
    process = Process(folder, [], None, part, options)
    try:
        while not (ended := _ended([process])):
            time.sleep(_POLL_S)
    finally:
        _stop([process])
    code = ended[0][1]
    return _failed(process, code) if code else 0


def _ended(processes: Sequence[Process]) -> list[tuple[Process, int]]:
    """Those that have ended, with their exit codes."""
    ended = [(each, code) for each in processes if (code := each.ended()) is not None]
    if unheard := next((each.unheard for each in processes if each.unheard), None):
        if isinstance(unheard, BrokenPipeError):
            raise unheard
        raise UserError(f"standard output: {unheard.strerror}; {_GOES_ON}")
    return ended


def _failed(process: Process, code: int, others: str = "") -> int:
    """Say so; the exit code of the chain, 2 where the user must make room."""
    waiting = f"; waiting for {others}, nothing more is begun" if others else ""
    if why := process.failure():
        print(f"workflow.local: {process.name}: {why}{waiting}", file=sys.stderr, flush=True)
        return 2
    if process.line:
        print(f"workflow.local: {process.name} failed, see above{waiting}", file=sys.stderr, flush=True)
    return code


def _stop(processes: Sequence[Process]) -> None:
    for process in processes:
        process.interrupt()
    for process in processes:
        process.wait()


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chain; the exit code is that of the first stage that failed, 2 for a mistake in a file."""
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(prog="python -m workflow.local", description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=cores, help="stages at a time; one a core if nothing is said")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that starts this does, as make"
    )
    options = parser.parse_args(arguments)
    jobs = options.jobs
    if options.with_parent:
        end_with_parent()
    for number in (signal.SIGTERM, signal.SIGHUP):  # `nohup` ignores the second, and so do we then
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _terminated)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background; what is started must not ignore it too
        signal.signal(signal.SIGINT, lambda number, frame: None)
    folder = Path.cwd()
    try:
        if jobs < 1:
            raise UserError(f"--jobs {jobs}: at least 1")
        code = _run(folder, jobs, max(1, cores // jobs))
    except UserError as error:
        print(f"workflow.local: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print(f"workflow.local: interrupted; {_GOES_ON}", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        code = 128 + signal.SIGPIPE
    sys.exit(code)


def _run(folder: Path, jobs: int, threads: int) -> int:
    for words in declaration.gates(folder):
        refused = subprocess.run([sys.executable, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
        if refused.returncode:
            print(refused.stderr, end="", file=sys.stderr)
            return refused.returncode
    declared = declaration.load(folder)
    if (short := _short(folder)) is not None:
        raise disk.DiskFull.at(short)
    scratch.sweep()
    with alone(folder) as part:
        keeper = Keeper(folder)
        keeper.mend()
        keeper.keep()
        try:
            code = _chain(folder, declared, jobs, threads, part, keeper)
            keeper.keep()
            return code
        finally:
            with suppress(disk.DiskFull):  # the next run does it
                keeper.mend()


def _chain(folder: Path, declared: Declaration, jobs: int, threads: int, part: int, keeper: Keeper) -> int:
    """The exit code of what has changed, stages side by side, and then of everything."""
    names = changed(folder, declared) if jobs > 1 else set()
    if len(names) > 1:
        memory = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        one_gpu = any(Path("/dev").glob("nvidia[0-9]*"))
        code = run(folder, Schedule(declared, names, jobs, memory, one_gpu), threads, part, keeper)
        if code:
            return code
    return _everything(folder, part, ["--quiet"] if len(names) > 1 else [])


if __name__ == "__main__":
    main()
