"""Verilog of vectors in copies, one for each column of each lane, which fetches the blocks that its weights are for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.interfaces import Pages
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Memory, Process, Register, Wire, delay
from ernn.hw.verilog.module import Port
from ernn.hw.verilog.operands import WEIGHT_CYCLES, Operands, behind

_CYCLES = 3  # memory, its second register, choice of the vector


@dataclass(frozen=True)
class _Vector:
    """How a vector's copies are addressed.

    Args:
        bits: of the number of a block.
        writes: blocks that come at a time, a power of two; a copy has a memory for each of them.
    """

    bits: int
    pages: Pages
    writes: int

    @property
    def page(self) -> int:
        """Bits of a page's number."""
        return int(self.pages.bits)

    @property
    def select(self) -> int:
        """Bits of a block's number that say which memory has it."""
        return self.writes.bit_length() - 1

    @property
    def row(self) -> int:
        """Bits of its place there."""
        return max(1, self.bits - self.select)

    @property
    def chosen(self) -> str:
        """Name of the signal that says whether a step takes it: with its address, or with its block."""
        return "asked" if self.writes > 1 else "chosen"

    @property
    def depth(self) -> int:
        """Words of a memory."""
        return self.pages.turns * int(self.pages.count) << self.row

    def at(self, page: str, row: str) -> str:
        """Verilog of the address of a row in a page."""
        return f"{{{page}, {row}}}" if self.page else row


