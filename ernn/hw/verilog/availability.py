"""Verilog of what a layer's threads wait for: blocks of vectors, frames, groups of sums, steps of units.

Every function gives the text of some counters, and of wires that the conditions of threads name.
"""

from collections.abc import Sequence

from ernn.hw.layout.array import Thread
from ernn.hw.layout.steps import Steps
from ernn.hw.verilog.unit import Unit


def available(thread: Thread, banks: int) -> str:
    """Blocks of its vector that a thread has; of y those of the frame before, which may not be whole.

    Wires: `THREAD_has` the blocks of its step, and for y `THREAD_fed` with that or without need of it.

    Args:
        banks: blocks that a step takes.
    """
    n, vector, total = thread.name, thread.vector, thread.columns
    own = vector == "y"
    came = f"idle ? 16'd0 : {vector}_written" if own else f"{vector}_written"  # a state written back is no frame's
    text = f"""    wire {n}_has, {n}_complete;
    ernn_available #(.TOTAL({total}), .BANKS({banks}), .STEPS({thread.steps}), .BY_STEP({int(thread.by_step)}),
        .START({total if own else 0})) {n}_available (.clk(clk), .rst(rst), .came({came}), .go({n}_go),
        .before_last({n}_before_last), .last_group({n}_last_group), .finishes({n}_finishes), .ends({n}_ends),
        .has({n}_has), .complete({n}_complete));
"""
    if not own:
        return text
    return f"""{text}    wire [FRAME_BITS-1:0] {n}_before = {n}_frame - 1'b1;
    reg {n}_alone;  // needs no y
    always @(posedge clk)
        {n}_alone <= ring_first[{n}_frame] || ring_stream[{n}_before*STREAM_BITS+:STREAM_BITS]
            != ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];
    wire {n}_fed = {n}_complete && ({n}_has || {n}_alone);
"""


def ahead(name: str, thread: str, groups: int, section: str = "") -> str:
    """Groups of sums that one thread has made and `name` has not yet taken over: `NAME_any`, `NAME_full`.

    Args:
        thread: the one that is ahead.
        section: wire that says that its group is for `name`; its steps carry it. Empty: all are.
    """
    enters, made = f"{thread}_go && {thread}_finishes", f"{thread}_taken && {thread}_taken_finishes"
    if section:
        enters, made = f"{enters} && {section}", f"{made} && {thread}_taken_{section}"
    return f"""    wire {name}_any, {name}_full;
    ernn_ahead #(.GROUPS({groups})) {name}_ahead (.clk(clk), .rst(rst), .enters({enters}),
        .made({made}), .takes({name}_go && {name}_finishes),
        .taken({name}_taken && {name}_taken_finishes), .any({name}_any), .full({name}_full));
"""


def frames_of_x(ends: str, released: str, users: Sequence[str]) -> str:
    """Frames of x, two of which take turns: `x_ready` for more, and `USER_x` that there is a whole one.

    Args:
        ends: expression that says that one is whole.
        released: that one is needed no more.
        users: threads that wait for whole ones.
    """
    text = f"""    // Frames of x that were begun and are still needed; whole ones by who waits for them.
    reg [1:0] x_begun;
    reg x_open;  // for one more
    wire x_released = {released};
    wire [1:0] x_next = x_begun + {{1'b0, x_take && x_end}} - {{1'b0, x_released}};
    assign x_ready = x_open;
    always @(posedge clk) begin
        x_begun <= rst ? 2'd0 : x_next;
        x_open <= rst || x_next != 2'd2;
    end
"""
    for user in users:
        text += f"""    reg [2:0] {user}_whole;
    wire {user}_x = {user}_whole != 3'd0;
    always @(posedge clk)
        if (rst) {user}_whole <= 3'd0;
        else {user}_whole <= {user}_whole + {{2'b00, {ends}}} - {{2'b00, {user}_go && {user}_ends}};
"""
    return text


