"""How far tables are behind: on small repositories, and what the committed ones declare."""

import json
from pathlib import Path

import pytest

from bench import behind
from bench.record import FOLDER
from tests.repository import Repository

PACKAGE = ("package",)


def lines(*changed: int) -> str:
    """Twenty lines, of which some are changed."""
    return "".join(f"line {number}{' changed' * (number in changed)}\n" for number in range(20))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "toy").mkdir()
    made = Repository(tmp_path / "toy")
    made.commit("package/a.py", lines())
    return made


def shown(repository: Repository, *commits: str, measures: tuple[str, ...] = PACKAGE) -> dict[str, object]:
    table = behind.Table("toy", 3, commits, measures)
    return behind.row(repository.folder, table, behind.history(repository.folder))


def test_only_changes_of_what_is_measured_count(repository):
    measured = repository.commit("other.py", "1")
    assert shown(repository, measured)["commits behind"] == 0
    repository.commit("package_of_another_name/a.py", "1")
    assert shown(repository, measured)["commits behind"] == 0
    repository.commit("package/a.py", lines(3))
    repository.commit("package/deep/b.py", "1")
    assert shown(repository, measured)["commits behind"] == 2
    assert shown(repository, measured, measures=("package/a.py",))["commits behind"] == 1
    (repository.folder / "package/a.py").unlink()
    repository.commit()
    assert shown(repository, measured)["commits behind"] == 3


def test_a_move_and_a_mode_do_not_count(repository):
    measured = repository.commit("other.py", "1")
    repository.move("package/a.py", "package/deep/b.py")
    repository.commit()
    (repository.folder / "package/deep/b.py").chmod(0o755)
    repository.commit()
    repository.move("package/deep/b.py", "package/c.py")
    repository.commit("other.py", "2")
    assert shown(repository, measured)["commits behind"] == 0
    repository.move("package/c.py", "package/d.py")
    repository.commit("package/d.py", lines(4))
    assert shown(repository, measured)["commits behind"] == 1


def test_a_file_is_followed_to_where_it_was_before(repository):
    measured = repository.commit("old/b.py", lines())
    repository.commit("old/b.py", lines(1))
    repository.move("old/b.py", "middle/b.py")
    repository.commit()
    repository.commit("middle/b.py", lines(1, 2))
    repository.move("middle/b.py", "package/b.py")
    repository.commit()
    assert shown(repository, measured)["commits behind"] == 2
    repository.move("package/b.py", "elsewhere.py")
    repository.commit("elsewhere.py", lines(1, 2, 3))  # it leaves, changed
    repository.commit("elsewhere.py", lines(1))
    assert shown(repository, measured)["commits behind"] == 3


def test_commits_of_a_branch_count_once_it_is_merged(repository):
    measured = repository.commit("other.py", "1")
    repository.git("switch", "--quiet", "--create", "branch")
    repository.commit("package/a.py", lines(1))
    repository.commit("package/a.py", lines(1, 2))
    repository.git("switch", "--quiet", "main")
    on_main = repository.commit("package/b.py", "1")
    repository.git("merge", "--quiet", "--no-ff", "--no-edit", "branch")
    assert shown(repository, measured)["commits behind"] == 3
    assert shown(repository, on_main)["commits behind"] == 2


def test_the_row_that_is_behind_by_most_decides(repository):
    first = repository.git("rev-parse", "--short=12", "HEAD")
    second = repository.commit("package/a.py", lines(1))
    last = repository.commit("package/a.py", lines(2))
    assert shown(repository, last, first, second) == {
        "table": "toy",
        "rows": 3,
        "oldest commit": first,
        "commits behind": 2,
        "last change": f"{last} {repository.git('log', '-1', '--format=%cs')}",
    }
    assert shown(repository, last)["commits behind"] == 0


def test_a_commit_of_another_history_is_named(repository):
    last = repository.commit("package/a.py", lines(1))
    found = shown(repository, last, "0123456789ab")
    assert (found["oldest commit"], found["commits behind"]) == (f"{last} 0123456789ab (not in this history)", 0)
    assert shown(repository, "0123456789ab")["commits behind"] is None


def test_rows_without_a_commit_have_that_of_their_table(tmp_path):
    rows = [{"commit": "aa, bb"}, {"commit": "bb"}, {}]
    (tmp_path / "one.json").write_text(json.dumps({"commit": "cc", "rows": rows}))
    (tmp_path / "past.json").write_text(json.dumps({"commit": "cc", "rows": []}))
    found = [*behind.tables(tmp_path, {"one": PACKAGE, "past": ()})]
    assert found == [behind.Table("one", 3, ("aa", "bb", "cc"), PACKAGE)]


def test_without_history_a_line_says_so(repository, tmp_path, monkeypatch, capsys):
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "alone")
    behind.main()
    assert capsys.readouterr().out == "no git history here: how old the tables are is not known\n"
    repository.commit("package/a.py", lines(1))
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.folder}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    behind.main()
    assert capsys.readouterr().out == ("a shallow clone does not tell how old the tables are: git fetch --unshallow\n")
    monkeypatch.setenv("PATH", "")
    behind.main()
    assert capsys.readouterr().out == "no git history here: how old the tables are is not known\n"


def test_what_committed_tables_measure_is_there():
    found = behind.measured(FOLDER)
    assert {name for name, paths in found.items() if not paths} == {"hardware-history"}
    assert [path for paths in found.values() for path in paths if not Path(path).exists()] == []
