"""The test bench: a source file that Verilator checks by itself."""

from pathlib import Path

from ernn.hw.verilog import testbench as bench
from ernn.tools import verilator
from tests import programs
from tests.hw import designs


def test_the_bench_is_lint_clean_without_a_network(tmp_path: Path):
    files = bench.testbench(designs.network(programs.build()), [[]])
    (tmp_path / "ernn_bench.v").write_text(files["ernn_bench.v"])
    verilator.lint(tmp_path, "ernn_bench", ["ernn_bench.v"])


def test_the_bench_is_the_same_for_every_network():
    one, other = (bench.testbench(designs.network(programs.build(), beat=beat), [[]]) for beat in ((1, 1), (4, 2)))
    assert one["ernn_bench.v"] == other["ernn_bench.v"]
    assert one["ernn_tb.v"] != other["ernn_tb.v"]
