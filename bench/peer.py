"""`python -m bench.peer --hls4ml PYTHON`: the same networks through hls4ml and ernn, in two tables.

`peer` has an LSTM layer through both C simulations, `peer-scripts` a module of torch through complete scripts of users
(`bench/peers`). PYTHON is an interpreter that has hls4ml, keras and torch (`pip install hls4ml keras torch`); without
one it is skipped.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ernn
from bench import peers
from bench.record import record
from ernn.arguments import Parser
from ernn.devices.catalogue import DEVICES
from ernn.golden.model import Golden
from ernn.hw.hls import network as hls
from ernn.nn.recurrent import RecurrentModel, make_circulant, randomise
from ernn.params import Design, Network
from ernn.simulate.vectors import hls_vectors
from ernn.tools import csim
from ernn.tools.process import run

INPUTS, CELLS, BLOCK_SIZE = 40, 128, 8
UTTERANCES, FRAMES, RUNS = 8, 50, 3
TARGET = hls.Target(DEVICES["xczu9eg"].part, 200.0)
MEASURES = (
    "bench/peers",
    "ernn/api",
    "ernn/dataflow",
    "ernn/explore",
    "ernn/golden",
    "ernn/hw",
    "ernn/quantization",
    "ernn/simulate",
)
NOTE = f"""\
One LSTM layer, {INPUTS} inputs, {CELLS} cells, {UTTERANCES} utterances of {FRAMES} frames, the outputs of all frames.
Weights are random and block-circulant (k = {BLOCK_SIZE}), so that one float network is the reference of every row:
torch's LSTM in float64, on features that are not rounded. hls4ml and `ernn dense` multiply the matrices written out.
Errors are of outputs, which lie between -1 and 1. `frames_per_s` is C simulation alone, without compilation, the best
of {RUNS} runs, one process after the other on one machine; `ratio` is to the first row. hls4ml's is compiled with -O3
and takes floats in memory; ours with -O2, and it reads features and expected outputs from text files.

hls4ml: weights and biases have 12 bits for their ranges, everything else as many as the row says, for the range of all
of it, rounded and saturated; `ap_fixed<12,4>` says nothing but that default. Its LSTM compiles only when features,
outputs and sums have one type, so sums can't be wider alone. `resource` is its strategy for large layers. Ours: 12 bits
everywhere, sums as wide as they grow. Both choose binary points on the features that are measured.

`outputs`: frames and elements that come out for an utterance. From torch, hls4ml returns the last frame alone, without
a word; the error is that frame's. It ignores proj_size: as many outputs as cells come out, which compare with nothing.
"""


@dataclass(frozen=True)
class Layer:
    """The float network, its features and what torch makes of them in float64."""

    network: RecurrentModel
    x: np.ndarray  # (utterances, frames, inputs)
    y: np.ndarray
    values: np.ndarray  # cell states and pre-activations, which types must hold


def make() -> Layer:
    """Random weights of block-circulant matrices, and random features."""
    network = RecurrentModel(Network(cell="lstm", layers=1, cells=CELLS), INPUTS, outputs=None)
    make_circulant(network, Design(network="random", block_size=BLOCK_SIZE).blocks(1))
    randomise(network, seed=1)
    x = np.random.default_rng(1).standard_normal((UTTERANCES, FRAMES, INPUTS)).astype(np.float32)
    return Layer(network, x, *reference(weights(network), x))


def weights(network: RecurrentModel) -> dict[str, np.ndarray]:
    """Of its layer, in torch's order."""
    layer: Any = network.layers[0]
    tensors = {"weight_ih": layer.weight_ih(), "weight_hh": layer.weight_hh(), "bias": layer.bias}
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


@torch.no_grad()
def reference(arrays: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of torch's LSTM in float64, and all that its types must hold."""
    lstm = torchs(arrays).double()
    y = lstm(torch.from_numpy(x).double())[0].numpy()
    before = np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1)
    a = x @ arrays["weight_ih"].T + before @ arrays["weight_hh"].T + arrays["bias"]
    cells = [lstm(torch.from_numpy(x[:, :t]).double())[1][1].numpy() for t in range(1, FRAMES + 1)]
    return y, np.concatenate([each.ravel() for each in (x, a, *cells)])


