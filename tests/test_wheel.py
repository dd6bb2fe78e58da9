"""The built wheel in an empty environment: the way from torch to a simulation, and what is said of a missing extra."""

from pathlib import Path

import numpy as np
import pytest
import torch

import ernn
from bench import _environment
from bench._environment import installed

WITHOUT_UV = pytest.mark.skipif(_environment.UV is None, reason="no uv: make setup")
pytestmark = [pytest.mark.system, pytest.mark.timeout(600), WITHOUT_UV]

FIVE_LINES = """
import numpy as np
import torch
import ernn

lstm, head = torch.nn.LSTM(6, 8), torch.nn.Linear(8, 3)
x = np.random.default_rng(0).normal(size=(3, 6, 6))
model = ernn.compress(ernn.from_torch(lstm, head), train=(x, np.zeros((3, 6), int)), block_size=4, epochs=2)
program = ernn.quantize(model, calibration=x)
result = ernn.generate(program, minimise="share").simulate(x)
assert (result.outputs == program.predict(x)).all()
print(ernn.__file__)
"""
WITHOUT_TORCH = """
import sys
import numpy as np
import ernn

program = ernn.load("program")
print(program.predict(np.ones((2, 6))).tolist())
ernn.generate(program, minimise="share").write("accelerator")
assert "torch" not in sys.modules
"""


def run(*words: object, folder: Path, fails: bool = False) -> str:
    """What a command prints; its errors where it fails as it should."""
    done = _environment.run(*words, folder=folder, check=not fails)
    assert done.returncode == (2 if fails else 0)
    return done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return _environment.wheel(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_alone_reads_runs_and_generates_programs(wheel, tmp_path):
    torch.manual_seed(0)
    model = ernn.from_torch(torch.nn.GRU(6, 8), torch.nn.Linear(8, 3))
    program = ernn.quantize(model, np.random.default_rng(0).normal(size=(2, 9, 6)))
    model.save(tmp_path / "model")
    program.save(tmp_path / "program")
    np.save(tmp_path / "x.npy", np.zeros((2, 6)))
    programs = installed(wheel, tmp_path)
    said = run(programs / "python", "-c", WITHOUT_TORCH, folder=tmp_path)
    assert said == f"{program.predict(np.ones((2, 6))).tolist()}\n"
    assert (tmp_path / "accelerator" / "rtl" / "ernn.v").exists()
    line = run(programs / "ernn", "quantize", "model", "out", "--calibration", "x.npy", folder=tmp_path, fails=True)
    assert line == "ernn quantize: torch is not installed: pip install 'ernn[train]'\n"
    assert "the pipeline is no part of the installed package" in run(
        programs / "ernn", "report", folder=tmp_path, fails=True
    )
    assert run(programs / "ernn", "--version", folder=tmp_path).startswith("ernn ")


def test_five_lines_from_torch_to_a_simulated_accelerator(wheel, tmp_path):
    programs = installed(wheel, tmp_path, "[train,hardware]")
    assert run(programs / "python", "-c", FIVE_LINES, folder=tmp_path).startswith(str(tmp_path))
