"""The command line that all stages share: a stage's keyword-only signature is its contract.

    def compress(*, design: Design, training: Training, dense: Path, model: OutputFile) -> dict[str, float]: ...

gives the flags `--dense`, `--model` and `--metrics` (the returned dictionary goes there), reads the section `training`
of `params.yaml`, and picks one entry of its mapping `designs` by `--design NAME`. An argument `name: str` is the NAME
of that entry, another argument of type `str` is a word of the command line, and one of type `Parameters` is the whole
file. `--params.training JSON` gives a section on the command
line instead. `--executor-input JSON` makes it a task of Kubeflow Pipelines. What a stage writes is an `OutputFile` or
`OutputFolder`, and a place that cannot be written is refused before its work. Wrong input is one line on stderr and
exit code 2, never a traceback.
"""

import argparse
import errno
import inspect
import json
import logging
import os
import socket
import sys
import time
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from components import attempts, executor
from ernn import artifacts, params
from ernn.arguments import Parser
from ernn.artifacts import disk
from ernn.errors import UserError, complaints
from ernn.params import Parameters
from ernn.params.files import FILES
from ernn.report import metrics as metric_registry

PARAMS = Path("params.yaml")
ENTRIES = {
    "design": "designs",
    "network": "networks",
    "program": "programs",
    "accelerator": "accelerators",
}  # arguments that are one entry of a mapping in params.yaml

_SECTIONS = "--params.SECTION JSON takes the place of a section of params.yaml."

OutputFile = Annotated[Path, "file"]
OutputFolder = Annotated[Path, "folder"]
Stage = Callable[..., "dict[str, float] | None"]


@dataclass(frozen=True)
class Contract:
    """What a stage's signature says.

    Args:
        paths: flags of files and folders.
        sections: of params.yaml, with their types.
        metrics: whether it gives some.
        named: whether it takes the name of its entry.
        outputs: of the paths, those that the stage writes: `file` or `folder`.
        whole: the argument that is all sections, if there is one.
        words: arguments that are given as they are.
    """

    paths: tuple[str, ...]
    sections: dict[str, Any]
    metrics: bool
    named: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    whole: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, stage: Stage) -> "Contract":
        """The contract of a stage function."""
        hints = typing.get_type_hints(stage, include_extras=True)
        returned = hints.pop("return", type(None))
        named = hints.pop("name", None) is str
        kinds = {OutputFile: "file", OutputFolder: "folder"}
        paths = tuple(name for name, hint in hints.items() if hint is Path or hint in kinds)
        words = tuple(name for name, hint in hints.items() if hint is str)
        sections = {name: hint for name, hint in hints.items() if name not in (*paths, *words)}
        outputs = {name: kinds[hint] for name, hint in hints.items() if hint in kinds}
        whole = next((name for name, hint in sections.items() if hint is Parameters), "")
        if whole:
            fields = Parameters.model_fields.items()
            sections = {name: field.annotation for name, field in fields if field.is_required() and name != "version"}
        return cls(paths, sections, returned is not type(None), named, outputs, whole, words)


def main(stage: Stage, arguments: list[str] | None = None) -> None:
    """Run `stage` as the command line asks, and leave the process with 0, 2 on a user's mistake, or 1.

    A service that does not answer is one line too, and 1: another attempt may find it.
    """
    contract = Contract.of(stage)
    options = vars(_parser(stage, contract).parse_args(arguments))
    _log_to_stderr()
    try:
        _run(stage, contract, options)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not isinstance(error, (UserError, ValidationError, OSError)) and not disk.is_full(error):
            raise
        line = f"{stage.__name__}: {_one_line(error)}"
        print(line, file=sys.stderr)
        if _may_pass(error):
            sys.exit(1)
        attempts.tell_mistake(line)
        sys.exit(2)


# Of memory, and of file systems and services over a network.
_MAY_PASS = {errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.ESTALE, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}


