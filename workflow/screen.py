"""What a person sees of a run: a line for each stage that has ended, and how far those are that run.

All that stages and DVC say is kept in build/run.log. Here come stages as they end, warnings, and what a stage that
failed has said last. A terminal shows those that run below the lines; elsewhere a line tells of them when nothing else
was printed for half a minute.
"""

import os
import queue
import re
import sys
import textwrap
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ernn.report.exploration_words import duration
from workflow import outcome, runlog
from workflow.declaration import Task

WIDTH = 80  # columns
SILENCE_S = 30.0
_NAME = 32  # columns of a stage's name at most
_SHOWN = 4  # stages that run, at a time
_REFRESH_S = 1.0
_LAST = 20  # lines of a stage that are kept for when it fails
_BEGINS = re.compile(r"Running stage '(.+)'")
_CACHED = re.compile(r"Stage '(.+)' is cached")
_SAME = re.compile(r"Stage '(.+)' didn't change")
_ENDS = re.compile(r"(Updating|Generating) lock file")
_LOGGED = re.compile(r"\d\d:\d\d:\d\d (.*)")  # of a stage of ours
_EPOCH = re.compile(r"epoch (\d+)/(\d+) .*, ([\d.]+) s$")
_FOREIGN = re.compile(
    r"\d{4}/\d\d/\d\d |INFO |> |Use `dvc |To track the changes|To enable auto staging|\tgit add|\tdvc config"
    r"|Data and pipelines|Restored stage|\s*$"
)
_SUMMARY = "ERROR: failed to reproduce"  # by DVC, of a stage that has said what was wrong


class Unheard(Exception):
    """What is said can no longer be printed, as on a full disk."""


@dataclass
class Running:
    """A process of stages: the one at work, since when, how far it is, and the last that it has said.

    Args:
        program: what it runs, in a few words, if that is a tool.
    """

    program: Callable[[], str]
    name: str = ""
    begun: float = 0.0
    cached: bool = False
    epoch: tuple[int, int, float] | None = None  # that was done last, of how many, and its seconds
    epoch_at: float = 0.0
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST))

    def begin(self, name: str, now: float, cached: bool) -> None:
        """The next stage of the process."""
        self.name, self.begun, self.cached, self.epoch = name, now, cached, None
        self.last.clear()

    def doing(self, now: float) -> str:
        """How far the stage is, and how long it will take still."""
        if self.epoch is None:
            return self.program()
        done, total, seconds = self.epoch
        left = max(0.0, (total - done) * seconds - (now - self.epoch_at))
        return f"epoch {done} of {total}, {duration(left)} left" if done < total else "scoring the test split"


