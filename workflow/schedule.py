"""Which tasks of the chain may run side by side, and in which order they begin."""

from collections.abc import Iterable, Sequence

from workflow.declaration import Declaration, Task


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
