"""A declaration as a Kubeflow pipeline: every task a container that runs its stage's own command.

Words of the command that are files become artifact ports named after their flags; a folder whose files come from
several tasks gets a port for each of them, and the stage lays them out as they lie on a laptop. Sections of params.yaml
become parameters of the run, entries of mappings that tasks stand for each by itself, so that a changed one reruns its
own tasks. Everything has a description and files have types, which Kubeflow's pages show.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from ernn.errors import UserError
from workflow import descriptions, distributed
from workflow.declaration import Declaration, Task

STAGES, ENDED = "stages: speech to accelerators", "how the run ended"  # the first level of the graph
NAME, DESCRIPTION = "ernn", "Speech to block-circulant acoustic models, integer networks and FPGA accelerators."
SECRET = "ernn"  # holds the variables of `meta.environment`
_PART, _LABEL = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*", r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})+(?::\d+)?|(?:{_LABEL}|\[[0-9a-fA-F:]+\]):\d+|localhost)"
_IMAGE_NAME, _LONGEST_NAME = rf"(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*", 255  # as OCI registries take them


@dataclass(frozen=True)
class Target:
    """What a compiled pipeline is for.

    Args:
        images: image name of each environment, with its tag.
        gpu: whether tasks that say so get GPUs.
        local: for one machine without a cluster: no last task that reports how a run ended, no PyTorchJobs.
    """

    images: Mapping[str, str]
    gpu: bool = False
    local: bool = False


def images(declaration: Declaration, prefix: str, tag: str) -> dict[str, str]:
    """Names of the images of all environments.

    Raises:
        UserError: a prefix that makes no name of an image.
    """
    for task in declaration.tasks:
        name = f"{prefix}{task.meta.image}"
        if len(name) > _LONGEST_NAME or not re.fullmatch(_IMAGE_NAME, name, re.ASCII):
            raise UserError(
                f"--images: {name!r} is no name of an image: [REGISTRY/]PART/PART.., {_LONGEST_NAME} letters at most; "
                "parts are small letters and digits, joined by `.`, `_`, `__` or `-`; a registry has a dot or a port"
            )
    return {task.meta.image: f"{prefix}{task.meta.image}:{tag}" for task in declaration.tasks}


def parameters(declaration: Declaration) -> dict[str, Any]:
    """Parameters of a run and their defaults: sections of params.yaml, and entries as SECTION_ENTRY."""
    found = {_identifier(*place): _look_up(declaration.params, place) for place in _places(declaration)}
    return dict(sorted(found.items()))


def _places(declaration: Declaration) -> set[tuple[str, ...]]:
    """Places in params.yaml that tasks read."""
    sections = (section for task in declaration.tasks for section in _sections(declaration, task))
    return {place for section in sections for place in section.places}


def compile_to(declaration: Declaration, target: Target, file: Path) -> None:
    """Write the pipeline as YAML; equal declarations and targets give equal files."""
    from kfp import compiler

    compiler.Compiler().compile(pipeline(declaration, target), str(file))
    spec, *platforms = yaml.safe_load_all(file.read_text())
    for parameter in spec["root"].get("inputDefinitions", {}).get("parameters", {}).values():
        parameter["defaultValue"] = _whole(parameter["defaultValue"])
    # kfp's head of comments shows defaults in an order that changes from run to run.
    file.write_text(f"# {NAME}: {DESCRIPTION}\n" + yaml.safe_dump_all([spec, *platforms], sort_keys=True))


def _whole(value: Any) -> Any:
    """A default with whole numbers as such: kfp has floats alone.

    >>> _whole({"block_size": 8.0, "rate": 0.5})
    {'block_size': 8, 'rate': 0.5}
    """
    if isinstance(value, Mapping):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def pipeline(declaration: Declaration, target: Target) -> Any:
    """The pipeline as kfp has it."""
    from kfp import dsl

    defaults = parameters(declaration)

    def build(*values: Any) -> None:
        given = dict(zip(defaults, values, strict=True))
        if target.local:
            _add_tasks(declaration, target, given)
            return
        with dsl.ExitHandler(_exit_task(target), name=STAGES):
            _add_tasks(declaration, target, given)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    declared = [inspect.Parameter(name, kind, default=value, annotation=dict) for name, value in defaults.items()]
    build.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    build.__annotations__ = dict.fromkeys(defaults, dict)
    texts = {_identifier(*place): descriptions.parameter(*place) for place in _places(declaration)}
    build.__doc__ = "\n".join([DESCRIPTION, "", "Args:", *(f"    {name}: {text}" for name, text in texts.items())])
    # kfp looks up the source of every caller at every option of a task: a new thread has few callers.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(dsl.pipeline(name=NAME, description=DESCRIPTION), build).result()


@dataclass(frozen=True)
class _Section:
    """What a stage gets as one `--params.NAME`: places in params.yaml, one for a whole section or an entry."""

    name: str
    places: tuple[tuple[str, ...], ...]
    assembled: bool = False

    def argument(self) -> str:
        """JSON, with placeholders for the values."""
        values = [f"{{{{$.inputs.parameters['{_identifier(*place)}']}}}}" for place in self.places]
        if not self.assembled:
            return f"{{{{$.inputs.parameters['{self.name}']}}}}"
        return (
            "{" + ", ".join(f"{json.dumps(place[1])}: {v}" for place, v in zip(self.places, values, strict=True)) + "}"
        )


def _sections(declaration: Declaration, task: Task) -> list[_Section]:
    entries = _entry_sections(declaration)
    found: dict[str, _Section] = {}
    for dotted in task.sections:
        top, _, rest = dotted.partition(".")
        if task.key and rest == task.key:
            flag = next(flag for flag, word in task.flags.items() if word == task.key)
            found[flag] = _Section(flag, ((top, rest),))
        elif top in entries:
            found[top] = _Section(top, tuple((top, str(key)) for key in declaration.params[top]), assembled=True)
        else:
            found[top] = _Section(top, ((top,),))
    return list(found.values())


def _entry_sections(declaration: Declaration) -> set[str]:
    """Sections of which tasks take one entry each."""
    pairs = ((task, dotted.partition(".")) for task in declaration.tasks for dotted in task.sections)
    return {top for task, (top, _, rest) in pairs if task.key and rest == task.key}


def _look_up(params: Mapping[str, Any], place: Sequence[str]) -> Any:
    value: Any = params
    for part in place:
        value = value[part]
    return value


def _identifier(*parts: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", "_".join(parts).lower()).strip("_")


def _add_tasks(declaration: Declaration, target: Target, given: Mapping[str, Any]) -> None:
    from kfp import components

    loaded: dict[str, Callable[..., Any]] = {}
    made: dict[str, Any] = {}
    for task in declaration.ordered():
        component = _component(declaration, task, target)
        text = yaml.safe_dump(component, sort_keys=False, width=120)
        if text not in loaded:
            loaded[text] = components.load_component_from_text(text)
            descriptions.describe(loaded[text], component)
        arguments: dict[str, Any] = {"key": task.key} if task.key else {}
        for section in _sections(declaration, task):
            for place in section.places:
                name = _identifier(*place) if section.assembled else _identifier(section.name)
                arguments[name] = given[_identifier(*place)]
        for port, path in _inputs(declaration, task).items():
            writer = declaration.writer(path)
            assert writer is not None
            arguments[port] = made[writer.name].outputs[_port(writer, path)]
        made[task.name] = _placed(loaded[text](**arguments), task, target)
        for name in _awaited(declaration, task):
            made[task.name].after(made[name])


def _inputs(declaration: Declaration, task: Task) -> dict[str, str]:
    """Artifacts that a task reads, by port."""
    found = {}
    for dep in task.deps:
        flag = task.flag(dep)
        if flag is None:
            continue
        if declaration.writer(dep) is not None:
            found[_identifier(flag)] = dep
        else:
            found |= {_gathered(path): path for path in declaration.inside(dep)}
    return found


def _awaited(declaration: Declaration, task: Task) -> list[str]:
    """Names of the tasks whose files a task waits for without reading them."""
    writers = [declaration.writer(dep) for dep in task.deps if task.flag(dep) is None]
    return sorted({writer.name for writer in writers if writer is not None})


def _gathered(path: str) -> str:
    """Port of a file that lies in a folder of several tasks' files; `a/b-c` and `a-b/c` have two."""
    return f"in_{'__'.join(map(_identifier, PurePosixPath(path).parts))}"


