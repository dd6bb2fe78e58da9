"""States of utterances that are cut in two, and the register writes that give them back."""

from collections.abc import Mapping, Sequence

import numpy as np

from ernn.golden.model import Golden
from ernn.hw.board import host
from ernn.hw.design import Accelerator
from ernn.program.network import Program
from ernn.simulate.vectors import Vectors
from tests.hw import designs

FRAMES, CUT = 14, 6
State = Sequence[Mapping[str, np.ndarray]]  # c and y of each layer


def layers_with_states(accelerator: Accelerator) -> list[int]:
    """Numbers of the layers that keep states."""
    return [number for number, layer in enumerate(accelerator.layers) if layer.states]


def rest(program: Program, stream: int) -> tuple[Vectors, State, State]:
    """Frames behind the cut, and the states of the integer model before and after them."""
    golden, x = Golden(program), designs.utterances(program, [FRAMES])[0]
    _, before = golden.run(x[:CUT, None])
    logits, after = golden.run(x[CUT:, None], before)
    count = FRAMES - CUT
    return Vectors(x[CUT:], logits[:, 0], np.zeros(count, bool), np.full(count, stream)), before, after


def restored(accelerator: Accelerator, stream: int, states: State) -> list[host.Write]:
    """Writes of the states of all layers."""
    return [
        write
        for number, state in zip(layers_with_states(accelerator), states, strict=True)
        for kind in accelerator.layers[number].states
        for write in host.state(accelerator, number, stream, kind, state[kind][:, 0])
    ]
