"""`python -m workflow.presets NAME`: a working copy `runs/NAME` in which DVC runs the chain with other parameters.

`params.yaml` is the default preset. Another one is `params.yaml` with `presets/NAME.yaml` laid over it, and gets a
git-ignored folder with its own copy of the code and of `dvc.lock`, so that running it changes no tracked file. The DVC
cache is the main checkout's.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ernn import params
from ernn.arguments import Parser
from ernn.artifacts import atomic, dump_yaml, parse_yaml
from ernn.errors import UserError
from workflow import checkout, declaration

CODE = ("components", "ernn", "workflow")
FILES = ("dvc.yaml", ".dvcignore")
FOLDERS = ("benchmarks", "curves", "hardware", "metrics", "models", "programs", "scores")  # that stages read as a whole
WHOLE = (
    "designs",
    "networks",
    "programs",
    "accelerators",
    "sensitivities",
)  # given in a preset, these replace the default's
DVC_CONFIG = """\
[core]
    no_scm = true
    analytics = false
    check_update = false
[cache]
    dir = {cache}
"""


def merge(base: Mapping[str, Any], over: Mapping[str, Any], whole: tuple[str, ...] = WHOLE) -> dict[str, Any]:
    """`base` with the values of `over`, mapping by mapping; the keys in `whole` are replaced as they stand.

    >>> merge({"a": {"x": 1, "y": 2}, "designs": {"k2": 1}}, {"a": {"y": 3}, "designs": {"k4": 1}})
    {'a': {'x': 1, 'y': 3}, 'designs': {'k4': 1}}
    """
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(base.get(key), Mapping) and key not in whole
        merged[key] = merge(base[key], value, ()) if both else value
    return merged


def setting(text: str) -> dict[str, Any]:
    """`section.key=value` as a nested mapping; the value is YAML.

    >>> setting("corpus.train_speakers=8")
    {'corpus': {'train_speakers': 8}}

    Raises:
        UserError: no `=`, or a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text}: write section.key=value, for example --set training.epochs=4")
    try:
        nested = parse_yaml(value)
    except UserError as error:
        raise UserError(f"--set {text}: {error}; correct or quote the value") from None
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return nested


def parameters(root: Path, preset: str, settings: Iterable[str] = ()) -> dict[str, Any]:
    """The values of a preset with settings applied, validated as a whole.

    Raises:
        UserError: no such preset, or a value or key that `ernn.params.Parameters` refuses.
    """
    values = params.read(root / "params.yaml")
    if preset != "default":
        values = merge(values, params.read(_preset_file(root, preset)))
    for text in settings:  # of a section as a whole, or of a key inside one
        values = merge(values, setting(text), () if "." in text.partition("=")[0] else WHOLE)
    params.check(values, f"preset {preset}")
    return values


def lay_out(root: Path, preset: str, settings: Iterable[str] = ()) -> Path:
    """Write or renew `runs/PRESET` under `root`; files that are already right are left alone."""
    return working_copy(root, preset, parameters(root, preset, settings))


def working_copy(root: Path, name: str, values: Mapping[str, Any]) -> Path:
    """Write or renew `runs/NAME` under `root` with these parameters."""
    folder = root / "runs" / name
    for name in CODE:
        _copy_code(root / name, folder / name)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        _write(folder / name, (root / name).read_bytes())
    _write(folder / "params.yaml", dump_yaml(values).encode())
    _write(folder / ".dvc" / "config", DVC_CONFIG.format(cache=(root / ".dvc" / "cache").resolve()).encode())
    return folder


def _preset_file(root: Path, preset: str) -> Path:
    files = {each.stem: each for each in sorted((root / "presets").glob("*.yaml"))}
    if preset not in files:
        names = ", ".join(["default", *files])
        raise UserError(f"PRESET={preset}: there is no presets/{preset}.yaml; choose one of {names}")
    return files[preset]


def _copy_code(source: Path, target: Path) -> None:
    for cached in [*target.rglob("__pycache__")]:
        shutil.rmtree(cached, ignore_errors=True)
    files = _files(source)
    for old in _files(target) - files:
        (target / old).unlink()
    for file in files:
        _write(target / file, (source / file).read_bytes())


def digest(folder: Path) -> str:
    """SHA-256 of the code of stages in a checkout or a working copy."""
    total = hashlib.sha256()
    for name in declaration.CODE:
        for file in sorted(_files(folder / name)):
            total.update(f"{name}/{file}\0".encode() + hashlib.sha256((folder / name / file).read_bytes()).digest())
    return total.hexdigest()


def _files(folder: Path) -> set[Path]:
    """Modules and what they read: and the Verilog and C++ sources among them."""
    found = {each.relative_to(folder) for each in folder.rglob("*") if each.is_file()}
    return {each for each in found if "__pycache__" not in each.parts}


def _write(file: Path, content: bytes) -> None:
    if file.is_file() and file.read_bytes() == content:
        return
    with atomic(file) as temporary:
        temporary.write_bytes(content)


def main(arguments: list[str] | None = None) -> None:
    """Lay out the working copy that the command line names."""
    parser = Parser(prog="python -m workflow.presets", description="A working copy runs/PRESET, in which DVC runs.")
    parser.add_argument("preset", help="of presets/")
    checkout.add_settings(parser)
    options = parser.parse_args(arguments)
    try:
        lay_out(Path.cwd(), options.preset, options.settings)
    except (UserError, OSError) as error:
        text = error if isinstance(error, UserError) else f"{error.filename}: {(error.strerror or '').lower()}"
        print(f"presets: {text}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
