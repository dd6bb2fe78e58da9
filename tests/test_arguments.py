"""Numbers of command lines: bounds as laws, and one line for what breaks them."""

import argparse
import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.arguments import Parser, number, whole


def made() -> Parser:
    parser = Parser(prog="tool")
    command = parser.add_subparsers(dest="command", required=True).add_parser("do")
    command.add_argument("--free", type=number())
    command.add_argument("--share", type=number(0, 1))
    command.add_argument("--wait", type=number(above=0, high=60))
    command.add_argument("--jobs", type=whole(1))
    command.add_argument("--port", type=whole(0, 65_535))
    return parser


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("free", "a finite number"),
        ("share", "a finite number of 0 or more, at most 1"),
        ("wait", "a finite number above 0, at most 60"),
        ("jobs", "a whole number of 1 or more"),
        ("port", "a whole number of 0 or more, at most 65535"),
    ],
)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "", "many", "0x10", "-1e9"])
def test_a_mistake_is_one_line_with_rule_and_value(capsys, option, rule, value):
    if (option, value) == ("free", "-1e9"):
        return
    with pytest.raises(SystemExit, match="2"):
        made().parse_args(["do", f"--{option}={value}"])
    said = capsys.readouterr()
    assert said.err == f"tool do: --{option}: must be {rule}, got {value!r}; see tool do --help\n"
    assert said.out == ""


@pytest.mark.parametrize("words", [[], ["do", "--no"], ["do", "--jobs"], ["undo"]])
def test_other_mistakes_are_one_line_too(capsys, words):
    with pytest.raises(SystemExit, match="2"):
        made().parse_args(words)
    assert capsys.readouterr().err.count("\n") == 1


def test_a_long_value_is_shown_in_part(capsys):
    with pytest.raises(SystemExit, match="2"):
        made().parse_args(["do", "--jobs", "9" * 100_000])
    assert len(capsys.readouterr().err) < 200


@given(st.floats(), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_number_is_taken_if_it_is_within_its_bounds(value, low, high):
    taken = math.isfinite(value) and low <= value <= high
    assert _taken(number(low, high), value) == ([value] if taken else [])
    taken = math.isfinite(value) and low < value <= high
    assert _taken(number(above=low, high=high), value) == ([value] if taken else [])


@given(st.integers(), st.integers(), st.integers())
def test_a_whole_number_is_taken_if_it_is_within_its_bounds(value, low, high):
    assert _taken(whole(low, high), value) == ([value] if low <= value <= high else [])


def _taken(kind, value):
    with contextlib.suppress(argparse.ArgumentTypeError):
        return [kind(repr(value))]
    return []
