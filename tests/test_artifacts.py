"""Files and folders that appear whole or not at all."""

from pathlib import Path

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
