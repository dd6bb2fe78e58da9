"""Verilog of an array: threads, the choice among them, lanes and shift chains.

Timing. In the cycle of `go` a thread's counters stand on a step; the cycle after, its address and tags are registered
(`issued_*`). From there the weights take two cycles, operands four (memory, its second register, choice of the vector,
a register in every lane), and both are delayed so that they meet in the lane's kernel. Tags follow through delays.
"""

from collections.abc import Iterator, Sequence

from ernn.hw import kernels
from ernn.hw.architecture import Layout, Thread
from ernn.hw.array_parts import Condition, Drain, Pages
from ernn.hw.schedule import Clock

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
        self.streams, self.memory = streams, memory
        self.name, self.layout, self.drains, self.frame_bits = name, layout, drains, frame_bits
        self.lane = kernels.lane(
            f"{name}_lane_kernel", [t.product for t in layout.threads], layout.array.columns, clock
        )
        self.sum_bits = max(each.bits for drain in drains for each in drain.joined.sums())
        self.sums = len(self.lane.outputs["s"].elements)
        self.factor_bits = self.lane.inputs["x0"].bits
        self.address_bits = max(1, (layout.depth - 1).bit_length())
        self.step_bits = max(1, (max(t.steps for t in layout.threads) - 1).bit_length())
        meet = WEIGHT_CYCLES + self.lane.taken("x0") - _OPERAND_CYCLES
        self.weight_delay, self.operand_delay = max(0, -meet), max(0, meet)
        self.lane_cycles = self.weight_delay + WEIGHT_CYCLES + self.lane.latency

    @property
    def weight_bits(self) -> int:
        """Of a word of a lane's weights."""
        return self.layout.array.columns * self.layout.threads[0].matrix.block_size * self.layout.word_bits

    @property
    def flush_cycles(self) -> int:
        """Cycles in which the last step that was chosen leaves the shift chains."""
        return self.lane_cycles + 4 + self.layout.array.chain * max(drain.hold for drain in self.drains)

    @property
    def lanes_bits(self) -> int:
        """Of the sums of one lane."""
        return self.sums * self.sum_bits

    def index(self, thread: Thread) -> int:
        """Number of a thread."""
        return self.layout.threads.index(thread)

    def choice(self, conditions: dict[str, Condition]) -> Iterator[str]:
        """Which thread goes."""
        yield "    // The first thread that is ready goes."
        previous = ""
        for thread in self.layout.threads:
            n, c = thread.name, conditions[thread.name]
            drain = f" && (drain_free || {n}_group < 16'd{thread.drains_from})" if thread.drains_from else ""
            drain = drain or (" && drain_free" if thread.drains else "")
            yield f"""    wire {n}_ready = ({c.always}) && (!{n}_opens || ({c.opens})) && (!{n}_starts || ({c.starts}))
        && (!{n}_finishes || ({c.finishes}{drain}));
    assign {n}_go = {n}_ready{previous};"""
            previous += f" && !{n}_ready"
        yield ""

    def threads(self) -> Iterator[str]:
        """The walks through the matrices."""
        yield "    // Threads: each walks through a matrix, frame by frame."
        for thread in self.layout.threads:
            n = thread.name
            yield f"""    wire {n}_go, {n}_opens, {n}_starts, {n}_finishes, {n}_ends;
    wire [15:0] {n}_group, {n}_step, {n}_needed;
{self.steps_of_groups(thread)}
    wire [{self.address_bits - 1}:0] {n}_address;
    reg [{self.frame_bits - 1}:0] {n}_frame;
    wire {n}_first = ring_first[{n}_frame];
    wire [STREAM_BITS-1:0] {n}_stream = ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];
    always @(posedge clk)
        if (rst) {n}_frame <= {self.frame_bits}'d0;
        else if ({n}_go && {n}_ends) {n}_frame <= {n}_frame + 1'b1;
{self._parity(thread)}    ernn_thread #(.GROUPS({thread.groups}),
        .BANKS({self.columns_at_once(thread)}), .COLUMNS({thread.columns}), .BY_STEP({int(thread.by_step)}),
        .STEPS({thread.steps}), .BASE({self.layout.base(thread)}), .ADDRESS({self.address_bits}))
        {n}_thread (.clk(clk), .rst(rst), .go({n}_go), .steps({n}_steps_here), .group({n}_group),
        .step({n}_step), .needed({n}_needed),
        .address({n}_address), .opens({n}_opens), .starts({n}_starts), .finishes({n}_finishes), .ends({n}_ends));
"""

    def columns_at_once(self, thread: Thread) -> int:
        """Columns of the vector that a step takes."""
        return self.layout.array.columns

    def steps_of_groups(self, thread: Thread) -> str:
        """The steps of a thread's group."""
        return f"    wire [15:0] {thread.name}_steps_here = 16'd{thread.steps};"

    def _parity(self, thread: Thread) -> str:
        """Where y_{t-1} of each stream stands: its two places take turns."""
        n = thread.name
        if thread.vector != "y":
            return f"    wire {n}_turn = {n}_frame[0];\n"
        return f"""    reg [STREAMS-1:0] {n}_parity;
    wire {n}_turn = {n}_parity[{n}_stream];
    always @(posedge clk)
        if (rst) {n}_parity <= {{STREAMS{{1'b0}}}};
        else if ({n}_go && {n}_ends) {n}_parity[{n}_stream] <= !{n}_turn;
        else if (idle && y_last) {n}_parity[y_last_stream] <= !{n}_parity[y_last_stream];
"""

    def issue(self) -> Iterator[str]:
        """Registers behind the choice, operands and tags on their way."""
        threads = self.layout.threads
        row_bits, count = self.row_bits, len(threads)
        yield f"""    // The step that goes.
    reg issued;
    reg [{count - 1}:0] issued_thread;
    reg [{self.address_bits - 1}:0] issued_address;
    reg [{self.step_bits - 1}:0] issued_step;
    reg issued_start, issued_zero;
    reg [{row_bits - 1}:0] issued_row;
    reg [{self.kinds - 1}:0] issued_drains;
    reg issued_first;
    reg [STREAM_BITS-1:0] issued_stream;
    reg issued_turn, issued_frame;
    always @(posedge clk) begin
        issued <= !rst && ({" || ".join(f"{t.name}_go" for t in threads)});
        issued_thread <= {{{", ".join(f"{t.name}_go" for t in reversed(threads))}}};
        issued_drains <= {self.kinds}'d0;
        issued_start <= 1'b0;
        issued_zero <= 1'b0;"""
        for thread in threads:
            n = thread.name
            drain = [d.name for d in self.drains].index(thread.drains) if thread.drains else None
            start = "1'b0" if thread.continues else f"{n}_starts"
            base = f"{row_bits}'d{thread.base} + " if thread.base else ""
            yield f"""        if ({n}_go) begin
            issued_address <= {n}_address;
            issued_step <= {n}_step[{self.step_bits - 1}:0];
            issued_start <= {start};
            issued_row <= {base}{n}_group[{row_bits - 1}:0];
            issued_first <= {n}_first;
            issued_stream <= {n}_stream;
            issued_turn <= {n}_turn;
            issued_frame <= {n}_frame[0];"""
            if thread.vector == "y":
                yield f"            issued_zero <= {n}_first;"
            if drain is not None:
                late = f" && {n}_group >= 16'd{thread.drains_from}" if thread.drains_from else ""
                yield f"            issued_drains[{drain}] <= {n}_finishes{late};"
            yield "        end"
        yield "    end\n"
        holds = {drain.name: drain.hold for drain in self.drains}
        yield "    reg [15:0] drain_left;\n    wire drain_free = drain_left == 16'd0;"
        yield "    always @(posedge clk)\n        if (rst) drain_left <= 16'd0;"
        for thread in threads:
            if thread.drains:
                cycles = self.layout.array.chain * holds[thread.drains] - 1
                late = f" && {thread.name}_group >= 16'd{thread.drains_from}" if thread.drains_from else ""
                yield f"        else if ({thread.name}_go && {thread.name}_finishes{late}) drain_left <= 16'd{cycles};"
        yield "        else if (!drain_free) drain_left <= drain_left - 16'd1;\n"

    @property
    def kinds(self) -> int:
        """Kinds of drains."""
        return len(self.drains)

    @property
    def row_bits(self) -> int:
        """Of the address of a row of accumulators."""
        return max(1, (self.layout.accumulators - 1).bit_length())

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

    def broadcast(self, vectors: Sequence[str]) -> Iterator[str]:
        """The blocks of the vector that is multiplied, for all lanes."""
        bits = self.layout.array.columns * self.factor_bits
        yield f"""    reg [{bits - 1}:0] broadcast;
    always @(posedge clk) begin
        broadcast <= {bits}'d0;"""
        for vector in vectors:
            users = [self.index(t) for t in self.layout.threads if t.vector == vector]
            condition = " || ".join(f"chosen_thread[{n}]" for n in users)
            if vector == "y":
                condition = f"({condition}) && !chosen_zero"
            yield f"        if ({condition}) broadcast <= {vector}_factors;"
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
    wire [{self.weight_bits - 1}:0] kernel_weights = weights;"""

    def vector_wires(self, name: str, thread: Thread, pages: Pages) -> Iterator[str]:
        """What the lanes read of a vector."""
        yield f"    wire [{self.layout.array.columns * self.factor_bits - 1}:0] {name}_factors;"

    def vector(self, name: str, thread: Thread, writes: int, pages: Pages) -> Iterator[str]:
        """Where the factors of a vector are kept: in banks, for all lanes."""
        columns, factors = self.layout.array.columns, self.factor_bits
        step_bits = max(1, (thread.steps - 1).bit_length())
        yield f"""    ernn_operands #(.BANKS({columns}), .WRITES({writes}), .TOTAL({thread.columns}), .WIDTH({factors}),
        .STEP_ADDRESS({step_bits}), .PAGES(2 * {pages.count}), .PAGE_ADDRESS({pages.bits})) vector_{name} (
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
        delay_address (.clk(clk), .d(issued_address), .q(weight_address));
    reg add, start, next_add, next_start;
    reg [{self.row_bits - 1}:0] row, next_row;
    wire later_add, later_start;
    wire [{self.row_bits - 1}:0] later_row;
    ernn_delay #(.WIDTH({tags}), .CYCLES({self.lane_cycles - 2}))
        delay_tags (.clk(clk), .d({{issued, issued_start, issued_row}}), .q({{later_add, later_start, later_row}}));
    always @(posedge clk) begin
        {{next_add, next_start, next_row}} <= {{later_add, later_start, later_row}};
        {{add, start, row}} <= {{next_add, next_start, next_row}};
    end
    wire [{count - 1}:0] adding;
    ernn_delay #(.WIDTH({count}), .CYCLES({self.lane_cycles}))
        delay_thread (.clk(clk), .d(issued_thread), .q(adding));
    wire [{array.lanes * self.lanes_bits - 1}:0] totals;"""
        port = ""
        if len(self.shifts) > 1:
            choices = [
                " || ".join(f"adding[{self.index(t)}]" for t in self.layout.threads if self.shift(t) == shift)
                for shift in reversed(self.shifts)
            ]
            yield f"    wire [{len(choices) - 1}:0] alignment = {{{', '.join(f'({each})' for each in choices)}}};"
            port = ".alignment(alignment), "
        for lane in range(array.lanes):
            yield (
                f'    {self.name}_lane #(.IMAGE("{self.name}_weights_{lane}.hex")) lane_{lane} (.clk(clk), '
                f".load(load && load_lane == 16'd{lane}), .load_address(load_address[{self.address_bits - 1}:0]), "
                f".load_data(load_data[{self.weight_bits - 1}:0]), .weight_address(weight_address), "
                f"{self.lane_operands()}.add(add), .start(start), .row(row), "
                f".next_row(next_row), .later_row(later_row), {port}"
                f".total(totals[{(lane + 1) * self.lanes_bits - 1}:{lane * self.lanes_bits}]));"
            )
        yield ""

    def shift(self, thread: Thread) -> int:
        """Places by which a thread's sums are shifted to join those of the others."""
        own = [each for each in self.drains if each.name == thread.drains]
        joined = next(each.joined for each in own or self.drains if thread.product in each.joined.products)
        return joined.shift(thread.product)

    @property
    def shifts(self) -> list[int]:
        """All that occur."""
        return sorted({self.shift(thread) for thread in self.layout.threads})

    def drain(self) -> Iterator[str]:
        """Shift chains; finished sums are there one cycle after they were added."""
        array, kinds = self.layout.array, self.kinds
        tag = kinds + 2
        holds = " | ".join(f"{{8{{loading[{n}]}}}} & 8'd{drain.hold}" for n, drain in enumerate(self.drains))
        yield f"""    // Shift chains: finished groups on their way to the kernels.
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
