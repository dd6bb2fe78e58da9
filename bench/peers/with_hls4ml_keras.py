"""A module of torch through hls4ml: types of 12 bits for the ranges that are measured, its C++ simulated.

python with_hls4ml_types.py FOLDER
"""

import math
import sys
from pathlib import Path

import hls4ml
import numpy as np
import torch
from sensor import load


def fixed(*values):
    """A type of 12 bits that holds all values, rounded and saturated."""
    largest = max(float(each.abs().max()) for each in values)
    return f"ap_fixed<12,{math.ceil(math.log2(largest)) + 1},AP_RND,AP_SAT>"


folder = Path(sys.argv[1])
sensor, x = load(folder)
lstm, head = sensor.lstm, sensor.head
h = c = torch.zeros(len(x), lstm.hidden_size)
held = [torch.from_numpy(x)]  # features, sums and cell states, which have one type: it compiles with no other
with torch.no_grad():
    for step in torch.from_numpy(x).unbind(1):
        a = lstm.weight_ih_l0 @ step.T + lstm.weight_hh_l0 @ h.T + (lstm.bias_ih_l0 + lstm.bias_hh_l0)[:, None]
        i, f, g, o = a.T.chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        held += [a, c]
    logits = head(h)

config = hls4ml.utils.config_from_pytorch_model(
    sensor, x.shape[1:], "name", backend="Vitis", default_precision="ap_fixed<12,4>", channels_last_conversion="off"
)
layers = config["LayerName"]
layers["x"]["Precision"]["result"] = fixed(*held)
layers["lstm"]["Precision"] |= {"weight": fixed(lstm.weight_ih_l0), "recurrent_weight": fixed(lstm.weight_hh_l0)}
layers["lstm"]["Precision"] |= {"bias": fixed(lstm.bias_ih_l0), "recurrent_bias": fixed(lstm.bias_hh_l0)}
layers["lstm"]["Precision"] |= {"result": fixed(*held), "accum": fixed(*held)}
layers["head"]["Precision"] |= {"weight": fixed(head.weight), "bias": fixed(head.bias), "result": fixed(logits)}
model = hls4ml.converters.convert_from_pytorch_model(
    sensor, hls_config=config, output_dir=str(folder / "with_hls4ml_types"), backend="Vitis", part="xc7z020clg400-1"
)
model.compile()
np.save(folder / "outputs.npy", model.predict(x))
