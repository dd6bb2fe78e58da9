"""Verilog of frames at the top of a network: the streams' ports, contexts of those under way, and counters."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw.layout.registers import whole_bytes
from ernn.hw.layout.words import Words


@dataclass(frozen=True)
class Beats:
    """A vector on an AXI4-Stream: `count` elements a beat, each sign-extended to whole bytes.

    With several elements, `tkeep` says which bytes of a vector's last beat are its own.
    """

    count: int
    bits: int  # of an element
    elements: int

    @property
    def slot(self) -> int:
        """Bits of an element in a beat."""
        return whole_bytes(self.bits)

    @property
    def words(self) -> Words:
        """Beats of a vector as words of elements."""
        return Words(self.count, self.bits, -(-self.elements // self.count))

    @property
    def _last(self) -> int:
        """Elements of the last beat."""
        return self.elements - (self.words.words - 1) * self.count

    def keep(self, direction: str, side: str) -> str:
        """The port, where there are several elements."""
        bits = self.count * self.slot // 8
        return f"    {direction} wire [{bits - 1}:0] {side}_axis_tkeep,\n" if self.count > 1 else ""

    def kept(self, last: str) -> str:
        """Expression of `tkeep` in a beat; `last` says that it is a vector's last."""
        bytes_each = self.slot // 8
        total, own = self.count * bytes_each, self._last * bytes_each
        return f"{{{{{total - own}{{!{last}}}}}, {{{own}{{1'b1}}}}}}" if own < total else f"{{{total}{{1'b1}}}}"

    def wrong(self, last: str) -> str:
        """Part of a condition: `s_axis_tkeep` is not that of the beat."""
        return f" || s_axis_tkeep != {self.kept(last)}" if self.count > 1 else ""

    def taken(self, last: str) -> Iterator[str]:
        """Expressions of the elements of `s_axis_tdata`; behind a vector's last one are zeros."""
        for place in range(self.count):
            element = f"s_axis_tdata[{place * self.slot + self.bits - 1}:{place * self.slot}]"
            yield element if place < self._last else f"({element} & {{{self.bits}{{!{last}}}}})"

    def given(self, signal: str) -> Iterator[str]:
        """Expressions of the slots of a beat, from a word of elements."""
        for place in range(self.count):
            high, low, more = (place + 1) * self.bits - 1, place * self.bits, self.slot - self.bits
            sign = f"{{{{{more}{{{signal}[{high}]}}}}, " if more else ""
            yield f"{sign}{signal}[{high}:{low}]{'}' if more else ''}"


