"""Verilog of the threads of an array and of the choice among them.

A step goes into its thread's queue when it has what it needs (`THREAD_go`), and out of it when its turn comes
(`THREAD_take`); one cycle later the thread is known (`THREAD_taken`, with what the step carries), and another one later
the step is in the registers `issued_*`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ernn.hw.layout.array import Layout, Thread
from ernn.hw.verilog.interfaces import Condition, Drain


@dataclass(frozen=True)
class Field:
    """What a step carries through its queue."""

    name: str
    bits: int
    value: str  # Verilog expression, in front of the queue


class Issue:
    """Threads, their queues, and the registers behind the choice.

    Args:
        variable: whether groups of a thread differ in their steps; `steps_of` gives those of the one at hand.
    """

    def __init__(
        self, layout: Layout, drains: Sequence[Drain], frame_bits: int, streams: int, steps_of: Mapping[str, str]
    ) -> None:
        self.layout, self.drains, self.frame_bits, self.streams = layout, drains, frame_bits, streams
        self.steps_of = steps_of
        self.events: dict[str, list[Field]] = {}  # further bits of a thread's steps
        self.address_bits = max(1, (layout.depth - 1).bit_length())
        self.step_bits = max(1, (max(t.steps for t in layout.threads) - 1).bit_length())
        self.row_bits = max(1, (layout.accumulators - 1).bit_length())

    def fields(self, thread: Thread) -> list[Field]:
        """All that a step of a thread carries."""
        n = thread.name
        row = f"{n}_group[{self.row_bits - 1}:0]"
        late = f" && {n}_group >= 16'd{thread.drains_from}" if thread.drains_from else ""
        return [
            Field("address", self.address_bits, f"{n}_address"),
            Field("step", self.step_bits, f"{n}_step[{self.step_bits - 1}:0]"),
            Field("start", 1, "1'b0" if thread.continues else f"{n}_starts"),
            Field("row", self.row_bits, f"{self.row_bits}'d{thread.base} + {row}" if thread.base else row),
            Field("first", 1, f"{n}_first"),
            Field("stream", max(1, (self.streams - 1).bit_length()), f"{n}_stream"),
            Field("turn", 1, f"{n}_turn"),
            Field("frame", 1, f"{n}_frame[0]"),
            Field("zero", 1, f"{n}_first" if thread.vector == "y" else "1'b0"),
            Field("finishes", 1, f"{n}_finishes"),
            Field("ends", 1, f"{n}_ends"),
            Field("drains", 1, f"{n}_finishes{late}" if thread.drains else "1'b0"),
            *self.events.get(n, []),
        ]

    def threads(self) -> Iterator[str]:
        """The walks through the matrices."""
        yield "    // Threads: each walks through a matrix, frame by frame."
        for thread in self.layout.threads:
            n, steps = thread.name, self.steps_of.get(thread.name, "")
            yield f"    wire {n}_take;\n    reg {n}_taken;"
            yield from (f"    wire [{field.bits - 1}:0] {n}_taken_{field.name};" for field in self.fields(thread))
            yield f"""    wire {n}_go, {n}_opens, {n}_starts, {n}_finishes, {n}_ends, {n}_before_last, {n}_last_group;
    wire [15:0] {n}_group, {n}_step;
{steps or f"    wire [15:0] {n}_steps_here = 16'd{thread.steps};"}
    wire [{self.address_bits - 1}:0] {n}_address;
    reg [{self.frame_bits - 1}:0] {n}_frame;
    reg {n}_first, {n}_known;  // what the ring says comes a cycle late: a frame's first step waits for it
    reg [STREAM_BITS-1:0] {n}_stream;
    always @(posedge clk) begin
        {n}_first <= ring_first[{n}_frame];
        {n}_stream <= ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];
        {n}_known <= !rst && !({n}_go && {n}_ends);
        if (rst) {n}_frame <= {self.frame_bits}'d0;
        else if ({n}_go && {n}_ends) {n}_frame <= {n}_frame + 1'b1;
    end
{self._parity(thread)}    ernn_thread #(.GROUPS({thread.groups}), .STEPS({thread.steps}), .VARIABLE({int(bool(steps))}),
        .BY_STEP({int(thread.by_step)}), .BASE({self.layout.base(thread)}), .ADDRESS({self.address_bits}))
        {n}_thread (.clk(clk), .rst(rst), .go({n}_go), .steps({n}_steps_here), .group({n}_group),
        .step({n}_step), .address({n}_address), .opens({n}_opens), .starts({n}_starts), .finishes({n}_finishes),
        .ends({n}_ends), .before_last({n}_before_last), .last_group({n}_last_group));
