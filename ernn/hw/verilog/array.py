"""Verilog of an array: operands, lanes and heads behind the step that its threads issue.

Timing. A step's address and tags are in the registers `issued_*`. Operands say how long weights and vectors take from
there, and delay what comes early, so that they meet in the lane's kernel (`ernn.hw.verilog.operands`). Columns follow
each other as the kernel takes them. Tags follow through delays.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from ernn.hw.graph import kernels
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.banks import Banks
from ernn.hw.verilog.copies import Copies
from ernn.hw.verilog.factors import Factors
from ernn.hw.verilog.interfaces import Drain, Sizes
from ernn.hw.verilog.issue import Issue
from ernn.hw.verilog.items import BLANK, Instance, Item, Note, Process, Register, Wire, delay
from ernn.hw.verilog.module import Module
from ernn.hw.verilog.operands import Operands, behind
from ernn.hw.verilog.shared import Shared


class ArrayHardware:
    """The array of a layer: the part of its module that all layers share."""

    def __init__(
        self,
        name: str,
        layout: Layout,
        drains: Sequence[Drain],
        frame_bits: int,
        streams: int,
        clock: Clock,
        memory: str,
    ) -> None:
        self.streams, self.memory, self.clock = streams, memory, clock
        self.sizes = Sizes(streams, frame_bits)
        self.name, self.layout, self.drains, self.frame_bits = name, layout, drains, frame_bits
        shifts = {t.vector: self.operand_shift(t.vector, clock) for t in layout.threads}
        self.lane = kernels.lane(
            f"{name}_lane_kernel",
            [t.product for t in layout.threads],
            layout.array.columns,
            clock,
            layout.transformed,
            [shifts[t.vector] for t in layout.threads],
        )
        self.factors = Factors(layout.threads, self.lane, shifts)
        kind = Shared if layout.shared else Copies if layout.store.indexed else Banks
        self.operands: Operands = kind(layout, self.factors)
        # A bit more than what is added to them: between operands of one width Yosys chooses which of them goes straight
        # to the carry chain, and a look-up table more for each bit if it takes the one that may count as zero.
        joined = max(each.bits for drain in drains for each in drain.joined.sums())
        self.sum_bits = max(joined, self.lane.outputs["s"].width + 1)
        self.sums = len(self.lane.outputs["s"].elements)
        self.issue = Issue(layout, drains, self.sizes)
        self.address_bits, self.step_bits = self.issue.address_bits, self.issue.step_bits
        self.row_bits = self.issue.row_bits
        self.lane_cycles = self.operands.cycles + self.lane.latency + self.align_cycles

    @property
    def weight_bits(self) -> int:
        """Of a word of a memory."""
        return self.layout.together * self.layout.column_bits

    @property
    def shared(self) -> Module | None:
        """What reads blocks for several lanes; None where each reads for itself, or all take the same."""
        if not isinstance(self.operands, Shared):
            return None
        return self.operands.module(self.name, self.memory, self.address_bits, not self.clock.relaxed)

    @property
    def align_cycles(self) -> int:
        """Of a register between products and sums; behind products that are summed already there is one."""
        return int(len(self.shifts) > 1 or self.layout.array.columns == 1)

    @property
    def flush_cycles(self) -> int:
        """Cycles in which the last step that was chosen leaves the heads."""
        return self.lane_cycles + 4 + self.layout.array.chain * max(drain.hold for drain in self.drains)

    @property
    def lanes_bits(self) -> int:
        """Of the sums of one lane."""
        return self.sums * self.sum_bits

    def index(self, thread: Thread) -> int:
        """Number of a thread."""
        return self.layout.threads.index(thread)

    @property
    def kinds(self) -> int:
        """Kinds of drains."""
        return len(self.drains)

    def choice(self, vectors: Sequence[str]) -> Iterator[Item]:
        """The choice of the vector; reads are issued by the layer."""
        count, stream = len(self.layout.threads), self.sizes.stream
        yield Note("Operands: which vector, two cycles behind its address, and whether it counts as zeros.")
        yield Wire("read_step", self.step_bits)
        yield Wire("read_stream", stream)
        yield Wire("read_turn")
        yield Wire("chosen_thread", count)
        yield Wire("chosen_zero")
        place, read = "{issued_stream, issued_turn, issued_step}", "{read_stream, read_turn, read_step}"
        yield delay("delay_step", self.step_bits + 1 + stream, self.operands.operand_delay, place, read)
        issued, chosen = "{issued_zero, issued_thread}", "{chosen_zero, chosen_thread}"
        yield delay("delay_choice", count + 1, self.operands.operand_delay + 2, issued, chosen)
        if self.operands.early:
            yield from (Wire("asked_thread", count), Wire("asked_zero"))
            asked = "{asked_zero, asked_thread}"
            yield delay("delay_asked", count + 1, self.operands.operand_delay, issued, asked)
        yield BLANK
        yield from self.operands.choice(vectors)

    def lanes(self) -> Iterator[Item]:
        """All lanes, with their weights."""
        yield Note("Lanes, and tags on their way to the accumulators.")
        yield from self._weight_addresses()
        yield from self._tags()
        yield Wire("totals", self.layout.array.lanes * self.lanes_bits)
        if len(self.shifts) > 1:
            choices = [
                " || ".join(f"adding_in_2[{self.index(t)}]" for t in self.layout.threads if self.shift(t) == shift)
                for shift in reversed(self.shifts)
            ]
            yield Wire("alignment", len(choices), f"{{{', '.join(f'({each})' for each in choices)}}}")
        number = self._memory_bits
        yield Wire("load_weights", value=f"load && load_memory[15:{number}] == {16 - number}'d0")
        for lane in range(self.layout.array.lanes):
            yield self._lane(lane)
        if isinstance(self.operands, Shared):
            for place in range(self.layout.fetches):
                memory = self.layout.weight_memories + place
                load = f"load_weights && load_memory[{number - 1}:0] == {number}'d{memory}"
                yield from self.operands.place(place, self.name, load, self.address_bits)
        yield BLANK

    @property
    def _memories(self) -> int:
        """Of a lane."""
        return self.layout.array.columns // self.layout.together

    @property
    def _memory_bits(self) -> int:
        """Of the number of a memory."""
        return max(1, (self.layout.memories - 1).bit_length())

    def _weight_addresses(self) -> Iterator[Item]:
        bits, each = self.address_bits, self._memories
        yield Wire("weight_address", bits)
        yield delay("delay_address", bits, self.operands.weight_delay, "issued_address", "weight_address")
        for memory in range(each):
            yield from behind(memory, "weight_address", bits)
        addresses = ", ".join(f"weight_address_{memory}" for memory in reversed(range(each)))
        yield Wire("weight_addresses", each * bits, f"{{{addresses}}}")

    def _tags(self) -> Iterator[Item]:
        count = len(self.layout.threads)
        yield from (Wire("add_in_3"), Wire("start_in_3"), Wire("row_in_3", self.row_bits))
        issued, behind = "{issued, issued_start, issued_row}", "{add_in_3, start_in_3, row_in_3}"
        yield delay("delay_tags", 2 + self.row_bits, self.lane_cycles - 3, issued, behind)
        yield from map(Register, ("add", "start", "add_in_1", "start_in_1", "add_in_2", "start_in_2"))
        yield from (Register(name, self.row_bits) for name in ("row", "row_in_1", "row_in_2"))
        yield Process("""    always @(posedge clk) begin
        {add_in_2, start_in_2, row_in_2} <= {add_in_3, start_in_3, row_in_3};
        {add_in_1, start_in_1, row_in_1} <= {add_in_2, start_in_2, row_in_2};
        {add, start, row} <= {add_in_1, start_in_1, row_in_1};
    end""")
        yield Wire("adding_in_2", count)
        yield delay("delay_thread", count, self.lane_cycles - 2, "issued_thread", "adding_in_2")

    def _lane(self, lane: int) -> Instance:
        each, bits = self._memories, self._memory_bits
        memories = range(lane * each, (lane + 1) * each)
        loads = ", ".join(f"load_weights && load_memory[{bits - 1}:0] == {bits}'d{m}" for m in reversed(memories))
        tags = ("add", "start", "row", "start_in_1", "start_in_2", "row_in_1", "row_in_2", "row_in_3")
        ports = {
            "clk": "clk",
            "load": f"{{{loads}}}",
            "load_address": f"load_address[{self.address_bits - 1}:0]",
            "load_data": f"load_data[{self.weight_bits - 1}:0]",
            "weight_address": "weight_addresses",
            **self.operands.lane_connections(lane),
            **{tag: tag for tag in tags},
            **({"alignment": "alignment"} if len(self.shifts) > 1 else {}),
            "total": f"totals[{(lane + 1) * self.lanes_bits - 1}:{lane * self.lanes_bits}]",
        }
        images = {f"IMAGE_{c}": f'"{self.name}_weights_{m}.hex"' for c, m in enumerate(memories)}
        return Instance(f"{self.name}_lane", f"lane_{lane}", ports, images)

    def operand_shift(self, vector: str, clock: Clock) -> int:
        """Places by which the factors of a vector are shifted, so that all sums of its products join the others.

        None, if threads want different places, or the factors become too wide for a multiplier.
        """
        threads = [thread for thread in self.layout.threads if thread.vector == vector]
        shifts = {self._joins_at(thread) for thread in threads}
        wide, narrow = clock.timing.factor_bits
        weights = max(each.bits for thread in threads for each in thread.product.weight_factors())
        factors = max(each.bits for thread in threads for each in thread.product.factors()) + max(shifts)
        fits = (factors <= wide and weights <= narrow) or (factors <= narrow and weights <= wide)
        return max(shifts) if len(shifts) == 1 and fits else 0

    def _joins_at(self, thread: Thread) -> int:
        """Places by which a thread's sums must be shifted to join those of the others."""
        own = [each for each in self.drains if each.name == thread.drains]
        joined = next(each.joined for each in own or self.drains if thread.product in each.joined.products)
        return joined.shift(thread.product)

    def shift(self, thread: Thread) -> int:
        """Places by which a thread's sums are shifted behind its products."""
        return self._joins_at(thread) - self.operand_shift(thread.vector, self.clock)

    @cached_property
    def shifts(self) -> list[int]:
        """All that occur."""
        return sorted({self.shift(thread) for thread in self.layout.threads})

    def drain(self) -> Iterator[Item]:
        """Heads; finished sums are there one cycle after they were added."""
        array, kinds, stream = self.layout.array, self.kinds, self.sizes.stream
        tag = kinds + 2 + stream
        holds = " | ".join(f"{{8{{loading[{n}]}}}} & 8'd{drain.hold}" for n, drain in enumerate(self.drains))
        yield Note("Heads: finished groups on their way to the kernels.")
        yield from (Wire("loading", kinds), Wire("draining", kinds))
        flags = ("loading_first", "loading_frame", "drained_first", "drained_frame", "drain_valid")
        yield from map(Wire, flags)
        yield from (Wire("loading_stream", stream), Wire("drained_stream", stream))
        issued = f"{{issued_stream, issued_frame, issued_first, issued_drains & {{{kinds}{{issued}}}}}}"
        loading = "{loading_stream, loading_frame, loading_first, loading}"
        yield delay("delay_drain", tag, self.lane_cycles + 1, issued, loading)
        yield Wire("drain_beat", 8)
        yield Wire("drain_hold", 8, holds)
        yield Wire("heads", array.heads * self.lanes_bits)
        ports = {
            "clk": "clk",
            "load": "|loading",
            "tag": loading,
            "hold": "drain_hold",
            "lanes": "totals",
            "valid": "drain_valid",
            "beat": "drain_beat",
            "tag_out": "{drained_stream, drained_frame, drained_first, draining}",
            "heads": "heads",
        }
        sizes = {"HEADS": array.heads, "STEPS": array.chain, "BITS": self.lanes_bits, "TAG": tag}
        yield Instance("ernn_drain", "drain", ports, sizes)
        yield BLANK
