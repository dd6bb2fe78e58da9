"""A module of torch through hls4ml: one type of 12 bits for everything that is not said, its C++ simulated.

python with_hls4ml.py FOLDER
"""

import sys
from pathlib import Path

import hls4ml
import numpy as np
from sensor import load

folder = Path(sys.argv[1])
sensor, x = load(folder)
config = hls4ml.utils.config_from_pytorch_model(
    sensor, x.shape[1:], "name", backend="Vitis", default_precision="ap_fixed<12,4>", channels_last_conversion="off"
)
model = hls4ml.converters.convert_from_pytorch_model(
    sensor, hls_config=config, output_dir=str(folder / "with_hls4ml"), backend="Vitis", part="xc7z020clg400-1"
)
model.compile()
np.save(folder / "outputs.npy", model.predict(x))
