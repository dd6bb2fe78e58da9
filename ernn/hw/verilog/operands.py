"""How the vectors that an array multiplies are kept, and how its lanes come to the blocks of a step.

`Banks` keep a vector once and broadcast its blocks to all lanes; `Copies` are a memory for every lane and column, which
reads the block that the index of a weight names; `Shared` copies are read for the lanes of all gates of a cell.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from ernn.hw.graph import kernels
from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.interfaces import Pages
from ernn.hw.verilog.items import Item, Process, Register, Wire, delay
from ernn.hw.verilog.module import Port

WEIGHT_CYCLES = 2  # from the address of weights to their words


class Operands(ABC):
    """The vectors of an array.

    Args:
        layout: of the array.
        factors: of its vectors.
    """

    weight_delay: int  # cycles by which the address of weights waits for operands
    operand_delay: int  # cycles by which the choice of operands waits for weights
    cycles: int  # from a step in the registers `issued_*` to its weights at the lane's kernel

    def __init__(self, layout: Layout, factors: Factors) -> None:
        self.layout, self.factors, self.columns = layout, factors, layout.array.columns

    @property
    def early(self) -> bool:
        """Whether it takes `asked_thread` and `asked_zero`, which come with the address of a step."""
        return False

    @abstractmethod
    def columns_at_once(self, thread: Thread) -> int:
        """Blocks of its vector that a thread must have before a step, more for each step."""

    @property
    @abstractmethod
    def write_copies(self) -> int:
        """Memories that a block of a vector is written to."""

    @property
    @abstractmethod
    def reads(self) -> int:
        """Blocks that are read for each column of a step."""

    @abstractmethod
    def wires(self, name: str, thread: Thread, pages: Pages, writes: int) -> Iterator[Item]:
        """Wires of a vector that the layer has; before all of the other items of this vector."""

    @abstractmethod
    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[Item]:
        """What keeps a vector in the layer's module; `writes` blocks come at a time as `NAME_points`."""

    @abstractmethod
    def choice(self, vectors: Sequence[str]) -> Iterator[Item]:
        """Which vector a step takes, in the layer's module, from `chosen_thread` and `chosen_zero`."""

    @abstractmethod
    def lane_ports(self) -> Iterator[Port]:
        """Ports of a lane's module for its operands."""

    @abstractmethod
    def lane_connections(self, lane: int) -> dict[str, str]:
        """What a lane's instance has at them."""

    @abstractmethod
    def fetch(self) -> Iterator[Item]:
        """From `weights`, words of the memories, to `kernel_weights` and `operands_here`, in a lane's module."""

    def broadcast_ports(self) -> Iterator[Port]:
        """The blocks of a step, as they come to several lanes."""
        yield Port("input", "operands", self.columns * self.factors.bits)

    def broadcast_fetch(self) -> Iterator[Item]:
        """Words go to the kernel as they are; a register for each lane's operands."""
        bits = self.columns * self.factors.bits
        yield Register("operands_here", bits, kept=True, comment="one net to all lanes is slow")
        yield Process("    always @(posedge clk) operands_here <= operands;")
        yield Wire("kernel_weights", self.columns * self.layout.column_bits, "weights")

    def chosen(self, vector: str, when: str = "chosen") -> Wire:
        """Whether a step takes a vector; y may count as zeros.

        Args:
            when: `chosen`: with its block; `asked`: with its address.
        """
        threads = self.layout.threads
        users = " || ".join(f"{when}_thread[{n}]" for n, thread in enumerate(threads) if thread.vector == vector)
        return Wire(f"{vector}_{when}", value=f"({users}) && !{when}_zero" if vector == "y" else users)


def behind(column: int, signal: str, bits: int) -> Iterator[Item]:
    """A signal for a column, as much later as the column is."""
    yield Wire(f"{signal}_{column}", bits)
    yield delay(f"delay_{signal}_{column}", bits, kernels.skew(column), signal, f"{signal}_{column}")