def _port(task: Task, path: str) -> str:
    flag = task.flag(path)
    assert flag is not None, f"{path} is not in the command of {task.name}"
    return _identifier(flag)


def _component(declaration: Declaration, task: Task, target: Target) -> dict[str, Any]:
    """The component of a task in kfp's YAML form; tasks of one stage have equal ones."""
    inputs = [{"name": "key", "type": "String", "description": descriptions.KEY}] if task.key else []
    arguments: list[str] = ["--executor-input", "{{$}}"]
    for section in _sections(declaration, task):
        names = [_identifier(*place) for place in section.places] if section.assembled else [section.name]
        for name, place in zip(names, section.places, strict=True):
            text = descriptions.parameter(*(place if section.assembled else place[:1]))
            inputs.append({"name": name, "type": "JsonObject", "description": text})
        arguments += [f"--params.{section.name}", section.argument()]
    ports = _inputs(declaration, task)
    for port, path in ports.items():
        writer = declaration.writer(path)
        assert writer is not None
        text = descriptions.artifact(_port(writer, path), path if port.startswith("in_") else "")
        inputs.append({"name": port, "type": _type(writer, path), "description": text})
    for flag, word in task.flags.items():
        arguments += _words(declaration, task, flag, word)
    outputs = [
        {"name": port, "type": _type(task, path), "description": descriptions.artifact(port)}
        for port, path in ((_port(task, path), path) for path in task.outs)
    ]
    for flag, page in task.meta.pages.items():
        port = f"{_identifier(flag)}_page"
        outputs.append({"name": port, "type": "HTML", "description": descriptions.artifact(port)})
        arguments += ["--page", f"{flag}/{page}={{{{$.outputs.artifacts['{port}'].path}}}}"]
    container = {"image": target.images[task.meta.image], "command": _command(task, target), "args": arguments}
    return {
        "name": task.stage,
        "description": task.description,
        "inputs": inputs,
        "outputs": outputs,
        "implementation": {"container": container},
    }


