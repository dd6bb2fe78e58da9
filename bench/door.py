"""`python -m bench.door`: seconds from `import ernn` to a simulated accelerator, by the wheel in a new environment."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import _environment
from bench.record import record

RUNS = 5
MEASURES = (
    "ernn/api",
    "ernn/compression",
    "ernn/estimate",
    "ernn/explore",
    "ernn/hw",
    "ernn/nn",
    "ernn/quantization",
    "ernn/simulate",
)
NOTE = f"""\
A torch.nn.LSTM of two layers of 32 cells, 12 inputs, and a linear layer of 5 outputs; 8 sequences of 50 steps; k = 8;
xc7z020 at 100 MHz. The wheel of the checkout is installed with `[train,hardware]` into a new environment, whose
installation and compilation to bytecode are not in the seconds; g++ and make are the machine's, and the compiler's
cache is off. `seconds` are of wall clock, one process after the other. `import alone` is `python -c "import ernn"` less
an empty Python, each the best of {RUNS}; the others are steps of one process, run once, where `from_torch` has the
import. `share` is of the whole way."""
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
step("the user's own: torch, its network, data")
import ernn

model = ernn.from_torch(lstm, head)
step("from_torch, with the import")
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
assert (result.outputs == program.predict(x[:1])).all()
print(json.dumps({"file": ernn.__file__, "times": times}))
"""


def main() -> None:
    """Install, measure and record."""
    if _environment.UV is None:
        print("skipped: no uv, with which `make setup` installs", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        (folder / "wheel").mkdir()
        wheel = _environment.wheel(folder / "wheel")
        python = _environment.installed(wheel, folder, "[train,hardware]", "--compile-bytecode") / "python"
        bare, imported = (min(_seconds(python, code, folder) for _ in range(RUNS)) for code in ("", "import ernn"))
        done = _environment.run(python, "-c", STEPS, folder / "accelerator", folder=folder, CCACHE_DISABLE="1")
        found = json.loads(done.stdout)
        assert Path(found["file"]).is_relative_to(folder), "the package of the new environment is measured"
    times: dict[str, float] = found["times"]
    whole = sum(times.values())
    rows: list[dict[str, Any]] = [{"step": "import alone", "seconds": round(imported - bare, 3)}]
    rows += [
        {"step": name, "seconds": round(value, 3), "share": round(value / whole, 4)} for name, value in times.items()
    ]
    record("door", [*rows, {"step": "the whole way", "seconds": round(whole, 3), "share": 1.0}], note=NOTE)


def _seconds(python: Path, code: str, folder: Path) -> float:
    begun = time.perf_counter()
    _environment.run(python, "-c", code, folder=folder)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
