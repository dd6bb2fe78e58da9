"""Verilog of an array for pruned matrices: lanes fetch the elements that their weights are for.

Every lane has its own copy of the vectors, one for each value of a step.
"""

from collections.abc import Iterator, Mapping, Sequence

from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Thread
from ernn.hw.layout.sparse import SparseLayout, SparseThread
from ernn.hw.verilog.array import WEIGHT_CYCLES, ArrayText
from ernn.hw.verilog.interfaces import Drain, Pages

_FETCH_CYCLES = 3  # memory, its second register, choice of the vector


class SparseArrayText(ArrayText):
    """Verilog of an array for pruned matrices.

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
        return thread.columns

    def steps_of_groups(self) -> Mapping[str, str]:
        """A table for each thread."""
        return {thread.name: _table(thread) for thread in self.layout.threads if isinstance(thread, SparseThread)}

    def vector_wires(self, name: str, thread: Thread, pages: Pages) -> Iterator[str]:
        """Where an element is written, and the page that is read."""
        bits = max(1, (thread.columns - 1).bit_length())
        self._vectors[name] = bits, pages
        yield f"    wire [{bits - 1}:0] {name}_element;"
        yield f"    wire [{pages.bits}-1:0] {name}_write_page, {name}_read_page;"

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[str]:
        """A vector goes to all lanes, element by element."""
        assert writes == 1
        yield f"""    ernn_elements #(.TOTAL({thread.columns}), .ADDRESS({self._vectors[name][0]})) vector_{name} (
        .clk(clk), .rst(rst), .write({name}_points_valid[0]), .element({name}_element), .written({name}_written),
        .last({name}_last), .ends({name}_ends));
    assign {name}_write_page = {pages.write};
    assign {name}_read_page = {pages.read};
"""

    def broadcast(self, vectors: Sequence[str]) -> Iterator[str]:
        """Lanes choose by themselves: which vectors, and whether y counts as zeros."""
        for vector in vectors:
            users = [f"chosen_thread[{self.index(t)}]" for t in self.layout.threads if t.vector == vector]
            condition = " || ".join(users)
            yield f"    wire {vector}_chosen = {f'({condition}) && !chosen_zero' if vector == 'y' else condition};"
        yield ""

    def lane_operands(self) -> str:
        """Ports of a lane's instance for its vectors."""
        return "".join(
            f".{v}_write({v}_points_valid[0]), .{v}_write_address({{{v}_write_page, {v}_element}}), "
            f".{v}_value({v}_points), .{v}_read_page({v}_read_page), .{v}_chosen({v}_chosen), "
            for v in self._vectors
        )

    def operand_ports(self) -> str:
        """Ports of a lane's module for its vectors."""
        return "".join(
            f"""    input wire {v}_write,
    input wire [{self._page_bits(pages) + bits - 1}:0] {v}_write_address,
    input wire [{self.kept_bits(v) - 1}:0] {v}_value,
    input wire [{self._page_bits(pages) - 1}:0] {v}_read_page,
    input wire {v}_chosen,
"""
            for v, (bits, pages) in self._vectors.items()
        )

    def fetch(self) -> Iterator[str]:
        """Weights and elements of a lane's kernel."""
        columns, f = self.layout.array.columns, self.factor_bits
        value, index = self.layout.word_bits, self.layout.index_bits
        yield f"    reg [{columns * f - 1}:0] operands_here;"
        yield f"    wire [{columns * value - 1}:0] values, kernel_weights;"
        for c in range(columns):
            low = c * (value + index)
            yield f"    assign values[{(c + 1) * value - 1}:{c * value}] = weights[{low + value - 1}:{low}];"
            yield f"    wire [{index - 1}:0] column_{c} = weights[{low + value + index - 1}:{low + value}];"
            for v, (bits, pages) in self._vectors.items():
                page = self._page_bits(pages)
                yield from self.behind(c, f"{v}_read_page", page)
                yield from self.behind(c, f"{v}_chosen", 1)
                address, at = page + bits, f"{{{v}_read_page_{c}, column_{c}[{bits - 1}:0]}}"
                depth = 2 * int(pages.count.replace("STREAMS", str(self.streams))) << bits
                yield f"""    wire [{self.kept_bits(v) - 1}:0] {v}_{c};
    ernn_ram #(.WIDTH({self.kept_bits(v)}), .DEPTH({depth}), .ADDRESS({address})) memory_{v}_{c} (
        .clk(clk), .write({v}_write), .write_address({v}_write_address), .d({v}_value), .read_address({at}),
        .q({v}_{c}));"""
            chosen = " | ".join(
                f"({{{f}{{{v}_chosen_{c}}}}} & {self.widened(v, f'{v}_{c}', 0)})" for v in self._vectors
            )
            yield f"    always @(posedge clk) operands_here[{(c + 1) * f - 1}:{c * f}] <= {chosen};"
        yield f"""    ernn_delay #(.WIDTH({columns * value}), .CYCLES({_FETCH_CYCLES})) delay_values (
        .clk(clk), .d(values), .q(kernel_weights));"""

    def _page_bits(self, pages: Pages) -> int:
        return 1 + (self.streams - 1).bit_length() if "STREAM" in pages.bits else 1


def _table(thread: SparseThread) -> str:
    n = thread.name
    cases = "\n".join(
        f"            16'd{group}: {n}_steps_here = 16'd{steps};" for group, steps in enumerate(thread.per_group)
    )
    return f"""    reg [15:0] {n}_steps_here;
    always @(*)
        case ({n}_group)
{cases}
            default: {n}_steps_here = 16'd1;
        endcase"""
