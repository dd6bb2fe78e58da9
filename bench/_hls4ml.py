"""An LSTM layer through hls4ml's C simulation; run by bench.peer with an interpreter that has hls4ml, keras and torch.

    python _hls4ml.py FOLDER

FOLDER/layer.npz has x (utterances, frames, inputs), weight_ih, weight_hh and bias in torch's order, and `values`, among
which are the greatest of features, pre-activations and states. FOLDER/peer.npz gets the outputs of each way to convert
it, and the seconds of its simulation.
"""

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

import hls4ml
import keras
import numpy as np
import torch

RUNS = 3
Arrays = Mapping[str, np.ndarray]


class Sequences(torch.nn.Module):
    """torch's LSTM with the outputs of all frames."""

    def __init__(self, inputs: int, cells: int, projection: int = 0) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(inputs, cells, batch_first=True, proj_size=projection)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs of every step."""
        y, _ = self.lstm(x)
        return y


def fixed(bits: int, values: np.ndarray) -> str:
    """A type of so many bits that holds the values, rounding and saturating."""
    integer = math.ceil(math.log2(float(np.abs(values).max()))) + 1
    return f"ap_fixed<{bits},{integer},AP_RND,AP_SAT>"


def set_types(arrays: Arrays, config: dict[str, Any], bits: int, sums: int) -> None:
    """Give weights and biases 12 bits for their ranges, everything else `bits` bits, or `sums` for sums."""
    types = config["LayerName"]["lstm"]["Precision"]
    types["weight"] = fixed(12, arrays["weight_ih"])
    types["recurrent_weight"] = fixed(12, arrays["weight_hh"])
    types["bias"] = types["recurrent_bias"] = fixed(12, arrays["bias"])
    types["result"] = fixed(bits, arrays["values"])  # of outputs and cell states, which share a type
    types["accum"] = fixed(sums, arrays["values"])
    for name, settings in config["LayerName"].items():
        if name != "lstm":
            settings["Precision"]["result"] = fixed(bits, arrays["values"])


def from_keras(arrays: Arrays, folder: Path, bits: int | None = 12, sums: int = 12, strategy: str = "Latency") -> Any:
    """Convert keras's LSTM, return_sequences=True; without `bits`, a default is all that is said of types."""
    _, frames, inputs = arrays["x"].shape
    cells = arrays["weight_hh"].shape[1]
    layers = [
        keras.layers.Input((frames, inputs)),
        keras.layers.LSTM(cells, return_sequences=True, name="lstm"),
    ]
    model = keras.Sequential(layers)
    model.layers[0].set_weights([arrays["weight_ih"].T, arrays["weight_hh"].T, arrays["bias"]])
    default = "ap_fixed<12,4>"
    config = hls4ml.utils.config_from_keras_model(model, "name", backend="Vitis", default_precision=default)
    config["Model"]["Strategy"] = strategy
    config["LayerName"]["lstm"]["Strategy"] = strategy
    if bits:
        set_types(arrays, config, bits, sums)
    return hls4ml.converters.convert_from_keras_model(model, hls_config=config, output_dir=str(folder), backend="Vitis")


def from_torch(arrays: Arrays, folder: Path, projection: int = 0) -> Any:
    """Convert torch's LSTM, all of whose outputs the model returns."""
    _, frames, inputs = arrays["x"].shape
    model = Sequences(inputs, arrays["weight_hh"].shape[1], projection)
    if not projection:
        zeros = np.zeros_like(arrays["bias"])
        values = [arrays["weight_ih"], arrays["weight_hh"], arrays["bias"], zeros]
        for parameter, value in zip(model.lstm.parameters(), values, strict=True):
            parameter.data = torch.from_numpy(value)
    config = hls4ml.utils.config_from_pytorch_model(
        model, (frames, inputs), "name", backend="Vitis", channels_last_conversion="off"
    )
    set_types(arrays, config, 12, 12)
    return hls4ml.converters.convert_from_pytorch_model(
        model, hls_config=config, output_dir=str(folder), backend="Vitis"
    )


WAYS: dict[str, Callable[[Arrays, Path], Any]] = {
    "keras, 12 bits": from_keras,
    "keras, 12 bits, resource": lambda arrays, folder: from_keras(arrays, folder, strategy="Resource"),
    "keras, 12 bits, sums 24": lambda arrays, folder: from_keras(arrays, folder, 12, 24),
    "keras, weights 12 bits, all else 24": lambda arrays, folder: from_keras(arrays, folder, 24, 24),
    "keras, ap_fixed<12,4>": lambda arrays, folder: from_keras(arrays, folder, None),
    "torch, 12 bits": from_torch,
    "torch, 12 bits, proj_size": lambda arrays, folder: from_torch(arrays, folder, arrays["weight_hh"].shape[1] // 2),
}


def main() -> None:
    """Convert, compile and simulate in every way; what fails leaves its message."""
    folder = Path(sys.argv[1])
    with np.load(folder / "layer.npz") as file:
        arrays = dict(file)
    found: dict[str, Any] = {"version": version("hls4ml")}
    for number, (name, convert) in enumerate(WAYS.items()):
        try:
            model = convert(arrays, folder / f"hls4ml{number}")
            model.compile()
            seconds = []
            for _ in range(RUNS):
                started = time.perf_counter()
                found[f"{name}/y"] = model.predict(arrays["x"])
                seconds.append(time.perf_counter() - started)
            found[f"{name}/seconds"] = min(seconds)
        except Exception as error:
            found[f"{name}/error"] = str(error)[:200]
    np.savez(folder / "peer.npz", **found)


if __name__ == "__main__":
    main()
