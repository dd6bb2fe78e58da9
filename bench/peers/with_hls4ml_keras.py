"""A module of torch through Keras and hls4ml: types of 12 bits for the ranges that are measured, its C++ simulated.

python with_hls4ml_keras.py FOLDER
"""

import math
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import hls4ml
import keras
import numpy as np
import torch
from sensor import load


def fixed(*values):
    """A type of 12 bits that holds all values, rounded and saturated."""
    largest = max(float(each.detach().abs().max()) for each in values)
    return f"ap_fixed<12,{math.ceil(math.log2(largest)) + 1},AP_RND,AP_SAT>"


folder = Path(sys.argv[1])
sensor, x = load(folder)
lstm, head = sensor.lstm, sensor.head
weight, recurrent, bias = lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0 + lstm.bias_hh_l0
h = c = torch.zeros(len(x), lstm.hidden_size)
held = [torch.from_numpy(x)]  # features, sums and cell states, which have one type: it compiles with no other
for step in torch.from_numpy(x).unbind(1):
    a = step @ weight.T + h @ recurrent.T + bias
    i, f, g, o = a.chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    h = o.sigmoid() * c.tanh()
    held += [a, c]
logits = head(h)

layers = [
    keras.layers.Input(x.shape[1:], name="x"),
    keras.layers.LSTM(32, name="lstm"),
    keras.layers.Dense(5, name="head"),
]
network = keras.Sequential(layers)
network.layers[0].set_weights([each.detach().numpy().T for each in (weight, recurrent, bias)])
network.layers[1].set_weights([each.detach().numpy().T for each in (head.weight, head.bias)])
config = hls4ml.utils.config_from_keras_model(network, "name", backend="Vitis", default_precision="ap_fixed<12,4>")
for name, settings in config["LayerName"].items():
    settings["Precision"]["result"] = fixed(logits) if name.startswith("head") else fixed(*held)
types = config["LayerName"]["lstm"]["Precision"]
types |= {"weight": fixed(weight), "recurrent_weight": fixed(recurrent), "accum": fixed(*held)}
types |= {"bias": fixed(bias), "recurrent_bias": fixed(bias)}
config["LayerName"]["head"]["Precision"] |= {"weight": fixed(head.weight), "bias": fixed(head.bias)}
model = hls4ml.converters.convert_from_keras_model(
    network, hls_config=config, output_dir=str(folder / "with_hls4ml_keras"), backend="Vitis", part="xc7z020clg400-1"
)
model.compile()
np.save(folder / "outputs.npy", model.predict(x))