def frames(name: str, begins: str, released: str) -> str:
    """Frames of which something is kept: `NAME_frames`."""
    return f"""    // Frames of {name} that were begun and are still needed.
    reg [1:0] {name}_frames;
    wire {name}_begins = {begins};
    wire {name}_released = {released};
    always @(posedge clk)
        if (rst) {name}_frames <= 2'd0;
        else {name}_frames <= {name}_frames + {{1'b0, {name}_begins}} - {{1'b0, {name}_released}};
"""


def steps(name: str, writer: Unit, thread: str, each: int) -> str:
    """Steps that a unit has written for a thread: `NAME_there` says that a group's `each` steps are."""
    bits = max(2 * writer.real_steps, writer.steps).bit_length()
    return f"""    // Steps of {writer.name} that {thread} may use.
    reg [{bits - 1}:0] {name}_steps;
    wire [{bits - 1}:0] {name}_used = {thread}_go && {thread}_ends ? {bits}'d{writer.real_steps} : {bits}'d0;
    always @(posedge clk)
        if (rst) {name}_steps <= {bits}'d0;
        else {name}_steps <= {name}_steps + (({writer.name}_done) ? {bits}'d1 : {bits}'d0) - {name}_used;
    wire [15:0] {name}_group = {thread}_group * 16'd{each} + 16'd{each};
    reg [{bits - 1}:0] {name}_needed;
    reg {name}_enough;
    reg [1:0] {name}_asked;  // this group's need is known, and compared
    always @(posedge clk) begin
        {name}_needed <= {name}_group < 16'd{writer.real_steps}
            ? {name}_group[{bits - 1}:0] : {bits}'d{writer.real_steps};
        {name}_enough <= {name}_steps >= {name}_needed;
        {name}_asked <= rst || ({thread}_go && {thread}_finishes) ? 2'd0 : {{{name}_asked[0], 1'b1}};
    end
    wire {name}_there = {name}_enough && {name}_asked[1];
"""


def blocks(steps: Steps, unit: Unit) -> str:
    """The beats of a unit's blocks side by side, as if a unit `steps` had made them: `NAME_done`, .."""
    n, u, bits, beat = steps.name, unit.name, unit.out_bits, (unit.beats - 1).bit_length()
    return f"""    // {n}: whole blocks of {u}, of {unit.beats} beats.
    reg {n}_done;
    reg [15:0] {n}_done_step;
    reg [STREAM_BITS-1:0] {n}_done_stream;
    reg [{unit.beats * bits - 1}:0] {n}_out;
    always @(posedge clk) begin
        {n}_done <= {u}_done && &{u}_done_step[{beat - 1}:0];
        {n}_done_step <= {u}_done_step >> {beat};
        {n}_done_stream <= {u}_done_stream;
        if ({u}_done) {n}_out <= {{{u}_out, {n}_out[{unit.beats * bits - 1}:{bits}]}};
    end
"""


def returned(steps: Steps, bits: int) -> str:
    """A vector that another module makes of this layer's and sends back, as a unit of this layer: `NAME_done`, ..

    Args:
        bits: of a word.
    """
    n = steps.name
    return f"""    // {n}: words that come back, frame by frame.
    reg [15:0] {n}_done_step;
    reg [FRAME_BITS-1:0] {n}_frame;
    wire {n}_done = back_valid;
    wire [STREAM_BITS-1:0] {n}_done_stream = ring_stream[{n}_frame*STREAM_BITS+:STREAM_BITS];
    wire [{bits - 1}:0] {n}_out = back_data;
    wire {n}_last = {n}_done_step == 16'd{steps.real_steps - 1};
    always @(posedge clk)
        if (rst) begin
            {n}_done_step <= 16'd0;
            {n}_frame <= {{FRAME_BITS{{1'b0}}}};
        end else if ({n}_done) begin
            {n}_done_step <= {n}_last ? 16'd0 : {n}_done_step + 16'd1;
            if ({n}_last) {n}_frame <= {n}_frame + 1'b1;
        end
"""
