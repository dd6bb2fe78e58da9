"""Verilog of the threads of an array and of the choice among them.

A step goes into its thread's queue when it has what it needs (`THREAD_go`), and out of it when its turn comes
(`THREAD_take`); one cycle later the thread is known (`THREAD_taken`, with what the step carries), and another one later
the step is in the registers `issued_*`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ernn.hw.layout.array import Thread
from ernn.hw.layout.weights import Layout
from ernn.hw.verilog.interfaces import Condition, Drain, Sizes
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Note, Process, Register, Variable, Wire


@dataclass(frozen=True)
class Field:
    """What a step carries through its queue."""

    name: str
    bits: int
    value: str  # Verilog expression, in front of the queue


class Issue:
    """Threads, their queues, and the registers behind the choice."""

    def __init__(self, layout: Layout, drains: Sequence[Drain], sizes: Sizes) -> None:
        self.layout, self.drains, self.sizes = layout, drains, sizes
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
            Field("stream", int(self.sizes.stream), f"{n}_stream"),
            Field("turn", 1, f"{n}_turn"),
            Field("frame", 1, f"{n}_frame[0]"),
            Field("zero", 1, f"{n}_first" if thread.vector == "y" else "1'b0"),
            Field("finishes", 1, f"{n}_finishes"),
            Field("ends", 1, f"{n}_ends"),
            Field("drains", 1, f"{n}_finishes{late}" if thread.drains else "1'b0"),
            *self.events.get(n, []),
        ]

    def threads(self) -> Iterator[Item]:
        """Step counters of all threads: each walks through one matrix, frame by frame."""
        yield Note("Threads: each walks through a matrix, frame by frame.")
        for thread in self.layout.threads:
            yield from self._thread(thread)
            yield BLANK

    def _thread(self, thread: Thread) -> Iterator[Item]:
        n, frame_bits, variable = thread.name, self.sizes.frame_bits, thread.store.indexed
        yield from (Wire(f"{n}_take"), Register(f"{n}_taken"))
        yield from (Wire(f"{n}_taken_{field.name}", field.bits) for field in self.fields(thread))
        flags = ("opens", "starts", "finishes", "ends", "before_last", "last_group")
        yield from (Wire(f"{n}_{each}") for each in ("go", *flags))
        yield from (Wire(f"{n}_group", 16), Wire(f"{n}_step", 16))
        if variable:
            yield from _steps_of_groups(thread)
        else:
            yield Wire(f"{n}_steps_here", 16, f"16'd{thread.steps}")
        yield Wire(f"{n}_address", self.address_bits)
        yield Register(f"{n}_frame", frame_bits)
        yield Note("What the ring says comes a cycle late: a frame's first step waits for it.")
        yield from (Register(f"{n}_first"), Register(f"{n}_known"), Register(f"{n}_stream", self.sizes.stream))
        yield Process(f"""    always @(posedge clk) begin
        {n}_first <= ring_first[{n}_frame];
        {n}_stream <= ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];
        {n}_known <= !rst && !({n}_go && {n}_ends);
        if (rst) {n}_frame <= {frame_bits}'d0;
        else if ({n}_go && {n}_ends) {n}_frame <= {n}_frame + 1'b1;
    end""")
        yield from self._parity(thread)
        ports = {"clk": "clk", "rst": "rst", "go": f"{n}_go", "steps": f"{n}_steps_here"}
        ports |= {each: f"{n}_{each}" for each in ("group", "step", "address", *flags)}
        parameters = {
            "GROUPS": thread.groups,
            "STEPS": thread.steps,
            "VARIABLE": int(variable),
            "BY_STEP": int(thread.by_step),
            "BASE": self.layout.base(thread),
            "ADDRESS": self.address_bits,
        }
        yield Instance("ernn_thread", f"{n}_thread", ports, parameters)

    def _parity(self, thread: Thread) -> Iterator[Item]:
        """Which half of its double buffer holds y_{t-1} of each stream."""
        n = thread.name
        if thread.vector != "y":
            yield Wire(f"{n}_turn", value=f"{n}_frame[0]")
            return
        if thread.in_place:
            yield Wire(f"{n}_turn", value="1'b0")
            return
        yield Register(f"{n}_parity", self.sizes.count)
        yield Wire(f"{n}_turn", value=f"{n}_parity[{n}_stream]")
        yield Process(f"""    always @(posedge clk)
        if (rst) {n}_parity <= {{STREAMS{{1'b0}}}};
        else if ({n}_go && {n}_ends) {n}_parity[{n}_stream] <= !{n}_turn;
        else if (idle && y_last) {n}_parity[y_last_stream] <= !{n}_parity[y_last_stream];""")

    def choice(self, conditions: Mapping[str, Condition]) -> Iterator[Item]:
        """Which thread goes: the first one with a step in its queue that may go."""
        previous = ""
        for thread in self.layout.threads:
            yield from self._choice(thread, conditions[thread.name], previous)
            yield BLANK
            previous += f" && !{thread.name}_ready"

    def _choice(self, thread: Thread, c: Condition, previous: str) -> Iterator[Item]:
        """The queue of a thread, and whether its turn is now: not if one of the `previous` is ready."""
        n, fields, low, head_drains = thread.name, self.fields(thread), 0, ""
        width = sum(field.bits for field in fields)
        yield from (Wire(f"{n}_room"), Wire(f"{n}_waits"), Wire(f"{n}_head", width))
        yield Register(f"{n}_behind", width, comment="the head of the cycle before")
        for field in fields:
            part = f"[{low + field.bits - 1}:{low}]"
            if field.name == "drains" and thread.drains:
                head_drains = f"{n}_head{part}"
            yield Assign(f"{n}_taken_{field.name}", f"{n}_behind{part}")
            low += field.bits
        if thread.drains:
            yield Wire(f"{n}_head_drains", value=head_drains)
        yield Assign(
            f"{n}_go",
            f"{n}_known && {n}_room && ({c.always}) && (!{n}_opens || ({c.opens})) && (!{n}_starts || ({c.starts}))"
            f" && (!{n}_finishes || ({c.finishes}))",
        )
        ports = {"clk": "clk", "rst": "rst", "put": f"{n}_go", "ready": f"{n}_room"}
        ports["d"] = f"{{{', '.join(field.value for field in reversed(fields))}}}"
        ports |= {"valid": f"{n}_waits", "take": f"{n}_take", "head": f"{n}_head"}
        yield Instance("ernn_queue", f"{n}_queue", ports, {"WIDTH": width})
        drain = f" && (drain_free || !{n}_head_drains)" if thread.drains else ""
        yield Wire(f"{n}_ready", value=f"{n}_waits{drain}")
        yield Assign(f"{n}_take", f"{n}_ready{previous}")
        yield Process(f"""    always @(posedge clk) begin
        {n}_behind <= {n}_head;
        {n}_taken <= !rst && {n}_take;
    end""")

    def registers(self) -> Iterator[Item]:
        """The step that goes, and how long the heads are taken."""
        threads, stream = self.layout.threads, self.sizes.stream

        def chosen(name: str, bits: int = 1) -> str:
            return " | ".join(f"({{{bits}{{{t.name}_taken}}}} & {t.name}_taken_{name})" for t in threads)

        def drains(kind: Drain) -> str:
            users = [t.name for t in threads if t.drains == kind.name]
            return " || ".join(f"({n}_taken && {n}_taken_drains)" for n in users) or "1'b0"

        names = [thread.name for thread in threads]
        yield Note("The step that goes.")
        yield from (Register("issued"), Register("issued_thread", len(threads)))
        yield from (Register("issued_address", self.address_bits), Register("issued_step", self.step_bits))
        yield from (Register("issued_start"), Register("issued_zero"), Register("issued_row", self.row_bits))
        yield from (Register("issued_drains", len(self.drains)), Register("issued_first"))
        yield from (Register("issued_stream", stream), Register("issued_turn"), Register("issued_frame"))
        yield Process(f"""    always @(posedge clk) begin
        issued <= !rst && ({" || ".join(f"{n}_taken" for n in names)});
        issued_thread <= {{{", ".join(f"{n}_taken" for n in reversed(names))}}};
        issued_address <= {chosen("address", self.address_bits)};
        issued_step <= {chosen("step", self.step_bits)};
        issued_start <= {chosen("start")};
        issued_zero <= {chosen("zero")};
        issued_row <= {chosen("row", self.row_bits)};
        issued_first <= {chosen("first")};
        issued_stream <= {chosen("stream", int(stream))};
        issued_turn <= {chosen("turn")};
        issued_frame <= {chosen("frame")};
        issued_drains <= {{{", ".join(drains(kind) for kind in reversed(self.drains))}}};
    end""")
        yield BLANK
        yield from self._drain_time()

    def _drain_time(self) -> Iterator[Item]:
        holds = {drain.name: drain.hold for drain in self.drains}
        taken = ""
        for thread in self.layout.threads:
            if thread.drains:
                cycles = self.layout.array.chain * holds[thread.drains] - 1
                taken += f"""        end else if ({thread.name}_take && {thread.name}_head_drains) begin
            drain_left <= 16'd{cycles};
            drain_free <= 1'b{int(not cycles)};
"""
        yield from (Register("drain_left", 16), Register("drain_free"))
        yield Process(f"""    always @(posedge clk)
        if (rst) begin
            drain_left <= 16'd0;
            drain_free <= 1'b1;
{taken}        end else if (!drain_free) begin
            drain_left <= drain_left - 16'd1;
            drain_free <= drain_left == 16'd1;
        end""")
        yield BLANK


def _steps_of_groups(thread: Thread) -> Iterator[Item]:
    """Steps of the current group."""
    n = thread.name
    cases = "".join(
        f"            16'd{group}: {n}_steps_here = 16'd{steps};\n"
        for group, steps in enumerate(thread.steps_of_groups)
    )
    yield Variable(f"{n}_steps_here", 16)
    yield Process(f"""    always @(*)
        case ({n}_group)
{cases}            default: {n}_steps_here = 16'd1;
        endcase""")