class Screen:
    """Lines of a run of some tasks.

    What processes say is heard by their threads, and printed by the methods that the main thread calls. These raise
    BrokenPipeError where nobody reads it any more, and Unheard where it cannot be printed.

    Args:
        folder: of the run.
        tasks: that it is about, those included that have not changed.
        log: where everything is kept.
        whole: say what need not run, and how long everything took; parts of a search do not.
        console: where it is shown; standard output.
        clock: in seconds.
    """

    def __init__(
        self,
        folder: Path,
        tasks: Iterable[Task],
        log: runlog.RunLog,
        whole: bool = True,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._tasks, self._log = folder, {task.name: task for task in tasks}, log
        self._whole, self._clock = whole, clock
        self._console = console or _Console(highlight=False, soft_wrap=True)
        self._heard: queue.SimpleQueue[tuple[object, str, str]] = queue.SimpleQueue()
        self._running: dict[object, Running] = {}
        self._done: set[str] = set()
        self._ran: set[str] = set()
        self._warned: set[str] = set()
        self._begun = self._said = self._drawn = clock()
        self._columns = min(_NAME, max((len(_shown(name)) for name in self._tasks), default=0))
        self._live: Live | None = None

    def unchanged(self, names: Iterable[str]) -> None:
        """Tasks that need not run."""
        self._done |= self._tasks.keys() & set(names)
        if self._done and self._whole:
            self._print(f"{self._number()}  need not run: nothing that they read has changed")

    def begin(self, process: object, program: Callable[[], str]) -> None:
        """A process has begun."""
        self._running[process] = Running(program)

    def hear(self, process: object, name: str, text: str) -> None:
        """A process has said a line; this is called by any thread."""
        self._heard.put((process, name, text))

    def tick(self) -> None:
        """Print what has happened."""
        for process, text in self._lines():
            if process in self._running:
                self._take(self._running[process], text)
        now = self._clock()
        if self._console.is_terminal:
            if now - self._drawn >= _REFRESH_S:
                self._drawn = now
                self._draw(now)
        elif now - self._said >= SILENCE_S:
            self._said = now
            if at_work := self._at_work():
                self._print(self._joined(at_work, now))

    def end(self, process: object, code: int, tell: bool = True) -> None:
        """A process has ended, and all that it has said was heard.

        Args:
            tell: say why it failed.
        """
        self.tick()
        ended = self._running.pop(process)
        if not code:
            self._finish(ended)
            return
        if ended.name in self._tasks:
            blank = " " * len(self._number())
            self._print(self._line(blank, ended, self._clock(), "failed"), "bold red")
        if tell:
            said = [text for text in ended.last if not text.startswith(_SUMMARY)] or list(ended.last)
            self._stop()
            for text in said:
                print(text, file=sys.stderr, flush=True)

    def close(self, code: int) -> None:
        """The run has ended: say how long it took, and where everything is kept."""
        with suppress(BrokenPipeError, Unheard):
            self._stop()
        for _ in self._lines():  # of what was interrupted, to the log
            pass
        if code == 0 and self._whole:
            count = f"{len(self._ran)} of {len(self._tasks)} stages ran" if self._ran else "no stage had to run"
            log = runlog.shown(self._folder)
            self._print(f"{count}, {duration(self._clock() - self._begun)}; all that they said: {log}")

    def _lines(self) -> Iterator[tuple[object, str]]:
        """Lines that were heard, each kept in the log."""
        while True:
            try:
                process, name, text = self._heard.get_nowait()
            except queue.Empty:
                return
            self._log.write(f"{name}: {text}" if text.endswith("\n") else f"{name}: {text}\n")
            yield process, text.rstrip()

    def _take(self, running: Running, text: str) -> None:
        if found := _BEGINS.match(text) or _CACHED.match(text):
            self._finish(running)
            running.begin(found[1], self._clock(), text.startswith("Stage"))
        elif found := _SAME.match(text):
            self._finish(running)
            self._done |= {found[1]} & self._tasks.keys()
        elif _ENDS.match(text):
            self._finish(running)
        elif found := _LOGGED.match(text):
            self._logged(running, found[1])
        elif not _FOREIGN.match(text):
            running.last.append(text)

    def _logged(self, running: Running, text: str) -> None:
        if found := _EPOCH.match(text):
            running.epoch = int(found[1]), int(found[2]), float(found[3])
            running.epoch_at = self._clock()
        kind = re.sub(r"[\d.]+", "", text.split(":")[1] if ":" in text else text)
        if text.startswith("warning: ") and kind not in self._warned:
            self._warned.add(kind)
            for line in textwrap.wrap(f"{_shown(running.name)}: {text}", WIDTH, subsequent_indent="  "):
                self._print(line, "yellow")

    def _finish(self, running: Running) -> None:
        """The stage of a process has ended well."""
        name, running.name = running.name, ""
        if name not in self._tasks or name in self._ran:
            return
        self._done.add(name)
        self._ran.add(name)
        text = outcome.result(self._folder, self._tasks[name])
        running.name = name
        self._print(self._line(self._number(), running, self._clock(), text))
        running.name = ""

    def _number(self) -> str:
        """How many tasks are done, of how many."""
        total = str(len(self._tasks))
        return f"{len(self._done):>{len(total)}} of {total}"

    def _line(self, number: str, running: Running, now: float, text: str) -> str:
        """A line of a stage; of a long result the parts behind the first comma are left out as far as need be."""
        name = self._short(running.name)
        time = "cached" if running.cached else duration(now - running.begun)
        line = f"{number}  {name:<{self._columns}}  {time:>6}  {text}".rstrip()
        while len(line) > WIDTH and "," in text:
            text = text.rpartition(",")[0]
            line = f"{number}  {name:<{self._columns}}  {time:>6}  {text}"
        return line[:WIDTH]

    def _at_work(self) -> list[Running]:
        """Processes whose stage runs, the longest first."""
        return sorted((each for each in self._running.values() if each.name), key=lambda each: each.begun)

    def _joined(self, at_work: list[Running], now: float) -> str:
        """Stages that run in one line, as many as it takes, and how far as many of them are as it takes."""
        number = f"{'..':>{len(self._number())}}  "
        short = [f"{self._short(each.name)} {duration(now - each.begun)}" for each in at_work]
        far = [
            f"{text}, {doing}" if (doing := each.doing(now)) else text
            for text, each in zip(short, at_work, strict=True)
        ]
        for count in range(len(short), 0, -1):
            more = f"; {len(short) - count} more" if count < len(short) else ""
            for told in range(count, -1, -1):
                line = number + "; ".join([*far[:told], *short[told:count]]) + more
                if len(line) <= WIDTH:
                    return line
        return line[:WIDTH]

    def _far(self, now: float) -> list[str]:
        """Stages that run, a line each."""
        at_work, number = self._at_work(), f"{'..':>{len(self._number())}}"
        lines = [self._line(number, each, now, each.doing(now)) for each in at_work[:_SHOWN]]
        return lines + ([f"{number}  and {len(at_work) - _SHOWN} more"] if len(at_work) > _SHOWN else [])

    def _short(self, name: str) -> str:
        """A stage's name, cut where it is longer than its column."""
        shown = _shown(name)
        return shown if len(shown) <= self._columns else f"{shown[: self._columns - 2]}.."

    def _print(self, line: str, style: str = "") -> None:
        self._said = self._clock()
        with _printed():
            self._console.print(Text(line, style))

    def _draw(self, now: float) -> None:
        """Stages that run, below all lines of a terminal."""
        with _printed():
            if self._live is None:
                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(Group(*(Text(line, "dim", no_wrap=True) for line in self._far(now))), refresh=True)

    def _stop(self) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            with _printed():
                live.stop()


@contextmanager
def _printed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's end would fail too
        if isinstance(error, BrokenPipeError):
            raise
        raise Unheard(f"standard output: {error.strerror}") from None


class _Console(Console):
    """Rich's, but that a reader who has gone is an error as of `print`."""

    def on_broken_pipe(self) -> None:
        """Let whoever prints know."""
        raise


def _shown(name: str) -> str:
    """A task as a person reads it.

    >>> _shown("compress@lstm-k8")
    'compress lstm-k8'
    """
    return name.replace("@", " ")
