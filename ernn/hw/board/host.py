"""Register writes of a host: weights of a memory, and states of a stream.

A write is a register's number and a value. Layers count in the order of the data, as in a project's accelerator.json.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from ernn.hw.design import Accelerator
from ernn.hw.layout.registers import LOAD_PART, LOAD_PLACE, PROTOCOL, STATE_STEP, parts, register_number
from ernn.hw.layout.weights import pack

Write = tuple[int, int]
_PLACE, _PART, _STEP = (register_number(name) for name in (LOAD_PLACE, LOAD_PART, STATE_STEP))


def weights(layer: int, memory: int, image: str, bits: int) -> list[Write]:
    """All words of a memory, as its image has them.

    Args:
        bits: of a word.
    """
    return [(_PLACE, PROTOCOL.memory(layer, memory)), *_words([int(line, 16) for line in image.split()], bits)]


def state(
    accelerator: Accelerator, layer: int, stream: int, kind: str, numbers: Int[np.ndarray, " elements"]
) -> list[Write]:
    """c or y of a layer before its next frame; only while no frame is under way.

    Args:
        accelerator: of the project.
        kind: "c" or "y".
        numbers: integers of the state's format; zeros behind them where its words hold more.
    """
    form = accelerator.layers[layer].states[kind]
    padded = np.zeros(form.size, np.int64)
    padded[: len(numbers)] = numbers
    words = [pack(row, [form.element_bits] * form.elements) for row in padded.reshape(form.words, -1).tolist()]
    return [(_PLACE, PROTOCOL.state(layer, stream, kind)), *_words(words, form.bits)]


def begin(accelerator: Accelerator, stream: int) -> list[Write]:
    """The initial states of an accelerator's program in a stream, before a sequence; none where they are zeros.

    The sequence's first frame has tuser = 0, so that the states count.
    """
    names = [layer.name for layer in accelerator.layers]
    return [
        write
        for each in accelerator.initial
        for write in state(accelerator, names.index(each.layer), stream, each.kind, np.array(each.integers))
    ]


def show(layer: int, stream: int, kind: str, step: int) -> list[Write]:
    """Show a word of a state in the registers state_0, state_1, .."""
    return [(_PLACE, PROTOCOL.state(layer, stream, kind)), (_STEP, step)]


def _words(words: Sequence[int], bits: int) -> list[Write]:
    return [(_PART, part) for part in parts(words, bits)]
