"""Verilog of vectors in copies, one for each column of each lane, which fetches the blocks that its weights are for."""

from collections.abc import Iterator, Sequence

from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.interfaces import Pages
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Process, Register, Wire, delay
from ernn.hw.verilog.module import Port
from ernn.hw.verilog.operands import WEIGHT_CYCLES, Operands, behind

_CYCLES = 3  # memory, its second register, choice of the vector


class Copies(Operands):
    """Words of weights come two cycles after their address, the blocks that they name three cycles later."""

    weight_delay, operand_delay = 0, WEIGHT_CYCLES

    def __init__(self, layout: Layout, factors: Factors) -> None:
        super().__init__(layout, factors)
        self._wait = _CYCLES - factors.lane.taken("x0")
        assert self._wait >= 0, "a kernel that takes operands later must have them delayed"
        self.cycles = WEIGHT_CYCLES + self._wait
        self._vectors: dict[str, tuple[int, Pages]] = {}

    @property
    def write_copies(self) -> int:
        """All."""
        return self.layout.array.lanes * self.columns

    @property
    def reads(self) -> int:
        """Every lane reads a block of each vector, and takes one."""
        return self.layout.array.lanes * len({thread.vector for thread in self.layout.threads})

    def columns_at_once(self, thread: Thread) -> int:
        """All of them: an index may be any column's."""
        return thread.block_columns

    def wires(self, name: str, thread: Thread, pages: Pages) -> Iterator[Item]:
        """Where a block is written, and the page that is read."""
        bits = max(1, (thread.block_columns - 1).bit_length())
        self._vectors[name] = bits, pages
        yield Wire(f"{name}_element", bits)
        yield from (Wire(f"{name}_write_page", pages.bits), Wire(f"{name}_read_page", pages.bits))

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[Item]:
        """A vector goes to all lanes, block by block."""
        assert writes == 1
        ports = {"clk": "clk", "rst": "rst", "write": f"{name}_points_valid[0]"}
        ports |= {each: f"{name}_{each}" for each in ("element", "written", "last", "ends")}
        sizes = {"TOTAL": thread.block_columns, "ADDRESS": self._vectors[name][0]}
        yield Instance("ernn_elements", f"vector_{name}", ports, sizes)
        yield Assign(f"{name}_write_page", pages.write)
        yield Assign(f"{name}_read_page", pages.read)
        yield BLANK

    def choice(self, vectors: Sequence[str]) -> Iterator[Item]:
        """Lanes choose by themselves: which vectors, and whether y counts as zeros."""
        yield from map(self.chosen, vectors)
        yield BLANK

    def lane_ports(self) -> Iterator[Port]:
        """What is written to each vector's copies, and which page is read."""
        for v, (bits, pages) in self._vectors.items():
            page = int(pages.bits)
            yield Port("input", f"{v}_write")
            yield Port("input", f"{v}_write_address", page + bits)
            yield Port("input", f"{v}_value", self.factors.kept_bits(v))
            yield Port("input", f"{v}_read_page", page)
            yield Port("input", f"{v}_chosen")

    def lane_connections(self, lane: int) -> dict[str, str]:
        """The same for all lanes."""
        ports: dict[str, str] = {}
        for v in self._vectors:
            ports |= {f"{v}_write": f"{v}_points_valid[0]", f"{v}_write_address": f"{{{v}_write_page, {v}_element}}"}
            ports |= {f"{v}_value": f"{v}_points", f"{v}_read_page": f"{v}_read_page", f"{v}_chosen": f"{v}_chosen"}
        return ports

    def fetch(self) -> Iterator[Item]:
        """The words of a block wait for the block of the vector that the index above them names."""
        columns, f, block, index = self.columns, self.factors.bits, self.layout.block_bits, self.layout.index_bits
        yield Register("operands_here", columns * f)
        yield from (Wire("values", columns * block), Wire("kernel_weights", columns * block))
        for c in range(columns):
            low = c * (block + index)
            yield Assign(f"values[{(c + 1) * block - 1}:{c * block}]", f"weights[{low + block - 1}:{low}]")
            yield Wire(f"column_{c}", index, f"weights[{low + block + index - 1}:{low + block}]")
            yield from self.copies_of(c)
            chosen = self.choice_of(c)
            yield Process(f"    always @(posedge clk) operands_here[{(c + 1) * f - 1}:{c * f}] <= {chosen};")
        yield delay("delay_values", columns * block, self._wait, "values", "kernel_weights")

    def copies_of(self, c: int) -> Iterator[Item]:
        """All vectors for the blocks of a column."""
        for v in self._vectors:
            yield from self._copy(v, c)

    def choice_of(self, c: int) -> str:
        """Expression of the block of the vector that a step takes, for a column."""
        f = self.factors.bits
        each = (f"({{{f}{{{v}_chosen_{c}}}}} & {self.factors.widened(v, f'{v}_{c}', 0)})" for v in self._vectors)
        return " | ".join(each)

    def _copy(self, v: str, c: int) -> Iterator[Item]:
        """A vector for the blocks of a column."""
        (bits, pages), kept = self._vectors[v], self.factors.kept_bits(v)
        page = int(pages.bits)
        yield from behind(c, f"{v}_read_page", page)
        yield from behind(c, f"{v}_chosen", 1)
        yield Wire(f"{v}_{c}", kept)
        ports = {"clk": "clk", "write": f"{v}_write", "write_address": f"{v}_write_address", "d": f"{v}_value"}
        ports |= {"read_address": f"{{{v}_read_page_{c}, column_{c}[{bits - 1}:0]}}", "q": f"{v}_{c}"}
        sizes = {"WIDTH": kept, "DEPTH": 2 * int(pages.count) << bits, "ADDRESS": page + bits}
        yield Instance("ernn_ram", f"memory_{v}_{c}", ports, sizes)
