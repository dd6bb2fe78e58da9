"""Verilog of what a layer's threads wait for: blocks of vectors, frames, groups of sums, steps of units.

Every function gives some counters, and wires that the conditions of threads name.
"""

from collections.abc import Iterator, Sequence

from ernn.hw.layout.array import Thread
from ernn.hw.layout.steps import Steps
from ernn.hw.verilog.interfaces import Sizes, stream_bits
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Note, Process, Register, Wire
from ernn.hw.verilog.unit import Unit


def available(thread: Thread, banks: int, sizes: Sizes) -> Iterator[Item]:
    """Counter of vector blocks available to a thread. For y these belong to frame t-1 and may still be arriving.

    Wires: `THREAD_has` the blocks of its step, and for y `THREAD_fed` with that or without need of it.

    Args:
        banks: blocks that a step takes.
    """
    n, vector, total = thread.name, thread.vector, thread.block_columns
    own = vector == "y"
    came = f"idle ? 16'd0 : {vector}_written" if own else f"{vector}_written"  # a state written back is no frame's
    yield from (Wire(f"{n}_has"), Wire(f"{n}_complete"))
    ports = {"clk": "clk", "rst": "rst", "came": came}
    names = ("go", "before_last", "last_group", "finishes", "ends", "has", "complete")
    parameters = {
        "TOTAL": total,
        "BANKS": banks,
        "STEPS": thread.steps,
        "BY_STEP": int(thread.by_step),
        "START": total if own else 0,
    }
    yield Instance("ernn_available", f"{n}_available", ports | {each: f"{n}_{each}" for each in names}, parameters)
    yield BLANK
    if not own:
        return
    yield Wire(f"{n}_before", sizes.frame, f"{n}_frame - 1'b1")
    yield Register(f"{n}_alone", comment="needs no y")
    yield Process(f"""    always @(posedge clk)
        {n}_alone <= ring_first[{n}_frame] || ring_stream[{n}_before*STREAM_BITS+:STREAM_BITS]
            != ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];""")
    yield Wire(f"{n}_fed", value=f"{n}_complete && ({n}_has || {n}_alone)")
    yield BLANK


def ahead(name: str, thread: str, groups: int, section: str = "") -> Iterator[Item]:
    """Groups of sums that one thread has made and `name` has not yet taken over: `NAME_any`, `NAME_full`.

    Args:
        thread: the one that is ahead.
        section: wire that says that its group is for `name`; its steps carry it. Empty: all are.
    """
    enters, made = f"{thread}_go && {thread}_finishes", f"{thread}_taken && {thread}_taken_finishes"
    if section:
        enters, made = f"{enters} && {section}", f"{made} && {thread}_taken_{section}"
    yield from (Wire(f"{name}_any"), Wire(f"{name}_full"))
    ports = {
        "clk": "clk",
        "rst": "rst",
        "enters": enters,
        "made": made,
        "takes": f"{name}_go && {name}_finishes",
        "taken": f"{name}_taken && {name}_taken_finishes",
        "any": f"{name}_any",
        "full": f"{name}_full",
    }
    yield Instance("ernn_ahead", f"{name}_ahead", ports, {"GROUPS": groups})
    yield BLANK


def frames_of_x(ends: str, released: str, users: Sequence[str]) -> Iterator[Item]:
    """Frames of x, two of which take turns: `x_ready` for more, and `USER_x` that there is a whole one.

    Args:
        ends: expression that says that one is whole.
        released: that one is needed no more.
        users: threads that wait for whole ones.
    """
    yield Note("Frames of x that were begun and are still needed; whole ones by who waits for them.")
    yield from (Register("x_begun", 2), Register("x_open", comment="for one more"))
    yield Wire("x_released", value=released)
    yield Wire("x_next", 2, "x_begun + {1'b0, x_take && x_end} - {1'b0, x_released}")
    yield Assign("x_ready", "x_open")
    yield Process("""    always @(posedge clk) begin
        x_begun <= rst ? 2'd0 : x_next;
        x_open <= rst || x_next != 2'd2;
    end""")
    for user in users:
        yield Register(f"{user}_whole", 3)
        yield Wire(f"{user}_x", value=f"{user}_whole != 3'd0")
        yield Process(f"""    always @(posedge clk)
        if (rst) {user}_whole <= 3'd0;
        else {user}_whole <= {user}_whole + {{2'b00, {ends}}} - {{2'b00, {user}_go && {user}_ends}};""")
    yield BLANK


