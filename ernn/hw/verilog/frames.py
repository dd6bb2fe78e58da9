"""Verilog of frames at the top of a network: the streams' ports, contexts of those under way, and counters."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw.layout.registers import PROTOCOL, whole_bytes
from ernn.hw.layout.words import Words, padded
from ernn.hw.verilog.interfaces import stream_bits
from ernn.hw.verilog.items import BLANK, Assign, Item, Loop, Memory, Note, Process, Register, Wire
from ernn.hw.verilog.module import Port

LARGEST_BITS = 32  # of an element: vectors of the test bench and packets of a board have words of 32 bits


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
        """Bits of an element in a beat: whole bytes."""
        return whole_bytes(self.bits)

    @property
    def words(self) -> Words:
        """Beats of a vector as words of elements."""
        return Words(self.count, self.bits, -(-self.elements // self.count))

    @property
    def _last(self) -> int:
        """Elements in the last beat of a frame."""
        return self.elements - (self.words.words - 1) * self.count

    def keep(self, direction: str, side: str) -> Iterator[Port]:
        """The port, where there are several elements."""
        if self.count > 1:
            yield Port(direction, f"{side}_axis_tkeep", self.count * self.slot // 8)

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
        frame_bits: of the number of a frame.
        streams: that take turns.
        layers: modules with an array.
    """

    input: Beats
    output: Beats
    frame_bits: int
    streams: int
    layers: int

    @property
    def _stream_bits(self) -> int:
        return int(stream_bits(self.streams))

    def doc(self, name: str, layers: int) -> str:
        """Comment at the head of the module.

        Args:
            name: of the program.
            layers: recurrent ones.
        """
        x, y = self.input, self.output
        return f"""{name}: {layers} recurrent layer{"s" * (layers > 1)} and the output layer.
A frame is {x.elements} features of {x.bits} bits, {x.count} a beat.
It gives {y.elements} logits of {y.bits} bits, {y.count} a beat.
tuser of a frame's first beat says that an utterance opens (states count as zeros), tid names its stream.
After a reset the first frame of a stream opens an utterance, unless a state of the stream was written.
A frame of a stream that does not exist is dropped.
Registers: registers.md."""

    def ports(self, address_bits: int) -> Iterator[Port]:
        """Ports of the top module.

        Args:
            address_bits: of AXI4-Lite addresses.
        """
        t, x, y = tid_bits(self.streams), self.input, self.output
        yield from (Port("input", "aclk"), Port("input", "aresetn"))
        yield Port("input", "s_axis_tdata", x.count * x.slot)
        yield from (Port("input", "s_axis_tvalid"), Port("output", "s_axis_tready"), Port("input", "s_axis_tlast"))
        yield from x.keep("input", "s")
        yield from (Port("input", "s_axis_tuser", 1), Port("input", "s_axis_tid", t))
        yield Port("output", "m_axis_tdata", y.count * y.slot)
        yield from (Port("output", "m_axis_tvalid"), Port("input", "m_axis_tready"), Port("output", "m_axis_tlast"))
        yield from y.keep("output", "m")
        yield Port("output", "m_axis_tid", t)
        yield from control_ports(address_bits)

    def items(self) -> Iterator[Item]:
        """Contexts: one is written two cycles after a frame's first feature, just before a thread can read it."""
        f, t, x = self.frame_bits, self._stream_bits, self.input
        yield Note("Frames under way: contexts in a ring, from their first feature to their last logit.")
        yield from (Register("ring_first", 1 << f), Register("ring_stream", t << f))
        yield Memory("ring_begun", 32, depth=1 << f)
        yield Register("now", 32)
        yield Register("misplaced", comment=f"a tlast within this frame{', or a wrong tkeep' * (x.count > 1)}")
        yield from (Register("open"), Register("frames_open", f))
        yield from map(Register, ("counting", "taken_last", "out_ended", "wrong"))
        yield Register("begun", 32, port=True)
        yield from (Register("opens", comment="a frame has begun"), Register("opens_first"))
        yield Register("unopened", self.streams, comment="streams that had no frame and no state since the reset")
        yield from (Register("dropped_frame"), Register("dropped", comment="frames whose last beat was dropped"))
        yield from (Register("opens_stream", t), Register("opens_frame", f), Loop("place"))
        yield self._registered()
        yield Wire("in_ready")
        yield Wire("in_take", value="s_axis_tvalid && s_axis_tready")
        yield Wire("out_end", value="m_axis_tvalid && m_axis_tready && m_axis_tlast")
        yield Assign("s_axis_tready", "in_ready && open")
        yield Wire("unknown_stream", value=f"s_axis_tid >= {tid_bits(self.streams)}'d{self.streams}")
        yield Wire("dropping", value="first_beat ? unknown_stream : dropped_frame")
        yield Wire("frame_take", value="in_take && !dropping")
        yield Assign("m_axis_tid", padded(f"ring_stream[frame_out*{t}+:{t}]", t, tid_bits(self.streams)))
        yield self._counted()
        yield from self._data()

    def _registered(self) -> Process:
        """Register that delays flow-control conditions by a cycle."""
        f, x = self.frame_bits, self.input
        return Process(f"""    always @(posedge clk) begin
        frames_open <= under_way;
        open <= frames_open < {f}'d{(1 << f) - 3} && settled && !guarded && !rst;
        counting <= under_way != {f}'d0 || (!first_beat && !dropped_frame) || frame_take;
        taken_last <= !rst && frame_take && last_beat;
        dropped <= !rst && in_take && last_beat && dropping;
        out_ended <= !rst && out_end;
        wrong <= !rst && in_take && last_beat && (misplaced || !s_axis_tlast{x.wrong("last_beat")});
        begun <= ring_begun[frame_out];
    end""")

    def _counted(self) -> Process:
        """Places in the ring, and counters."""
        f, t, x = self.frame_bits, self._stream_bits, self.input
        beats = x.words.words
        counters = "".join(
            f"        busy_{n} <= clear ? 32'd0 : busy_{n} + {{31'd0, busy[{n}]}};\n" for n in range(self.layers)
        )
        last = "1'b1" if beats == 1 else f"beat == 16'd{beats - 2}"
        written = f"load && load_memory[{PROTOCOL.state_bit}]"  # a word of a state
        return Process(f"""    always @(posedge clk) begin
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
            if (frame_take && last_beat) frame_in <= frame_in + 1'b1;
            if (out_end) frame_out <= frame_out + 1'b1;
        end
        if (in_take) dropped_frame <= dropping;
        opens <= frame_take && first_beat;
        opens_first <= s_axis_tuser[0];
        opens_stream <= s_axis_tid[{t - 1}:0];
        opens_frame <= frame_in;
        for (place = 0; place < {1 << f}; place = place + 1)
            if (opens && opens_frame == place[{f - 1}:0]) begin
                ring_first[place] <= opens_first || unopened[opens_stream];
                ring_stream[place*{t}+:{t}] <= opens_stream;
            end
        if (opens) ring_begun[opens_frame] <= now;
        for (place = 0; place < {self.streams}; place = place + 1)
            if (rst) unopened[place] <= 1'b1;
            else if (opens && opens_stream == place[{t - 1}:0]) unopened[place] <= 1'b0;
            else if ({written} && load_memory[{t - 1}:0] == place[{t - 1}:0]) unopened[place] <= 1'b0;
        frames_in <= clear ? 32'd0 : frames_in + {{31'd0, taken_last}};
        frames_out <= clear ? 32'd0 : frames_out + {{31'd0, out_ended}};
        cycles <= clear ? 64'd0 : cycles + {{63'd0, counting}};
        misplaced <= !rst && (in_take ? !last_beat && (misplaced || s_axis_tlast{x.wrong("last_beat")}) : misplaced);
        protocol_errors <= clear ? 32'd0 : protocol_errors + {{31'd0, wrong}};
        stream_errors <= clear ? 32'd0 : stream_errors + {{31'd0, dropped}};
        now <= rst ? 32'd0 : now + 32'd1;
        if (clear) latency <= 32'd0;
        else if (out_ended) latency <= now - begun + 32'd1;
{counters}    end""")

    def _data(self) -> Iterator[Item]:
        """Elements of the streams' beats."""
        x, y = self.input, self.output
        yield Wire("features", x.words.width, f"{{{', '.join(reversed([*x.taken('last_beat')]))}}}")
        yield Assign("m_axis_tdata", f"{{{', '.join(reversed([*y.given('logits')]))}}}")
        if y.count > 1:
            yield Assign("m_axis_tkeep", y.kept("m_axis_tlast"))
        yield BLANK