def _words(declaration: Declaration, task: Task, flag: str, word: str) -> list[str]:
    """A flag with what stands for its word in a container."""
    if word == task.key:
        return [f"--{flag}", "{{$.inputs.parameters['key']}}"]
    if word in task.outs:
        return [f"--{flag}", f"{{{{$.outputs.artifacts['{_port(task, word)}'].path}}}}"]
    if word not in task.deps:
        return [f"--{flag}", word]
    if declaration.writer(word) is not None:
        return [f"--{flag}", f"{{{{$.inputs.artifacts['{_identifier(flag)}'].path}}}}"]
    gathered = [
        f"{flag}/{Path(path).relative_to(word)}={{{{$.inputs.artifacts['{_gathered(path)}'].path}}}}"
        for path in declaration.inside(word)
    ]
    return [each for part in gathered or [f"{flag}/"] for each in ("--gather", part)]


def _command(task: Task, target: Target) -> list[str]:
    """What the container runs before the stage's arguments; retries are its own, Kubeflow's would repeat mistakes."""
    retries = 0 if target.local else task.meta.retries
    again = ["python3", "-m", "components.attempts", "--retries", str(retries), "--"] if retries else []
    return again + _once(task, target)


def _once(task: Task, target: Target) -> list[str]:
    module = f"components.{task.stage}"
    if distributed.applies(task, target.local):
        return [*distributed.command(task, target.gpu), module]
    if task.meta.workers == 1:
        return ["python3", "-m", module]
    return [
        "python3",
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={task.meta.workers}",
        "-m",
        module,
    ]


def _type(task: Task, path: str) -> str:
    return task.meta.artifacts.get(_port(task, path), "Metrics" if path in task.metrics else "Artifact")


def _placed(made: Any, task: Task, target: Target) -> Any:
    """What a task asks of the cluster."""
    from kfp import kubernetes

    meta = task.meta
    made.set_display_name(task.name)
    made.set_caching_options(not meta.effects)
    if distributed.applies(task, target.local):
        return distributed.placed(made, task, target.images[meta.image])
    made.set_cpu_request(str(meta.cpu)).set_cpu_limit(str(meta.cpu))
    made.set_memory_request(meta.memory).set_memory_limit(meta.memory)
    if target.gpu and meta.gpu:
        made.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(meta.gpu)
    kubernetes.set_timeout(made, 60 * meta.timeout_minutes)
    for key, value in meta.node_selector.items():
        kubernetes.add_node_selector(made, key, value)
    for toleration in meta.tolerations:
        kubernetes.add_toleration(made, **toleration)
    if meta.environment:
        kubernetes.use_secret_as_env(made, SECRET, {key: name for name, key in meta.environment.items()})
    return made


def _exit_task(target: Target) -> Any:
    """The task that reports how a run ended, whatever happened."""
    from kfp import components

    first = next(iter(target.images.values()))
    component = {
        "name": "finish",
        "description": "How the run ended, and which task failed.",
        "inputs": [
            {"name": "status", "type": "PipelineTaskFinalStatus", "description": "by Kubeflow, of all tasks"},
        ],
        "implementation": {
            "container": {
                "image": first,
                "command": ["python3", "-m", "components.finish"],
                "args": ["--status", "{{$.inputs.parameters['status']}}"],
            }
        },
    }
    loaded = components.load_component_from_text(yaml.safe_dump(component))
    descriptions.describe(loaded, component)
    return loaded().set_caching_options(False).set_display_name(ENDED)
