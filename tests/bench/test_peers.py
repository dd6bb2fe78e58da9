"""The scripts of bench.peer: lines that are counted, and ours from a module of torch to outputs."""

import sys

import numpy as np
import pytest

from bench import peers

SCRIPT = '''"""What it does,
in two lines."""

import sys  # a comment

# another


def one():
    """Said."""
    return """a text
of two lines"""


print(
    sys.path,
)
'''


def test_lines_are_those_with_code():
    assert peers.code_lines(SCRIPT) == 1 + 1 + 2 + 3
    assert peers.code_lines("") == peers.code_lines('"""Said."""\n\n# and a comment\n') == 0


def test_every_script_is_there_and_reads_the_same_module():
    scripts = {each.stem for each in peers.script("sensor").parent.glob("with_*.py")}
    assert scripts == peers.SIMULATED.keys()
    for name in scripts:
        text = peers.script(name).read_text()
        assert "from sensor import load\n" in text
        assert text.splitlines()[2] == f"python {name}.py FOLDER"


@pytest.mark.system
@pytest.mark.timeout(600)
def test_ours_runs_from_the_module_to_outputs_near_those_of_torch(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "EPOCHS", 1)
    monkeypatch.setattr(peers, "SEQUENCES", 2)
    monkeypatch.setattr(peers, "RUNS", 1)
    (row,) = peers.rows(tmp_path, {"with_ernn": sys.executable})
    assert row["script"] == "with_ernn"
    assert 0 < row["mean_error"] <= row["max_error"] < row["spread"]
    assert np.load(tmp_path / "outputs.npy").shape == (2, 5)
    assert (tmp_path / "with_ernn" / "rtl" / "ernn.v").exists()
