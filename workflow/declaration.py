"""dvc.yaml as a graph of tasks: stages with their templates filled in, files as edges.

Only what an orchestrator needs is read: command, files, parameters, and `meta`. DVC's templates are filled in here for
`foreach` and `matrix`; one that is not understood is refused.
"""

import itertools
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ernn import params as parameters
from ernn.artifacts import read_yaml
from ernn.errors import UserError, complaints

Type = Annotated[str, Field(pattern=r"^(Dataset|Model|Metrics|HTML|Artifact|ernn\.[A-Z][A-Za-z]*)$")]
Page = Annotated[str, Field(pattern=r"\.html$")]
CODE = ("components", "ernn")
_UNITS = {"k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_TEMPLATE = re.compile(r"\$\{([^}]*)\}")


class Meta(BaseModel):
    """What a stage says of where it runs; `pipeline.py` gives it to the cluster."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str  # docker/IMAGE.Dockerfile
    cpu: float = Field(1, gt=0)
    memory: str = Field("2G", pattern=r"^\d+(\.\d+)?([kMG]|[KMG]i)$")  # as Kubernetes writes it
    gpu: int = Field(0, ge=0)
    workers: int = Field(1, ge=1)  # processes that share the batches of a training, by torchrun
    nodes: int = Field(1, ge=1)  # pods of `workers` processes each, as a PyTorchJob; cpu, memory and gpu are each pod's
    retries: int = Field(2, ge=0)
    timeout_minutes: int = Field(240, ge=1)
    gate: bool = False  # it may refuse, and what it writes never changes: `workflow.local` runs it before DVC
    effects: bool = False  # it changes something outside its outputs: never served from a cache
    environment: dict[str, str] = Field(default_factory=dict)  # variable -> KEY of the secret `ernn`
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: tuple[dict[str, str], ...] = ()
    artifacts: dict[str, Type] = Field(default_factory=dict)  # kind of what a flag gives
    pages: dict[str, Page] = Field(default_factory=dict)  # flag of a folder -> the page in it to be shown
    result: str = ""  # for the terminal; {METRIC} is a metric of the stage, {METRIC:+} one with its sign
    dense: str = ""  # metrics of the dense network, from which `degradation` in `result` is counted

    @property
    def memory_bytes(self) -> float:
        """`memory` as a number.

        >>> Meta(image="train", memory="1.5G").memory_bytes, Meta(image="train", memory="2Ki").memory_bytes
        (1500000000.0, 2048.0)
        """
        number = self.memory.rstrip("kKMGi")
        return float(number) * _UNITS[self.memory.removeprefix(number)]


@dataclass(frozen=True)
class Task:
    """One stage of one entry.

    Args:
        flags: flags of the command and their words, in order.
        deps: files and folders that it reads, without code.
        outs: files and folders that it writes.
        metrics: those of them that hold metrics.
        sections: dotted keys of params.yaml.
    """

    stage: str
    key: str
    description: str
    flags: Mapping[str, str]
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    metrics: tuple[str, ...]
    sections: tuple[str, ...]
    meta: Meta

    @property
    def name(self) -> str:
        """As DVC calls it."""
        return f"{self.stage}@{self.key}" if self.key else self.stage

    @property
    def pods(self) -> int:
        """On a cluster; a PyTorchJob has one more, that waits for it."""
        return 1 if self.meta.nodes == 1 else self.meta.nodes + 1

    def flag(self, path: str) -> str | None:
        """The flag that gives a path, without its dashes."""
        return next((flag for flag, word in self.flags.items() if word == path), None)


@dataclass(frozen=True)
class Declaration:
    """All tasks, each after those whose files it reads."""

    tasks: tuple[Task, ...]
    params: Mapping[str, Any]
    _written: dict[str, Task] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        written: dict[str, Task] = {}
        for task in self.tasks:
            for path in task.outs:
                if path in written:
                    raise UserError(f"dvc.yaml: {path} is written by {written[path].name} and by {task.name}")
                written[path] = task
        object.__setattr__(self, "_written", written)

    def writer(self, path: str) -> Task | None:
        """The task that writes a path itself."""
        return self._written.get(path)

    def inside(self, folder: str) -> list[str]:
        """Outputs of tasks that lie within a folder that no task writes as a whole."""
        return sorted(each for each in self._written if PurePosixPath(folder) in PurePosixPath(each).parents)

    def sources(self, task: Task) -> list[str]:
        """Outputs of other tasks that a task reads."""
        found: list[str] = []
        for dep in task.deps:
            found += [dep] if dep in self._written else self.inside(dep)
        return found

    @cached_property
    def graph(self) -> dict[str, set[str]]:
        """Names of the tasks that each waits for."""
        return {task.name: {self._written[path].name for path in self.sources(task)} for task in self.tasks}

    def needed(self, names: Iterable[str]) -> set[str]:
        """Names of tasks, and of all that they wait for.

        Raises:
            UserError: a name that no task has.
        """
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            if name not in self.graph:
                raise UserError(f"dvc.yaml has no stage {name}")
            if name not in found:
                found.add(name)
                left += self.graph[name]
        return found

    def ordered(self) -> list[Task]:
        """Every task after those that it waits for.

        Raises:
            UserError: tasks that wait for each other.
        """
        done: list[Task] = []
        left = list(self.tasks)
        while left:
            names = {task.name for task in done}
            ready = [task for task in left if self.graph[task.name] <= names]
            if not ready:
                raise UserError(f"dvc.yaml: {', '.join(task.name for task in left)} wait for each other")
            done += ready
            left = [task for task in left if task not in ready]
        return done


def load(root: Path, params: Mapping[str, Any] | None = None) -> Declaration:
    """The declaration of a folder.

    Args:
        params: instead of what its params.yaml says.

    Raises:
        UserError: a file is missing, or says what is not understood.
    """
    values = parameters.read(root / "params.yaml") if params is None else params
    stages = read_yaml(root / "dvc.yaml").get("stages", {})
    return Declaration(tuple(_tasks(stages, values)), values)


def gates(root: Path) -> list[list[str]]:
    """Commands of the stages that may refuse, which are read without params.yaml.

    Raises:
        UserError: there is no dvc.yaml, or another file of this name.
    """
    stages = read_yaml(root / "dvc.yaml").get("stages", {}).values()
    return [shlex.split(stage["cmd"]) for stage in stages if stage.get("meta", {}).get("gate")]


def _tasks(stages: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[Task]:
    for name, stage in stages.items():
        if "foreach" in stage:
            entries = _entries(name, stage["foreach"], params)
            yield from (_task(name, key, stage["do"], {"key": key, "item": item}) for key, item in entries)
        elif "matrix" in stage:
            yield from (_task(name, key, stage, {"key": key, "item": item}) for key, item in _matrix(stage["matrix"]))
        else:
            yield _task(name, "", stage, {})


def _entries(stage: str, given: Any, params: Mapping[str, Any]) -> list[tuple[str, Any]]:
    if isinstance(given, str):
        found = _TEMPLATE.fullmatch(given)
        if found is None or found[1] not in params:
            raise UserError(
                f"dvc.yaml: {stage}: foreach is a mapping, a list, or ${{SECTION}} of params.yaml, not {given}"
            )
        given = params[found[1]]
    if isinstance(given, Mapping):
        return [(str(key), item) for key, item in given.items()]
    if isinstance(given, list):
        return [(str(item), item) for item in given]
    raise UserError(f"dvc.yaml: {stage}: foreach is a mapping or a list, got {given!r}; write {{}} for an empty one")


def _matrix(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for values in itertools.product(*given.values()):
        yield "-".join(map(str, values)), dict(zip(given, values, strict=True))


def _task(name: str, key: str, stage: Mapping[str, Any], values: Mapping[str, Any]) -> Task:
    filled = _fill(f"{name}@{key}" if key else name, stage, values)
    words = shlex.split(filled["cmd"])
    if words[:2] != ["python", "-m"] or len(words) % 2 == 0:
        raise UserError(f"dvc.yaml: {name}: cmd is `python -m MODULE --flag value ..`, got `{filled['cmd']}`")
    flags = dict(zip((word.removeprefix("--") for word in words[3::2]), words[4::2], strict=True))
    metrics = _paths(filled.get("metrics", []))
    try:
        meta = TypeAdapter(Meta).validate_python(filled.get("meta", {}))
    except ValidationError as error:
        raise UserError(f"dvc.yaml: {name}: meta: {complaints(error)}") from None
    return Task(
        name,
        key,
        filled.get("desc", ""),
        flags,
        tuple(path for path in _paths(filled.get("deps", [])) if path.split("/")[0] not in CODE),
        (*_paths(filled.get("outs", [])), *metrics, *_paths(filled.get("plots", []))),
        metrics,
        tuple(filled.get("params", [])),
        meta,
    )


def _paths(entries: list[Any]) -> tuple[str, ...]:
    return tuple(entry if isinstance(entry, str) else next(iter(entry)) for entry in entries)


def _fill(name: str, value: Any, values: Mapping[str, Any]) -> Any:
    """A declaration with its templates replaced."""
    if isinstance(value, str):
        return _TEMPLATE.sub(lambda found: str(_look_up(name, found[1], values)), value)
    if isinstance(value, Mapping):
        return {_fill(name, key, values): _fill(name, each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(name, each, values) for each in value]
    return value


def _look_up(name: str, place: str, values: Mapping[str, Any]) -> Any:
    found: Any = values
    for part in place.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise UserError(
                f"dvc.yaml: {name}: ${{{place}}} is not known here; templates are ${{key}} and ${{item...}}"
            )
        found = found[part]
    return found
