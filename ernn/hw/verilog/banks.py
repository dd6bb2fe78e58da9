"""Verilog of vectors in banks, one for each column, whose blocks all lanes take."""

from collections.abc import Iterator, Sequence

from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.interfaces import Pages
from ernn.hw.verilog.items import BLANK, Instance, Item, Process, Register, Wire
from ernn.hw.verilog.module import Port
from ernn.hw.verilog.operands import WEIGHT_CYCLES, Operands, behind

_CYCLES = 4  # memory, its second register, choice of the vector, a register in every lane


class Banks(Operands):
    """Vectors are kept once, and read in the order of their columns."""

    write_copies = reads = 1

    def __init__(self, layout: Layout, factors: Factors) -> None:
        super().__init__(layout, factors)
        meet = WEIGHT_CYCLES + factors.lane.taken("x0") - _CYCLES
        self.weight_delay, self.operand_delay = max(0, -meet), max(0, meet)
        self.cycles = self.weight_delay + WEIGHT_CYCLES

    def columns_at_once(self, thread: Thread) -> int:
        """Those of the step."""
        return self.columns

    def wires(self, name: str, thread: Thread, pages: Pages, writes: int) -> Iterator[Item]:
        """The blocks that are read."""
        yield Wire(f"{name}_factors", self.columns * self.factors.kept_bits(name))

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[Item]:
        """A bank for each column."""
        step_bits = max(1, (thread.steps - 1).bit_length())
        kind = {"KIND": '"block"'} if self.layout.transformed else {}  # where block RAM is free
        parameters: dict[str, int | str] = {
            "BANKS": self.columns,
            "WRITES": writes,
            "TOTAL": thread.block_columns,
            "WIDTH": self.factors.kept_bits(name),
            "STEP_ADDRESS": step_bits,
            "PAGES": 2 * pages.count,
            "PAGE_ADDRESS": pages.bits,
            **kind,
        }
        ports = {
            "clk": "clk",
            "rst": "rst",
            "write": f"{name}_points_valid[0]",
            "write_page": pages.write,
            "d": f"{name}_points",
            "written": f"{name}_written",
            "last": f"{name}_last",
            "ends": f"{name}_ends",
            "read_page": pages.read,
            "read_step": f"read_step[{step_bits - 1}:0]",
            "q": f"{name}_factors",
        }
        yield Instance("ernn_operands", f"vector_{name}", ports, parameters)
        yield BLANK

    def choice(self, vectors: Sequence[str]) -> Iterator[Item]:
        """The blocks of the vector that is multiplied, for all lanes."""
        bits = self.factors.bits
        yield Register("broadcast", self.columns * bits)
        for vector in vectors:
            yield self.chosen(vector)
            for column in range(self.columns):
                yield from behind(column, f"{vector}_chosen", 1)
        text = "    always @(posedge clk) begin\n"
        for column in range(self.columns):
            part = f"[{(column + 1) * bits - 1}:{column * bits}]"
            text += f"        broadcast{part} <= {bits}'d0;\n"
            for vector in vectors:
                block = self.factors.widened(vector, f"{vector}_factors", column)
                text += f"        if ({vector}_chosen_{column}) broadcast{part} <= {block};\n"
        yield Process(f"{text}    end")
        yield BLANK

    def lane_ports(self) -> Iterator[Port]:
        """The blocks of a step."""
        yield from self.broadcast_ports()

    def lane_connections(self, lane: int) -> dict[str, str]:
        """The same for all lanes."""
        return {"operands": "broadcast"}

    def fetch(self) -> Iterator[Item]:
        """A register for each lane's operands."""
        yield from self.broadcast_fetch()
