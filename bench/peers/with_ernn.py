"""A module of torch through ernn: integers of 12 bits, an accelerator, its Verilog simulated.

python with_ernn.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
from sensor import load

import ernn

folder = Path(sys.argv[1])
sensor, x = load(folder)
model = ernn.from_torch(sensor.lstm, sensor.head, last=True)
program = ernn.quantize(model, calibration=x, bits=12)
accelerator = ernn.generate(program, device="xc7z020")
accelerator.write(folder / "with_ernn")
np.save(folder / "outputs.npy", accelerator.simulate(x).outputs)
