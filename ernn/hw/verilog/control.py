"""Control of a whole network: AXI4-Lite registers, resets, weights and states that are loaded and read."""

from collections.abc import Iterator, Sequence

from ernn.hw.layout.registers import (
    CONTROL,
    LOAD_PART,
    LOAD_PLACE,
    PART_BITS,
    PROTOCOL,
    STATE_STEP,
    WRITTEN,
    part_count,
    register_number,
)
from ernn.hw.layout.words import padded
from ernn.hw.verilog.layer import LayerText

# Cycles from a register write to the last of its effects. A word that is loaded is decoded, collected, handed to its
# layer, and to its memory; a state word that is shown is decoded, placed, addressed, read in two cycles, and chosen.
_SETTLE = 10


class Control:
    """Registers of all layers, and the Verilog behind them.

    Args:
        layers: every module with an array, in the order of the data.
        frame_bits: of the number of a frame under way.
    """

    def __init__(self, layers: Sequence[LayerText], frame_bits: int) -> None:
        self.layers, self.frame_bits = layers, frame_bits

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        found = [
            (CONTROL, "32'd0", "write 1: reset all state and counters; write 2: reset the counters"),
            (
                LOAD_PLACE,
                "{load_layer, load_memory}",
                "write {layer, memory}: words of this memory follow, from address 0",
            ),
            (LOAD_PART, "load_address", "write the next 32 bits of a word of weights, the lowest first"),
            (STATE_STEP, "{16'd0, state_step}", "write the word of a state that state_0, .. shall show"),
            ("identity", f"32'h{PROTOCOL.identity:08x}", "ERNN"),
            ("interface_version", f"32'd{PROTOCOL.version}", "of these registers"),
            ("frames_in", "frames_in", "frames whose features are in"),
            ("frames_out", "frames_out", "frames whose logits are out"),
            ("cycles_low", "cycles[31:0]", "cycles with a frame under way"),
            ("cycles_high", "cycles[63:32]", "their upper half"),
            (
                "latency",
                "latency",
                "cycles of the last frame, from its first feature to its last logit, waiting included",
            ),
            (
                "protocol_errors",
                "protocol_errors",
                "frames whose tlast was not with their last feature, or whose tkeep was wrong",
            ),
        ]
        for part in range(self.state_parts):
            low, high = PART_BITS * part, PART_BITS * (part + 1) - 1
            meaning = f"bits {low} to {high} of the word of a state, while no frame is under way"
            found.append((f"state_{part}", f"state_word[{high}:{low}]", meaning))
        for number, layer in enumerate(self.layers):
            meaning = f"cycles in which the array of {layer.name} multiplied"
            found.append((f"{layer.name}_busy", f"busy_{number}", meaning))
            for place, name in enumerate(layer.overflows()):
                value = f"{layer.name}_overflows[{32 * place + 31}:{32 * place}]"
                found.append((f"{layer.name}_overflow_{name}", value, f"saturated values of {name}"))
        return found

    @property
    def state_parts(self) -> int:
        """Registers that show a word of a state."""
        return max(part_count(layer.state_bits) for layer in self.layers)

    @property
    def address_bits(self) -> int:
        """Of AXI4-Lite addresses."""
        return max(8, (4 * len(self.registers) - 1).bit_length() + 1)

    def text(self) -> Iterator[str]:
        """Part of the top module."""
        a, registers = self.address_bits, self.registers
        control, place, part, step = (f"{a - 2}'d{register_number(name)}" for name in WRITTEN)
        reset, clear = (mask.bit_length() - 1 for mask in (PROTOCOL.reset, PROTOCOL.clear))
        flush = 12 + max(layer.flush_cycles for layer in self.layers)
        settle = _SETTLE + max(layer.restore_cycles for layer in self.layers)
        parts = max(part_count(layer.load_bits) for layer in self.layers)
        values = ",\n        ".join(f"{value}" for _, value, _ in reversed(registers))
        sizes = "\n".join(
            f"            {{16'd{n}, 2'b{kind}}}: load_parts <= 16'd{part_count(bits)};"
            for n, layer in enumerate(self.layers)
            for kind, bits in (
                ("00", layer.array.weight_bits),
                *((f"1{place}", state.bits) for place, state in enumerate(layer.states.values())),
            )
        )
        words = {
            n: padded(f"{layer.name}_state", layer.state_bits, 32 * self.state_parts)
            for n, layer in enumerate(self.layers)
            if layer.states
        }
        first, *others = words.values()
        shown = (
            "".join(f"load_layer == 16'd{n} ? {word} : " for n, word in zip([*words][1:], others, strict=True)) + first
        )
        for n, layer in enumerate(self.layers):
            yield f"    wire [{32 * max(1, len(layer.overflows())) - 1}:0] {layer.name}_overflows;"
            yield f"    reg [31:0] busy_{n};\n    wire [{layer.state_bits - 1}:0] {layer.name}_state;"
        yield f"""    wire [{len(self.layers) - 1}:0] busy;
    reg [{self.frame_bits - 1}:0] frame_in, frame_out;
    reg [15:0] beat;
    reg first_beat, last_beat;  // the beat that comes is a frame's first, its last
    wire [{self.frame_bits - 1}:0] under_way = frame_in - frame_out;

    // Control.
    wire [31:0] load_address;
    wire [15:0] load_layer, load_memory;
    wire load;
    wire [{32 * parts - 1}:0] load_data;
    reg [31:0] frames_in, frames_out, latency, protocol_errors;
    reg [63:0] cycles;
    wire taking, write;
    wire [{a - 3}:0] write_number;
    wire [31:0] write_data;
    reg resets, clears, places, loads;
    reg [31:0] load_value;
    always @(posedge clk) begin
        resets <= aresetn && write && write_number == {control} && write_data[{reset}];
        clears <= aresetn && write && write_number == {control} && write_data[{clear}];
        places <= aresetn && write && write_number == {place};
        loads <= aresetn && write && write_number == {part};
        load_value <= write_data;
    end
    reg rst, clear;
    initial rst = 1'b1;
    // A reset lasts until all pipelines are empty; registers wait for it.
    reg [15:0] resetting;
    wire reset_begins = !aresetn || resets;
    always @(posedge clk) begin
        resetting <= reset_begins ? 16'd{flush} : resetting != 16'd0 ? resetting - 16'd1 : 16'd0;
        rst <= reset_begins || resetting != 16'd0;
        clear <= reset_begins || resetting != 16'd0 || clears;
    end
    ernn_registers #(.READS({len(registers)}), .WRITES({len(WRITTEN)}), .ADDRESS({a}), .SETTLE({_SETTLE})) registers (
        .clk(clk), .rst(!aresetn), .hold(rst), .awaddr(s_axil_awaddr), .awvalid(s_axil_awvalid),
        .awready(s_axil_awready), .wdata(s_axil_wdata), .wstrb(s_axil_wstrb), .wvalid(s_axil_wvalid),
        .wready(s_axil_wready), .bresp(s_axil_bresp), .bvalid(s_axil_bvalid), .bready(s_axil_bready),
        .araddr(s_axil_araddr), .arvalid(s_axil_arvalid), .arready(s_axil_arready), .rdata(s_axil_rdata),
        .rresp(s_axil_rresp), .rvalid(s_axil_rvalid), .rready(s_axil_rready), .taking(taking),
        .write(write), .write_number(write_number), .write_data(write_data), .values({{
        {values}}}));
    /* verilator lint_off UNUSEDSIGNAL */
    wire unused = &{{1'b0, s_axil_awprot, s_axil_arprot, write_data, s_axis_tdata, load_layer, load_memory,
        load_address, load_data, {", ".join(f"{layer.name}_overflows, {layer.name}_state" for layer in self.layers)}}};
    /* verilator lint_on UNUSEDSIGNAL */

    // Weights.
    reg [15:0] load_parts;
    always @(posedge clk)
        case ({{load_layer, load_memory[{PROTOCOL.state_bit}:{PROTOCOL.state_shift}]}})
{sizes}
            default: load_parts <= 16'd1;
        endcase
    reg [15:0] state_step;
    reg [{32 * self.state_parts - 1}:0] state_word;
    reg [15:0] settling;  // frames wait: what was written is on its way
    reg settled;
    reg idle;
    always @(posedge clk) begin
        idle <= under_way == {self.frame_bits}'d0 && first_beat;
        if (rst) state_step <= 16'd0;
        else if (write && write_number == {step}) state_step <= write_data[15:0];
        if (rst) settling <= 16'd0;
        else if (taking) settling <= 16'd{settle};
        else if (settling != 16'd0) settling <= settling - 16'd1;
        settled <= settling == 16'd0 && !taking;
        state_word <= {shown};
    end
    ernn_loader #(.PARTS({parts})) loader (.clk(clk), .rst(!aresetn), .place(places), .part(loads),
        .value(load_value), .parts(load_parts), .load(load), .layer(load_layer), .memory(load_memory),
        .address(load_address), .data(load_data));
"""