@torch.no_grad()
def torchs(arrays: dict[str, np.ndarray]) -> torch.nn.LSTM:
    """torch's LSTM with weights, its matrices written out."""
    lstm = torch.nn.LSTM(INPUTS, CELLS, batch_first=True)
    for parameter, value in zip(lstm.parameters(), [*arrays.values(), np.zeros(4 * CELLS)], strict=True):
        parameter.copy_(torch.from_numpy(value))
    return lstm


def programs(layer: Layer) -> dict[str, ernn.Program]:
    """The integer networks of 12 bits."""
    dense, circulant = ernn.from_torch(torchs(weights(layer.network))), ernn.Model(layer.network)
    return {
        "dense": ernn.quantize(dense, layer.x),
        f"k={BLOCK_SIZE}, exact": ernn.quantize(circulant, layer.x),
        f"k={BLOCK_SIZE}, fourier": ernn.quantize(circulant, layer.x, transform="fourier"),
    }


def ours(layer: Layer) -> Iterator[dict[str, Any]]:
    """A row for each of our networks; its simulation compares every output with the integer model's."""
    for name, program in programs(layer).items():
        golden = Golden(program.value)
        x = golden.quantize(layer.x.astype(np.float64))
        outputs = [golden.run(utterance[:, None])[0][:, 0] for utterance in x]
        vectors, seconds = hls_vectors(list(x), outputs), []
        with tempfile.TemporaryDirectory() as folder:
            simulation = csim.build(hls.project(program.value, TARGET), Path(folder), "-O2")
            for _ in range(RUNS):
                started = time.perf_counter()
                csim.compare(simulation, vectors)
                seconds.append(time.perf_counter() - started)
        yield row(f"ernn {name}", layer, program.predict(layer.x), min(seconds))


def theirs(layer: Layer, python: str) -> Iterator[dict[str, Any]]:
    """A row for each way through hls4ml."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "layer.npz", x=layer.x, values=layer.values, **weights(layer.network))
        script = Path(__file__).with_name("_hls4ml.py").resolve()
        run([python, script, folder], Path(folder), Path(folder) / "peer.log")
        with np.load(Path(folder) / "peer.npz") as file:
            found = {name: file[name] for name in file.files}
    for key in found:
        name, _, kind = key.rpartition("/")
        label = f"hls4ml {found['version']} {name}"
        if kind == "error":
            yield {"network": label, "outputs": str(found[key])}
        elif kind == "y":
            yield row(label, layer, found[key], float(found[f"{name}/seconds"]))


def row(network: str, layer: Layer, y: np.ndarray, seconds: float) -> dict[str, Any]:
    """Speed and errors; of fewer frames than were asked for, those of the last ones."""
    found = y.reshape(UTTERANCES, -1)
    frames, rest = divmod(found.shape[1], CELLS)
    result = {"network": network, "outputs": f"{frames} x {CELLS}", "frames_per_s": UTTERANCES * FRAMES / seconds}
    if "proj_size" in network or rest:
        return result | {"outputs": " x ".join(map(str, y.shape[1:])) + f" (right: {FRAMES} x {CELLS // 2})"}
    error = np.abs(found.reshape(UTTERANCES, frames, CELLS) - layer.y[:, FRAMES - frames :])
    return result | {"max_error": float(error.max()), "mean_error": float(error.mean())}


def main() -> None:
    """Measure both ways and record them."""
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--hls4ml", default=os.environ.get("ERNN_HLS4ML"), help="interpreter that has hls4ml; default: ERNN_HLS4ML"
    )
    python = parser.parse_args().hls4ml
    if python is None:
        print("skipped: --hls4ml (or ERNN_HLS4ML) names no interpreter that has hls4ml", file=sys.stderr)
        return
    layer = make()
    rows = [*theirs(layer, python), *ours(layer)]
    for each in rows:
        if "frames_per_s" in each:
            each["ratio"] = round(each["frames_per_s"] / rows[0]["frames_per_s"], 2)
    record("peer", rows, note=NOTE)
    pythons = {"with_hls4ml": python, "with_hls4ml_keras": python, "with_ernn": sys.executable}
    with tempfile.TemporaryDirectory() as folder:
        scripts = [*peers.rows(Path(folder), pythons)]
    record("peer-scripts", scripts, note=peers.NOTE, module="peer")


if __name__ == "__main__":
    main()
