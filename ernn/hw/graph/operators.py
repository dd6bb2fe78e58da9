"""The operators of a kernel's graph: a record each, which every reader of graphs asks.

A new operator is one record here, and a method of `ernn.hw.graph.graph.Wire` that makes a node of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from ernn.devices.timing import Timing
from ernn.hw.graph import cplusplus_text as cplusplus
from ernn.hw.graph import verilog_text as verilog
from ernn.hw.graph.terms import Terms
from ernn.hw.graph.verilog_text import Signals

Cost = Literal[
    "none",
    "adder",
    "subtractor",
    "constant adder",
    "negation",
    "magnitude",
    "choice",
    "saturation",
    "search",
    "table",
    "multiplier",
]
Data = tuple[int, ...]


def _no_text(terms: Terms) -> NoReturn:
    raise AssertionError("constants, inputs and products of Verilog are no expressions")


def _all_bits(width: int, bits: int, data: Data) -> int:
    return bits


def _low_bits(width: int, bits: int, data: Data) -> int:
    return width


def _no_delay(timing: Timing, bits: int, data: Data) -> float:
    return 0.0


def _lut_delay(timing: Timing, bits: int, data: Data) -> float:
    return timing.lut_ns


def _carry_delay(timing: Timing, bits: int, data: Data) -> float:
    return timing.lut_ns + timing.carry_ns_per_bit * bits


def _carry_and_lut_delay(timing: Timing, bits: int, data: Data) -> float:
    return _carry_delay(timing, bits, data) + timing.lut_ns


def _table_delay(timing: Timing, bits: int, data: Data) -> float:
    return timing.lut_ns * max(1, len(data).bit_length() - 4)


def _search_delay(timing: Timing, bits: int, data: Data) -> float:
    return _carry_delay(timing, bits, data) + (_table_delay(timing, bits, data) if len(data) > 1 else 0.0)


def _no_cycles(multiplier: int, operands: int) -> tuple[int, ...]:
    return (0,) * operands


@dataclass(frozen=True, eq=False, repr=False)
class Operator:
    """An operator on integers.

    Args:
        name: in messages, and of its module if it has one.
        cost: what it is made of, for estimates; `none`: wires.
        asks: bits of an operand that decide the lowest `width` bits of the result, by that width, the operand's bits
            and the node's data. Verilog cuts operands to it.
        delay: of its logic in front of a register in ns, by the bits of its widest operand and the node's data.
        cycles: from each operand to the result, by the cycles of a multiplier and the number of operands; 0 where it
            works in one cycle.
        verilog: the wires that compute its result; a product is an instance of the module `ernn_NAME`.
        cplusplus: its expression.
        commutes: whether the order of operands is without meaning.
        cuts: whether no more bits of an operand are wired to it than its result has.
        sign_of: the operand of which it wants the sign alone; -1: none.
        moves: places by which wires are moved down, as a multiple of the node's first constant.
        linear: the same on vectors of coefficients, if it is linear and is used for weights.
    """

    name: str
    cost: Cost
    asks: Callable[[int, int, Data], int] = _all_bits
    delay: Callable[[Timing, int, Data], float] = _no_delay
    cycles: Callable[[int, int], tuple[int, ...]] = _no_cycles
    verilog: Callable[[Terms], Signals] = _no_text
    cplusplus: Callable[[Terms], str] = _no_text
    commutes: bool = False
    cuts: bool = False
    sign_of: int = -1
    moves: int = 0
    linear: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return self.name

    @property
    def wiring(self) -> bool:
        """Whether it is wiring alone, without logic."""
        return self.cost == "none"

    @property
    def product(self) -> bool:
        """Whether it is a product of two values, which is in a register."""
        return self.cost == "multiplier"


INPUT = Operator("input", "none", cplusplus=cplusplus.source)
CONSTANT = Operator("constant", "none", cplusplus=cplusplus.constant)
ADD = Operator(
    "add",
    "adder",
    asks=_low_bits,
    delay=_carry_delay,
    verilog=verilog.infix("+"),
    cplusplus=cplusplus.infix("+"),
    commutes=True,
    cuts=True,
    linear=lambda data, a, b: a + b,
)
SUBTRACT = Operator(
    "subtract",
    "subtractor",
    asks=_low_bits,
    delay=_carry_delay,
    verilog=verilog.infix("-"),
    cplusplus=cplusplus.infix("-"),
    cuts=True,
    linear=lambda data, a, b: a - b,
)
NEGATE = Operator(
    "negate",
    "negation",
    asks=_low_bits,
    delay=_carry_delay,
    verilog=verilog.negate,
    cplusplus=cplusplus.negate,
    cuts=True,
)
PLUS = Operator(  # a constant
    "plus",
    "constant adder",
    asks=_low_bits,
    delay=_carry_delay,
    verilog=verilog.plus,
    cplusplus=cplusplus.plus,
    cuts=True,
)
MULTIPLY = Operator(
    "multiply",
    "multiplier",
    cycles=lambda multiplier, operands: (multiplier, multiplier),
    cplusplus=cplusplus.infix("*"),
    commutes=True,
)
MULTIPLY_ADD = Operator(  # the addend is taken a cycle before the result
    "multiply_add",
    "multiplier",
    cycles=lambda multiplier, operands: (multiplier + 1, multiplier + 1, 1),
    cplusplus=cplusplus.multiply_add,
)
SHIFT_LEFT = Operator(
    "shift_left",
    "none",
    asks=lambda width, bits, data: width - data[0],
    verilog=verilog.shift_left,
    cplusplus=cplusplus.shift_left,
    moves=-1,
    linear=lambda data, a: a << data[0],
)
SHIFT_RIGHT = Operator(
    "shift_right",
    "none",
    asks=lambda width, bits, data: width + data[0],
    verilog=verilog.shift_right,
    cplusplus=cplusplus.shift_right,
    moves=1,
)
NARROW = Operator("narrow", "none", asks=_low_bits, verilog=verilog.narrow, cplusplus=cplusplus.narrow)
SATURATE = Operator(
    "saturate", "saturation", delay=_carry_and_lut_delay, verilog=verilog.saturate, cplusplus=cplusplus.saturate
)
MAGNITUDE = Operator(
    "magnitude", "magnitude", delay=_carry_and_lut_delay, verilog=verilog.magnitude, cplusplus=cplusplus.magnitude
)
SELECT = Operator(
    "select", "choice", delay=_lut_delay, verilog=verilog.select, cplusplus=cplusplus.select, cuts=True, sign_of=2
)
SEARCH = Operator("search", "search", delay=_search_delay, verilog=verilog.search, cplusplus=cplusplus.search)
READ = Operator("read", "table", delay=_table_delay, verilog=verilog.read, cplusplus=cplusplus.read)

OPERATORS = (
    INPUT,
    CONSTANT,
    ADD,
    SUBTRACT,
    NEGATE,
    PLUS,
    MULTIPLY,
    MULTIPLY_ADD,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    NARROW,
    SATURATE,
    MAGNITUDE,
    SELECT,
    SEARCH,
    READ,
)
