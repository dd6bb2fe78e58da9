"""Verilog of an array: operands, lanes and heads behind the step that its threads issue.

Timing. A step's address and tags are in the registers `issued_*`. From there the weights take two cycles, operands four
(memory, its second register, choice of the vector, a register in every lane), and both are delayed so that they meet in
the lane's kernel. Columns follow each other as the kernel takes them. Tags follow through delays.
"""

from collections.abc import Iterator, Mapping, Sequence

from ernn.hw.graph import kernels
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.array import Layout, Thread
from ernn.hw.verilog.interfaces import Drain, Pages
from ernn.hw.verilog.issue import Issue

WEIGHT_CYCLES, _OPERAND_CYCLES = 2, 4


class ArrayText:
    """The part of a layer's module that all layers share."""

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
        self.name, self.layout, self.drains, self.frame_bits = name, layout, drains, frame_bits
        self.lane = kernels.lane(
            f"{name}_lane_kernel",
            [t.product for t in layout.threads],
            layout.array.columns,
            clock,
            layout.transformed,
            [self.operand_shift(t.vector, clock) for t in layout.threads],
        )
        # A bit more than what is added to them: between operands of one width Yosys chooses which of them goes straight
        # to the carry chain, and a look-up table more for each bit if it takes the one that may count as zero.
        joined = max(each.bits for drain in drains for each in drain.joined.sums())
        self.sum_bits = max(joined, self.lane.outputs["s"].width + 1)
        self.sums = len(self.lane.outputs["s"].elements)
        self.factor_bits = self.lane.inputs["x0"].bits
        self.issue = Issue(layout, drains, frame_bits, streams, self.steps_of_groups())
        self.address_bits, self.step_bits = self.issue.address_bits, self.issue.step_bits
        self.row_bits = self.issue.row_bits
        meet = WEIGHT_CYCLES + self.lane.taken("x0") - _OPERAND_CYCLES
        self.weight_delay, self.operand_delay = max(0, -meet), max(0, meet)
        self.lane_cycles = self.weight_delay + WEIGHT_CYCLES + self.lane.latency + self.align_cycles

    @property
    def weight_bits(self) -> int:
        """Of a word of a memory."""
        return self.layout.together * self.layout.column_bits

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

    def columns_at_once(self, thread: Thread) -> int:
        """Columns of the vector that a step takes."""
        return self.layout.array.columns

    def steps_of_groups(self) -> Mapping[str, str]:
        """Verilog of the steps of a thread's group, `THREAD_steps_here`, where groups differ."""
        return {}

    @property
    def kinds(self) -> int:
        """Kinds of drains."""
        return len(self.drains)

    def operands(self, vectors: Sequence[str]) -> Iterator[str]:
        """The choice of the vector; reads are issued by the layer."""
        count = len(self.layout.threads)
        yield f"""    // Operands: which vector, two cycles behind its address, and whether it counts as zeros.
    wire [{self.step_bits - 1}:0] read_step;
    wire [STREAM_BITS-1:0] read_stream;
    wire read_turn;
    wire [{count - 1}:0] chosen_thread;
    wire chosen_zero;
    ernn_delay #(.WIDTH({self.step_bits + 1} + STREAM_BITS), .CYCLES({self.operand_delay})) delay_step (
        .clk(clk), .d({{issued_stream, issued_turn, issued_step}}), .q({{read_stream, read_turn, read_step}}));
    ernn_delay #(.WIDTH({count + 1}), .CYCLES({self.operand_delay + 2}))
        delay_choice (.clk(clk), .d({{issued_zero, issued_thread}}), .q({{chosen_zero, chosen_thread}}));
"""
        yield from self.broadcast(vectors)

    def behind(self, column: int, signal: str, bits: int) -> Iterator[str]:
        """A signal for a column, as much later as the column is."""
        yield f"""    wire [{bits - 1}:0] {signal}_{column};
    ernn_delay #(.WIDTH({bits}), .CYCLES({kernels.skew(column)})) delay_{signal}_{column} (
        .clk(clk), .d({signal}), .q({signal}_{column}));"""

    def broadcast(self, vectors: Sequence[str]) -> Iterator[str]:
        """The blocks of the vector that is multiplied, for all lanes."""
        columns, bits = self.layout.array.columns, self.factor_bits
        yield f"    reg [{columns * bits - 1}:0] broadcast;"
        for vector in vectors:
            users = [self.index(t) for t in self.layout.threads if t.vector == vector]
            condition = " || ".join(f"chosen_thread[{n}]" for n in users)
            if vector == "y":
                condition = f"({condition}) && !chosen_zero"
            yield f"    wire {vector}_chosen = {condition};"
            for column in range(columns):
                yield from self.behind(column, f"{vector}_chosen", 1)
        yield "    always @(posedge clk) begin"
        for column in range(columns):
            part = f"[{(column + 1) * bits - 1}:{column * bits}]"
            yield f"        broadcast{part} <= {bits}'d0;"
            for vector in vectors:
                block = self.widened(vector, f"{vector}_factors", column)
                yield f"        if ({vector}_chosen_{column}) broadcast{part} <= {block};"
        yield "    end\n"

    def lane_operands(self) -> str:
        """Ports of a lane's instance for its operands."""
        return ".operands(broadcast), "

    def operand_ports(self) -> str:
        """Ports of a lane's module for its operands."""
        return f"    input wire [{self.layout.array.columns * self.factor_bits - 1}:0] operands,\n"

    def fetch(self) -> Iterator[str]:
        """Weights and operands of a lane's kernel."""
        bits = self.layout.array.columns * self.factor_bits
        yield f"""    (* keep *) reg [{bits - 1}:0] operands_here;  // one net to all lanes is slow
    always @(posedge clk) operands_here <= operands;
    wire [{self.layout.array.columns * self.layout.column_bits - 1}:0] kernel_weights = weights;"""

    def vector_wires(self, name: str, thread: Thread, pages: Pages) -> Iterator[str]:
        """What the lanes read of a vector."""
        yield f"    wire [{self.layout.array.columns * self.kept_bits(name) - 1}:0] {name}_factors;"

    def _kept(self, vector: str) -> int:
        """Bits of a factor as it is kept: without places behind it and more signs."""
        product = next(thread.product for thread in self.layout.threads if thread.vector == vector)
        return max(factor.bits for factor in product.factors())

    def kept_bits(self, vector: str) -> int:
        """Of a block's factors as they are kept."""
        return len(self.lane.inputs["x0"].elements) * self._kept(vector)

    def widened(self, vector: str, factors: str, column: int) -> str:
        """Expression of a block's factors as lanes take them, from the block of a column among those that are kept."""
        kept, full, shift = self._kept(vector), self.lane.inputs["x0"].width, self.operand_shift(vector, self.clock)
        if kept == full:
            bits = self.kept_bits(vector)
            return f"{factors}[{(column + 1) * bits - 1}:{column * bits}]"
        count, more = len(self.lane.inputs["x0"].elements), full - kept - shift
        parts = []
        for n in reversed(range(column * count, (column + 1) * count)):
            high, low = (n + 1) * kept - 1, n * kept
            signs = [f"{{{more}{{{factors}[{high}]}}}}"] if more else []
            parts += [*signs, f"{factors}[{high}:{low}]", *([f"{shift}'d0"] if shift else [])]
        return f"{{{', '.join(parts)}}}"

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[str]:
        """Where the factors of a vector are kept: in banks, for all lanes."""
        columns, factors = self.layout.array.columns, self.kept_bits(name)
        step_bits = max(1, (thread.steps - 1).bit_length())
        kind = ', .KIND("block")' if self.layout.transformed else ""  # where block RAM is free
        yield f"""    ernn_operands #(.BANKS({columns}), .WRITES({writes}), .TOTAL({thread.columns}), .WIDTH({factors}),
        .STEP_ADDRESS({step_bits}), .PAGES(2 * {pages.count}), .PAGE_ADDRESS({pages.bits}){kind}) vector_{name} (
        .clk(clk), .rst(rst), .write({name}_points_valid[0]), .write_page({pages.write}), .d({name}_points),
        .written({name}_written), .last({name}_last), .ends({name}_ends), .read_page({pages.read}),
        .read_step(read_step[{step_bits - 1}:0]), .q({name}_factors));
"""

    def lanes(self) -> Iterator[str]:
        """All lanes, with their weights."""
        array, tags = self.layout.array, 2 + self.row_bits
        count = len(self.layout.threads)
        yield f"""    // Lanes, and tags on their way to the accumulators.
    wire [{self.address_bits - 1}:0] weight_address;
    ernn_delay #(.WIDTH({self.address_bits}), .CYCLES({self.weight_delay}))
        delay_address (.clk(clk), .d(issued_address), .q(weight_address));"""
        each = array.columns // self.layout.together
        for memory in range(each):
            yield from self.behind(memory, "weight_address", self.address_bits)
        addresses = ", ".join(f"weight_address_{memory}" for memory in reversed(range(each)))
        yield f"""    wire [{each * self.address_bits - 1}:0] weight_addresses = {{{addresses}}};
    wire add_in_3, start_in_3;
    wire [{self.row_bits - 1}:0] row_in_3;
    ernn_delay #(.WIDTH({tags}), .CYCLES({self.lane_cycles - 3}))
        delay_tags (.clk(clk), .d({{issued, issued_start, issued_row}}), .q({{add_in_3, start_in_3, row_in_3}}));
    reg add, start, add_in_1, start_in_1, add_in_2, start_in_2;
    reg [{self.row_bits - 1}:0] row, row_in_1, row_in_2;
    always @(posedge clk) begin
        {{add_in_2, start_in_2, row_in_2}} <= {{add_in_3, start_in_3, row_in_3}};
        {{add_in_1, start_in_1, row_in_1}} <= {{add_in_2, start_in_2, row_in_2}};
        {{add, start, row}} <= {{add_in_1, start_in_1, row_in_1}};
    end
    wire [{count - 1}:0] adding_in_2;
    ernn_delay #(.WIDTH({count}), .CYCLES({self.lane_cycles - 2}))
        delay_thread (.clk(clk), .d(issued_thread), .q(adding_in_2));
    wire [{array.lanes * self.lanes_bits - 1}:0] totals;"""
        port = ""
        if len(self.shifts) > 1:
            choices = [
                " || ".join(f"adding_in_2[{self.index(t)}]" for t in self.layout.threads if self.shift(t) == shift)
                for shift in reversed(self.shifts)
            ]
            yield f"    wire [{len(choices) - 1}:0] alignment = {{{', '.join(f'({each})' for each in choices)}}};"
            port = ".alignment(alignment), "
        number = max(1, (self.layout.memories - 1).bit_length())
        yield f"    wire load_weights = load && load_memory[15:{number}] == {16 - number}'d0;"
        for lane in range(array.lanes):
            memories = range(lane * each, (lane + 1) * each)
            images = ", ".join(f'.IMAGE_{c}("{self.name}_weights_{m}.hex")' for c, m in enumerate(memories))
            loads = ", ".join(
                f"load_weights && load_memory[{number - 1}:0] == {number}'d{m}" for m in reversed(memories)
            )
            yield (
                f"    {self.name}_lane #({images}) lane_{lane} (.clk(clk), "
                f".load({{{loads}}}), .load_address(load_address[{self.address_bits - 1}:0]), "
                f".load_data(load_data[{self.weight_bits - 1}:0]), .weight_address(weight_addresses), "
                f"{self.lane_operands()}.add(add), .start(start), .row(row), .start_in_1(start_in_1), "
                f".start_in_2(start_in_2), .row_in_1(row_in_1), .row_in_2(row_in_2), .row_in_3(row_in_3), {port}"
                f".total(totals[{(lane + 1) * self.lanes_bits - 1}:{lane * self.lanes_bits}]));"
            )
        yield ""

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

    @property
    def shifts(self) -> list[int]:
        """All that occur."""
        return sorted({self.shift(thread) for thread in self.layout.threads})

    def drain(self) -> Iterator[str]:
        """Heads; finished sums are there one cycle after they were added."""
        array, kinds = self.layout.array, self.kinds
        tag = kinds + 2
        holds = " | ".join(f"{{8{{loading[{n}]}}}} & 8'd{drain.hold}" for n, drain in enumerate(self.drains))
        yield f"""    // Heads: finished groups on their way to the kernels.
    wire [{kinds - 1}:0] loading, draining;
    wire loading_first, loading_frame, drained_first, drained_frame, drain_valid;
    wire [STREAM_BITS-1:0] loading_stream, drained_stream;
    ernn_delay #(.WIDTH({tag} + STREAM_BITS), .CYCLES({self.lane_cycles + 1})) delay_drain (.clk(clk),
        .d({{issued_stream, issued_frame, issued_first, issued_drains & {{{kinds}{{issued}}}}}}),
        .q({{loading_stream, loading_frame, loading_first, loading}}));
    wire [7:0] drain_beat;
    wire [7:0] drain_hold = {holds};
    wire [{array.heads * self.lanes_bits - 1}:0] heads;
    ernn_drain #(.HEADS({array.heads}), .STEPS({array.chain}), .BITS({self.lanes_bits}), .TAG({tag} + STREAM_BITS))
        drain (.clk(clk), .load(|loading), .tag({{loading_stream, loading_frame, loading_first, loading}}),
        .hold(drain_hold), .lanes(totals), .valid(drain_valid), .beat(drain_beat),
        .tag_out({{drained_stream, drained_frame, drained_first, draining}}), .heads(heads));
"""
