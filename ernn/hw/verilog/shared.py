"""Verilog of vectors in copies, one for each column of the lanes of all gates of a cell: they take the same blocks.

The indices of a step have a memory of their own, beside the copies, and the lanes' weights come when the blocks do.
"""

from collections.abc import Iterator

from ernn.hw.graph import kernels
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.copies import Copies
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.items import Assign, Instance, Item, Process, Register, Wire, delay
from ernn.hw.verilog.module import Module, Port, declared_first
from ernn.hw.verilog.operands import WEIGHT_CYCLES

_CYCLES = 6  # index: memory, its second register; block: memory, its second register, choice, a register in every lane


class Shared(Copies):
    """Blocks are read for several lanes at once, by indices that come two cycles after their address."""

    def __init__(self, layout: Layout, factors: Factors) -> None:
        super().__init__(layout, factors)
        self.weight_delay = _CYCLES - WEIGHT_CYCLES - factors.lane.taken("x0")
        assert self.weight_delay >= 0, "a kernel that takes operands later must have them delayed"
        self.cycles = self.weight_delay + WEIGHT_CYCLES

    @property
    def write_copies(self) -> int:
        """Those of all places."""
        return self.layout.fetches * self.columns

    @property
    def reads(self) -> int:
        """Every place reads a block of each vector, and takes one."""
        return self.layout.fetches * len({thread.vector for thread in self.layout.threads})

    def lane_ports(self) -> Iterator[Port]:
        """The blocks of a step."""
        yield from self.broadcast_ports()

    def lane_connections(self, lane: int) -> dict[str, str]:
        """Those of its place, the same for every gate."""
        return {"operands": f"fetched_{lane % self.layout.fetches}"}

    def fetch(self) -> Iterator[Item]:
        """A register for each lane's operands."""
        yield from self.broadcast_fetch()

    def place(self, number: int, name: str, load: str, address_bits: int) -> Iterator[Item]:
        """What reads the blocks of a place, in the layer's module.

        Args:
            name: of the array.
            load: expression that says that a word of its indices is loaded.
            address_bits: of a word of weights.
        """
        ports = {"clk": "clk", "load": load, "load_address": f"load_address[{address_bits - 1}:0]"}
        ports |= {"load_data": f"load_data[{self.layout.fetch_bits - 1}:0]", "address": "issued_address"}
        ports |= super().lane_connections(0) | {"operands": f"fetched_{number}"}
        image = {"IMAGE": f'"{name}_weights_{self.layout.weight_memories + number}.hex"'}
        yield Wire(f"fetched_{number}", self.columns * self.factors.bits)
        yield Instance(f"{name}_fetch", f"fetch_{number}", ports, image)

    def module(self, name: str, memory: str, address_bits: int, sliced: bool) -> Module:
        """What reads blocks for the lanes of a place.

        Args:
            name: of the array.
            memory: kind of the indices' memory.
            sliced: as `ernn_ram` has it.
        """
        ports = [Port("input", "clk"), Port("input", "load"), Port("input", "load_address", address_bits)]
        ports += [Port("input", "load_data", self.layout.fetch_bits), Port("input", "address", address_bits)]
        ports += [*super().lane_ports(), Port("output", "operands", self.columns * self.factors.bits)]
        items = declared_first(self.items(memory, address_bits, sliced))
        doc = f"Blocks of the vectors for the lanes of one place of {name}, one of each gate, and the indices of them."
        return Module(f"{name}_fetch", tuple(ports), items, {"IMAGE": '""'}, doc)

    def items(self, memory: str, address_bits: int, sliced: bool) -> Iterator[Item]:
        """What is in its module."""
        bits, f = self.layout.fetch_bits // self.columns, self.factors.bits
        yield Register("load_here")
        yield Process("    always @(posedge clk) load_here <= load;")
        yield Wire("indices", self.layout.fetch_bits)
        ports = {"clk": "clk", "write": "load_here", "write_address": "load_address", "d": "load_data"}
        ports |= {"read_address": "address", "q": "indices"}
        sizes: dict[str, int | str] = {"WIDTH": self.layout.fetch_bits, "DEPTH": self.layout.depth}
        sizes |= {"ADDRESS": address_bits, "IMAGE": "IMAGE", "KIND": f'"{memory}"', "SLICED": int(sliced)}
        yield Instance("ernn_ram", "memory_indices", ports, sizes)
        yield Register("chosen", self.columns * f)
        for c in range(self.columns):
            yield Wire(f"column_{c}", bits)
            here = f"indices[{(c + 1) * bits - 1}:{c * bits}]"
            yield delay(f"delay_column_{c}", bits, kernels.skew(c), here, f"column_{c}")
            yield from self.copies_of(c)
            yield Process(f"    always @(posedge clk) chosen[{(c + 1) * f - 1}:{c * f}] <= {self.choice_of(c)};")
        yield Assign("operands", "chosen")