"""

    def _parity(self, thread: Thread) -> str:
        """Which half of its double buffer holds y_{t-1} of each stream."""
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

    def choice(self, conditions: Mapping[str, Condition]) -> Iterator[str]:
        """Which thread goes: the first one with a step in its queue that may go."""
        previous = ""
        for thread in self.layout.threads:
            n, c, fields = thread.name, conditions[thread.name], self.fields(thread)
            width = sum(field.bits for field in fields)
            drain = f" && (drain_free || !{n}_head_drains)" if thread.drains else ""
            head_drains, low = "", 0
            for field in fields:
                part = f"[{low + field.bits - 1}:{low}]"
                if field.name == "drains" and thread.drains:
                    head_drains = f"    wire {n}_head_drains = {n}_head{part};\n"
                yield f"    assign {n}_taken_{field.name} = {n}_behind{part};"
                low += field.bits
            yield f"""    wire {n}_room, {n}_waits;
    wire [{width - 1}:0] {n}_head;
    reg [{width - 1}:0] {n}_behind;  // the head of the cycle before
{head_drains}    assign {n}_go = {n}_known && {n}_room && ({c.always}) && (!{n}_opens || ({c.opens}))
        && (!{n}_starts || ({c.starts})) && (!{n}_finishes || ({c.finishes}));
    ernn_queue #(.WIDTH({width})) {n}_queue (.clk(clk), .rst(rst), .put({n}_go), .ready({n}_room),
        .d({{{", ".join(field.value for field in reversed(fields))}}}),
        .valid({n}_waits), .take({n}_take), .head({n}_head));
    wire {n}_ready = {n}_waits{drain};
    assign {n}_take = {n}_ready{previous};
    always @(posedge clk) begin
        {n}_behind <= {n}_head;
        {n}_taken <= !rst && {n}_take;
    end
"""
            previous += f" && !{n}_ready"

    def registers(self) -> Iterator[str]:
        """The step that goes, and how long the heads are taken."""
        threads, stream_bits = self.layout.threads, max(1, (self.streams - 1).bit_length())

        def chosen(name: str, bits: int = 1) -> str:
            return " | ".join(f"({{{bits}{{{t.name}_taken}}}} & {t.name}_taken_{name})" for t in threads)

        def drains(kind: Drain) -> str:
            users = [t.name for t in threads if t.drains == kind.name]
            return " || ".join(f"({n}_taken && {n}_taken_drains)" for n in users) or "1'b0"

        names = [thread.name for thread in threads]
        yield f"""    // The step that goes.
    reg issued;
    reg [{len(threads) - 1}:0] issued_thread;
    reg [{self.address_bits - 1}:0] issued_address;
    reg [{self.step_bits - 1}:0] issued_step;
    reg issued_start, issued_zero;
    reg [{self.row_bits - 1}:0] issued_row;
    reg [{len(self.drains) - 1}:0] issued_drains;
    reg issued_first;
    reg [STREAM_BITS-1:0] issued_stream;
    reg issued_turn, issued_frame;
    always @(posedge clk) begin
        issued <= !rst && ({" || ".join(f"{n}_taken" for n in names)});
        issued_thread <= {{{", ".join(f"{n}_taken" for n in reversed(names))}}};
        issued_address <= {chosen("address", self.address_bits)};
        issued_step <= {chosen("step", self.step_bits)};
        issued_start <= {chosen("start")};
        issued_zero <= {chosen("zero")};
        issued_row <= {chosen("row", self.row_bits)};
        issued_first <= {chosen("first")};
        issued_stream <= {chosen("stream", stream_bits)};
        issued_turn <= {chosen("turn")};
        issued_frame <= {chosen("frame")};
        issued_drains <= {{{", ".join(drains(kind) for kind in reversed(self.drains))}}};
    end
"""
        yield from self._drain_time()

    def _drain_time(self) -> Iterator[str]:
        holds = {drain.name: drain.hold for drain in self.drains}
        yield """    reg [15:0] drain_left;
    reg drain_free;
    always @(posedge clk)
        if (rst) begin
            drain_left <= 16'd0;
            drain_free <= 1'b1;"""
        for thread in self.layout.threads:
            if thread.drains:
                cycles = self.layout.array.chain * holds[thread.drains] - 1
                yield f"""        end else if ({thread.name}_take && {thread.name}_head_drains) begin
            drain_left <= 16'd{cycles};
            drain_free <= 1'b{int(not cycles)};"""
        yield """        end else if (!drain_free) begin
            drain_left <= drain_left - 16'd1;
            drain_free <= drain_left == 16'd1;
        end
"""
