"""Accelerators of several kinds, as a board's driver sees them, without hardware behind it."""

import json
from functools import cache
from typing import Any

import numpy as np

from ernn.artifacts import Texts
from ernn.hw import design
from ernn.hw.layout.registers import PROTOCOL
from ernn.hw.project import rtl_project
from tests import programs
from tests.hw import board_driver, designs

DRIVER = board_driver.driver()
STRUCTURES = {
    "lstm": {"block_sizes": (2, 2), "projection": 4},
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
    "sparse": {"block_sizes": (-4, -4)},
    "pruned": {"block_sizes": (0, 0)},
}


class Written:
    """A board that remembers what is written and sent; logits are zeros."""

    clock_mhz = 100.0

    def __init__(self, registers: list[str], identity: int = PROTOCOL.identity) -> None:
        self.writes: list[tuple[int, int]] = []
        self.packets: list[list[int]] = []
        self._values = {registers.index("identity"): identity, registers.index("interface_version"): PROTOCOL.version}

    def read(self, address: int) -> int:
        return self._values[address // 4]

    def write(self, address: int, value: int) -> None:
        self.writes.append((address // 4, value))

    def exchange(self, words: np.ndarray, count: int) -> np.ndarray:
        assert words.dtype == np.uint32
        self.packets.append(words.tolist())
        return np.zeros(count, np.uint32)


def accelerator(name: str, beat: tuple[int, int] = (1, 1)) -> tuple[Any, Written, Texts]:
    """A driver without hardware behind it, and its project."""
    files = _project(name, beat)
    described = json.loads(files[design.ACCELERATOR])
    written = Written(described["registers"])
    return DRIVER.Accelerator(written, described), written, files


@cache
def _project(name: str, beat: tuple[int, int]) -> Texts:
    return rtl_project(designs.network(programs.build(**STRUCTURES[name]), streams=2, beat=beat))
