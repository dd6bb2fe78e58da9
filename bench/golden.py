"""Frames a second of the integer model at the literature's size, beside the float network on torch."""

import time
from typing import Any

import numpy as np
import torch

from bench.record import record
from ernn.golden.model import Golden
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.params import BlockSizes, Network, ProgramSpec, Quantization
from ernn.program.network import Frontend, Program
from ernn.quantization import calibrate, tables
from ernn.quantization.freeze import freeze

INPUTS, PHONES, FRAMES, REPEATS = 153, 48, 24, 5
LSTM = Network(cell="lstm", layers=1, cells=1024, projection=512, peepholes=True)
GRU = Network(cell="gru", layers=1, cells=1024)
CASES = [(network, k, transform) for network in (LSTM, GRU) for k, transform in ((8, "exact"), (8, "fourier"))]
CASES += [(network, 16, "fourier") for network in (LSTM, GRU)]
BATCHES = (1, 64, 256)  # utterances side by side
MEASURES = ("ernn/dataflow", "ernn/golden")
NOTE = (
    f"One layer of {INPUTS} inputs and an output layer of {PHONES} phones, random weights, 12 bits; {FRAMES} frames of "
    f"each utterance, the fastest of {REPEATS} repetitions, one thread. `torch_frames_per_s` is the float network of "
    "the same weights, expanded. Bar: 1,000 frames a second for the LSTM at k = 8 with utterances batched."
)


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(1)
    record("golden", [row(*case, batch) for case in CASES for batch in BATCHES], note=NOTE)


def row(network: Network, block_size: int, transform: str, batch: int) -> dict[str, Any]:
    """One network and batch."""
    from threadpoolctl import threadpool_limits

    model, program = case(network, block_size, transform)
    golden = Golden(program)
    features = np.random.default_rng(1).standard_normal((FRAMES, batch, INPUTS)).astype(np.float32)
    x, tensor = golden.quantize(features), torch.from_numpy(features)
    with threadpool_limits(1), torch.no_grad():
        ours = FRAMES * batch / min(seconds(lambda: golden.run(x)) for _ in range(REPEATS))
        theirs = FRAMES * batch / min(seconds(lambda: model(tensor)) for _ in range(REPEATS))
    name = f"{network.cell.upper()} {network.cells}" + f", projection {network.projection}" * bool(network.projection)
    return {
        "network": name,
        "block_size": block_size,
        "transform": transform,
        "utterances": batch,
        "frames_per_s": round(ours),
        "torch_frames_per_s": round(theirs),
        "ratio": ours / theirs,
    }


def case(network: Network, block_size: int, transform: str) -> tuple[AcousticModel, Program]:
    """A network with random weights and its program, calibrated on noise."""
    torch.manual_seed(1)
    model = AcousticModel(network, INPUTS, [f"p{phone}" for phone in range(PHONES)]).eval()
    make_circulant(model, (BlockSizes(input=block_size, recurrent=block_size, projection=block_size),))
    spec = ProgramSpec.model_validate({"design": "noise", "transform": transform})
    settings = Quantization()
    with torch.no_grad():
        ranges = calibrate.measure_batch(model, torch.randn(FRAMES, 4, INPUTS))
    formats = calibrate.choose(model, ranges, spec, settings)
    functions = tables.activations(formats.preactivation, formats.gate, settings.segments, settings.shared_table)
    frontend = Frontend("ernn153", 50, 25.0, 10.0, 1, 1, "speaker")
    return model, freeze("noise", model, formats, spec, functions, frontend)


def seconds(work: Any) -> float:
    """Wall-clock seconds of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
