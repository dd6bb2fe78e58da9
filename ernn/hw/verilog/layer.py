"""Verilog of a layer: its array, the vectors that it multiplies, and the units behind it.

Every layer's module has the same ports: words of its input vector come in when `x_ready`, words of its output vector go
out when they are there, for which `room` was asked before their frame began.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.layout.array import Thread
from ernn.hw.layout.steps import Steps
from ernn.hw.layout.words import State, Words
from ernn.hw.verilog import availability as flow
from ernn.hw.verilog import kernel as verilog
from ernn.hw.verilog.array import ArrayText
from ernn.hw.verilog.interfaces import Condition, Pages
from ernn.hw.verilog.lane import lane_module
from ernn.hw.verilog.states import States
from ernn.hw.verilog.unit import Unit


@dataclass(frozen=True)
class Projection:
    """A module that makes a layer's output of `words`, which the layer sends to it and not to the next layer."""

    layer: "LayerText"
    words: Words


class LayerText:
    """The module of one layer.

    Args:
        array: its array.
        source: words that come in.
        sink: words that go out.
        streams: that take turns.
    """

    def __init__(self, array: ArrayText, source: Words, sink: Words, streams: int) -> None:
        self.array, self.source, self.sink, self.streams = array, source, sink, streams
        self.units: list[Unit] = []
        self._points: list[Kernel] = []
        self.declarations: list[str] = []
        self.body: list[str] = []
        self.conditions: dict[str, Condition] = {}
        self.states: dict[str, State] = {}
        self.projection: Projection | None = None
        self.doc = ""

    @property
    def name(self) -> str:
        """Of the module."""
        return self.array.name

    @property
    def block_size(self) -> int:
        """k."""
        return self.array.layout.threads[0].matrix.block_size

    def thread(self, name: str) -> Thread:
        """A thread by its name."""
        return next(each for each in self.array.layout.threads if each.name == name)

    def available(self, name: str) -> str:
        """What a thread has of its vector."""
        thread = self.thread(name)
        return flow.available(thread, self.array.columns_at_once(thread))

    def add_unit(self, unit: Unit) -> None:
        """Put a unit behind the array."""
        self.units.append(unit)
        self.declarations += unit.declarations()
        self.body += unit.text(self.name, self.array.layout.array.heads, self.array.lanes_bits)

    def whole(self, unit: Unit) -> Steps:
        """A unit, or behind one that takes several beats for a block, what puts them together."""
        if unit.beats == 1:
            return unit
        made = Steps(f"{unit.name}_block", 1, unit.elements, unit.block_size * unit.beats, unit.streams)
        self.declarations.append(flow.blocks(made, unit))
        return made

    def add_output(self, unit: Steps) -> None:
        """Send a unit's vector to the next layer."""
        self.body.append(f"    assign y_valid = {unit.name}_done;\n    assign y_data = {unit.name}_out;\n")

    def add_projection(self, projection: Projection, unit: Unit, y: Steps) -> None:
        """Send a unit's vector out to be projected, steps with elements alone; `y` comes back in steps."""
        self.projection, valid = projection, f"{unit.name}_done"
        if unit.real_steps > unit.blocks:
            valid += f" && {unit.name}_done_step < 16'd{unit.blocks}"
        self.body.append(f"    assign m_valid = {valid};\n    assign m_data = {unit.name}_out;\n")
        self.declarations.append(flow.returned(y, self.sink.width))

    def add_states(self, unit: Steps) -> None:
        """Keep y, and c where cells have one, so that they can be written and read between frames; `unit` makes y."""
        kept = ((each, memory) for each in self.units for memory in each.memories if memory.page == "stream")
        states = States(unit, next(kept, None), self.sink.width, self.sink.bits, self.block_size, self.streams)
        self.states = states.words()
        self.declarations.append(states.declarations(self.load_bits))
        self.body.append(states.body(self.state_bits))

    @property
    def flush_cycles(self) -> int:
        """Cycles after which nothing is left in the pipelines of a layer that is held in reset."""
        units = sum(unit.ahead + unit.kernel.latency + 1 for unit in self.units)
        return self.array.flush_cycles + units + sum(kernel.latency for kernel in self._points)

    @property
    def restore_cycles(self) -> int:
        """Cycles from a word of y that is handed to the layer to its factors in their banks, with a few to spare."""
        return 6 + max((kernel.latency for kernel in self._points), default=0) if self.states else 0

    @property
    def state_bits(self) -> int:
        """Of the widest word of a state; 1 without states."""
        return max((state.bits for state in self.states.values()), default=1)

    @property
    def load_bits(self) -> int:
        """Of a word that is loaded."""
        return max(self.array.weight_bits, self.state_bits)

    def add_vector(self, name: str, writes: int, source: tuple[str, str], stream: str = "") -> None:
        """Keep factors of a vector in banks, written as blocks of elements.

        Args:
            writes: blocks at a time.
            source: expressions of enable and data.
            stream: expression of the stream, for a vector that each has of its own: y.
        """
        self.body += self._vector(name, writes, source, stream)

    def _vector(self, name: str, writes: int, source: tuple[str, str], stream: str) -> Iterator[str]:
        thread = next(t for t in self.array.layout.threads if t.vector == name)
        format = thread.product.vector
        module = f"{self.name}_points_{name}"
        kernel = kernels.points(module, thread.matrix, format, self.array.lane.clock)
        self._points.append(kernel)
        block, factors = self.block_size * format.bits, self.array.kept_bits(name)
        assert factors == kernel.outputs["f"].bits
        enable, data = source
        pages, place = Pages("1", "1", "read_turn", f"{name}_place"), "1'b0"
        if stream and self.streams > 1:
            place = f"{name}_stream"
            pages = Pages("STREAMS", "1 + STREAM_BITS", "{read_stream, read_turn}", f"{{{name}_stream, {name}_place}}")
        self.declarations += self.array.vector_wires(name, thread, pages)
        self.declarations += [
            f"    wire [{writes * factors - 1}:0] {name}_points;",
            f"    wire [{writes - 1}:0] {name}_points_valid;",
            f"    wire {name}_last;",
        ]
        if stream:
            self.declarations.append("    wire [STREAM_BITS-1:0] y_last_stream;")
        turns = "a stream's last two" if stream else "two"
        yield f"""    // Vector {name}: {thread.columns} blocks; {turns} take turns.
    wire [15:0] {name}_written;
    wire {name}_ends;"""
        for n in range(writes):
            yield (
                f"    {module} points_{name}_{n} (.clk(clk), .valid({enable}), .valid_out({name}_points_valid[{n}]), "
                f".x({data}[{(n + 1) * block - 1}:{n * block}]), "
                f".f({name}_points[{(n + 1) * factors - 1}:{n * factors}]));"
            )
        if stream and self.streams > 1:
            yield f"""    wire [STREAM_BITS-1:0] {name}_stream;
    ernn_delay #(.WIDTH(STREAM_BITS), .CYCLES({kernel.latency})) delay_stream_{name} (
        .clk(clk), .d({stream}), .q({name}_stream));"""
        if stream:
            yield f"    assign y_last_stream = {place};"
        yield f"""    reg [{pages.count}-1:0] {name}_turns;
    wire {name}_place = {name}_turns[{place}];
    always @(posedge clk)
        if (rst) {name}_turns <= {{{pages.count}{{1'b{int(bool(stream))}}}}};
        else if ({name}_last) {name}_turns[{place}] <= !{name}_place;"""
        yield from self.array.vector(name, thread, writes, pages)

    def add_x(self, others: Sequence[str] = ()) -> None:
        """x as a vector that the array multiplies in thread `ih`; it is read some cycles after the step.

        Args:
            others: threads that may not begin a frame before its x is there.
        """
        cycles = self.array.operand_delay + 3 + kernels.skew(self.array.layout.array.columns - 1)
        self.body.append(f"""    wire x_read;
    ernn_delay #(.WIDTH(1), .CYCLES({cycles})) delay_x_read (
        .clk(clk), .d(ih_taken && ih_taken_ends), .q(x_read));""")
        self.add_vector("x", self.source.elements // self.block_size, ("x_take", "x_data"))
        self._add_input("x_ends", "x_read", ["ih", *others])

    def _add_input(self, ends: str, released: str, users: Sequence[str]) -> None:
        self.declarations.append("    wire x_take = x_valid && x_ready;")
        self.body.append(flow.frames_of_x(ends, released, users))

    def add_rows(self, users: Sequence[str], last: Unit) -> None:
        """x as rows that come in ready, word by word; `last` is the unit that needs them last."""
        self._add_input("x_whole_now", f"{last.name}_done && {last.name}_done_step == 16'd{last.real_steps - 1}", users)
        self.declarations.append("    reg [15:0] x_step;\n    reg x_turn, x_whole_now;")
        self.body.append("""    always @(posedge clk) begin
        x_whole_now <= !rst && x_take && x_end;
        if (rst) begin
            x_step <= 16'd0;
            x_turn <= 1'b0;
        end else if (x_take) begin
            x_step <= x_end ? 16'd0 : x_step + 16'd1;
            if (x_end) x_turn <= !x_turn;
        end
    end
""")

    def overflows(self) -> dict[str, list[str]]:
        """Saturated values of a cycle, by name."""
        found: dict[str, list[str]] = {}
        for unit in self.units:
            for name, bits in unit.overflows().items():
                found.setdefault(name, []).extend(bits)
        return found

    def _counters(self) -> Iterator[str]:
        counted = self.overflows()
        yield f"    // Values that were saturated: {', '.join(counted) or 'none can be'}."
        for number, (name, bits) in enumerate(counted.items()):
            count = max(1, len(bits).bit_length())
            wires = ", ".join(f"({bit})" for bit in bits)
            yield f"""    wire [{len(bits) - 1}:0] over_{name} = {{{wires}}};
    ernn_count #(.BITS({len(bits)}), .COUNT({count})) count_{name} (
        .clk(clk), .rst(clear), .bits(over_{name}), .total(overflows[{32 * number + 31}:{32 * number}]));"""
        if not counted:
            yield "    assign overflows = 32'd0;"

    def _projection_ports(self) -> Iterator[str]:
        if self.projection is not None:
            yield "    input wire m_room,  // for the words of one more frame, to be projected"
            yield "    output wire m_valid,"
            yield f"    output wire [{self.projection.words.width - 1}:0] m_data,"
            yield "    input wire back_valid,  // a word of the projection"
            yield f"    input wire [{self.sink.width - 1}:0] back_data,"

    def module(self) -> str:
        """The whole text."""
        a = self.array
        vectors = list(dict.fromkeys(t.vector for t in a.layout.threads))
        lines = [
            f"// {self.name}: {self.doc}",
            "/* verilator lint_off UNUSED */",
            f"module {self.name} #(",
            f"    parameter STREAMS = {self.streams},",
            f"    parameter STREAM_BITS = {max(1, (self.streams - 1).bit_length())},",
            f"    parameter FRAME_BITS = {a.frame_bits}",
            ") (",
            "    input wire clk,",
            "    input wire rst,",
            "    input wire clear,  // the counters",
            "    input wire [(1<<FRAME_BITS)-1:0] ring_first,  // frames under way: whether one opens an utterance",
            "    input wire [(STREAM_BITS<<FRAME_BITS)-1:0] ring_stream,",
            "    input wire x_valid,",
            "    output wire x_ready,",
            "    input wire x_end,  // the last word of a frame",
            f"    input wire [{self.source.width - 1}:0] x_data,",
            "    input wire room,  // for the words of one more frame",
            "    output wire reserve,  // room for a frame is taken",
            "    output wire y_valid,",
            f"    output wire [{self.sink.width - 1}:0] y_data,",
            *self._projection_ports(),
            "    input wire load,  // a word of weights",
            "    input wire [15:0] load_memory,",
            "    input wire [31:0] load_address,",
            f"    input wire [{self.load_bits - 1}:0] load_data,",
            "    input wire idle,  // no frame is under way",
            "    input wire [15:0] state_step,  // of the state that is read",
            f"    output wire [{self.state_bits - 1}:0] state_read,",
            "    output wire busy,  // a product is done in this cycle",
            f"    output wire [{32 * max(1, len(self.overflows())) - 1}:0] overflows",
            ");",
            *([] if self.states else ["    assign state_read = 1'b0;"]),
            *self.declarations,
            *a.issue.threads(),
            *a.issue.registers(),
            "    assign busy = issued;",
            *a.operands(vectors),
            *a.lanes(),
            *a.drain(),
            *self.body,
            *a.issue.choice(self.conditions),
            *self._counters(),
            "endmodule",
            "/* verilator lint_on UNUSED */",
            "",
        ]
        return "\n".join(lines)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Of the lanes, the units and the vectors."""
        fronts = (unit.front for unit in self.units if unit.front)
        return self.array.lane, *fronts, *(unit.kernel for unit in self.units), *self._points

    def sources(self) -> dict[str, str]:
        """Modules by file."""
        found = {f"{self.name}.v": self.module(), f"{self.name}_lane.v": lane_module(self.array)}
        for kernel in self.kernels:
            found[f"{kernel.name}.v"] = verilog.module(kernel)
        return found

    def images(self) -> dict[str, str]:
        """Memory images by file."""
        found = {f"{self.name}_weights_{n}.hex": text for n, text in enumerate(self.array.layout.images())}
        for unit in self.units:
            found |= unit.images(self.name)
        return found

    @property
    def weight_memory_bits(self) -> int:
        """Of all memories, with what fills them up."""
        layout = self.array.layout
        return layout.memories * layout.depth * self.array.weight_bits

    def multipliers(self) -> dict[str, int]:
        """Multipliers of the array, and of the units behind it."""
        array = self.array.layout.array
        return {
            "array": array.lanes * self.array.lane.graph.multiplications(),
            "units": sum(unit.width * unit.kernel.graph.multiplications() for unit in self.units)
            + sum(unit.front.graph.multiplications() for unit in self.units if unit.front),
        }
