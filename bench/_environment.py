"""A new environment with the wheel of this checkout and nothing else of it, as a user installs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
_THIS = ("PYTHONPATH", "VIRTUAL_ENV")  # variables by which a process would find this checkout


def run(*words: object, folder: Path, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder that does not find this checkout, and what it printed.

    Raises:
        RuntimeError: it failed; the message has what it printed to stderr.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _THIS} | variables
    done = subprocess.run([*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{words[0]} ended with exit code {done.returncode}: {done.stderr}")
    return done


def wheel(folder: Path) -> Path:
    """The wheel of the files of this checkout, built in an empty folder."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "ernn", folder / "ernn", ignore=shutil.ignore_patterns("__pycache__"))
    run(UV, "build", "--quiet", "--wheel", "--no-build-isolation", "-o", "dist", folder=folder)
    (found,) = (folder / "dist").glob("*.whl")
    return found


def installed(wheel: Path, folder: Path, extras: str = "", *more: str) -> Path:
    """The programs of a new environment with the wheel, by the versions and sources of `make setup`.

    Args:
        extras: of pyproject.toml in brackets, as `[train,hardware]`.
        more: options of `uv pip install`.
    """
    run(UV, "venv", "--quiet", "--python", sys.executable, "env", folder=folder)
    asked = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    links = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    source = ["--find-links", links] if links else ["--torch-backend", "cpu"]
    options = ["--quiet", "--python", "env/bin/python", "--constraint", ROOT / "constraints.txt", *source]
    run(UV, "pip", "install", *options, *more, f"ernn{extras} @ {wheel.as_uri()}", folder=folder)
    return folder / "env" / "bin"
