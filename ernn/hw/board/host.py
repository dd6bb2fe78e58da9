"""Register writes of a host: weights of a memory, and states of a stream.

A write is a register's number and a value. Layers count in the order of the data, as in a project's design.json.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from ernn.hw.layout.array import pack
from ernn.hw.verilog.control import WRITTEN

Write = tuple[int, int]
_PLACE, _PART, _STEP = (WRITTEN.index(name) for name in ("load_place", "load_part", "state_step"))
_STATE = 0x8000


def weights(layer: int, memory: int, image: str, bits: int) -> list[Write]:
    """All words of a memory, as its image has them.

    Args:
        bits: of a word.
    """
    return [(_PLACE, layer << 16 | memory), *_words([int(line, 16) for line in image.split()], bits)]


def state(
    design: dict[str, Any], layer: int, stream: int, kind: str, numbers: Int[np.ndarray, " elements"]
) -> list[Write]:
    """c or y of a layer before its next frame; only while no frame is under way.

    Args:
        design: the project's description.
        kind: "c" or "y".
        numbers: integers of the state's format.
    """
    form = design["layers"][layer]["states"][kind]
    padded = np.zeros(form["words"] * form["elements"], np.int64)
    padded[: len(numbers)] = numbers
    words = [pack(row, form["element_bits"]) for row in padded.reshape(form["words"], -1).tolist()]
    return [(_PLACE, _place(layer, stream, kind)), *_words(words, form["bits"])]


def show(layer: int, stream: int, kind: str, step: int) -> list[Write]:
    """Show a word of a state in the registers state_0, state_1, .."""
    return [(_PLACE, _place(layer, stream, kind)), (_STEP, step)]


def _place(layer: int, stream: int, kind: str) -> int:
    return layer << 16 | _STATE | (kind == "y") << 14 | stream


def _words(words: Sequence[int], bits: int) -> list[Write]:
    parts = range(-(-bits // 32))
    return [(_PART, word >> 32 * part & 0xFFFFFFFF) for word in words for part in parts]