@dataclass(frozen=True)
class Frames:
    """Ports of the top module, and frames under way.

    Args:
        layers: modules with an array.
    """

    input: Beats
    output: Beats
    frame_bits: int
    stream_bits: int
    layers: int

    def ports(self, name: str, layers: int, address_bits: int) -> Iterator[str]:
        """Head of the module.

        Args:
            name: of the program.
            layers: recurrent ones.
            address_bits: of AXI4-Lite addresses.
        """
        a, t, x, y = address_bits, self.stream_bits, self.input, self.output
        yield f"""// {name}: {layers} recurrent layer{"s" * (layers > 1)} and the output layer.
// A frame is {x.elements} features of {x.bits} bits, {x.count} a beat.
// It gives {y.elements} logits of {y.bits} bits, {y.count} a beat.
// tuser of a frame's first beat says that an utterance opens (states count as zeros), tid names its stream.
// Registers: registers.md.
module ernn (
    input wire aclk,
    input wire aresetn,
    input wire [{x.count * x.slot - 1}:0] s_axis_tdata,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
{x.keep("input", "s")}    input wire [0:0] s_axis_tuser,
    input wire [{t - 1}:0] s_axis_tid,
    output wire [{y.count * y.slot - 1}:0] m_axis_tdata,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast,
{y.keep("output", "m")}    output wire [{t - 1}:0] m_axis_tid,
    input wire [{a - 1}:0] s_axil_awaddr,
    input wire [2:0] s_axil_awprot,
    input wire s_axil_awvalid,
    output wire s_axil_awready,
    input wire [31:0] s_axil_wdata,
    input wire [3:0] s_axil_wstrb,
    input wire s_axil_wvalid,
    output wire s_axil_wready,
    output wire [1:0] s_axil_bresp,
    output wire s_axil_bvalid,
    input wire s_axil_bready,
    input wire [{a - 1}:0] s_axil_araddr,
    input wire [2:0] s_axil_arprot,
    input wire s_axil_arvalid,
    output wire s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0] s_axil_rresp,
    output wire s_axil_rvalid,
    input wire s_axil_rready
);
    wire clk = aclk;"""

    def text(self) -> Iterator[str]:
        """Contexts: one is there two cycles after a frame's first feature, just before a thread can look for it."""
        f, t, x = self.frame_bits, self.stream_bits, self.input
        beats = x.words.words
        counters = "\n".join(
            f"        busy_{n} <= clear ? 32'd0 : busy_{n} + {{31'd0, busy[{n}]}};" for n in range(self.layers)
        )
        last = "1'b1" if beats == 1 else f"beat == 16'd{beats - 2}"
        yield f"""    // Frames under way: contexts in a ring, from their first feature to their last logit.
    reg [{(1 << f) - 1}:0] ring_first;
    reg [{(t << f) - 1}:0] ring_stream;
    reg [31:0] ring_begun[0:{(1 << f) - 1}];
    reg [31:0] now;
    reg misplaced;  // a tlast within this frame{", or a wrong tkeep" * (x.count > 1)}
    reg open;
    reg [{f - 1}:0] frames_open;
    reg counting, taken_last, out_ended, wrong;
    reg [31:0] begun;
    reg opens, opens_first;  // a frame has begun
    reg [{t - 1}:0] opens_stream;
    reg [{f - 1}:0] opens_frame;
    integer place;
    always @(posedge clk) begin
        frames_open <= under_way;
        open <= frames_open < {f}'d{(1 << f) - 3} && settled && !taking && !rst;
        counting <= under_way != {f}'d0 || !first_beat || in_take;
        taken_last <= !rst && in_take && last_beat;
        out_ended <= !rst && out_end;
        wrong <= !rst && in_take && last_beat && (misplaced || !s_axis_tlast{x.wrong("last_beat")});
        begun <= ring_begun[frame_out];
    end
    wire in_ready;
    wire in_take = s_axis_tvalid && s_axis_tready;
    wire out_end = m_axis_tvalid && m_axis_tready && m_axis_tlast;
    assign s_axis_tready = in_ready && open;
    assign m_axis_tid = ring_stream[frame_out*{t}+:{t}];
    always @(posedge clk) begin
        if (rst) begin
            beat <= 16'd0;
            first_beat <= 1'b1;
            last_beat <= 1'b{int(beats == 1)};
            frame_in <= {f}'d0;
            frame_out <= {f}'d0;
        end else begin
            if (in_take) begin
                beat <= last_beat ? 16'd0 : beat + 16'd1;
                first_beat <= last_beat;
                last_beat <= {last};
            end
            if (in_take && last_beat) frame_in <= frame_in + 1'b1;
            if (out_end) frame_out <= frame_out + 1'b1;
        end
        opens <= in_take && first_beat;
        opens_first <= s_axis_tuser[0];
        opens_stream <= s_axis_tid;
        opens_frame <= frame_in;
        for (place = 0; place < {1 << f}; place = place + 1)
            if (opens && opens_frame == place[{f - 1}:0]) begin
                ring_first[place] <= opens_first;
                ring_stream[place*{t}+:{t}] <= opens_stream;
            end
        if (opens) ring_begun[opens_frame] <= now;
        frames_in <= clear ? 32'd0 : frames_in + {{31'd0, taken_last}};
        frames_out <= clear ? 32'd0 : frames_out + {{31'd0, out_ended}};
        cycles <= clear ? 64'd0 : cycles + {{63'd0, counting}};
        misplaced <= !rst && (in_take ? !last_beat && (misplaced || s_axis_tlast{x.wrong("last_beat")}) : misplaced);
        protocol_errors <= clear ? 32'd0 : protocol_errors + {{31'd0, wrong}};
        now <= rst ? 32'd0 : now + 32'd1;
        if (clear) latency <= 32'd0;
        else if (out_ended) latency <= now - begun + 32'd1;
{counters}
    end"""
        yield from self._data()

    def _data(self) -> Iterator[str]:
        """Elements of the streams' beats."""
        x, y = self.input, self.output
        yield f"""    wire [{x.words.width - 1}:0] features = {{{", ".join(reversed([*x.taken("last_beat")]))}}};
    assign m_axis_tdata = {{{", ".join(reversed([*y.given("logits")]))}}};"""
        if y.count > 1:
            yield f"    assign m_axis_tkeep = {y.kept('m_axis_tlast')};"
        yield ""