def frames(name: str, begins: str, released: str) -> Iterator[Item]:
    """Frames of which something is kept: `NAME_frames`."""
    yield Note(f"Frames of {name} that were begun and are still needed.")
    yield Register(f"{name}_frames", 2)
    yield from (Wire(f"{name}_begins", value=begins), Wire(f"{name}_released", value=released))
    yield Process(f"""    always @(posedge clk)
        if (rst) {name}_frames <= 2'd0;
        else {name}_frames <= {name}_frames + {{1'b0, {name}_begins}} - {{1'b0, {name}_released}};""")
    yield BLANK


def steps_available(name: str, writer: Unit, thread: str, each: int) -> Iterator[Item]:
    """Steps that a unit has written for a thread: `NAME_there` says that a group's `each` steps are."""
    bits = max(2 * writer.real_steps, writer.steps).bit_length()
    yield Note(f"Steps of {writer.name} that {thread} may use.")
    yield Register(f"{name}_steps", bits)
    yield Wire(f"{name}_used", bits, f"{thread}_go && {thread}_ends ? {bits}'d{writer.real_steps} : {bits}'d0")
    yield Process(f"""    always @(posedge clk)
        if (rst) {name}_steps <= {bits}'d0;
        else {name}_steps <= {name}_steps + (({writer.name}_done) ? {bits}'d1 : {bits}'d0) - {name}_used;""")
    yield Wire(f"{name}_group", 16, f"{thread}_group * 16'd{each} + 16'd{each}")
    yield from (Register(f"{name}_needed", bits), Register(f"{name}_enough"))
    yield Register(f"{name}_asked", 2, comment="this group's need is known, and compared")
    yield Process(f"""    always @(posedge clk) begin
        {name}_needed <= {name}_group < 16'd{writer.real_steps}
            ? {name}_group[{bits - 1}:0] : {bits}'d{writer.real_steps};
        {name}_enough <= {name}_steps >= {name}_needed;
        {name}_asked <= rst || ({thread}_go && {thread}_finishes) ? 2'd0 : {{{name}_asked[0], 1'b1}};
    end""")
    yield Wire(f"{name}_there", value=f"{name}_enough && {name}_asked[1]")
    yield BLANK


def blocks(steps: Steps, unit: Unit) -> Iterator[Item]:
    """The beats of a unit's blocks side by side, as if a unit `steps` had made them: `NAME_done`, .."""
    n, u, bits, beat = steps.name, unit.name, unit.out_bits, (unit.beats - 1).bit_length()
    yield Note(f"{n}: whole blocks of {u}, of {unit.beats} beats.")
    yield from (Register(f"{n}_done"), Register(f"{n}_done_step", 16))
    yield from (Register(f"{n}_done_stream", stream_bits(unit.streams)), Register(f"{n}_out", unit.beats * bits))
    yield Process(f"""    always @(posedge clk) begin
        {n}_done <= {u}_done && &{u}_done_step[{beat - 1}:0];
        {n}_done_step <= {u}_done_step >> {beat};
        {n}_done_stream <= {u}_done_stream;
        if ({u}_done) {n}_out <= {{{u}_out, {n}_out[{unit.beats * bits - 1}:{bits}]}};
    end""")


def returned(steps: Steps, bits: int, sizes: Sizes) -> Iterator[Item]:
    """A vector that another module makes of this layer's and sends back, as a unit of this layer: `NAME_done`, ..

    Args:
        bits: of a word.
    """
    n = steps.name
    yield Note(f"{n}: words that come back, frame by frame.")
    yield from (Register(f"{n}_done_step", 16), Register(f"{n}_frame", sizes.frame))
    yield Wire(f"{n}_done", value="back_valid")
    yield Wire(f"{n}_done_stream", sizes.stream, f"ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS]")
    yield Wire(f"{n}_out", bits, "back_data")
    yield Wire(f"{n}_last", value=f"{n}_done_step == 16'd{steps.real_steps - 1}")
    yield Process(f"""    always @(posedge clk)
        if (rst) begin
            {n}_done_step <= 16'd0;
            {n}_frame <= {{FRAME_BITS{{1'b0}}}};
        end else if ({n}_done) begin
            {n}_done_step <= {n}_last ? 16'd0 : {n}_done_step + 16'd1;
            if ({n}_last) {n}_frame <= {n}_frame + 1'b1;
        end""")
