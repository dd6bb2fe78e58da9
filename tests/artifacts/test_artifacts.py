"""Files and folders that appear whole or not at all."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn import artifacts
from ernn.errors import UserError


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def make(path: Path, name: str, fail: bool = False) -> None:
    with artifacts.atomic_folder(path) as temporary:
        assert list(temporary.iterdir()) == []
        (temporary / name).write_text(name)
        if fail:
            raise OSError("interrupted")


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    make(tmp_path / "a", "first")
    make(tmp_path / "a", "second")
    assert contents(tmp_path) == {"a/second": "second"}


def test_what_a_killed_process_left_is_cleared(tmp_path):
    for left in (".a.tmp", ".a.old"):
        (tmp_path / left).mkdir()
        (tmp_path / left / "junk").touch()
    make(tmp_path / "a", "first")
    make(tmp_path / "a", "second")
    assert contents(tmp_path) == {"a/second": "second"}


def test_a_failure_keeps_the_old_folder(tmp_path):
    make(tmp_path / "a", "first")
    with pytest.raises(OSError, match="interrupted"):
        make(tmp_path / "a", "second", fail=True)
    assert contents(tmp_path) == {"a/first": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_file_leaves_the_old_one(tmp_path):
    artifacts.write_json(tmp_path / "a.json", {"b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        artifacts.write_json(tmp_path / "a.json", {"b": float("nan")})
    assert artifacts.read_json(tmp_path / "a.json") == {"b": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_files_are_readable_by_all_however_they_were_written(tmp_path):
    with artifacts.atomic(tmp_path / "file") as temporary:
        temporary.touch(mode=0o600)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("path", [Path(), Path(__file__).parent])
def test_a_folder_is_no_file(path):
    with pytest.raises(UserError, match="a folder, not a file that could be written"), artifacts.atomic(path):
        pass


VERSIONS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))


@given(found=VERSIONS, known=st.integers(1, 9))
def test_a_version_is_known_or_refused_in_one_line_with_what_to_do(found, known):
    if type(found) is int and found == known:
        artifacts.check_version(Path("file"), "text", found, known, "write it again")
        return
    with pytest.raises(UserError, match=f"^file: text .*, this ernn reads version {known}; ") as error:
        artifacts.check_version(Path("file"), "text", found, known, "write it again")
    assert str(error.value).endswith("install that" if type(found) is int and found > known else "write it again")
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 200


TEXTS = st.dictionaries(st.sampled_from(["a", "b/c", "b/d", "e"]), st.text(alphabet="xyz\n", max_size=5))


@given(first=TEXTS, second=TEXTS)
def test_texts_come_back_from_a_folder_as_they_were(tmp_path_factory, first, second):
    folder = tmp_path_factory.mktemp("texts")
    both = artifacts.Texts(first).merged(artifacts.Texts(second).below("f"))
    assert artifacts.Texts.read(both.write(folder)) == both == {**first, **{f"f/{k}": v for k, v in second.items()}}
    assert both.digest() == artifacts.Texts(reversed(both.items())).digest()


def test_others_win_when_texts_are_merged():
    assert artifacts.Texts({"a": "1", "b": "2"}).merged({"b": "3"}) == {"a": "1", "b": "3"}


@dataclass(frozen=True)
class Inner(artifacts.Part):
    """Of a record."""

    share: float


@dataclass(frozen=True)
class Outer(artifacts.Record):
    """A record with everything that records have."""

    count: int
    kind: Literal["a", "b"]
    inner: tuple[Inner, ...]
    numbers: Mapping[str, int]
    maybe: Inner | None = None
    version: int = field(default=3, kw_only=True)


RECORD = Outer(2, "b", (Inner(0.5), Inner(1)), {"x": 1})


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, maybe=Inner(2.5), inner=(), numbers={})])
def test_a_record_is_read_as_it_was_written(tmp_path, record):
    artifacts.write_record(tmp_path / "record.json", record)
    assert artifacts.read_record(tmp_path / "record.json", Outer) == record
    assert json.loads((tmp_path / "record.json").read_text())["version"] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "file of version 2, this ernn reads version 3; make it again"),
        ({"version": True}, "file of version True, this ernn reads version 3"),
        ({"version": "3"}, "file of version '3', this ernn reads version 3"),
        ({"version": None}, "file without a version, this ernn reads version 3"),
        ({"count": "2"}, "count: Input should be a valid integer, got '2'"),
        ({"count": 2.0}, "count: "),
        ({"kind": "c"}, "kind: Input should be 'a' or 'b', got 'c'"),
        ({"more": 1}, "more: no such key; remove it or correct its spelling"),
        ({"inner": [{"share": 1.0, "more": 1}]}, "inner.0.more: no such key"),
        ({"inner": [{}]}, "inner.0.share: Field required"),
        ({"inner": [{"share": float("nan")}]}, "inner.0.share: Input should be a finite number"),
    ],
)
def test_a_record_that_is_another_is_refused_in_a_line(tmp_path, change, message):
    path = tmp_path / "record.json"
    path.write_text(json.dumps(json.loads(RECORD.text()) | change))
    with pytest.raises(UserError) as refused:
        artifacts.read_record(path, Outer)
    assert str(refused.value).startswith(f"{path}: {message}")
    assert str(refused.value).endswith("; make it again (in the pipeline: `dvc repro`)")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "message"), [(None, "no such file"), ('{"version": 3', "not JSON"), ("[]", "file without a version")]
)
def test_a_record_that_is_missing_or_damaged_is_refused(tmp_path, text, message):
    path = tmp_path / "record.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=rf"^{path}: {message}"):
        artifacts.read_record(path, Outer)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, encoding):
    for name, text in (("text", "sil ä\n"), ("yaml", "sil: ä\n"), ("json", '{"sil": "ä"}')):
        (tmp_path / name).write_text(text, encoding=encoding)
    assert artifacts.read_text(tmp_path / "text", "cure") == "sil ä\n"
    assert artifacts.read_yaml(tmp_path / "yaml") == artifacts.read_json(tmp_path / "json") == {"sil": "ä"}


@pytest.mark.parametrize("reader", [artifacts.read_yaml, lambda path: artifacts.read_text(path, "write it")])
def test_text_that_is_missing_a_folder_or_of_another_encoding_is_refused(tmp_path, reader):
    (tmp_path / "latin1").write_bytes("a: ä".encode("latin1"))
    (tmp_path / "utf16").write_text("a: b", encoding="utf-16")
    for name in ("latin1", "utf16"):
        with pytest.raises(UserError, match=rf"{name}: not UTF-8 text; convert it with `iconv -t utf-8`$"):
            reader(tmp_path / name)
    with pytest.raises(UserError, match=r"none: no such file; (write it|run from the repository's root)"):
        reader(tmp_path / "none")
    with pytest.raises(UserError, match=r": a folder, not a text file; "):
        reader(tmp_path)


def test_a_place_that_can_be_written_is_left_as_it_was(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    before = contents(tmp_path)
    for path in ("file", "new", "folder/new", "new/new/new"):
        artifacts.check_writable(tmp_path / path)
    for path in ("folder", "new", "new/new/new"):
        artifacts.check_writable(tmp_path / path, folder=True)
    assert (contents(tmp_path), len(list(tmp_path.iterdir()))) == (before, 2)


@pytest.mark.parametrize(
    ("path", "folder", "message"),
    [
        ("file/new", False, "file takes no files (not a directory); name another path, or mend that"),
        ("file/new/new", True, "file takes no files (not a directory); name another path, or mend that"),
        ("folder", False, "folder: a folder, not a file that could be written; move it away or name another path"),
        (".", False, ": a folder, not a file that could be written; move it away or name another path"),
        ("file", True, "file: a file, not a folder that could be written; move it away or name another path"),
        ("/proc/new", True, "/proc takes no files (no such file or directory); name another path, or mend that"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(tmp_path, path, folder, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    before = contents(tmp_path)
    with pytest.raises(UserError, match=f"{re.escape(message)}$"):
        artifacts.check_writable(tmp_path / path, folder)
    assert contents(tmp_path) == before
