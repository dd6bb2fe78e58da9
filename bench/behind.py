"""`python -m bench.behind` (`make bench`): how many commits each table is behind what it measures.

Each module of a table says in `MEASURES` which files and folders decide its figures. A commit counts if it changes the
content of one of them; files are followed through renames, and a file that is only moved, renamed or made executable
does not count. A table is as old as the row that is behind by most.
"""

import importlib
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.record import FOLDER, table
from ernn import artifacts

MODULES = {"hardware-history": "history", "peer-scripts": "peer"}  # tables whose module has another name
_COMMIT = "commit "


@dataclass(frozen=True)
class Change:
    """What a commit did to a file: its path before and after, which differ if it was renamed."""

    before: str
    after: str
    content: bool  # differs


@dataclass(frozen=True)
class Commit:
    """A commit and what it changed."""

    name: str
    date: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Table:
    """A committed table: the commits of its rows, and what it measures."""

    name: str
    rows: int
    commits: tuple[str, ...]
    measures: tuple[str, ...]


class NoHistory(Exception):
    """Ages cannot be told; the message says why."""


def history(root: Path) -> list[Commit]:
    """All commits of a repository's HEAD, the newest first.

    Raises:
        NoHistory: no git, no repository or no commit there, or a shallow clone.
    """
    options = ("--topo-order", "--raw", "--no-abbrev", "--find-renames", "-l0")
    try:
        shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == "true"
        printed = _git(root, "-c", "core.quotePath=false", "log", f"--format={_COMMIT}%H %cs", *options)
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise NoHistory("no git history here: how old the tables are is not known") from None
    if shallow:
        raise NoHistory("a shallow clone does not tell how old the tables are: git fetch --unshallow")
    return [_commit(part.removeprefix(_COMMIT).splitlines()) for part in printed.split(f"\n{_COMMIT}")]


def _commit(lines: Sequence[str]) -> Commit:
    name, date = lines[0].split()
    changes = []
    for line in lines[1:]:
        if line.startswith(":"):
            modes, *paths = line.split("\t")
            _, _, old, new, _ = modes.split()
            changes.append(Change(paths[0], paths[-1], old != new))
    return Commit(name, date, tuple(changes))


def counted(commits: Sequence[Commit], paths: Collection[str]) -> list[Commit]:
    """Commits that change the content of files under the paths, or of what these files were before a rename.

    Args:
        commits: the newest first.
    """
    names, found = set[str](), []
    for commit in commits:
        mine = [each for each in commit.changes if _inside(each.after, paths) or each.after in names]
        names.update(each.before for each in mine)
        gone = [each for each in commit.changes if _inside(each.before, paths)]  # moved out, and changed
        if any(each.content for each in (*mine, *gone)):
            found.append(commit)
    return found


def _inside(path: str, paths: Collection[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in paths)


def newer(root: Path, commit: str) -> set[str] | None:
    """Commits of HEAD that a commit does not have; None if it is not known."""
    try:
        return set(_git(root, "rev-list", f"{commit}..HEAD").split())
    except subprocess.CalledProcessError:
        return None


def row(root: Path, given: Table, commits: Sequence[Commit]) -> dict[str, Any]:
    """How far a table is behind."""
    found = counted(commits, given.measures)
    ages: dict[str, int] = {}
    for commit in given.commits:
        if (missing := newer(root, commit)) is not None:
            ages[commit] = sum(each.name in missing for each in found)
    oldest = max(ages, key=lambda commit: ages[commit], default="")
    unknown = [commit for commit in given.commits if commit not in ages]
    return {
        "table": given.name,
        "rows": given.rows,
        "oldest commit": " ".join([oldest, *(f"{each} (not in this history)" for each in unknown)]).strip(),
        "commits behind": ages.get(oldest),
        "last change": f"{found[0].name[:12]} {found[0].date}" if found else "",
    }


def tables(folder: Path, measures: Mapping[str, tuple[str, ...]]) -> Iterator[Table]:
    """Committed tables that measure something; rows without a commit have that of their table.

    Args:
        measures: of each table's module.
    """
    for path in sorted(folder.glob("*.json")):
        record = artifacts.read_json(path)
        named = [str(each.get("commit") or record["commit"]) for each in record["rows"]]
        commits = dict.fromkeys(part.strip() for name in named for part in name.split(","))
        if measures[path.stem]:
            yield Table(path.stem, len(named), tuple(commits), measures[path.stem])


def measured(folder: Path) -> dict[str, tuple[str, ...]]:
    """What each committed table measures, as its module says."""
    names = [path.stem for path in folder.glob("*.json")]
    return {name: importlib.import_module(f"bench.{MODULES.get(name, name)}").MEASURES for name in names}


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Print a line for each table, the oldest first; or why there is none."""
    try:
        commits = history(Path.cwd())
    except NoHistory as reason:
        print(reason)
        return
    rows = [row(Path.cwd(), each, commits) for each in tables(FOLDER, measured(FOLDER))]
    print(table(sorted(rows, key=_order)))


def _order(shown: Mapping[str, Any]) -> tuple[bool, int]:
    """Unknown ages first, then the oldest."""
    behind = shown["commits behind"]
    return behind is not None, -(behind or 0)


if __name__ == "__main__":
    main()
