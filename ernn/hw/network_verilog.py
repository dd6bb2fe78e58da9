"""The whole network as one module: layers in a row, AXI4-Stream for features and logits, AXI4-Lite for control."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw import feed_verilog
from ernn.hw.architecture import Array
from ernn.hw.control_verilog import Control
from ernn.hw.gru_verilog import GruLayer
from ernn.hw.layer_parts import Shared, blocks_of, circulant, projection_apart, sums_of
from ernn.hw.layer_verilog import LayerText, Projection
from ernn.hw.lstm_verilog import LstmLayer
from ernn.hw.schedule import Clock
from ernn.hw.words import Words
from ernn.program import Layer, Lstm, Program


@dataclass(frozen=True)
class Architecture:
    """Sizes of the arrays of all layers, the output layer's last."""

    arrays: tuple[Array, ...]
    clock: Clock
    streams: int = 1
    memory: str = "auto"  # kind of the weights' memories: auto, block or distributed
    transformed: bool = False  # weights are stored as the factors of their blocks: more memory, less logic


@dataclass(frozen=True)
class Stream:
    """Expressions of valid, ready and data of a stream of words."""

    valid: str
    ready: str
    data: str

    @staticmethod
    def of(name: str) -> "Stream":
        """The wires that `_link` declares."""
        return Stream(f"{name}_valid", f"{name}_ready", name)


