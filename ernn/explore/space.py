"""Accelerators that a search chooses from: sizes of every array by itself, and settings of the whole."""

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import product

from ernn.devices import limits
from ernn.devices.catalogue import Device
from ernn.devices.timing import TIMINGS
from ernn.errors import UserError
from ernn.estimate.fabric import Style
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Array
from ernn.hw.layout.layer import projection_apart
from ernn.hw.layout.sizing import Requirements, array_of
from ernn.hw.layout.store import store_of
from ernn.hw.verilog.chain import Link
from ernn.hw.verilog.network import Architecture
from ernn.program.matrices import Matrix, Sparse, shares_sums
from ernn.program.network import Dense, Output

_MOST_HEADS = 16


@dataclass(frozen=True)
class Setting:
    """What all arrays of an accelerator share."""

    device: Device
    clock_mhz: float
    memory: Style = "auto"
    transformed: bool = False
    streams: int = 1
    features: int = 1
    logits: int = 1

    @property
    def key(self) -> Hashable:
        """Equal for settings with which a module takes the same."""
        return self.device.family, self.clock_mhz, self.transformed, self.streams

    def architecture(self, arrays: tuple[Array, ...] = ()) -> Architecture:
        """The accelerator with these arrays."""
        clock = Clock(self.clock_mhz, TIMINGS[self.device.family])
        return Architecture(
            arrays, clock, self.streams, self.memory, self.transformed, self.features, self.logits
        )  # fmt: skip


@dataclass(frozen=True)
class Space:
    """What a search chooses from.

    Lanes and columns are the fewest for their numbers of groups and of steps, of which the next is at least `apart`
    times as large: others take as long and more.

    Args:
        apart: 1: all numbers.
        clocks: that pipelines are scheduled for; none: `clocks` of the device.
        memories: kinds of the weights' memories.
        transformed: what lanes store: the words of a block, or the factors behind their transform.
        features, logits: a beat of the streams.
        alone: so many equal layers in a row, at most, have sizes of their own; if there are more, all have the same.
    """

    apart: float = 1.2
    clocks: tuple[float, ...] = ()
    memories: tuple[Style, ...] = ("auto", "block", "distributed")
    transformed: tuple[bool, ...] = (False, True)
    streams: tuple[int, ...] = (1,)
    features: tuple[int, ...] = (1,)
    logits: tuple[int, ...] = (1,)
    alone: int = 3

    def __post_init__(self) -> None:
        if self.apart < 1:
            raise UserError(f"apart={self.apart} must be 1 or more")

    def settings(self, device: Device, most_mhz: float) -> Iterator[Setting]:
        """All settings on a device, with clocks up to one."""
        made = [mhz for mhz in self.clocks if mhz <= most_mhz] if self.clocks else clocks(device, most_mhz)
        beats = product(self.streams, self.features, self.logits)
        for each, clock, transformed, memory in product(beats, made, self.transformed, self.memories):
            yield Setting(device, clock, memory, transformed, *each)

    def arrays(self, link: Link) -> Iterator[tuple[Array, ...]]:
        """All sizes of the arrays of a module of the chain."""
        matrices = matrices_of(link)
        choices = [list(self._of_array(required, used)) for required, used in zip(link.arrays, matrices, strict=True)]
        yield from product(*choices)

    def _of_array(self, required: Requirements, used: list[Matrix]) -> Iterator[Array]:
        gates, store = required.side_by_side, store_of(used[0])
        blocks = {each.longest_row if isinstance(each, Sparse) else -(-each.cols // each.block_size) for each in used}
        columns = sorted({size for count in blocks for size in sizes(count, self.apart)})
        for column in columns:
            written = min(store.writes(column), required.store.writes(column))
            most = 1 if gates else min(_MOST_HEADS, written, required.block_rows)
            heads = [1 << power for power in range(most.bit_length())]
            lanes = {
                (each * size * max(gates, 1), each)
                for each in heads
                for size in sizes(-(-required.block_rows // each), self.apart)
            }
            for lane, head in sorted(lanes):
                yield from _with_beats(required, lane, column, 0 if gates else head)


def _with_beats(required: Requirements, lanes: int, columns: int, heads: int) -> Iterator[Array]:
    k = required.cells
    if heads > 1 or k == 1:
        yield array_of(required, (lanes, columns, heads, k if required.name != "output" else 0))
        return
    for power in range(k.bit_length()):
        yield array_of(required, (lanes, columns, heads, 1 << power))


def matrices_of(link: Link) -> list[list[Matrix]]:
    """Those that each array of a module multiplies with."""
    layer = link.layer
    if isinstance(layer, Dense | Output):
        return [[layer.weight]]
    if link.x:
        return [[layer.weight_ih]]
    found, projection = [layer.weight_hh], layer.matrices.get("weight_ym")
    if shares_sums(layer.weight_ih, layer.weight_hh):
        found.append(layer.weight_ih)
    if projection is None:
        return [found]
    return [found, [projection]] if projection_apart(layer) else [[*found, projection]]


def sizes(blocks: int, apart: float) -> list[int]:
    """How many of some blocks are done at a time: the fewest for each number of turns.

    >>> sizes(12, 1), sizes(12, 2)
    ([1, 2, 3, 4, 6, 12], [1, 2, 3, 6, 12])
    """
    found, turns = [], 1
    while turns <= blocks:
        found.append(-(-blocks // turns))
        turns = max(turns + 1, math.ceil(turns * apart))
    return sorted({*found, 1})


def clocks(device: Device, most_mhz: float) -> list[float]:
    """The fastest clock, three quarters and half of it: a slower one takes fewer registers.

    Clocks that no accelerator may have are left out, and those without time for a look-up table between two registers,
    if a slower one has it.
    """
    given = [mhz for mhz in (most_mhz, 0.75 * most_mhz, 0.5 * most_mhz) if mhz >= limits.CLOCK_MHZ[0]]
    timing = TIMINGS[device.family]
    good = [mhz for mhz in given if Clock(mhz, timing).budget_ns >= timing.lut_ns]
    return good or given[-1:]
