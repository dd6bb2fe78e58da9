"""Dumps: toggles are bits that change behind the first value, by scope and name."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.errors import UserError
from ernn.tools import vcd

HEAD = """$version by hand $end
$timescale 1ps $end
 $scope module top $end
  $var wire 4 ! word [3:0] $end
  $var wire 1 # bit $end
  $scope module chain[1] $end
   $var wire 4 ! same [3:0] $end
   $var wire 2 $ line[0] [1:0] $end
  $upscope $end
  $var wire 1 % still $end
 $upscope $end
$enddefinitions $end
"""


def dump(tmp_path, changes):
    path = tmp_path / "a.vcd"
    path.write_text(HEAD + changes)
    return path


def test_toggles_are_those_behind_the_first_value(tmp_path):
    changes = "#0\n$dumpvars\nb1010 !\n1#\nb00 $\n0%\n$end\n#10\nb0101 !\n0#\n#20\nb0100 !\nb11 $\n1#\n"
    assert vcd.signals(dump(tmp_path, changes)) == [
        vcd.Signal(("top",), "word", 5),
        vcd.Signal(("top",), "bit", 2),
        vcd.Signal(("top", "chain[1]"), "same", 5),
        vcd.Signal(("top", "chain[1]"), "line[0]", 2),
        vcd.Signal(("top",), "still", 0),
    ]


@given(values=st.lists(st.integers(0, 15), min_size=1, max_size=30))
def test_toggles_are_the_distances_of_values_that_follow_each_other(tmp_path_factory, values):
    changes = "".join(f"#{time}\nb{value:04b} !\n" for time, value in enumerate(values))
    word = vcd.signals(dump(tmp_path_factory.mktemp("dump"), changes))[0]
    assert word.toggles == sum((a ^ b).bit_count() for a, b in itertools.pairwise(values))


def test_what_is_no_dump_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"none\.vcd: the simulation wrote no dump$"):
        vcd.signals(tmp_path / "none.vcd")
    with pytest.raises(UserError, match=r"a\.vcd: not a dump of a two-state simulation"):
        vcd.signals(dump(tmp_path, "#0\nb10x0 !\n"))