class NetworkText:
    """Sources of a whole network."""

    def __init__(self, program: Program, architecture: Architecture) -> None:
        self.program, self.architecture = program, architecture
        self.frame_bits = (4 * (len(program.layers) + 2) - 1).bit_length()
        shared = Shared(
            program.activations,
            architecture.clock,
            architecture.streams,
            self.frame_bits,
            architecture.memory,
            architecture.transformed,
        )
        self.layers: list[LayerText] = []
        self._chain: list[LayerText] = []  # without projections, which are beside it
        self._sink = Words(1, program.input.bits, program.inputs)
        arrays = iter(architecture.arrays)
        for number, layer in enumerate(program.layers):
            name = f"layer{number}"
            if sums_of(layer).apart is not None:
                array = next(arrays)
                source = blocks_of(layer.weight_ih, array, self._sink)
                self._add(feed_verilog.rows_of_x(f"{name}_x", layer, array, source, shared))
            array = next(arrays)
            source = self._source_of(layer, array)
            if isinstance(layer, Lstm):
                apart = None if projection_apart(layer) is None else next(arrays)
                self._add(LstmLayer(name, layer, array, source, shared, apart).module())
            else:
                self._add(GruLayer(name, layer, array, source, shared).module())
        array, input = next(arrays), program.layers[-1].output
        source = blocks_of(program.output.weight, array, self._sink)
        self._add(feed_verilog.output("output_layer", program.output, input, array, source, shared))
        self.control = Control(self.layers, self.frame_bits)

    def _add(self, layer: LayerText) -> None:
        self._chain.append(layer)
        self.layers.append(layer)
        if layer.projection is not None:
            self.layers.append(layer.projection.layer)
        self._sink = layer.sink

    def _source_of(self, layer: Layer, array: Array) -> Words:
        """Words of x, or of its rows, that come in ready."""
        if sums_of(layer).apart is None:
            return blocks_of(layer.weight_ih, array, self._sink)
        blocks = 1 if isinstance(layer, Lstm) else array.heads
        elements = circulant(layer.weight_hh).block_size * blocks // array.beats
        return Words(elements, self._sink.bits, -(-layer.cells // elements))

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        return self.control.registers

    @property
    def address_bits(self) -> int:
        """Of AXI4-Lite addresses."""
        return self.control.address_bits

    @property
    def feature_bits(self) -> int:
        """Of s_axis_tdata: whole bytes."""
        return -(-self.program.input.bits // 8) * 8

    @property
    def logit_bits(self) -> int:
        """Of m_axis_tdata: whole bytes."""
        return -(-self.program.output.logits.bits // 8) * 8

    @property
    def stream_bits(self) -> int:
        """Of tid."""
        return max(1, (self.architecture.streams - 1).bit_length())

    def top(self) -> str:
        """Module `ernn`."""
        return "\n".join([*self._ports(), *self.control.text(), *self._frames(), *self._layers(), "endmodule", ""])

    def _ports(self) -> Iterator[str]:
        a, t, p = self.address_bits, self.stream_bits, self.program
        yield f"""// {p.name}: {len(p.layers)} recurrent layer{"s" * (len(p.layers) > 1)} and the output layer.
// A frame is {p.inputs} features of {p.input}, one a beat.
// It gives {p.decoder.classes} logits of {p.output.logits}.
// tuser of a frame's first beat says that an utterance opens (states count as zeros), tid names its stream.
// Registers: registers.md.
module ernn (
    input wire aclk,
    input wire aresetn,
    input wire [{self.feature_bits - 1}:0] s_axis_tdata,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
    input wire [0:0] s_axis_tuser,
    input wire [{t - 1}:0] s_axis_tid,
    output wire [{self.logit_bits - 1}:0] m_axis_tdata,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast,
    output wire [{t - 1}:0] m_axis_tid,
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

    def _frames(self) -> Iterator[str]:
        """Contexts: one is there two cycles after a frame's first feature, just before a thread can look for it."""
        f, t, inputs = self.frame_bits, self.stream_bits, self.program.inputs
        counters = "\n".join(
            f"        busy_{n} <= clear ? 32'd0 : busy_{n} + {{31'd0, busy[{n}]}};" for n in range(len(self.layers))
        )
        last = "1'b1" if inputs == 1 else f"beat == 16'd{inputs - 2}"
        yield f"""    // Frames under way: contexts in a ring, from their first feature to their last logit.
    reg [{(1 << f) - 1}:0] ring_first;
    reg [{(t << f) - 1}:0] ring_stream;
    reg [31:0] ring_begun[0:{(1 << f) - 1}];
    reg [31:0] now;
    reg misplaced;  // a tlast within this frame
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
        wrong <= !rst && in_take && last_beat && (misplaced || !s_axis_tlast);
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
            last_beat <= 1'b{int(inputs == 1)};
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
        misplaced <= !rst && (in_take ? !last_beat && (misplaced || s_axis_tlast) : misplaced);
        protocol_errors <= clear ? 32'd0 : protocol_errors + {{31'd0, wrong}};
        now <= rst ? 32'd0 : now + 32'd1;
        if (clear) latency <= 32'd0;
        else if (out_ended) latency <= now - begun + 32'd1;
{counters}
    end
"""

    def _layers(self) -> Iterator[str]:
        before = Stream("s_axis_tvalid && open", "in_ready", f"s_axis_tdata[{self.program.input.bits - 1}:0]")
        sink = Words(1, self.program.input.bits, self.program.inputs)
        for layer in self._chain:
            yield from self._instance(layer, before, sink)
            if layer.projection is not None:
                yield from self._projection(layer, layer.projection)
            yield _link(f"{layer.name}_out", layer.sink, layer, "y", f"{layer.name}_room")
            before, sink = Stream.of(f"{layer.name}_out"), layer.sink
        yield from self._logits(before, sink)

    def _instance(self, layer: LayerText, before: Stream, sink: Words) -> Iterator[str]:
        name, source, n = layer.name, layer.source, self.layers.index(layer)
        yield f"""    // {name}: {layer.doc}.
    wire {name}_x_valid, {name}_x_ready, {name}_x_end, {name}_room, {name}_reserve, {name}_y_valid;
    wire [{source.width - 1}:0] {name}_x;
    wire [{layer.sink.width - 1}:0] {name}_y;
    reg {name}_load;
    always @(posedge clk) {name}_load <= load && load_layer == 16'd{n};"""
        ports = ""
        if layer.projection is not None:
            ports = (
                f" .m_room({name}_m_room), .m_valid({name}_m_valid), .m_data({name}_m),\n        "
                f".back_valid({name}_back_valid), .back_data({name}_back),"
            )
            yield f"""    wire {name}_m_room, {name}_m_valid, {name}_back_valid;
    wire [{layer.projection.words.width - 1}:0] {name}_m;
    wire [{layer.sink.width - 1}:0] {name}_back;"""
        taken = Stream(f"{name}_x_valid", f"{name}_x_ready", f"{name}_x")
        yield _gearbox(name, sink, source, before, taken, f"{name}_x_end")
        yield f"""    wire {name}_rst, {name}_clear;
    ernn_copy {name}_rst_copy (.clk(clk), .d(rst), .q({name}_rst));
    ernn_copy {name}_clear_copy (.clk(clk), .d(clear), .q({name}_clear));
    {name} {name}_module (.clk(clk), .rst({name}_rst), .clear({name}_clear), .ring_first(ring_first),
        .ring_stream(ring_stream), .x_valid({name}_x_valid), .x_ready({name}_x_ready), .x_end({name}_x_end),
        .x_data({name}_x), .room({name}_room), .reserve({name}_reserve), .y_valid({name}_y_valid),
        .y_data({name}_y),{ports}
        .load({name}_load), .load_memory(load_memory), .load_address(load_address),
        .load_data(load_data[{layer.load_bits - 1}:0]), .idle(idle), .state_step(state_step),
        .state_read({name}_state), .busy(busy[{n}]), .overflows({name}_overflows));"""

    def _projection(self, layer: LayerText, projection: Projection) -> Iterator[str]:
        """A projection beside its layer: m goes out, y comes back."""
        name, made = layer.name, projection.layer
        yield _link(f"{name}_m_out", projection.words, layer, "m", f"{name}_m_room")
        yield from self._instance(made, Stream.of(f"{name}_m_out"), projection.words)
        yield _link(f"{made.name}_out", made.sink, made, "y", f"{made.name}_room")
        back = Stream(f"{name}_back_valid", "1'b1", f"{name}_back")
        yield "    /* verilator lint_off PINCONNECTEMPTY */"
        yield _gearbox(f"{name}_back", made.sink, layer.sink, Stream.of(f"{made.name}_out"), back, "")
        yield "    /* verilator lint_on PINCONNECTEMPTY */"

    def _logits(self, before: Stream, sink: Words) -> Iterator[str]:
        logit = self.program.output.logits.bits
        words = Words(1, logit, self.program.decoder.classes)
        extended = (
            f"{{{{{self.logit_bits - logit}{{logit[{logit - 1}]}}}}, logit}}" if self.logit_bits > logit else "logit"
        )
        yield f"""    wire [{logit - 1}:0] logit;
{_gearbox("out", sink, words, before, Stream("m_axis_tvalid", "m_axis_tready", "logit"), "m_axis_tlast")}
    assign m_axis_tdata = {extended};"""

    def sources(self) -> dict[str, str]:
        """Generated Verilog files and memory images, by name."""
        found = {"ernn.v": self.top()}
        for layer in self.layers:
            found |= layer.sources() | layer.images()
        return found


def _gearbox(name: str, before: Words, after: Words, source: Stream, sink: Stream, last: str) -> str:
    """Words of other sizes of the same vectors; `last` is the wire of a vector's last word."""
    return f"""    ernn_gearbox #(.WIDTH({before.bits}), .IN({before.elements}), .OUT({after.elements}),
        .IN_WORDS({before.words}), .OUT_WORDS({after.words})) gearbox_{name} (.clk(clk), .rst(rst),
        .in_valid({source.valid}), .in_ready({source.ready}), .in_data({source.data}),
        .out_valid({sink.valid}), .out_ready({sink.ready}),
        .out_last({last}), .out_data({sink.data}));"""


def _link(name: str, words: Words, layer: LayerText, vector: str, room: str) -> str:
    """Words of two frames of a layer's vector on their way, as the stream `name`; it reserves room for each."""
    source = f"{layer.name}_{vector}"
    return f"""    wire {name}_valid, {name}_ready;
    wire [{words.width - 1}:0] {name};
    ernn_link #(.WIDTH({words.width}), .WORDS({words.words}), .ADDRESS({(2 * words.words - 1).bit_length()}))
        link_{name} (.clk(clk), .rst(rst), .reserve({layer.name}_reserve), .room({room}), .in_valid({source}_valid),
        .in_data({source}), .out_valid({name}_valid), .out_ready({name}_ready), .out_data({name}));
"""
