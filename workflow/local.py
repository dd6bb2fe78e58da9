"""`python -m workflow.local`: the stages of this folder by DVC, several at a time, with a line for each.

DVC alone runs one stage after the other, and most of ours keep one core busy. Here every stage that has changed, or
that reads what such a one writes, is run by a `dvc repro --single-item` in parallel with others. It begins as soon as
its files are there; a last `dvc repro` of everything then finds nothing left to do, or does it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ernn.arguments import Parser, whole
from ernn.artifacts import disk, scratch
from ernn.errors import UserError
from workflow import declaration, runlog, tool
from workflow.alone import alone, end_with_parent
from workflow.declaration import Declaration, Task
from workflow.lockfile import Keeper
from workflow.process import DVC, Process, short_of_space
from workflow.runlog import RunLog
from workflow.schedule import Schedule
from workflow.screen import Screen, Unheard

_GOES_ON = "what is finished is kept, the same command goes on"
_POLL_S = 0.2
STOPPED = -1  # in place of an exit code


def never() -> bool:
    """Run to the end."""
    return False


def changed(folder: Path, declared: Declaration) -> set[str]:
    """Names of the tasks that DVC would run, and of all that read what those write.

    Raises:
        UserError: DVC cannot tell.
        disk.DiskFull: for want of space.
    """
    said = subprocess.run([*DVC, "status", "--json"], cwd=folder, capture_output=True, text=True, check=False)
    if said.returncode:
        if (short := short_of_space(folder)) is not None or disk.says_full(said.stderr):
            raise disk.DiskFull.at(short or folder)
        raise UserError(f"dvc status: {' '.join(said.stderr.split()) or f'exit code {said.returncode}'}")
    found = set(json.loads(said.stdout))
    gates = {task.name for task in declared.tasks if task.meta.gate}
    for task in declared.ordered():
        if declared.graph[task.name] & (found - gates):
            found.add(task.name)
    return found & declared.graph.keys()


@dataclass(frozen=True)
class _Run:
    """Where a run happens, and who is told of it.

    Args:
        part: descriptor of `alone`.
        stop: asked all the time; once it holds, everything is interrupted and the exit code is STOPPED.
    """

    folder: Path
    screen: Screen
    part: int
    stop: Callable[[], bool]

    def begin(self, line: list[Task], threads: int | None, options: Sequence[str] = ()) -> Process:
        """A process that runs some tasks, or the whole chain."""
        process = Process(self.folder, line, threads, self.part, self.screen.hear, options)
        self.screen.begin(process, lambda: tool.doing(process.pid))
        return process


def _scheduled(run: _Run, schedule: Schedule, threads: int, keeper: Keeper) -> int:
    """Run what is scheduled; the first exit code that is not 0. After it nothing more begins, what runs ends.

    Args:
        threads: of each process, unless OMP_NUM_THREADS says otherwise.

    Raises:
        BrokenPipeError: nobody reads what is printed any more.
        Unheard: it can no longer be printed.
    """
    processes: list[Process] = []
    failed = 0
    try:
        while processes or not (failed or schedule.done):
            if run.stop():
                return STOPPED
            while not failed and (line := schedule.next()) is not None:
                processes.append(run.begin(line, threads))
            ended = _ended(processes)
            run.screen.tick()
            for process, code in ended:
                processes.remove(process)
                schedule.end(process.line)
                found = _told(run, process, code, ", ".join(each.name for each in processes))
                failed = failed or found
            if ended and not failed:
                with suppress(disk.DiskFull):  # the old copy stays, and so does what runs
                    keeper.keep()
            time.sleep(_POLL_S)
    finally:
        _stop(processes)
    return failed


def _everything(run: _Run, options: Sequence[str]) -> int:
    """`dvc repro` of the whole chain, or of the targets among the options, one stage after the other; its exit code."""
    process = run.begin([], None, options)
    try:
        while not (ended := _ended([process])):
            if run.stop():
                return STOPPED
            run.screen.tick()
            time.sleep(_POLL_S)
    finally:
        _stop([process])
    return _told(run, process, ended[0][1])


def _ended(processes: Sequence[Process]) -> list[tuple[Process, int]]:
    """Those that have ended, with their exit codes."""
    return [(each, code) for each in processes if (code := each.ended()) is not None]


def _told(run: _Run, process: Process, code: int, others: str = "") -> int:
    """Tell how a process has ended; the exit code of the chain, 2 where the user must make room."""
    why = process.failure() if code else None
    run.screen.end(process, code, tell=why is None)
    if not code:
        return 0
    waiting = f"; waiting for {others}, nothing more is begun" if others else ""
    said = why or f"failed with exit code {code}, see above; all of it is in {runlog.shown(run.folder)}"
    print(f"workflow.local: {process.name}: {said}{waiting}", file=sys.stderr, flush=True)
    return 2 if why else code


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
    parser = Parser(prog="python -m workflow.local", description="Stages of this folder by DVC, several at a time.")
    parser.add_argument(
        "--jobs", type=whole(1), default=cores, help="stages at a time; default: one a core, %(default)s here"
    )
    parser.add_argument(
        "--with-parent", action="store_true", help="end when the process that starts this does, as make"
    )
    parser.add_argument("--again", default="", metavar="STAGE", help="run this one alone, whether or not it changed")
    options = parser.parse_args(arguments)
    if options.with_parent:
        end_with_parent()
    for number in (signal.SIGTERM, signal.SIGHUP):  # `nohup` ignores the second, and so do we then
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _terminated)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background; what is started must not ignore it too
        signal.signal(signal.SIGINT, lambda number, frame: None)
    folder = Path.cwd()
    try:
        code = repro(folder, options.jobs, max(1, cores // options.jobs), again=options.again)
    except UserError as error:
        print(f"workflow.local: {error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print(f"workflow.local: interrupted; {_GOES_ON}", file=sys.stderr)
        code = 130
    except BrokenPipeError:
        code = 128 + signal.SIGPIPE
    except Unheard as error:
        print(f"workflow.local: {error}; {_GOES_ON}", file=sys.stderr)
        code = 2
    sys.exit(code)


def repro(
    folder: Path,
    jobs: int,
    threads: int,
    targets: Sequence[str] = (),
    stop: Callable[[], bool] = never,
    log: RunLog | None = None,
    again: str = "",
) -> int:
    """Run what has changed of the chain, or of some tasks and all that they read; the exit code.

    Args:
        threads: of each stage.
        targets: names of tasks; none: the whole chain.
        stop: asked all the time; once it holds, everything is interrupted, and the exit code is STOPPED.
        log: of a search, of which this run is a part; else one of its own.
        again: the one task to run, whether or not anything has changed.

    Raises:
        UserError: what a user must change; `disk.DiskFull` among it.
        BrokenPipeError: nobody reads what is printed any more.
        Unheard: it can no longer be printed.
    """
    for words in declaration.gates(folder):
        refused = subprocess.run([sys.executable, *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
        if refused.returncode:
            print(refused.stderr, end="", file=sys.stderr)
            return refused.returncode
    declared = declaration.load(folder)
    wanted = declared.needed(targets) if targets else declared.graph.keys()
    if again:
        wanted = {again} & declared.needed([again])
    if (short := short_of_space(folder)) is not None:
        raise disk.DiskFull.at(short)
    scratch.sweep()
    with alone(folder) as part:
        keeper = Keeper(folder)
        keeper.mend()
        keeper.keep()
        tasks = [task for task in declared.ordered() if task.name in wanted]
        screen = Screen(folder, tasks, log or RunLog(folder), whole=log is None)
        run, code = _Run(folder, screen, part, stop), STOPPED
        try:
            if again:
                return (code := _everything(run, ["--single-item", "--force", again]))
            names = changed(folder, declared) & wanted if jobs > 1 else set()
            if len(names) > 1:
                screen.unchanged(wanted - names)
                schedule = Schedule(declared, names, jobs, _memory(), any(Path("/dev").glob("nvidia[0-9]*")))
                if code := _scheduled(run, schedule, threads, keeper):
                    return code
            code = _everything(run, targets)
            keeper.keep()
            return code
        finally:
            with suppress(disk.DiskFull):  # the next run does it
                keeper.mend()
            screen.close(code)


def _memory() -> float:
    """Of this machine, in bytes."""
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


if __name__ == "__main__":
    main()
