"""An integer program of a trained network from what its tensors hold over some sequences, without training."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ernn.nn.recurrent import RecurrentModel
from ernn.params import ProgramSpec, Quantization
from ernn.program.network import Frontend, Program
from ernn.quantization import calibrate, room, tables
from ernn.quantization.freeze import freeze


def quantize(
    name: str,
    model: RecurrentModel,
    sequences: Sequence[Float[np.ndarray, "frames dimension"]],
    spec: ProgramSpec,
    settings: Quantization,
    frontend: Frontend | None = None,
) -> Program:
    """The program of a network in the widths of `spec`.

    Args:
        name: of the program.
        sequences: float32, by which ranges are measured.
        spec: arithmetic and widths; they are taken as they are, not searched.
        settings: from ranges to formats, and sizes of tables.
        frontend: what the host does before the first layer.

    Raises:
        UserError: block sizes that no transform takes, or values too large for integers.
    """
    model.eval()
    ranges = calibrate.measure_sequences(model, sequences)
    formats = calibrate.choose(model, ranges, spec, settings)
    functions = tables.activations(formats.preactivation, formats.gate, settings.segments, settings.shared_table)
    program = freeze(name, model, formats, spec, functions, frontend)
    room.check_sums(program, ranges.values)
    return program
