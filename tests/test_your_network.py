"""docs/your-network.md: its Python, as it is printed there, with less data; and its commands."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).parents[1]
WORDS = "assert (small.stored_words, model.stored_words) == (3877, 14245)"  # as the page says
PAGE = (ROOT / "docs" / "your-network.md").read_text()


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_python_of_the_page_runs(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = code.replace("64, 50", "8, 20").replace("epochs=100", "epochs=2")
    (tmp_path / "page.py").write_text(f"{code}\nassert (result.outputs == program.predict(x[0])).all()\n{WORDS}\n")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "largest difference" in done.stdout
    assert (tmp_path / "sensor" / "rtl" / "ernn.v").exists()


@pytest.mark.system
@pytest.mark.timeout(600)
def test_the_commands_of_the_page_run(tmp_path):
    torch.manual_seed(0)
    modules = torch.nn.ModuleDict({"lstm": torch.nn.LSTM(12, 32, 2), "head": torch.nn.Linear(32, 5)})
    save_file(modules.state_dict(), tmp_path / "weights.safetensors")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=random.normal(size=(4, 10, 12)), y=random.integers(0, 5, (4, 10)))
    commands = re.findall(r"^    ernn (.+)$", PAGE, re.MULTILINE)
    assert [each.split()[0] for each in commands] == ["import", "compress", "quantize", "generate", "simulate"]
    for command in commands:
        words = [sys.executable, "-m", "ernn.cli", *command.split()]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Simulation: 40 steps, every output equal to the integer network's\n")