def _may_pass(error: Exception) -> bool:
    """Whether another attempt may succeed, as where a service did not answer."""
    if isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
        return True
    requests = sys.modules.get("requests")  # its errors have no numbers
    if requests is not None and isinstance(error, requests.ConnectionError | requests.Timeout):
        return True
    return isinstance(error, OSError) and error.errno in _MAY_PASS


def _run(stage: Stage, contract: Contract, options: dict[str, Any]) -> None:
    task = executor.parse(options["executor_input"]) if options["executor_input"] else None
    gathered = executor.gather(options["gather"], task)
    try:
        paths = {name: _path(name, options, gathered) for name in contract.paths}
        sections = _sections(contract, options)
        words = {each: _word(each, options) for each in contract.words}
        if contract.named:
            words["name"] = _name(contract, options)
        outputs = {paths[each]: kind == "folder" for each, kind in contract.outputs.items()}
        if contract.metrics:
            metrics_file = _path("metrics", options, {})
            outputs[metrics_file] = False
        for path, folder in outputs.items():
            artifacts.check_writable(path, folder)
        started = time.time_ns()
        metrics = stage(**paths, **sections, **words)
        if not _first():
            return
        if contract.metrics:
            metric_registry.check(metrics)
            artifacts.write_json(metrics_file, metrics)
            paths["metrics"] = metrics_file
        for page in options["page"]:
            executor.write_page(page, paths)
        if task is not None:
            executor.write_output(task, metrics, paths, _entry_name(contract, options))
    finally:
        executor.discard(gathered)
    for path in paths.values():
        _say_written(path, started)


def _first() -> bool:
    """Whether this process writes the files; torchrun numbers those that run one stage together."""
    return os.environ.get("RANK", "0") == "0"


def _name(contract: Contract, options: dict[str, Any]) -> str:
    """Name of the entry of `params.yaml` that a stage works on."""
    entry = next(section for section in contract.sections if section in ENTRIES)
    if options[entry] is None:
        raise UserError(f"give {_flag(entry)} NAME")
    return str(options[entry])


def _entry_name(contract: Contract, options: dict[str, Any]) -> str:
    """Name of the entry, or nothing for a stage without one."""
    return next((str(options[each]) for each in contract.sections if each in ENTRIES and options[each]), "")


def _word(name: str, options: dict[str, Any]) -> str:
    if not options[name]:
        raise UserError(f"give {_flag(name)} {name.upper()}")
    return str(options[name])


def _path(name: str, options: dict[str, Any], gathered: dict[str, Path]) -> Path:
    """A file or folder of the command line; tasks of a cluster write where no folder may be yet."""
    given: Path | None = options[name] or gathered.get(_flag(name).removeprefix("--"))
    if given is None:
        raise UserError(f"give {_flag(name)} PATH")
    if options["executor_input"]:
        given.parent.mkdir(parents=True, exist_ok=True)
    return given


def _parser(stage: Stage, contract: Contract) -> argparse.ArgumentParser:
    module = inspect.getmodule(stage)
    parser = Parser(
        prog=f"python -m components.{stage.__name__}",
        description=(stage.__doc__ or (module and module.__doc__) or "").split("\n")[0],
        epilog=_SECTIONS if contract.sections else None,
        allow_abbrev=False,
    )
    for name in (*contract.paths, *(["metrics"] if contract.metrics else [])):
        written = "written" if name in contract.outputs or name == "metrics" else "read"
        parser.add_argument(_flag(name), dest=name, type=Path, metavar="PATH", help=f"{written}: {_file(name)}")
    for name in contract.words:
        parser.add_argument(_flag(name), dest=name, metavar=name.upper(), help=_file(name))
    for name in contract.sections:
        if name in ENTRIES:
            text = f"an entry of `{ENTRIES[name]}` in {PARAMS}; required"
            parser.add_argument(_flag(name), dest=name, metavar="NAME", help=text)
        parser.add_argument(f"--params.{name}", metavar="JSON", help=argparse.SUPPRESS)
    # Of a task of Kubeflow Pipelines: where files are and what was written; a file of a folder; a page to be shown.
    parser.add_argument("--executor-input", metavar="JSON", help=argparse.SUPPRESS)
    parser.add_argument("--gather", action="append", default=[], metavar="FLAG/PATH=FILE", help=argparse.SUPPRESS)
    parser.add_argument("--page", action="append", default=[], metavar="FLAG/PATH=FILE", help=argparse.SUPPRESS)
    return parser


