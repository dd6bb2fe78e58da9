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
from ernn.hw.verilog import availability
from ernn.hw.verilog import kernel as verilog
from ernn.hw.verilog.array import ArrayHardware
from ernn.hw.verilog.interfaces import Condition, Controlled, Pages
from ernn.hw.verilog.items import Assign, Instance, Item, Note, Process, Register, Wire, delay
from ernn.hw.verilog.lane import lane_module
from ernn.hw.verilog.module import Module, Port, declared_first
from ernn.hw.verilog.size import Size
from ernn.hw.verilog.states import States
from ernn.hw.verilog.unit import Unit


@dataclass(frozen=True)
class Projection:
    """A module that makes a layer's output of `words`, which the layer sends to it and not to the next layer."""

    layer: "LayerHardware"
    words: Words


class LayerHardware:
    """The hardware of one layer: its module, which parts are added to, and those that it instantiates.

    Args:
        array: its array.
        source: words that come in.
        sink: words that go out.
        streams: that take turns.
    """

    def __init__(self, array: ArrayHardware, source: Words, sink: Words, streams: int) -> None:
        self.array, self.source, self.sink, self.streams = array, source, sink, streams
        self.units: list[Unit] = []
        self._factor_kernels: list[Kernel] = []
        self.declarations: list[Item] = []
        self.body: list[Item] = []
        self.conditions: dict[str, Condition] = {}
        self.states: dict[str, State] = {}
        self.projection: Projection | None = None
        self.doc = ""

    @property
    def name(self) -> str:
        """Name of the layer's module."""
        return self.array.name

    @property
    def block_size(self) -> int:
        """Side k of a block, in elements."""
        return self.array.layout.threads[0].matrix.block_size

    def thread(self, name: str) -> Thread:
        """A thread by its name."""
        return next(each for each in self.array.layout.threads if each.name == name)

    def available(self, name: str) -> Iterator[Item]:
        """What a thread has of its vector."""
        thread = self.thread(name)
        return availability.available(thread, self.array.operands.columns_at_once(thread), self.array.sizes)

    def add_unit(self, unit: Unit) -> None:
        """Put a unit behind the array."""
        self.units.append(unit)
        self.declarations += unit.declarations()
        self.body += unit.items(self.name, self.array.layout.array.heads, self.array.lanes_bits)

    def whole(self, unit: Unit) -> Steps:
        """A unit, or behind one that takes several beats for a block, what puts them together."""
        if unit.beats == 1:
            return unit
        made = Steps(f"{unit.name}_block", 1, unit.elements, unit.block_size * unit.beats, unit.streams)
        self.declarations += availability.blocks(made, unit)
        return made

    def add_output(self, unit: Steps) -> None:
        """Send a unit's vector to the next layer."""
        self.body += [Assign("y_valid", f"{unit.name}_done"), Assign("y_data", f"{unit.name}_out")]

    def add_projection(self, projection: Projection, unit: Unit, y: Steps) -> None:
        """Send a unit's vector out to be projected, steps with elements alone; `y` comes back in steps."""
        self.projection, valid = projection, f"{unit.name}_done"
        if unit.real_steps > unit.blocks:
            valid += f" && {unit.name}_done_step < 16'd{unit.blocks}"
        self.body += [Assign("m_valid", valid), Assign("m_data", f"{unit.name}_out")]
        self.declarations += availability.returned(y, self.sink.width, self.array.sizes)

    def add_states(self, unit: Steps) -> None:
        """Keep y, and c where cells have one, so that they can be written and read between frames; `unit` makes y."""
        kept = ((each, memory) for each in self.units for memory in each.memories if memory.page == "stream")
        states = States(unit, next(kept, None), self.sink.width, self.sink.bits, self.block_size, self.streams)
        self.states = states.words()
        self.declarations += states.declarations(self.load_bits)
        self.body += states.body(self.state_bits)

    @property
    def flush_cycles(self) -> int:
        """Cycles after which nothing is left in the pipelines of a layer that is held in reset."""
        units = sum(unit.ahead + unit.kernel.latency + 1 for unit in self.units)
        return self.array.flush_cycles + units + sum(kernel.latency for kernel in self._factor_kernels)

    @property
    def restore_cycles(self) -> int:
        """Cycles from a word of y that is handed to the layer to its factors in their banks, with a few to spare."""
        return 6 + max((kernel.latency for kernel in self._factor_kernels), default=0) if self.states else 0

    @property
    def state_bits(self) -> int:
        """Width of the widest word of a state; 1 without states."""
        return max((state.bits for state in self.states.values()), default=1)

    @property
    def load_bits(self) -> int:
        """Width of a word that is loaded: weights or state, whichever is wider."""
        return max(self.array.layout.load_bits, self.state_bits)

    def add_vector(self, name: str, writes: int, source: tuple[str, str], stream: str = "") -> None:
        """Keep factors of a vector, written as blocks of elements.

        Args:
            writes: blocks at a time.
            source: expressions of enable and data.
            stream: expression of the stream, for a vector that each has of its own: y.
        """
        self.body += self._vector(name, writes, source, stream)

    def _vector(self, name: str, writes: int, source: tuple[str, str], stream: str) -> Iterator[Item]:
        thread = next(t for t in self.array.layout.threads if t.vector == name)
        kernel = self._factor_kernel(name, thread)
        own = bool(stream) and self.streams > 1
        place = f"{name}_stream" if own else "1'b0"
        pages = self._pages(name, thread, own)
        self.declarations += self.array.operands.wires(name, thread, pages, writes)
        self.declarations += [
            Wire(f"{name}_points", writes * kernel.outputs["f"].bits),
            Wire(f"{name}_points_valid", writes),
            Wire(f"{name}_last"),
        ]
        turns = "a stream's last two take turns" if stream else "two take turns"
        if thread.in_place:
            turns = "the next one comes when all products of one are done"
        yield Note(f"Vector {name}: {thread.block_columns} blocks; {turns}.")
        yield from (Wire(f"{name}_written", 16), Wire(f"{name}_ends"))
        yield from self._factor_items(name, kernel, writes, source)
        if stream:
            yield from self._last_stream(name, kernel, stream, place)
        if not thread.in_place:
            yield Register(f"{name}_turns", pages.count)
            yield Wire(f"{name}_place", value=f"{name}_turns[{place}]")
            yield Process(f"""    always @(posedge clk)
        if (rst) {name}_turns <= {{{pages.count}{{1'b{int(bool(stream))}}}}};
        else if ({name}_last) {name}_turns[{place}] <= !{name}_place;""")
        yield from self.array.operands.vector(name, thread, writes, pages)

    def _pages(self, name: str, thread: Thread, own: bool) -> Pages:
        """Where a vector is kept: `own` says whether each stream has one."""
        count, bits = (self.array.sizes.count, self.array.sizes.stream) if own else (1, 0)
        if thread.in_place:
            return Pages(count, bits, "read_stream" if own else "", f"{name}_stream" if own else "", turns=1)
        read, write = "read_turn", f"{name}_place"
        return Pages(
            count,
            1 + bits,
            f"{{read_stream, {read}}}" if own else read,
            f"{{{name}_stream, {write}}}" if own else write,
        )

    def _factor_kernel(self, name: str, thread: Thread) -> Kernel:
        """What makes factors of a vector's blocks."""
        module = f"{self.name}_points_{name}"
        kernel = kernels.factors(module, thread.matrix, thread.product.vector, self.array.lane.clock)
        self._factor_kernels.append(kernel)
        assert self.array.factors.kept_bits(name) == kernel.outputs["f"].bits
        return kernel

    def _factor_items(self, name: str, kernel: Kernel, writes: int, source: tuple[str, str]) -> Iterator[Instance]:
        """A kernel for each of the blocks that come at a time."""
        (enable, data), block, factors = source, kernel.inputs["x"].bits, kernel.outputs["f"].bits
        for n in range(writes):
            ports = {
                "clk": "clk",
                "valid": enable,
                "valid_out": f"{name}_points_valid[{n}]",
                "x": f"{data}[{(n + 1) * block - 1}:{n * block}]",
                "f": f"{name}_points[{(n + 1) * factors - 1}:{n * factors}]",
            }
            yield Instance(kernel.name, f"points_{name}_{n}", ports)

    def _last_stream(self, name: str, kernel: Kernel, stream: str, place: str) -> Iterator[Item]:
        """The stream whose vector ends."""
        bits = self.array.sizes.stream
        self.declarations.append(Wire("y_last_stream", bits))
        if self.streams > 1:
            yield Wire(f"{name}_stream", bits)
            yield delay(f"delay_stream_{name}", bits, kernel.latency, stream, f"{name}_stream")
        yield Assign("y_last_stream", place)

    def add_x(self, thread: str, others: Sequence[str] = ()) -> None:
        """x as a vector that the array multiplies; it is read some cycles after the step.

        Args:
            thread: which multiplies it.
            others: threads that may not begin a frame before its x is there.
        """
        cycles = self.array.operands.operand_delay + 3 + kernels.skew(self.array.layout.array.columns - 1)
        self.body += [
            Wire("x_read"),
            delay("delay_x_read", 1, cycles, f"{thread}_taken && {thread}_taken_ends", "x_read"),
        ]
        self.add_vector("x", self.source.elements // self.block_size, ("x_take", "x_data"))
        self._add_input("x_ends", "x_read", [thread, *others])

    def _add_input(self, ends: str, released: str, users: Sequence[str]) -> None:
        self.declarations.append(Wire("x_take", value="x_valid && x_ready"))
        self.body += availability.frames_of_x(ends, released, users)

    def add_rows(self, users: Sequence[str], last: Unit) -> None:
        """x as rows that come in ready, word by word; `last` is the unit that needs them last."""
        self._add_input("x_whole_now", f"{last.name}_done && {last.name}_done_step == 16'd{last.real_steps - 1}", users)
        self.declarations += [Register("x_step", 16), Register("x_turn"), Register("x_whole_now")]
        self.body.append(
            Process("""    always @(posedge clk) begin
        x_whole_now <= !rst && x_take && x_end;
        if (rst) begin
            x_step <= 16'd0;
            x_turn <= 1'b0;
        end else if (x_take) begin
            x_step <= x_end ? 16'd0 : x_step + 16'd1;
            if (x_end) x_turn <= !x_turn;
        end
    end""")
        )

    @property
    def with_projection(self) -> list["LayerHardware"]:
        """Itself, and behind it a projection that has a module of its own."""
        return [self, *([self.projection.layer] if self.projection else [])]

    @property
    def controlled(self) -> Controlled:
        """What control knows of it."""
        return Controlled(
            self.name,
            tuple(self.overflows()),
            self.array.layout.memories,
            self.array.layout.depth,
            self.array.layout.load_bits,
            self.states,
            self.state_bits,
            self.load_bits,
            self.flush_cycles,
            self.restore_cycles,
        )

    def overflows(self) -> dict[str, list[str]]:
        """Saturated values of a cycle, by name."""
        found: dict[str, list[str]] = {}
        for unit in self.units:
            for name, bits in unit.overflows().items():
                found.setdefault(name, []).extend(bits)
        return found

    def _counters(self) -> Iterator[Item]:
        counted = self.overflows()
        yield Note(f"Values that were saturated: {', '.join(counted) or 'none can be'}.")
        for number, (name, bits) in enumerate(counted.items()):
            wires = ", ".join(f"({bit})" for bit in bits)
            yield Wire(f"over_{name}", len(bits), f"{{{wires}}}")
            total = f"overflows[{32 * number + 31}:{32 * number}]"
            ports = {"clk": "clk", "rst": "clear", "bits": f"over_{name}", "total": total}
            sizes = {"BITS": len(bits), "COUNT": max(1, len(bits).bit_length())}
            yield Instance("ernn_count", f"count_{name}", ports, sizes)
        if not counted:
            yield Assign("overflows", "32'd0")

    def _ports(self) -> Iterator[Port]:
        frame, stream = self.array.sizes.frame, self.array.sizes.stream
        frames = Size(1 << frame, f"1 << {frame}")
        yield from (Port("input", "clk"), Port("input", "rst"), Port("input", "clear", comment="the counters"))
        yield Port("input", "ring_first", frames, comment="frames under way: whether one opens an utterance")
        yield Port("input", "ring_stream", stream << frame)
        yield from (Port("input", "x_valid"), Port("output", "x_ready"))
        yield Port("input", "x_end", comment="the last word of a frame")
        yield Port("input", "x_data", self.source.width)
        yield Port("input", "room", comment="for the words of one more frame")
        yield Port("output", "reserve", comment="room for a frame is taken")
        yield from (Port("output", "y_valid"), Port("output", "y_data", self.sink.width))
        if self.projection is not None:
            yield Port("input", "m_room", comment="for the words of one more frame, to be projected")
            yield from (Port("output", "m_valid"), Port("output", "m_data", self.projection.words.width))
            yield Port("input", "back_valid", comment="a word of the projection")
            yield Port("input", "back_data", self.sink.width)
        yield Port("input", "load", comment="a word of weights")
        yield from (Port("input", "load_memory", 16), Port("input", "load_address", 32))
        yield Port("input", "load_data", self.load_bits)
        yield Port("input", "idle", comment="no frame is under way")
        yield Port("input", "state_step", 16, comment="of the state that is read")
        yield Port("output", "state_read", self.state_bits)
        yield Port("output", "busy", comment="a product is done in this cycle")
        yield Port("output", "overflows", 32 * max(1, len(self.overflows())))

    def items(self) -> Iterator[Item]:
        """What is in its module."""
        a = self.array
        if not self.states:
            yield Assign("state_read", "1'b0")
        yield from self.declarations
        yield from a.issue.threads()
        yield from a.issue.registers()
        yield Assign("busy", "issued")
        yield from a.choice(list(dict.fromkeys(t.vector for t in a.layout.threads)))
        yield from a.lanes()
        yield from a.drain()
        yield from self.body
        yield from a.issue.choice(self.conditions)
        yield from self._counters()

    def module(self) -> Module:
        """The layer's own module, without those that it instantiates."""
        ports, items, sizes = tuple(self._ports()), declared_first(self.items()), self.array.sizes.parameters
        unchecked = {"UNUSED": "what a layer has no use for is the same in all layers"}
        return Module(self.name, ports, items, sizes, f"{self.name}: {self.doc}", unchecked)

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Kernels of the lanes, the units and the vectors."""
        row_kernels = (unit.row_kernel for unit in self.units if unit.row_kernel)
        return self.array.lane, *row_kernels, *(unit.kernel for unit in self.units), *self._factor_kernels

    def modules(self) -> dict[str, tuple[Module, ...]]:
        """All modules of the layer, by file name."""
        found = {f"{self.name}.v": (self.module(),), f"{self.name}_lane.v": (lane_module(self.array),)}
        if self.array.shared is not None:
            found[f"{self.array.shared.name}.v"] = (self.array.shared,)
        return found | {f"{kernel.name}.v": verilog.modules(kernel) for kernel in self.kernels}

    def images(self) -> dict[str, str]:
        """Memory images by file name."""
        found = {f"{self.name}_weights_{n}.hex": text for n, text in enumerate(self.array.layout.images())}
        for unit in self.units:
            found |= unit.images(self.name)
        return found

    @property
    def weight_memory_bits(self) -> int:
        """Bits of all weight memories, padding included, and of indices."""
        layout = self.array.layout
        return layout.depth * (layout.weight_memories * self.array.weight_bits + layout.fetches * layout.fetch_bits)

    def multipliers(self) -> dict[str, int]:
        """Multipliers of the array, and of the units behind it."""
        array = self.array.layout.array
        return {
            "array": array.lanes * self.array.lane.multiplications,
            "units": sum(unit.width * unit.kernel.multiplications for unit in self.units)
            + sum(unit.row_kernel.multiplications for unit in self.units if unit.row_kernel),
        }
