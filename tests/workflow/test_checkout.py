"""Tags of images: one for each code that they can hold."""

import re
from pathlib import Path

import pytest

from ernn.errors import UserError
from tests.repository import Repository
from workflow import checkout

ROOT = Path(__file__).parents[2]
EDITS = {
    "a line": lambda made: made.write("ernn/a.py", "2\n"),
    "another line": lambda made: made.write("ernn/a.py", "3\n"),
    "a new file": lambda made: made.write("ernn/new/b.py", "1\n"),
    "a new file elsewhere": lambda made: made.write("components/b.py", "1\n"),
    "a file that is gone": lambda made: (made.folder / "ernn/a.py").unlink(),
    "another name": lambda made: made.move("ernn/a.py", "ernn/c.py"),
    "a program": lambda made: (made.folder / "ernn/a.py").chmod(0o755),
    "packages": lambda made: made.write("pyproject.toml", "2\n"),
    "an image": lambda made: made.write("docker/train.Dockerfile", "2\n"),
}


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """A checkout in small, without an edit."""
    found = Repository(tmp_path)
    for path in ("ernn/a.py", "components/a.py", "docs/a.md", "pyproject.toml", "constraints.txt"):
        found.write(path, "1\n")
    found.write("docker/train.Dockerfile", "1\n")
    found.write(".gitignore", "__pycache__/\n/models/\n")
    found.commit()
    return found


def test_a_clean_checkout_has_the_tag_of_its_commit(made):
    commit = made.git("rev-parse", "--short=12", "HEAD")
    assert checkout.tag(made.folder) == commit
    made.write("docs/a.md", "2\n")  # none of these is in an image
    made.write("params.yaml", "2\n")
    made.write("ernn/__pycache__/a.pyc", "2\n")
    made.write("models/a", "2\n")
    (made.folder / "ernn/a.py").touch()
    assert checkout.tag(made.folder) == commit


def test_every_edit_has_a_tag_of_its_own_until_it_is_taken_back(made):
    commit, found = checkout.tag(made.folder), {}
    for name, edit in EDITS.items():
        edit(made)
        found[name] = checkout.tag(made.folder)
        assert re.fullmatch(rf"{commit}-[0-9a-f]{{12}}", found[name]), name
        made.git("add", "--all")  # what is staged is no other code
        assert checkout.tag(made.folder) == found[name], name
        made.git("reset", "--hard", "--quiet")
        assert checkout.tag(made.folder) == commit, name
    assert len(set(found.values())) == len(EDITS)


def test_an_edit_that_is_staged_and_taken_back_is_none(made):
    commit = checkout.tag(made.folder)
    made.write("ernn/a.py", "2\n")
    made.git("add", "--all")
    made.write("ernn/a.py", "1\n")
    assert checkout.tag(made.folder) == commit


def test_a_checkout_within_another_repository_counts_its_own_files(tmp_path):
    outer = Repository(tmp_path)
    outer.write("ernn/a.py", "1\n")
    outer.commit("inner/ernn/a.py", "1\n")
    commit = checkout.tag(tmp_path / "inner")
    outer.write("ernn/a.py", "2\n")
    assert checkout.tag(tmp_path / "inner") == commit
    outer.write("inner/ernn/a.py", "2\n")
    assert checkout.tag(tmp_path / "inner") != commit


def test_names_that_git_would_quote_are_read(made):
    made.write("ernn/ein Wort \u00fc.py", "1\n")
    first = checkout.tag(made.folder)
    made.write("ernn/ein Wort \u00fc.py", "2\n")
    assert checkout.tag(made.folder) != first


def test_without_a_checkout_or_git_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UserError, match=r"^git: fatal: not a git [^\n]*; say which images to use with --tag$"):
        checkout.tag(tmp_path)
    Repository(tmp_path)  # without a commit
    with pytest.raises(UserError, match=r"^git: fatal: [^\n]*; say which images to use with --tag$"):
        checkout.tag(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"^git was not found: install it, or say which images to use with --tag$"):
        checkout.tag(tmp_path)


def test_all_that_images_are_built_from_counts():
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    context = {line[1:].split("/")[0] for line in lines if line.startswith("!")}
    assert set(checkout.CONTENTS) == context | {"docker"}