class Copies(Operands):
    """Words of weights come two cycles after their address, the blocks that they name three cycles later."""

    weight_delay, operand_delay = 0, WEIGHT_CYCLES

    def __init__(self, layout: Layout, factors: Factors) -> None:
        super().__init__(layout, factors)
        self._wait = _CYCLES - factors.lane.taken("x0")
        assert self._wait >= 0, "a kernel that takes operands later must have them delayed"
        self.cycles = WEIGHT_CYCLES + self._wait
        self._vectors: dict[str, _Vector] = {}

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

    def wires(self, name: str, thread: Thread, pages: Pages, writes: int) -> Iterator[Item]:
        """Where a block is written, and the page that is read."""
        v = self._vectors[name] = _Vector(max(1, (thread.block_columns - 1).bit_length()), pages, writes)
        yield Wire(f"{name}_element", v.row)
        if v.page:
            yield from (Wire(f"{name}_write_page", v.page), Wire(f"{name}_read_page", v.page))

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[Item]:
        """A vector goes to all lanes, block by block or some at a time."""
        v = self._vectors[name]
        if writes == 1:
            ports = {"clk": "clk", "rst": "rst", "write": f"{name}_points_valid[0]"}
            ports |= {each: f"{name}_{each}" for each in ("element", "written", "last", "ends")}
            yield Instance("ernn_elements", f"vector_{name}", ports, {"TOTAL": thread.block_columns, "ADDRESS": v.row})
        else:
            yield from self._words(name, v, thread.block_columns)
        if v.page:
            yield Assign(f"{name}_write_page", pages.write)
            yield Assign(f"{name}_read_page", pages.read)
        yield BLANK

    def _words(self, name: str, v: _Vector, blocks: int) -> Iterator[Item]:
        """Numbers words of several blocks as they come in; the last one may have fewer."""
        last = -(-blocks // v.writes) - 1
        yield from (
            Register(f"{name}_copied", v.row),
            Register(f"{name}_copied_blocks", 16),
            Register(f"{name}_copied_ends"),
        )
        yield Assign(f"{name}_element", f"{name}_copied")
        yield Assign(f"{name}_written", f"{name}_copied_blocks")
        yield Assign(f"{name}_ends", f"{name}_copied_ends")
        yield Assign(f"{name}_last", f"{name}_points_valid[0] && {name}_copied == {v.row}'d{last}")
        yield Process(f"""    always @(posedge clk) begin
        {name}_copied_blocks <= !{name}_points_valid[0] ? 16'd0
            : {name}_last ? 16'd{blocks - last * v.writes} : 16'd{v.writes};
        {name}_copied_ends <= {name}_last;
        if (rst || {name}_last) {name}_copied <= {v.row}'d0;
        else if ({name}_points_valid[0]) {name}_copied <= {name}_copied + {v.row}'d1;
    end""")

    def choice(self, vectors: Sequence[str]) -> Iterator[Item]:
        """Lanes choose by themselves: which vectors, and whether y counts as zeros."""
        for name in vectors:
            yield self.chosen(name, self._vectors[name].chosen)
        yield BLANK

    @property
    def early(self) -> bool:
        """Where a vector's memories are chosen among."""
        return any(v.writes > 1 for v in self._vectors.values())

    def lane_ports(self) -> Iterator[Port]:
        """What is written to each vector's copies, and which page is read."""
        for name, v in self._vectors.items():
            yield Port("input", f"{name}_write")
            yield Port("input", f"{name}_write_address", v.page + v.row)
            yield Port("input", f"{name}_value", v.writes * self.factors.kept_bits(name))
            if v.page:
                yield Port("input", f"{name}_read_page", v.page)
            yield Port("input", f"{name}_{v.chosen}")

    def lane_connections(self, lane: int) -> dict[str, str]:
        """The same for all lanes."""
        ports: dict[str, str] = {}
        for name, v in self._vectors.items():
            address = v.at(f"{name}_write_page", f"{name}_element")
            ports |= {f"{name}_write": f"{name}_points_valid[0]", f"{name}_write_address": address}
            ports |= {f"{name}_value": f"{name}_points"}
            same = [*([f"{name}_read_page"] if v.page else []), f"{name}_{v.chosen}"]
            ports |= dict(zip(same, same, strict=True))
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
        found = []
        for name, v in self._vectors.items():
            block = self.factors.widened(name, f"{name}_{c}", 0)
            found.append(block if v.writes > 1 else f"({{{f}{{{name}_chosen_{c}}}}} & {block})")
        return " | ".join(found)

    def _copy(self, name: str, c: int) -> Iterator[Item]:
        """A vector for the blocks of a column."""
        v, kept = self._vectors[name], self.factors.kept_bits(name)
        if v.page:
            yield from behind(c, f"{name}_read_page", v.page)
        yield from behind(c, f"{name}_{v.chosen}", 1)
        yield Wire(f"{name}_{c}", kept)
        if v.writes > 1:
            yield from self._banks(name, c)
            return
        read = v.at(f"{name}_read_page_{c}", f"column_{c}[{v.bits - 1}:0]")
        ports = {"clk": "clk", "write": f"{name}_write", "write_address": f"{name}_write_address"}
        ports |= {"d": f"{name}_value", "read_address": read, "q": f"{name}_{c}"}
        sizes = {"WIDTH": kept, "DEPTH": v.depth, "ADDRESS": v.page + v.row}
        yield Instance("ernn_ram", f"memory_{name}_{c}", ports, sizes)

    def _banks(self, name: str, c: int) -> Iterator[Item]:
        """Memories of which one has the block: the second registers of the others are zeros.

        So the choice is a sum of bits; one behind the registers takes twice as many look-up tables.
        """
        v, kept, here = self._vectors[name], self.factors.kept_bits(name), f"{name}_{c}"
        row = f"column_{c}[{v.bits - 1}:{v.select}]" if v.bits > v.select else "1'b0"
        low, more = f"column_{c}[{min(v.bits, v.select) - 1}:0]", v.select - v.bits
        number = f"{{{more}'d0, {low}}}" if more > 0 else low
        yield Wire(f"{here}_address", v.page + v.row, v.at(f"{name}_read_page_{c}", row))
        yield Wire(f"{here}_number", v.select, number)
        yield Register(f"{here}_elsewhere", v.writes)
        for n in range(v.writes):
            bank = f"{here}_{n}"
            yield Memory(f"{bank}_words", kept, depth=v.depth)
            yield from (Register(f"{bank}_first", kept, port=True), Register(bank, kept))
            yield Process(f"""    always @(posedge clk) begin
        if ({name}_write) {bank}_words[{name}_write_address] <= {name}_value[{(n + 1) * kept - 1}:{n * kept}];
        {bank}_first <= {bank}_words[{here}_address];
        {here}_elsewhere[{n}] <= !({name}_{v.chosen}_{c} && {here}_number == {v.select}'d{n});
        {bank} <= {here}_elsewhere[{n}] ? {kept}'d0 : {bank}_first;
    end""")
        yield Assign(here, " | ".join(f"{here}_{n}" for n in range(v.writes)))
