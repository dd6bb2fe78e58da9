"""Verilog of an array for pruned matrices: lanes fetch the elements that their weights are for.

Every lane has its own copy of the vectors, one for each value of a step.
"""

from collections.abc import Iterator, Sequence

from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Thread
from ernn.hw.layout.sparse import SparseLayout
from ernn.hw.verilog.array import WEIGHT_CYCLES, ArrayHardware
from ernn.hw.verilog.interfaces import Drain, Pages
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Process, Register, Wire, delay
from ernn.hw.verilog.module import Port

_FETCH_CYCLES = 3  # memory, its second register, choice of the vector


class SparseArrayHardware(ArrayHardware):
    """An array for pruned matrices.

    Weights are there two cycles after their address, the elements that they name three cycles later.
    """

    layout: SparseLayout

    def __init__(
        self,
        name: str,
        layout: SparseLayout,
        drains: Sequence[Drain],
        frame_bits: int,
        streams: int,
        clock: Clock,
        memory: str,
    ) -> None:
        super().__init__(name, layout, drains, frame_bits, streams, clock, memory)
        self.weight_delay, self.operand_delay = 0, WEIGHT_CYCLES
        self.lane_cycles = WEIGHT_CYCLES + _FETCH_CYCLES + self.lane.latency + self.align_cycles
        self._vectors: dict[str, tuple[int, Pages]] = {}

    def columns_at_once(self, thread: Thread) -> int:
        """All of them: a value may be for any column."""
        return thread.block_columns

    def vector_wires(self, name: str, thread: Thread, pages: Pages) -> Iterator[Item]:
        """Where an element is written, and the page that is read."""
        bits = max(1, (thread.block_columns - 1).bit_length())
        self._vectors[name] = bits, pages
        yield Wire(f"{name}_element", bits)
        yield from (Wire(f"{name}_write_page", pages.bits), Wire(f"{name}_read_page", pages.bits))

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[Item]:
        """A vector goes to all lanes, element by element."""
        assert writes == 1
        ports = {"clk": "clk", "rst": "rst", "write": f"{name}_points_valid[0]"}
        ports |= {each: f"{name}_{each}" for each in ("element", "written", "last", "ends")}
        sizes = {"TOTAL": thread.block_columns, "ADDRESS": self._vectors[name][0]}
        yield Instance("ernn_elements", f"vector_{name}", ports, sizes)
        yield Assign(f"{name}_write_page", pages.write)
        yield Assign(f"{name}_read_page", pages.read)
        yield BLANK

    def broadcast(self, vectors: Sequence[str]) -> Iterator[Item]:
        """Lanes choose by themselves: which vectors, and whether y counts as zeros."""
        for vector in vectors:
            users = [f"chosen_thread[{self.index(t)}]" for t in self.layout.threads if t.vector == vector]
            condition = " || ".join(users)
            yield Wire(f"{vector}_chosen", value=f"({condition}) && !chosen_zero" if vector == "y" else condition)
        yield BLANK

    def lane_operands(self) -> dict[str, str]:
        """Ports of a lane's instance for its vectors."""
        ports: dict[str, str] = {}
        for v in self._vectors:
            ports |= {f"{v}_write": f"{v}_points_valid[0]", f"{v}_write_address": f"{{{v}_write_page, {v}_element}}"}
            ports |= {f"{v}_value": f"{v}_points", f"{v}_read_page": f"{v}_read_page", f"{v}_chosen": f"{v}_chosen"}
        return ports

    def operand_ports(self) -> Iterator[Port]:
        """Ports of a lane's module for its vectors."""
        for v, (bits, pages) in self._vectors.items():
            page = int(pages.bits)
            yield Port("input", f"{v}_write")
            yield Port("input", f"{v}_write_address", page + bits)
            yield Port("input", f"{v}_value", self.kept_bits(v))
            yield Port("input", f"{v}_read_page", page)
            yield Port("input", f"{v}_chosen")

    def fetch(self) -> Iterator[Item]:
        """Weights and elements of a lane's kernel."""
        columns, f = self.layout.array.columns, self.factor_bits
        value, index = self.layout.word_bits, self.layout.index_bits
        yield Register("operands_here", columns * f)
        yield from (Wire("values", columns * value), Wire("kernel_weights", columns * value))
        for c in range(columns):
            low = c * (value + index)
            yield Assign(f"values[{(c + 1) * value - 1}:{c * value}]", f"weights[{low + value - 1}:{low}]")
            yield Wire(f"column_{c}", index, f"weights[{low + value + index - 1}:{low + value}]")
            for v in self._vectors:
                yield from self._copy(v, c)
            chosen = " | ".join(
                f"({{{f}{{{v}_chosen_{c}}}}} & {self.widened(v, f'{v}_{c}', 0)})" for v in self._vectors
            )
            yield Process(f"    always @(posedge clk) operands_here[{(c + 1) * f - 1}:{c * f}] <= {chosen};")
        yield delay("delay_values", columns * value, _FETCH_CYCLES, "values", "kernel_weights")

    def _copy(self, v: str, c: int) -> Iterator[Item]:
        """A vector for the values of a column."""
        (bits, pages), kept = self._vectors[v], self.kept_bits(v)
        page = int(pages.bits)
        yield from self.behind(c, f"{v}_read_page", page)
        yield from self.behind(c, f"{v}_chosen", 1)
        yield Wire(f"{v}_{c}", kept)
        ports = {"clk": "clk", "write": f"{v}_write", "write_address": f"{v}_write_address", "d": f"{v}_value"}
        ports |= {"read_address": f"{{{v}_read_page_{c}, column_{c}[{bits - 1}:0]}}", "q": f"{v}_{c}"}
        sizes = {"WIDTH": kept, "DEPTH": 2 * int(pages.count) << bits, "ADDRESS": page + bits}
        yield Instance("ernn_ram", f"memory_{v}_{c}", ports, sizes)
