"""`python -m bench.cpu`: frames a second on one core, frame by frame: torch, ONNX Runtime, and spectra of ours."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from bench import _onnx
from bench.golden import case as integer_case
from bench.record import record
from ernn.golden.model import Golden
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant, randomise
from ernn.nn.streaming import Stream
from ernn.params import Design, Network

CLASSES, FRAMES, ROUNDS, CHECKED = 48, 40, 12, 30
NETWORKS = {
    "lstm 153-1024/512": (Network(cell="lstm", layers=1, cells=1024, projection=512), 153),
    "gru 153-1024": (Network(cell="gru", layers=1, cells=1024, reset="after"), 153),
    "lstm 80-2x128": (Network(cell="lstm", layers=2, cells=128), 80),
}
INTEGER = {"lstm 153-1024/512": Network(cell="lstm", layers=1, cells=1024, projection=512)}
BLOCK_SIZES = (8, 16)
Step = Callable[[np.ndarray], np.ndarray]
MEASURES = ("ernn/dataflow", "ernn/golden", "ernn/nn")
NOTE = f"""\
Batch 1, one thread, float32, a frame at a time with the state carried over, an output layer of {CLASSES} classes behind
the recurrent ones; random weights. All systems of a network take turns, {ROUNDS} rounds of {FRAMES} frames each,
so that what else runs on the machine meets all of them; `load` is its load average at the start. `ratio_to_torch` is
of frames a second, both from medians. torch is `torch.nn.LSTM` (`proj_size`) or `torch.nn.GRU`, called frame by frame;
ONNX Runtime runs the same step composed of MatMul, Sigmoid, Tanh and the like, since ONNX's LSTM has no projection.
`ernn` is `ernn.nn.streaming`: block size 1 multiplies the dense matrices, others their spectra. Before anything is
timed, the first {CHECKED} frames of every system must equal the network's forward pass. `ernn integers` is the integer
model (`ernn.golden`), which is written to be bit-exact, not fast. The GRU resets after the product, as torch's does."""


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(1)
    load = os.getloadavg()[0]
    with threadpool_limits(1), torch.no_grad():
        rows = [row | {"load": load} for name in NETWORKS for row in measure(name)]
    record("cpu", rows, note=NOTE)


def measure(name: str) -> Iterator[dict[str, Any]]:
    """A row for each system of one network."""
    network, inputs = NETWORKS[name]
    systems: dict[tuple[str, int], Step] = {}
    x = np.random.default_rng(1).standard_normal((CHECKED + FRAMES, inputs)).astype(np.float32)
    for k in (1, *BLOCK_SIZES):
        model = model_of(network, inputs, k)
        expected = model(torch.from_numpy(x[:, None]))[:, 0].numpy()
        kinds: dict[str, Callable[[AcousticModel], Step]] = {"ernn": Stream}
        if k == 1:
            kinds = {"torch": Torch, "onnxruntime": _onnx.Session} | kinds
        for system, kind in kinds.items():
            check(f"{system} {name} k={k}", kind(model), x[:CHECKED], expected)
            systems[system, k] = kind(model)
    if name in INTEGER:
        systems["ernn integers", 8] = integers(INTEGER[name])
    with torch.inference_mode():
        times = timed(systems, x[CHECKED:])
    torch_us = float(np.median(times["torch", 1]))
    for (system, k), found in times.items():
        median = float(np.median(found))
        yield {
            "system": system,
            "network": name,
            "block_size": k,
            "threads": 1,
            "frames_per_s": round(1e6 / median),
            "latency_us_median": median,
            "latency_us_p95": float(np.percentile(found, 95)),
            "ratio_to_torch": torch_us / median,
        }


def timed(systems: dict[tuple[str, int], Step], x: np.ndarray) -> dict[tuple[str, int], list[float]]:
    """Microseconds of every frame; systems take turns."""
    found: dict[tuple[str, int], list[float]] = {key: [] for key in systems}
    for _ in range(ROUNDS):
        for key, step in systems.items():
            for frame in x:
                started = time.perf_counter_ns()
                step(frame)
                found[key].append((time.perf_counter_ns() - started) / 1000)
    return found


def model_of(network: Network, inputs: int, block_size: int) -> AcousticModel:
    """A network with random weights."""
    model = AcousticModel(network, inputs, [f"p{n}" for n in range(CLASSES)]).eval()
    if block_size > 1:
        make_circulant(model, Design(network="random", block_size=block_size).blocks(network.layers))
    randomise(model, seed=1)
    return model


def check(system: str, step: Step, x: np.ndarray, expected: np.ndarray) -> None:
    """Every frame's logits are those of the whole utterance.

    Raises:
        AssertionError: they are not.
    """
    found = np.stack([step(frame).copy() for frame in x])
    np.testing.assert_allclose(found, expected[: len(x)], rtol=1e-3, atol=1e-4, err_msg=system)


class Torch:
    """The network by torch's own layers, called with one frame."""

    def __init__(self, model: AcousticModel) -> None:
        network, inputs = model.network, model.dimension
        sizes = (inputs, network.cells, network.layers)
        if network.cell == "lstm":
            self._layers: nn.Module = nn.LSTM(*sizes, proj_size=network.projection)
        else:
            self._layers = nn.GRU(*sizes)
        self._output, self._state = model.output, None
        own = dict(self._layers.named_parameters())
        for number, layer in enumerate(model.layers):
            for name, value in _onnx.weights(layer, torch_order=True).items():
                own[f"{name}_l{number}"].copy_(torch.from_numpy(value))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Logits of the next frame."""
        y, self._state = self._layers(torch.from_numpy(x)[None, None], self._state)
        return self._output(y[0, 0]).numpy()


def integers(network: Network) -> Step:
    """The integer model of a network with its state."""
    golden = Golden(integer_case(network, BLOCK_SIZES[0], "exact")[1])
    state: list[Any] = [None]

    def step(x: np.ndarray) -> np.ndarray:
        logits, state[0] = golden.run(golden.quantize(x)[None, None], state[0])
        return logits[0, 0]

    return step


if __name__ == "__main__":
    main()
