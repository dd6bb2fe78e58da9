"""What a training step costs in CPU time next to torch's own layers of the same sizes."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the bar is that of one core

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from bench.record import record
from ernn.nn.recurrent import RecurrentLayer
from ernn.params import Network

STEPS, BATCH = 160, 16
INPUTS = {128: 80, 256: 80, 1024: 153}  # log-mel, twice stacked; the features of ESE and E-RNN
CASES = [
    (Network(cell="lstm", layers=2, cells=256, peepholes=True), 15),
    (Network(cell="lstm", layers=1, cells=1024, projection=512, peepholes=True), 5),
    (Network(cell="lstm", layers=2, cells=256), 15),
    (Network(cell="lstm", layers=2, cells=128), 15),
    (Network(cell="gru", layers=2, cells=256), 15),
    (Network(cell="gru", layers=2, cells=128), 15),
]
MEASURES = ("ernn/nn",)
NOTE = (
    f"One step of training (forward, backward, Adam) on {BATCH} sequences of {STEPS} steps: CPU seconds on one thread, "
    "medians of interleaved repetitions. torch's LSTM has no peepholes; ours runs on its kernel (oneDNN) where it has "
    "neither peepholes nor projection. torch's GRU resets after the recurrent product, ours before it. "
    "Bar: ratio at most 1.3 for the LSTMs with peepholes."
)


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="LSTM with projections is not supported with oneDNN")
    record("training", [row(network, repeats) for network, repeats in CASES], note=NOTE)


def row(network: Network, repeats: int) -> dict[str, Any]:
    """Both implementations in turn, step by step."""
    torch.manual_seed(1)
    x = torch.randn(STEPS, BATCH, INPUTS[network.cells])
    ours, torchs = training_step(stacked(network, x.shape[2]), x), training_step(of_torch(network, x.shape[2]), x)
    seconds = [(cpu_seconds(ours), cpu_seconds(torchs)) for _ in range(repeats + 2)][2:]  # two to warm up
    ours_s, torch_s = (statistics.median(column) for column in zip(*seconds, strict=True))
    return {"network": name(network), "ours_s": ours_s, "torch_s": torch_s, "ratio": ours_s / torch_s}


def stacked(network: Network, inputs: int) -> nn.Module:
    """The product's layers."""
    outputs = network.projection or network.cells
    return nn.Sequential(*(RecurrentLayer(network, outputs if index else inputs) for index in range(network.layers)))


def of_torch(network: Network, inputs: int) -> nn.Module:
    """torch's layers of the same sizes."""
    if network.cell == "gru":
        return nn.GRU(inputs, network.cells, network.layers)
    return nn.LSTM(inputs, network.cells, network.layers, proj_size=network.projection)


def training_step(network: nn.Module, x: Tensor) -> Callable[[], None]:
    """Forward, backward and Adam's update."""
    optimizer = torch.optim.Adam(network.parameters(), fused=True)

    def step() -> None:
        optimizer.zero_grad()
        outputs = network(x)
        y = outputs[0] if isinstance(outputs, tuple) else outputs
        y.square().mean().backward()
        optimizer.step()

    return step


def cpu_seconds(step: Callable[[], None]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    step()
    return time.process_time() - start


def name(network: Network) -> str:
    """As in "LSTM 1x1024, projection 512, peepholes"."""
    parts = [f"{network.cell.upper()} {network.layers}x{network.cells}"]
    parts += [f"projection {network.projection}"] * bool(network.projection) + ["peepholes"] * network.peepholes
    return ", ".join(parts)


if __name__ == "__main__":
    main()
