"""The whole network as one module: layers in a row, AXI4-Stream for features and logits, AXI4-Lite for control."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw import feed_verilog
from ernn.hw.architecture import Array
from ernn.hw.gru_verilog import GruLayer
from ernn.hw.layer_parts import Shared, circulant, sums_of
from ernn.hw.layer_verilog import LayerText, Words, padded
from ernn.hw.lstm_verilog import LstmLayer
from ernn.hw.schedule import Clock
from ernn.program import Layer, Lstm, Program
from ernn.program_matrices import Matrix, Pruned

IDENTITY, INTERFACE_VERSION = 0x45524E4E, 1  # "ERNN"
WRITTEN = ("control", "load_place", "load_part", "state_step")


@dataclass(frozen=True)
class Architecture:
    """Sizes of the arrays of all layers, the output layer's last."""

    arrays: tuple[Array, ...]
    clock: Clock
    streams: int = 1
    memory: str = "auto"  # kind of the weights' memories: auto, block or distributed


class NetworkText:
    """Sources of a whole network."""

    def __init__(self, program: Program, architecture: Architecture) -> None:
        self.program, self.architecture = program, architecture
        self.frame_bits = (4 * (len(program.layers) + 2) - 1).bit_length()
        shared = Shared(
            program.activations, architecture.clock, architecture.streams, self.frame_bits, architecture.memory
        )
        self.layers: list[LayerText] = []
        self._sink = Words(1, program.input.bits, program.inputs)
        arrays = iter(architecture.arrays)
        for number, layer in enumerate(program.layers):
            name = f"layer{number}"
            if sums_of(layer).apart is not None:
                array = next(arrays)
                self._add(
                    feed_verilog.rows_of_x(f"{name}_x", layer, array, self._source(layer.weight_ih, array), shared)
                )
            array = next(arrays)
            source = self._source_of(layer, array)
            if isinstance(layer, Lstm):
                self._add(LstmLayer(name, layer, array, source, shared).module())
            else:
                self._add(GruLayer(name, layer, array, source, shared).module())
        array, input = next(arrays), program.layers[-1].output
        source = self._source(program.output.weight, array)
        self._add(feed_verilog.output("output_layer", program.output, input, array, source, shared))

    def _add(self, layer: LayerText) -> None:
        self.layers.append(layer)
        self._sink = layer.sink

    def _source(self, matrix: Matrix, array: Array) -> Words:
        """Words that a layer multiplies: as many blocks as its banks take at a time and the words before it hold."""
        blocks, k = 1, circulant(matrix).block_size
        while not isinstance(matrix, Pruned) and 2 * blocks <= array.columns and 2 * blocks * k <= self._sink.elements:
            blocks *= 2
        return Words(blocks * k, self._sink.bits, -(-matrix.cols // (blocks * k)))

    def _source_of(self, layer: Layer, array: Array) -> Words:
        """Words of x, or of its rows, that come in ready."""
        if sums_of(layer).apart is None:
            return self._source(layer.weight_ih, array)
        elements = circulant(layer.weight_hh).block_size * (1 if isinstance(layer, Lstm) else array.heads)
        return Words(elements, self._sink.bits, -(-layer.cells // elements))

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        found = [
            ("control", "32'd0", "write 1: reset all state and counters; write 2: reset the counters"),
            (
                "load_place",
                "{load_layer, load_lane}",
                "write {layer, lane}: words of this lane follow, from address 0",
            ),
            ("load_part", "load_address", "write the next 32 bits of a word of weights, the lowest first"),
            ("state_step", "{16'd0, state_step}", "write the word of a state that state_0, .. shall show"),
            ("identity", f"32'h{IDENTITY:08x}", "ERNN"),
            ("interface_version", f"32'd{INTERFACE_VERSION}", "of these registers"),
            ("frames_in", "frames_in", "frames whose features are in"),
            ("frames_out", "frames_out", "frames whose logits are out"),
            ("cycles_low", "cycles[31:0]", "cycles with a frame under way"),
            ("cycles_high", "cycles[63:32]", "their upper half"),
            ("latency", "latency", "cycles of the last frame, from its first feature to its last logit"),
            ("protocol_errors", "protocol_errors", "frames whose tlast was not with their last feature"),
        ]
        for part in range(self._state_parts):
            meaning = f"bits {32 * part} to {32 * part + 31} of the word of a state, while no frame is under way"
            found.append((f"state_{part}", f"state_word[{32 * part + 31}:{32 * part}]", meaning))
        for number, layer in enumerate(self.layers):
            meaning = f"cycles in which the array of {layer.name} multiplied"
            found.append((f"{layer.name}_busy", f"busy_{number}", meaning))
            for place, name in enumerate(layer.overflows()):
                value = f"{layer.name}_overflows[{32 * place + 31}:{32 * place}]"
                found.append((f"{layer.name}_overflow_{name}", value, f"saturated values of {name}"))
        return found

    @property
    def _state_parts(self) -> int:
        """Registers that show a word of a state."""
        return max(-(-layer.state_bits // 32) for layer in self.layers)

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

    @property
    def address_bits(self) -> int:
        """Of AXI4-Lite addresses."""
        return max(8, (4 * len(self.registers) - 1).bit_length() + 1)

    def top(self) -> str:
        """Module `ernn`."""
        return "\n".join([*self._ports(), *self._control(), *self._frames(), *self._layers(), "endmodule", ""])

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

    def _control(self) -> Iterator[str]:
        a, registers = self.address_bits, self.registers
        flush = 8 + max(layer.flush_cycles for layer in self.layers)
        parts = max(-(-layer.load_bits // 32) for layer in self.layers)
        values = ",\n        ".join(f"{value}" for _, value, _ in reversed(registers))
        sizes = "\n".join(
            f"            {{16'd{n}, 2'b{lane}}}: load_parts = 16'd{-(-bits // 32)};"
            for n, layer in enumerate(self.layers)
            for lane, bits in (
                ("00", layer.array.weight_bits),
                *((f"1{kind}", state.bits) for kind, state in enumerate(layer.states.values())),
            )
        )
        shown = "\n".join(
            f"            16'd{n}: state_word = "
            f"{padded(f'{layer.name}_state', layer.state_bits, 32 * self._state_parts)};"
            for n, layer in enumerate(self.layers)
        )
        for n, layer in enumerate(self.layers):
            yield f"    wire [{32 * max(1, len(layer.overflows())) - 1}:0] {layer.name}_overflows;"
            yield f"    reg [31:0] busy_{n};\n    wire [{layer.state_bits - 1}:0] {layer.name}_state;"
        yield f"""    wire [{len(self.layers) - 1}:0] busy;
    reg [{self.frame_bits - 1}:0] frame_in, frame_out;
    reg [15:0] beat;
    wire [{self.frame_bits - 1}:0] under_way = frame_in - frame_out;

    // Control.
    wire [31:0] load_address;
    wire [15:0] load_layer, load_lane;
    wire load;
    wire [{32 * parts - 1}:0] load_data;
    reg [31:0] frames_in, frames_out, latency, protocol_errors;
    reg [63:0] cycles;
    wire write;
    wire [{a - 3}:0] write_number;
    wire [31:0] write_data;
    wire on_control = write && write_number == {a - 2}'d0;
    reg rst, clear;
    initial rst = 1'b1;
    // A reset lasts until all pipelines are empty; registers wait for it.
    reg [15:0] resetting;
    wire reset_begins = !aresetn || (on_control && write_data[0]);
    always @(posedge clk) begin
        resetting <= reset_begins ? 16'd{flush} : resetting != 16'd0 ? resetting - 16'd1 : 16'd0;
        rst <= reset_begins || resetting != 16'd0;
        clear <= reset_begins || resetting != 16'd0 || (on_control && write_data[1]);
    end
    ernn_registers #(.READS({len(registers)}), .WRITES({len(WRITTEN)}), .ADDRESS({a})) registers (
        .clk(clk), .rst(!aresetn), .hold(rst), .awaddr(s_axil_awaddr), .awvalid(s_axil_awvalid),
        .awready(s_axil_awready), .wdata(s_axil_wdata), .wstrb(s_axil_wstrb), .wvalid(s_axil_wvalid),
        .wready(s_axil_wready), .bresp(s_axil_bresp), .bvalid(s_axil_bvalid), .bready(s_axil_bready),
        .araddr(s_axil_araddr), .arvalid(s_axil_arvalid), .arready(s_axil_arready), .rdata(s_axil_rdata),
        .rresp(s_axil_rresp), .rvalid(s_axil_rvalid), .rready(s_axil_rready), .write(write),
        .write_number(write_number), .write_data(write_data), .values({{
        {values}}}));
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{{1'b0, s_axil_awprot, s_axil_arprot, write_data, s_axis_tdata, load_layer, load_lane,
        load_address, load_data, {", ".join(f"{layer.name}_overflows" for layer in self.layers)}}};
    /* verilator lint_on UNUSEDSIGNAL */

    // Weights.
    reg [15:0] load_parts;
    always @(*)
        case ({{load_layer, load_lane[15:14]}})
{sizes}
            default: load_parts = 16'd1;
        endcase
    reg [15:0] state_step;
    reg [{32 * self._state_parts - 1}:0] state_word;
    reg [4:0] settling;  // a state that is written back is on its way
    wire idle = under_way == {self.frame_bits}'d0 && beat == 16'd0;
    always @(posedge clk) begin
        if (rst) state_step <= 16'd0;
        else if (write && write_number == {a - 2}'d3) state_step <= write_data[15:0];
        if (rst) settling <= 5'd0;
        else if (write) settling <= 5'd31;
        else if (settling != 5'd0) settling <= settling - 5'd1;
    end
    always @(*)
        case (load_layer)
{shown}
            default: state_word = {32 * self._state_parts}'d0;
        endcase
    ernn_loader #(.PARTS({parts})) loader (.clk(clk), .rst(!aresetn), .place(write && write_number == {a - 2}'d1),
        .part(write && write_number == {a - 2}'d2), .value(write_data), .parts(load_parts), .load(load),
        .layer(load_layer), .lane(load_lane), .address(load_address), .data(load_data));
"""

    def _frames(self) -> Iterator[str]:
        f, t, inputs = self.frame_bits, self.stream_bits, self.program.inputs
        counters = "\n".join(
            f"        busy_{n} <= clear ? 32'd0 : busy_{n} + {{31'd0, busy[{n}]}};" for n in range(len(self.layers))
        )
        yield f"""    // Frames under way: contexts in a ring, from their first feature to their last logit.
    reg [{(1 << f) - 1}:0] ring_first;
    reg [{(t << f) - 1}:0] ring_stream;
    reg [{32 * (1 << f) - 1}:0] ring_begun;
    reg [31:0] now;
    reg misplaced;  // a tlast within this frame
    wire open = under_way != {{{f}{{1'b1}}}} && settling == 5'd0 && !write && !rst;
    wire in_ready;
    wire in_take = s_axis_tvalid && s_axis_tready;
    wire in_last = beat == 16'd{inputs - 1};
    wire out_end = m_axis_tvalid && m_axis_tready && m_axis_tlast;
    assign s_axis_tready = in_ready && open;
    assign m_axis_tid = ring_stream[frame_out*{t}+:{t}];
    always @(posedge clk) begin
        if (rst) begin
            beat <= 16'd0;
            frame_in <= {f}'d0;
            frame_out <= {f}'d0;
        end else begin
            if (in_take) beat <= in_last ? 16'd0 : beat + 16'd1;
            if (in_take && in_last) frame_in <= frame_in + 1'b1;
            if (out_end) frame_out <= frame_out + 1'b1;
        end
        if (in_take && beat == 16'd0) begin
            ring_first[frame_in] <= s_axis_tuser[0];
            ring_stream[frame_in*{t}+:{t}] <= s_axis_tid;
            ring_begun[frame_in*32+:32] <= now;
        end
        frames_in <= clear ? 32'd0 : frames_in + {{31'd0, in_take && in_last}};
        frames_out <= clear ? 32'd0 : frames_out + {{31'd0, out_end}};
        cycles <= clear ? 64'd0 : cycles + {{63'd0, under_way != {f}'d0 || beat != 16'd0 || in_take}};
        misplaced <= !rst && (in_take ? !in_last && (misplaced || s_axis_tlast) : misplaced);
        protocol_errors <= clear ? 32'd0
            : protocol_errors + {{31'd0, in_take && in_last && (misplaced || !s_axis_tlast)}};
        now <= rst ? 32'd0 : now + 32'd1;
        if (clear) latency <= 32'd0;
        else if (out_end) latency <= now - ring_begun[frame_out*32+:32] + 32'd1;
{counters}
    end
"""

    def _layers(self) -> Iterator[str]:
        valid, ready = "s_axis_tvalid && open", "in_ready"
        data = f"s_axis_tdata[{self.program.input.bits - 1}:0]"
        sink = Words(1, self.program.input.bits, self.program.inputs)
        for n, layer in enumerate(self.layers):
            name, source = layer.name, layer.source
            yield f"""    // {name}: {layer.doc}.
    wire {name}_x_valid, {name}_x_ready, {name}_x_end, {name}_room, {name}_reserve, {name}_y_valid;
    wire [{source.width - 1}:0] {name}_x;
    wire [{layer.sink.width - 1}:0] {name}_y;
    ernn_gearbox #(.WIDTH({source.bits}), .IN({sink.elements}), .OUT({source.elements}), .IN_WORDS({sink.words}),
        .OUT_WORDS({source.words})) gearbox_{n} (.clk(clk), .rst(rst), .in_valid({valid}), .in_ready({ready}),
        .in_data({data}), .out_valid({name}_x_valid), .out_ready({name}_x_ready), .out_last({name}_x_end),
        .out_data({name}_x));
    {name} {name}_module (.clk(clk), .rst(rst), .clear(clear), .ring_first(ring_first), .ring_stream(ring_stream),
        .x_valid({name}_x_valid), .x_ready({name}_x_ready), .x_end({name}_x_end), .x_data({name}_x),
        .room({name}_room), .reserve({name}_reserve), .y_valid({name}_y_valid), .y_data({name}_y),
        .load(load && load_layer == 16'd{n}), .load_lane(load_lane), .load_address(load_address),
        .load_data(load_data[{layer.load_bits - 1}:0]), .idle(idle), .state_step(state_step),
        .state_read({name}_state), .busy(busy[{n}]), .overflows({name}_overflows));"""
            sink = layer.sink
            yield f"""    wire {name}_out_valid, {name}_out_ready;
    wire [{sink.width - 1}:0] {name}_out;
    ernn_link #(.WIDTH({sink.width}), .WORDS({sink.words}), .ADDRESS({(2 * sink.words - 1).bit_length()})) link_{n} (
        .clk(clk), .rst(rst), .reserve({name}_reserve), .room({name}_room), .in_valid({name}_y_valid),
        .in_data({name}_y), .out_valid({name}_out_valid), .out_ready({name}_out_ready), .out_data({name}_out));
"""
            valid, ready, data = f"{name}_out_valid", f"{name}_out_ready", f"{name}_out"
        logit = self.program.output.logits.bits
        extended = (
            f"{{{{{self.logit_bits - logit}{{logit[{logit - 1}]}}}}, logit}}" if self.logit_bits > logit else "logit"
        )
        yield f"""    wire [{logit - 1}:0] logit;
    ernn_gearbox #(.WIDTH({logit}), .IN({sink.elements}), .OUT(1), .IN_WORDS({sink.words}),
        .OUT_WORDS({self.program.decoder.classes})) gearbox_out (.clk(clk), .rst(rst), .in_valid({valid}),
        .in_ready({ready}), .in_data({data}), .out_valid(m_axis_tvalid), .out_ready(m_axis_tready),
        .out_last(m_axis_tlast), .out_data(logit));
    assign m_axis_tdata = {extended};"""

    def sources(self) -> dict[str, str]:
        """Generated Verilog files and memory images, by name."""
        found = {"ernn.v": self.top()}
        for layer in self.layers:
            found |= layer.sources() | layer.images()
        return found