def tid_bits(streams: int) -> int:
    """Width of `tid`: the numbers of the streams, and at least one more that names none.

    >>> [tid_bits(streams) for streams in (1, 2, 3, 4)]
    [1, 2, 2, 3]
    """
    return streams.bit_length()


def control_ports(address_bits: int) -> Iterator[Port]:
    """Ports of the AXI4-Lite slave."""
    yield from (Port("input", "s_axil_awaddr", address_bits), Port("input", "s_axil_awprot", 3))
    yield from (Port("input", "s_axil_awvalid"), Port("output", "s_axil_awready"))
    yield from (Port("input", "s_axil_wdata", 32), Port("input", "s_axil_wstrb", 4))
    yield from (Port("input", "s_axil_wvalid"), Port("output", "s_axil_wready"))
    yield from (Port("output", "s_axil_bresp", 2), Port("output", "s_axil_bvalid"), Port("input", "s_axil_bready"))
    yield from (Port("input", "s_axil_araddr", address_bits), Port("input", "s_axil_arprot", 3))
    yield from (Port("input", "s_axil_arvalid"), Port("output", "s_axil_arready"))
    yield from (Port("output", "s_axil_rdata", 32), Port("output", "s_axil_rresp", 2))
    yield from (Port("output", "s_axil_rvalid"), Port("input", "s_axil_rready"))
