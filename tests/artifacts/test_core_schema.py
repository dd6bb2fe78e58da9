"""YAML as DVC reads it, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn import artifacts
from ernn.errors import UserError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10), ("09", 9), ("0o17", 15), ("0x1f", 31), ("-3", -3), ("1e-3", 1e-3), (".5", 0.5), ("1:20", "1:20"),
        ("yes", "yes"), ("on", "on"), ("no", "no"), ("true", True), ("~", None), ("2024-13-45", "2024-13-45"),
        ("1_000", "1_000"),
    ],
)  # fmt: skip
def test_plain_text_is_what_dvc_takes_it_for(text, value):
    from dvc.utils.serialize import loads_yaml

    assert artifacts.parse_yaml(f"key: {text}") == {"key": value}
    if text not in ("1_000", "2024-13-45"):  # one is a number for DVC, the other no date
        assert loads_yaml(f"key: {text}", typ="safe") == {"key": value}


def test_a_number_of_too_many_digits_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"^not YAML: Exceeds the limit"):
        artifacts.parse_yaml(f"key: 1{'0' * 5000}")


TEXTS = [
    "1e5",
    "1e-3",
    ".5",
    "0o17",
    "010",
    "yes",
    "no",
    "on",
    "1:20",
    "2024-01-02",
    "1_000",
    "~",
    "null",
    "<<",
    "-.inf",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_that_looks_like_another_value_stays_text_for_every_reader(text):
    import yaml
    from dvc.utils.serialize import loads_yaml

    written = artifacts.dump_yaml({"key": text})
    assert artifacts.parse_yaml(written) == {"key": text}
    assert loads_yaml(written, typ="safe") == {"key": text}
    assert yaml.safe_load(written) == {"key": text}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc1e.~", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value):
    assert artifacts.parse_yaml(artifacts.dump_yaml(value)) == value
