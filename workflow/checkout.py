"""The tag of images: the commit of this checkout, and a digest of what was edited since in what images hold.

A cluster takes the results of a task from its cache where image and inputs are equal, so one tag stands for one code.
"""

import argparse
import hashlib
import subprocess
from pathlib import Path

from ernn.errors import UserError

CONTENTS = ("components", "constraints.txt", "docker", "ernn", "pyproject.toml")  # what images are built from


def tag(root: Path) -> str:
    """Twelve digits of the commit, and of the edits, if there are any, twelve of a digest: 0123456789ab-cdef01234567.

    Files that git ignores do not count.

    Raises:
        UserError: `root` is no git checkout that has a commit and may be read, or there is no git.
    """
    commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
    edited = _git(root, "diff", "HEAD", "--name-only", "--no-renames", "--relative", "-z", "--", *CONTENTS)
    added = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *CONTENTS)
    names = sorted({*edited.split("\0"), *added.split("\0")} - {""})
    return f"{commit}-{_digest(root, names)}" if names else commit


def _digest(root: Path, names: list[str]) -> str:
    """Of names, contents and whether files can be run; one that was removed has no content."""
    total = hashlib.sha256()
    for name in names:
        path = root / name
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "none"
        executable = path.is_file() and path.stat().st_mode & 0o100
        total.update(f"{name}\0{content}\0{bool(executable)}\n".encode())
    return total.hexdigest()[:12]


def _git(root: Path, *arguments: str) -> str:
    cure = "say which images to use with --tag"
    try:
        found = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"git was not found: install it, or {cure}") from None
    if found.returncode:
        raise UserError(f"git: {' '.join(found.stderr.split())}; {cure}")
    return found.stdout


def add_preset(parser: argparse.ArgumentParser) -> None:
    """Options that say which values of params.yaml hold."""
    parser.add_argument("--preset", default="default", help="of presets/; default: default, which is params.yaml")
    add_settings(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The option for single values of params.yaml."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="SECTION.KEY=VALUE",
        help="another value in params.yaml, once for each; default: none",
    )