def _file(name: str) -> str:
    return f"{FILES.get(name, name.replace('_', ' '))}; required"


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _sections(contract: Contract, options: dict[str, Any]) -> dict[str, Any]:
    """What a stage is given of params.yaml, by argument."""
    if not contract.whole:
        return {name: _section(name, hint, options) for name, hint in contract.sections.items()}
    given = {name: options[f"params.{name}"] for name in contract.sections}
    texts = {name: text for name, text in given.items() if text is not None}
    values = params.read(PARAMS) if len(texts) < len(given) else {"version": params.VERSION}
    values |= {name: _json(f"--params.{name}", text) for name, text in texts.items()}
    return {contract.whole: params.check(values, "the command line" if texts else str(PARAMS))}


def _section(name: str, hint: Any, options: dict[str, Any]) -> Any:
    """The section `name`, from the command line or from params.yaml, validated."""
    given = options[f"params.{name}"]
    where = f"--params.{name}" if given is not None else f"{PARAMS}: {name}"
    if given is not None:
        value = _json(where, given)
    elif name in ENTRIES:
        where = f"{PARAMS}: {ENTRIES[name]}.{options[name]}"
        value = _entry(name, options[name])
    else:
        value = _top_level(name)
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise UserError(f"{where}: {_one_line(error)}") from None


def _json(where: str, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:  # of JSON, a key twice, or more digits than Python converts
        raise UserError(f"{where}: not JSON ({error})") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} is in one mapping twice")
    return found


def _top_level(name: str) -> Any:
    values = params.read(PARAMS)
    if name not in values:
        raise UserError(f"{PARAMS}: section `{name}` is missing; add it")
    return values[name]


def _entry(name: str, key: str | None) -> Any:
    if key is None:
        raise UserError(f"give --{name} NAME, an entry of `{ENTRIES[name]}` in {PARAMS}, or --params.{name} JSON")
    entries = _top_level(ENTRIES[name])
    if key not in entries:
        raise UserError(f"{PARAMS}: `{ENTRIES[name]}` has no entry {key!r}; it has {', '.join(entries)}")
    return entries[key]


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return complaints(error)
    if disk.is_full(error):
        return str(disk.named(error))
    if isinstance(error, OSError) and error.errno is not None:
        cure = "; run the stage that makes it (`dvc repro`)" if error.errno == errno.ENOENT else ""
        return f"{error.filename or 'writing'}: {os.strerror(error.errno).lower()}{cure}"
    return " ".join(str(error).split())


class _Lines(logging.Formatter):
    """The time of day and the message, `warning: ` before one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line."""
        mark = "warning: " if record.levelno >= logging.WARNING else ""
        return f"{record.asctime} {mark}{record.message}"


def _log_to_stderr() -> None:
    """One line an event with the time of day; other libraries speak up from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines("%(asctime)s", "%H:%M:%S"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for name in ("__main__", "components", "ernn"):
        logging.getLogger(name).setLevel(logging.INFO)


def _say_written(path: Path, started_ns: int) -> None:
    """Log `path` and its size if the stage wrote it after `started_ns`."""
    files = [file.stat() for file in _files(path)]
    if any(stat.st_mtime_ns >= started_ns - 10_000_000 for stat in files):  # a file clock ticks every 4 to 10 ms
        logging.getLogger("components").info("wrote %s (%s)", path, disk.size(sum(stat.st_size for stat in files)))


def _files(path: Path) -> Iterator[Path]:
    return (each for each in (path.rglob("*") if path.is_dir() else [path]) if each.is_file())
