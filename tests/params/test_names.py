"""Names: one pattern for all, words that are taken, and no two that a file system or a pipeline takes for one."""

import re
import string
from pathlib import Path, PurePosixPath

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ernn.params import names
from workflow import compiler

ROOT = Path(__file__).parents[2]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARTS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=6)
GOOD = st.builds(
    lambda first, parts: first + "".join(parts),
    st.sampled_from(string.ascii_letters),
    st.lists(st.builds(str.__add__, st.sampled_from(["", "-", "_"]), PARTS), max_size=4),
).filter(lambda name: names.folded(name) not in map(names.folded, names.RESERVED))


@given(GOOD)
def test_letters_digits_and_single_separators_are_a_name(name):
    assert names.check(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("a.b", "a b", " a", "a\n", "../x", "..", ".", "", "a/b", "/a", "${x}", "a@b", "-a", "a-", "a--b", "a_-b"),
        *("1a", "é", "a,b", "a'b", "x" * (names.LONGEST + 1), "x" * 300),
        *(True, None, 1, 1.5),
    ],
)
def test_everything_else_is_refused_in_a_short_line(name):
    with pytest.raises(
        ValueError, match=f"^a name is letters and digits, .* and has {names.LONGEST} at most, got "
    ) as e:
        names.check(name)
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 250


@given(st.text(max_size=8))
def test_what_is_a_name_is_one_file_a_shell_word_and_no_flag(name):
    try:
        names.check(name)
    except ValueError:
        return
    assert PurePosixPath("folder", name).relative_to("folder").parts == (name,)
    assert re.fullmatch(r"[A-Za-z0-9][\w-]*", name, re.ASCII)


@pytest.mark.parametrize("name", [*names.RESERVED, "Dense", "checkpoint-at-cut"])
def test_words_that_are_taken(name):
    with pytest.raises(ValueError, match=f"^{name} is the name of a folder of ours"):
        names.check(name)


def templates() -> list[str]:
    """What stages write: paths with the place of the name."""
    bodies = [stage.get("do", stage) for stage in STAGES.values()]
    entries = [entry for body in bodies for kind in ("outs", "metrics", "plots") for entry in body.get(kind, [])]
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_reserved_are_the_names_of_which_a_file_would_be_anothers_folder():
    """`models/dense/lstm` lies in what a design `dense` would write, and `scores/integer` beside `scores/NAME.json`."""
    beside = {PurePosixPath(each).parent for each in templates() if "${key}" in PurePosixPath(each).name}
    found = {part.name for each in templates() for part in PurePosixPath(each).parents if part.parent in beside}
    assert found == set(names.RESERVED)


@given(st.lists(GOOD, min_size=2, max_size=2))
def test_names_that_are_no_twins_have_parameters_and_ports_of_their_own(pair):
    one, other = pair
    assume(names.folded(one) != names.folded(other))
    assert compiler._identifier("designs", one) != compiler._identifier("designs", other)
    assert len({each.lower() for each in pair}) == 2
    assert compiler._gathered(f"models/dense/{one}") != compiler._gathered(f"models/dense-{one}")


NONE = {section: {} for together in names.TOGETHER for section in together}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({"designs": {"a": 1, "b": 2}}, []),
        ({"programs": {"a": 1}, "designs": {"a": 1}, "accelerators": {"a": 1}}, []),
        (
            {"networks": {"a": 1}, "designs": {"a": 1}},
            ["designs.a: it and networks.a share a name; rename one"],
        ),
        (
            {"networks": {"lstm": 1}, "designs": {"LSTM": 1}},
            ["designs.LSTM: it and networks.lstm differ by case or by - and _ alone; rename one"],
        ),
        (
            {"programs": {"a-b": 1, "A_b": 1}},
            ["programs.A_b: it and programs.a-b differ by case or by - and _ alone; rename one"],
        ),
        (
            {"accelerators": {"a": 1, "A": 1}},
            ["accelerators.A: it and accelerators.a differ by case or by - and _ alone; rename one"],
        ),
    ],
)
def test_twins(sections, expected):
    assert list(names.twins(NONE | sections)) == expected
