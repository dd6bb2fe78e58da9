"""Examples run as they are, with less data."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.system
@pytest.mark.timeout(600)
def test_vibration_sensors_end_in_an_equal_simulation():
    words = [sys.executable, "examples/vibration.py", "--epochs", "4", "--sequences", "600"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    right = {line.split(":")[0]: float(line.split(" % right")[0].split()[-1]) for line in lines if "% right" in line}
    assert right.keys() == {"dense", "circulant", "integers"}
    assert right["dense"] > 60  # of five kinds, 20 by chance
    assert right["integers"] > right["circulant"] - 5
    assert lines[-1] == "the Verilog gives exactly what the program predicts"
