"""Scripts as users of hls4ml and of ernn write them, for one module of torch; `bench.peer` runs them."""

import ast
import io
import time
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bench.peers.sensor import Sensor
from ernn.tools import process
from examples.vibration import vibrations

SEQUENCES, EPOCHS, RUNS = 16, 8, 2
NOTE = f"""\
One module of torch (`bench/peers/sensor.py`), trained for {EPOCHS} epochs on the vibration data of `examples/`, and
{SEQUENCES} sequences of 100 steps. Each script is complete: it reads both, converts the module with 12 bits, simulates
and writes the outputs of each sequence's last step. `lines` are those with code, without docstrings and comments;
`sensor.py`, which all of them import, is not counted. `seconds` are of wall clock from the start of Python to its end,
compilers and their optimisation included, without a compiler's cache, the better of {RUNS} runs, one process after the
other. Errors are of logits against torch in float64; `spread` is the deviation of these logits, for scale.

`simulated`: what the outputs come from. hls4ml compiles C++ with types that round; its cycles need Vitis, which is not
called. ernn simulates the Verilog of the accelerator cycle by cycle, by Verilator, and stops if a bit differs from its
integer model; its seconds hold the search of the accelerator's sizes, too.

hls4ml takes from torch one layer with `batch_first=True` and gives the last step's output alone: so the module is one.
with_hls4ml converts it from torch, with `ap_fixed<12,4>` for all that its configuration leaves open. hls4ml 1.3.0 reads
the matrix of a Linear behind an LSTM without transposing it (`channels_last_conversion="off"`), or takes steps for
inputs (`"internal"`), without a word: its outputs are those of another network. with_hls4ml_keras goes by Keras, which
hls4ml reads rightly, measures ranges, as `ernn.quantize` does, and sets each type.
"""
SIMULATED = {"with_hls4ml": "C++", "with_hls4ml_keras": "C++", "with_ernn": "Verilog"}
_CODE = (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING)


def code_lines(text: str) -> int:
    """Lines of Python with code: neither empty ones nor comments nor docstrings.

    >>> code_lines('"x"\\n# y\\n\\nprint(\\n    1\\n)')
    3
    """
    alone = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Expr)]
    docs = [each for each in alone if isinstance(each.value, ast.Constant)]
    said = {line for each in docs for line in range(each.lineno, (each.end_lineno or each.lineno) + 1)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {line for each in tokens if each.type in _CODE for line in range(each.start[0], each.end[0] + 1)}
    return len(code - said)


def prepare(folder: Path) -> np.ndarray:
    """Train the module, and write it and its sequences; torch's logits in float64, (sequences, kinds)."""
    torch.manual_seed(1)
    sensor = Sensor()
    optimizer = torch.optim.Adam(sensor.parameters(), lr=3e-3)
    x, kinds = vibrations(600, seed=1)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(x)).split(32):
            loss = F.cross_entropy(sensor(torch.from_numpy(x[chosen])), torch.from_numpy(kinds[chosen, -1]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    np.savez(folder / "sensor.npz", **{name: weight.numpy() for name, weight in sensor.state_dict().items()})
    given = vibrations(SEQUENCES, seed=2)[0]
    np.save(folder / "x.npy", given)
    with torch.no_grad():
        return sensor.double()(torch.from_numpy(given.astype(np.float64))).numpy()


def run(name: str, python: str, folder: Path) -> tuple[np.ndarray, float]:
    """The outputs that a script writes to a folder, and its seconds.

    Raises:
        UserError: it failed; the message has its last lines.
    """
    started = time.perf_counter()
    process.run([python, script(name), folder], folder, folder / f"{name}.log", {"CCACHE_DISABLE": "1"})
    return np.load(folder / "outputs.npy"), time.perf_counter() - started


def script(name: str) -> Path:
    """The file of a script."""
    return Path(__file__).resolve().with_name(f"{name}.py")


def rows(folder: Path, pythons: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A row for each script.

    Args:
        folder: what `prepare` writes and the scripts read.
        pythons: the interpreter of each script, by its name.
    """
    wanted = prepare(folder)
    for name, python in pythons.items():
        found = [run(name, python, folder) for _ in range(RUNS)]
        error = np.abs(found[0][0].reshape(wanted.shape) - wanted)
        yield {
            "script": name,
            "lines": code_lines(script(name).read_text()),
            "seconds": round(min(seconds for _, seconds in found), 1),
            "simulated": SIMULATED[name],
            "max_error": float(error.max()),
            "mean_error": float(error.mean()),
            "spread": float(wanted.std()),
        }
