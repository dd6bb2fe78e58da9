"""`python -m bench.door`: seconds from `import ernn` to a simulated accelerator, each step in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.record import record

MEASURES = ("ernn/api", "ernn/explore", "ernn/hw", "ernn/nn", "ernn/quantization", "ernn/simulate")
NOTE = """\
A torch.nn.LSTM of two layers of 32 cells, 12 inputs, and a linear layer of 5 outputs; 8 sequences of 50 steps; k = 8;
xc7z020 at 100 MHz. Everything is installed, and the C++ compiler's cache is empty. `seconds` are of wall clock, one
process after the other. `import` is `python -c "import ernn"` less an empty Python; the others are steps of one
process. `ratio` is to the whole way."""
STEPS = """
import json
import sys
import time

begun = time.perf_counter()
times = {}


def step(name):
    global begun
    times[name] = time.perf_counter() - begun
    begun = time.perf_counter()


import numpy as np
import torch

torch.set_num_threads(1)
lstm, head = torch.nn.LSTM(12, 32, 2), torch.nn.Linear(32, 5)
x = np.random.default_rng(0).normal(size=(8, 50, 12))
step("torch, its network, data")
import ernn

model = ernn.from_torch(lstm, head)
step("from_torch")
model = ernn.compress(model, (x, np.zeros((8, 50), int)), 8, epochs=2, progress=False)
step("compress, 2 epochs")
program = ernn.quantize(model, x)
step("quantize")
accelerator = ernn.generate(program, "xc7z020")
step("generate: search of all sizes")
accelerator.write(sys.argv[1])
step("write")
result = accelerator.simulate(x[:1])
step("simulate 50 steps: compile and run")
print(json.dumps(times))
"""


def main() -> None:
    """Measure, and record."""
    with tempfile.TemporaryDirectory() as folder:
        bare = min(_seconds(["-c", ""]) for _ in range(5))
        imported = min(_seconds(["-c", "import ernn"]) for _ in range(5))
        words = [sys.executable, "-c", STEPS, str(Path(folder) / "accelerator")]
        done = subprocess.run(
            words, env=os.environ | {"CCACHE_DISABLE": "1"}, capture_output=True, text=True, check=True
        )
        times = {"import": imported - bare} | json.loads(done.stdout)
    whole = sum(times.values())
    rows: list[dict[str, Any]] = [
        {"step": name, "seconds": round(value, 3), "ratio": round(value / whole, 4)} for name, value in times.items()
    ]
    record("door", [*rows, {"step": "the whole way", "seconds": round(whole, 3), "ratio": 1.0}], note=NOTE)


def _seconds(words: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
