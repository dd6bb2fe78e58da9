"""Factors of the vectors that an array multiplies: as they are kept, and as its lanes take them."""

from collections.abc import Mapping
from dataclasses import dataclass

from ernn.hw.graph.kernel import Kernel
from ernn.hw.layout.array import Thread


@dataclass(frozen=True)
class Factors:
    """Those of all vectors of an array.

    Args:
        lane: the kernel that takes them.
        shifts: places by which those of each vector are shifted in front of the lanes.
    """

    threads: tuple[Thread, ...]
    lane: Kernel
    shifts: Mapping[str, int]

    @property
    def bits(self) -> int:
        """Of a block's factors as a lane takes them."""
        return self.lane.inputs["x0"].bits

    def kept_bits(self, vector: str) -> int:
        """Of a block's factors as they are kept."""
        return len(self.lane.inputs["x0"].elements) * self._kept(vector)

    def _kept(self, vector: str) -> int:
        """Bits of a factor as it is kept: without places behind it and more signs."""
        product = next(thread.product for thread in self.threads if thread.vector == vector)
        return max(factor.bits for factor in product.factors())

    def widened(self, vector: str, factors: str, column: int) -> str:
        """Expression of a block's factors as lanes take them, from the block of a column among those that are kept."""
        kept, full, shift = self._kept(vector), self.lane.inputs["x0"].width, self.shifts[vector]
        if kept == full:
            bits = self.kept_bits(vector)
            return f"{factors}[{(column + 1) * bits - 1}:{column * bits}]"
        count, more = len(self.lane.inputs["x0"].elements), full - kept - shift
        parts = []
        for n in reversed(range(column * count, (column + 1) * count)):
            high, low = (n + 1) * kept - 1, n * kept
            signs = [f"{{{more}{{{factors}[{high}]}}}}"] if more else []
            parts += [*signs, f"{factors}[{high}:{low}]", *([f"{shift}'d0"] if shift else [])]
        return f"{{{', '.join(parts)}}}"
