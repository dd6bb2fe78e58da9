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
from ernn.hw.verilog.module import BLANK, Instance, Item, Note, Process, Register, Wire

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

    def items(self) -> Iterator[Item]:
        """Part of the top module."""
        yield from self._of_layers()
        yield from self._of_frames()
        yield Note("Control.")
        yield from (Wire("load_address", 32), Wire("load_layer", 16), Wire("load_memory", 16), Wire("load"))
        yield Wire("load_data", 32 * self._parts)
        yield from (Register(each, 32) for each in ("frames_in", "frames_out", "latency", "protocol_errors"))
        yield Register("cycles", 64)
        yield from self._written()
        yield from self._resets()
        yield self._registers()
        yield from self._unused()
        yield Note("Weights.")
        yield from self._load_parts()
        yield from self._states()
        ports = {"clk": "clk", "rst": "!aresetn", "place": "places", "part": "loads", "value": "load_value"}
        ports |= {"parts": "load_parts", "load": "load"}
        ports |= {each: f"load_{each}" for each in ("layer", "memory", "address", "data")}
        yield Instance("ernn_loader", "loader", ports, {"PARTS": self._parts})
        yield BLANK

    @property
    def _parts(self) -> int:
        """Of the widest word that is loaded."""
        return max(part_count(layer.load_bits) for layer in self.layers)

    def _of_layers(self) -> Iterator[Item]:
        for n, layer in enumerate(self.layers):
            yield Wire(f"{layer.name}_overflows", 32 * max(1, len(layer.overflows())))
            yield from (Register(f"busy_{n}", 32), Wire(f"{layer.name}_state", layer.state_bits))
        yield Wire("busy", len(self.layers))

    def _of_frames(self) -> Iterator[Item]:
        yield from (Register("frame_in", self.frame_bits), Register("frame_out", self.frame_bits), Register("beat", 16))
        yield Register("first_beat", comment="the beat that comes is a frame's first")
        yield Register("last_beat", comment="it is its last")
        yield Wire("under_way", self.frame_bits, "frame_in - frame_out")
        yield BLANK

    def _written(self) -> Iterator[Item]:
        """Writes that take effect, by their register."""
        a = self.address_bits
        control, place, part, _ = (f"{a - 2}'d{register_number(name)}" for name in WRITTEN)
        reset, clear = (mask.bit_length() - 1 for mask in (PROTOCOL.reset, PROTOCOL.clear))
        yield from (Wire("taking"), Wire("write"), Wire("write_number", a - 2), Wire("write_data", 32))
        yield from map(Register, ("resets", "clears", "places", "loads"))
        yield Register("load_value", 32)
        yield Process(f"""    always @(posedge clk) begin
        resets <= aresetn && write && write_number == {control} && write_data[{reset}];
        clears <= aresetn && write && write_number == {control} && write_data[{clear}];
        places <= aresetn && write && write_number == {place};
        loads <= aresetn && write && write_number == {part};
        load_value <= write_data;
    end""")

    def _resets(self) -> Iterator[Item]:
        flush = 12 + max(layer.flush_cycles for layer in self.layers)
        yield from (Register("rst"), Register("clear"))
        yield Process("    initial rst = 1'b1;")
        yield Note("A reset lasts until all pipelines are empty; registers wait for it.")
        yield from (Register("resetting", 16), Wire("reset_begins", value="!aresetn || resets"))
        yield Process(f"""    always @(posedge clk) begin
        resetting <= reset_begins ? 16'd{flush} : resetting != 16'd0 ? resetting - 16'd1 : 16'd0;
        rst <= reset_begins || resetting != 16'd0;
        clear <= reset_begins || resetting != 16'd0 || clears;
    end""")

    def _registers(self) -> Instance:
        """What a host reads and writes."""
        registers = self.registers
        ports = {"clk": "clk", "rst": "!aresetn", "hold": "rst"}
        names = ["awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready"]
        names += ["araddr", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready"]
        ports |= {each: f"s_axil_{each}" for each in names}
        ports |= {each: each for each in ("taking", "write", "write_number", "write_data")}
        ports["values"] = f"{{{', '.join(value for _, value, _ in reversed(registers))}}}"
        sizes = {"READS": len(registers), "WRITES": len(WRITTEN), "ADDRESS": self.address_bits, "SETTLE": _SETTLE}
        return Instance("ernn_registers", "registers", ports, sizes)

    def _unused(self) -> Iterator[Item]:
        """Signals some of whose bits nobody reads."""
        signals = ["s_axil_awprot", "s_axil_arprot", "write_data", "s_axis_tdata", "load_layer", "load_memory"]
        signals += ["load_address", "load_data"]
        signals += [f"{layer.name}_{each}" for layer in self.layers for each in ("overflows", "state")]
        yield Wire("unused", value=f"&{{1'b0, {', '.join(signals)}}}", unchecked="UNUSEDSIGNAL")
        yield BLANK

    def _load_parts(self) -> Iterator[Item]:
        """Parts of a word of the memory or of the state that is loaded."""
        sizes = "".join(
            f"            {{16'd{n}, 2'b{kind}}}: load_parts <= 16'd{part_count(bits)};\n"
            for n, layer in enumerate(self.layers)
            for kind, bits in (
                ("00", layer.array.weight_bits),
                *((f"1{place}", state.bits) for place, state in enumerate(layer.states.values())),
            )
        )
        yield Register("load_parts", 16)
        yield Process(f"""    always @(posedge clk)
        case ({{load_layer, load_memory[{PROTOCOL.state_bit}:{PROTOCOL.state_shift}]}})
{sizes}            default: load_parts <= 16'd1;
        endcase""")

    def _states(self) -> Iterator[Item]:
        """The word of a state that is shown, and the time that a write takes."""
        settle = _SETTLE + max(layer.restore_cycles for layer in self.layers)
        step = f"{self.address_bits - 2}'d{register_number(STATE_STEP)}"
        words = {
            n: padded(f"{layer.name}_state", layer.state_bits, 32 * self.state_parts)
            for n, layer in enumerate(self.layers)
            if layer.states
        }
        first, *others = words.values()
        shown = "".join(f"load_layer == 16'd{n} ? {word} : " for n, word in zip([*words][1:], others, strict=True))
        yield from (Register("state_step", 16), Register("state_word", 32 * self.state_parts))
        yield Register("settling", 16, comment="frames wait: what was written is on its way")
        yield from (Register("settled"), Register("idle"))
        yield Process(f"""    always @(posedge clk) begin
        idle <= under_way == {self.frame_bits}'d0 && first_beat;
        if (rst) state_step <= 16'd0;
        else if (write && write_number == {step}) state_step <= write_data[15:0];
        if (rst) settling <= 16'd0;
        else if (taking) settling <= 16'd{settle};
        else if (settling != 16'd0) settling <= settling - 16'd1;
        settled <= settling == 16'd0 && !taking;
        state_word <= {shown}{first};
    end""")
