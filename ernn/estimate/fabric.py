"""What small parts of an accelerator take on a family of devices, by the rules that yosys maps them with.

Memories follow the cost function of its pass `memory_libmap`; multipliers the splitting of `mul2dsp`; the rest are
look-up tables a bit. `Fabric.constants` were fitted to synthesis on 2026-11-29, as `python -m bench.cost_fit` does, and
rounded; `python -m bench.cost` has the errors for accelerators that they were not fitted to.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ernn.devices.catalogue import Family, Resources

Style = Literal["auto", "block", "distributed"]
_MUX_COST = 0.5  # of a bit of a multiplexer between memories, in memory_libmap's units


@dataclass(frozen=True)
class MemoryShape:
    """One way to use a memory primitive.

    Args:
        cost: memory_libmap's, of one that is full.
        fixed: part of the cost that stays when fewer bits are used; equal to `cost`: it does not shrink.
        each: what one takes.
        byte: bits that are written together. Rows of a deep memory lie side by side in one primitive, each from a byte
            of its own on; 0: every row has primitives of its own.
    """

    width: int
    depth: int
    cost: float
    fixed: float
    each: Resources
    byte: int = 0

    def units(self, width: int, depth: int) -> int:
        """Primitives that a memory of this width and depth takes."""
        rows = -(-depth // self.depth)
        if self.byte:
            return -(-rows * -(-width // self.byte) * self.byte // self.width)
        return -(-width // self.width) * rows

    def score(self, width: int, depth: int) -> float:
        """memory_libmap's cost of a memory."""
        rows = -(-depth // self.depth)
        if self.byte:
            return self.units(width, depth) * self.cost + _MUX_COST * width * (rows - 1)
        full, rest = divmod(width, self.width)
        partial = self.fixed + (self.cost - self.fixed) * rest / self.width if rest else 0.0
        return rows * (full * self.cost + partial) + _MUX_COST * width * (rows - 1)


@dataclass(frozen=True)
class FabricConstants:
    """Look-up tables by the bit of an operator, or by the bit of state of control logic; fitted to synthesis."""

    add: float
    plus: float  # a constant
    negate: float
    magnitude: float
    select: float
    saturate: float
    bound: float  # a bit of a comparison with a bound of a table's segments
    read: float  # a bit of a word of a table with 32 entries or fewer
    flag: float  # a bit of what is compared for a saturation
    state: float  # a bit of a register of control logic
    ring: float  # a bit of the contexts of frames under way
    mux: float  # a bit of a choice of two
    wide_mux: float  # a bit of one of several words
    choice: float  # a bit of one of many registers, of an address that is checked
    thread: float  # a bit of the registers of a walk through a matrix
    total: float  # a counter of saturations
    count: float  # a bit that a counter of saturations counts
    kept: float  # share of the registers of general modules that is left where they dissolve in a layer


@dataclass(frozen=True)
class Fabric:
    """The rules of one family.

    Args:
        shift_registers: whether a look-up table can be a shift register of 32 bits.
        factor_bits: of the two operands of one multiplier, signed; None: look-up tables multiply.
        soft_bits: pieces of operands with as few bits are multiplied by look-up tables.
        packs: whether multipliers take in the registers around them.
        adds: whether they add to their product what comes in behind it.
        whole: operands of multipliers that are instantiated with their registers, the smallest first, and the blocks of
            each.
        slices: whether a deep memory is made of blocks side by side, without a multiplexer behind them.
        dual, single: shapes of small memories with two addresses and with one.
    """

    lut_inputs: int
    shift_registers: bool
    factor_bits: tuple[int, int] | None
    soft_bits: int
    packs: bool
    adds: bool
    whole: tuple[tuple[int, int, int], ...]
    block: tuple[MemoryShape, ...]
    dual: tuple[MemoryShape, ...]
    single: tuple[MemoryShape, ...]
    constants: FabricConstants
    slices: bool = False

    def chosen(self, width: int, depth: int, style: Style = "auto", one_address: bool = False) -> MemoryShape:
        """The primitive that memory_libmap takes for a memory."""
        small = self.single if one_address else self.dual
        shapes = {"auto": self.block + small, "block": self.block, "distributed": small}[style]
        return min(shapes, key=lambda shape: shape.score(width, depth))

    def memory(self, width: int, depth: int, style: Style = "auto", one_address: bool = False) -> Resources:
        """A memory, what multiplexes its rows included, without the registers behind it."""
        registers = Resources(lut=self.constants.choice * width * depth, ff=width * depth)
        if style == "distributed" and not self.dual:
            return registers
        best = self.chosen(width, depth, style, one_address)
        if style == "auto" and width * depth < best.score(width, depth):  # a bit of a register costs one
            return registers
        rows = -(-depth // best.depth)
        luts = width * math.ceil((rows - 1) / (3 if self.lut_inputs == 6 else 1)) + (rows if rows > 1 else 0)
        return best.each * best.units(width, depth) + Resources(lut=luts)

    def sliced(self, width: int, depth: int) -> Resources:
        """A memory of blocks that are each as deep as all of it, or as deep as there are."""
        deepest = max(shape.depth for shape in self.block)
        best = max((shape for shape in self.block if shape.depth >= min(depth, deepest)), key=lambda shape: shape.width)
        return best.each * best.units(width, depth)

    def table(self, width: int, depth: int) -> Resources:
        """Words that never change: blocks or logic, of which a look-up table's worth costs memory_libmap one."""
        best = min(self.block, key=lambda shape: shape.score(width, depth))
        if width * depth / 2**self.lut_inputs > best.score(width, depth):
            return self.memory(width, depth, "block")
        tables = -(-depth // 2**self.lut_inputs)
        return Resources(lut=width * (tables + math.ceil((tables - 1) / (3 if self.lut_inputs == 6 else 1))))

    def multiplier(self, a: int, b: int, product: int) -> Resources:
        """A product of signed numbers between registers: the wider one goes to the wider input."""
        for first, second, blocks in self.whole:
            if max(a, b) <= first and min(a, b) <= second:
                return Resources(dsp=blocks)
        if self.factor_bits is None:
            narrow, wide = sorted((a + 1 >> 1, b + 1 >> 1))  # as in ernn/synthesize/primitives/gatemate/gatemate_map.v
            return Resources(lut=2 * narrow * wide + 13 * narrow + 6 * wide + 13, ff=a + b + product)
        (wide, rest_a), (narrow, rest_b) = (
            self._parts(bits, most) for bits, most in zip((max(a, b), min(a, b)), self.factor_bits, strict=True)
        )
        parts, rests = wide * narrow, rest_a * b + rest_b * a
        registers = 17 * (parts - 1) if self.packs else a + b + product
        return Resources(lut=20.0 * (parts - 1) + 1.5 * rests, ff=registers, dsp=parts)

    def delay(self, width: int, cycles: int) -> Resources:
        """Registers one behind the other."""
        if self.shift_registers and cycles >= 3:
            return Resources(lut=width * -(-cycles // 32))
        return Resources(ff=width * cycles)

    def _parts(self, bits: int, most: int) -> tuple[int, int]:
        """Pieces of an operand for multipliers, and bits that are left for look-up tables."""
        count = max(1, -(-(bits - 1) // (most - 1)))  # all but the highest are unsigned
        rest = bits - (count - 1) * (most - 1)
        return (count - 1, rest) if count > 1 and rest <= self.soft_bits else (count, 0)


def _blocks(widths: Iterable[tuple[int, int]], cost: float, bram: float, byte: int = 9) -> tuple[MemoryShape, ...]:
    return tuple(
        MemoryShape(width, depth, cost, cost, Resources(bram=bram), min(byte, width)) for width, depth in widths
    )


def _small(width: int, depth: int, cost: float, fixed: float, luts: float) -> MemoryShape:
    return MemoryShape(width, depth, cost, fixed, Resources(lut=luts))


_HALVES = _blocks([(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)], 129, 0.5)
_WHOLES = _blocks([(72, 512), (36, 1024), (18, 2048), (9, 4096), (4, 8192), (2, 16384), (1, 32768)], 257, 1)
_EIGHTEENS = _blocks([(36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384)], 128, 1)
_SIX = FabricConstants(
    add=1.0,
    plus=0.08,
    negate=0.05,
    magnitude=0.85,
    select=1.0,
    saturate=0.6,
    bound=1.0,
    read=0.95,
    flag=0.65,
    state=0.86,
    ring=0.47,
    mux=0.5,
    wide_mux=0.4,
    choice=0.27,
    thread=1.6,
    total=66,
    count=1.05,
    kept=0.85,
)
_FOUR = FabricConstants(
    add=0.94,
    plus=1.2,
    negate=1.9,
    magnitude=2.7,
    select=0.97,
    saturate=1.05,
    bound=0.89,
    read=1.38,
    flag=0.7,
    state=0.78,
    ring=0.78,
    mux=1.55,
    wide_mux=0.32,
    choice=1.28,
    thread=6.5,
    total=50,
    count=1.0,
    kept=0.7,
)
_CPE = FabricConstants(
    add=2.5,
    plus=1.1,
    negate=4.5,
    magnitude=6.8,
    select=2.0,
    saturate=1.4,
    bound=2.5,
    read=4.6,
    flag=1.1,
    state=1.95,
    ring=2.8,
    mux=1.65,
    wide_mux=0.35,
    choice=1.7,
    thread=8.6,
    total=30,
    count=2.3,
    kept=0.7,
)
_XC7_SMALL = (_small(6, 32, 8, 8 / 7, 4), _small(3, 64, 8, 8 / 7, 4))
_XC7 = Fabric(
    6,
    True,
    (25, 18),
    0,
    True,
    True,
    (),
    _HALVES + _WHOLES,
    _XC7_SMALL,
    (_small(8, 32, 8, 8, 4), _small(4, 64, 8, 8, 4), _small(2, 128, 8, 8, 4), _small(1, 256, 8, 8, 4)),
    _SIX,
)
_XCU = Fabric(
    6,
    True,
    (27, 18),
    0,
    False,
    True,
    ((27, 18, 1),),
    _HALVES + _WHOLES,
    (_small(14, 32, 16, 0, 8), _small(7, 64, 16, 0, 8)),
    (_small(16, 32, 16, 0, 8), _small(8, 64, 16, 0, 8), _small(4, 128, 16, 0, 8), _small(2, 256, 16, 0, 8)),
    _SIX,
)
_FOURS = (_small(4, 16, 4, 4, 6),)
_ECP5 = Fabric(4, False, (18, 18), 2, False, False, ((18, 18, 1),), _EIGHTEENS, _FOURS, _FOURS, _FOUR, True)
_GOWIN = Fabric(4, False, (12, 12), 2, False, False, ((12, 12, 1), (36, 27, 4)), _EIGHTEENS, _FOURS, _FOURS, _FOUR)
_TWENTIES = _blocks([(40, 512), (20, 1024), (10, 2048), (5, 4096), (2, 8192), (1, 16384)], 129, 0.5, 1)
_FORTIES = _blocks([(80, 512), (40, 1024), (20, 2048), (10, 4096), (5, 8192), (2, 16384), (1, 32768)], 257, 1, 1)
_GATEMATE = Fabric(4, False, None, 0, False, False, (), _TWENTIES + _FORTIES, (), (), _CPE)
FABRICS: dict[Family, Fabric] = {
    "xc7": _XC7,
    "xcu": _XCU,
    "xcup": _XCU,
    "ecp5": _ECP5,
    "gowin": _GOWIN,
    "gatemate": _GATEMATE,
}
