"""Control of a whole network: AXI4-Lite registers, resets, weights and states that are loaded and read."""

from collections.abc import Iterator, Sequence

from ernn.hw.design import STATES
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
from ernn.hw.verilog.interfaces import Controlled
from ernn.hw.verilog.items import BLANK, Instance, Item, Process, Register, Wire

_COUNTERS = "frames_in", "frames_out", "latency", "protocol_errors", "stream_errors"
# Cycles from a register write to the last of its effects. A word that is loaded is decoded, collected, handed to its
# layer, and to its memory; a state word that is shown is decoded, placed, addressed, read in two cycles, and chosen.
_SETTLE = 10


class Control:
    """Registers of all layers, and the Verilog behind them.

    Args:
        layers: every module with an array, in the order of the data.
        frame_bits: of the number of a frame under way.
        streams: that take turns.
    """

    def __init__(self, layers: Sequence[Controlled], frame_bits: int, streams: int) -> None:
        self.layers, self.frame_bits, self.streams = layers, frame_bits, streams

    @property
    def registers(self) -> list[tuple[str, str, str]]:
        """Registers that can be read: name, expression, meaning; the first of them can be written too."""
        found = [
            (CONTROL, "32'd0", "write 1: end all frames, forget states and counters; write 2: reset the counters"),
            (
                LOAD_PLACE,
                "{load_layer, load_memory}",
                "write {layer, memory}: words of this memory follow, from address 0",
            ),
            (
                LOAD_PART,
                "load_address",
                "write the next 32 bits of a word of weights or of a state, the lowest first; refused while a frame is "
                "under way, where `load_place` names no memory and no state, and behind its last word",
            ),
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
            ("stream_errors", "stream_errors", "frames of a stream that does not exist; they were dropped"),
        ]
        for part in range(self.state_parts):
            low, high = PART_BITS * part, PART_BITS * (part + 1) - 1
            meaning = f"bits {low} to {high} of the word of a state, while no frame is under way"
            found.append((f"state_{part}", f"state_word[{high}:{low}]", meaning))
        for number, layer in enumerate(self.layers):
            meaning = f"cycles in which the array of {layer.name} multiplied"
            found.append((f"{layer.name}_busy", f"busy_{number}", meaning))
            for place, name in enumerate(layer.overflows):
                value = f"{layer.name}_overflows[{32 * place + 31}:{32 * place}]"
                found.append((f"{layer.name}_overflow_{name}", value, f"saturated values of {name}"))
        return found

    @property
    def state_parts(self) -> int:
        """Registers that show a word of a state."""
        return max(part_count(layer.state_bits) for layer in self.layers)

    @property
    def flush_cycles(self) -> int:
        """Cycles of a reset in which all pipelines run empty."""
        return 12 + max(layer.flush_cycles for layer in self.layers)

    @property
    def address_bits(self) -> int:
        """Width of AXI4-Lite addresses, in bits."""
        return max(8, (4 * len(self.registers) - 1).bit_length() + 1)

    def items(self) -> Iterator[Item]:
        """The registers and the loading of weights, as a part of the top module."""
        yield from self._of_layers()
        yield from self._of_frames()
        yield from (Wire("load_address", 32), Wire("load_layer", 16), Wire("load_memory", 16), Wire("load"))
        yield Wire("load_data", 32 * self._parts)
        yield from (Register(each, 32) for each in _COUNTERS)
        yield Register("cycles", 64)
        yield from map(Wire, ("rst", "clear", "guarded", "settled"))
        yield Register("idle", comment="no frame is under way")
        yield from (Register("load_parts", 16), Register("load_places", 16), Register("load_words", self._word_bits))
        yield Register("load_known")
        yield Wire("state_step", 16)
        yield self._control()
        yield self._unused()
        yield self._load_parts()
        yield from self._states()
        yield BLANK

    @property
    def _parts(self) -> int:
        """32-bit parts of the widest word that is loaded."""
        return max(part_count(layer.load_bits) for layer in self.layers)

    @property
    def _word_bits(self) -> int:
        return max(layer.word_bits for layer in self.layers)

    def _of_layers(self) -> Iterator[Item]:
        for n, layer in enumerate(self.layers):
            yield Wire(f"{layer.name}_overflows", 32 * max(1, len(layer.overflows)))
            yield from (Register(f"busy_{n}", 32), Wire(f"{layer.name}_state", layer.state_bits))
        yield Wire("busy", len(self.layers))

    def _of_frames(self) -> Iterator[Item]:
        yield from (Register("frame_in", self.frame_bits), Register("frame_out", self.frame_bits), Register("beat", 16))
        yield Register("first_beat", comment="the beat that comes is a frame's first")
        yield Register("last_beat", comment="it is its last")
        yield Wire("under_way", self.frame_bits, "frame_in - frame_out")

    def _control(self) -> Instance:
        """The AXI4-Lite slave through which a host reads and writes."""
        registers = self.registers
        sizes = {"READS": len(registers), "WRITES": len(WRITTEN), "ADDRESS": self.address_bits}
        sizes |= {"WRITE_CYCLES": _SETTLE} | {name.upper(): register_number(name) for name in WRITTEN}
        sizes |= {"RESET_BIT": PROTOCOL.reset.bit_length() - 1, "CLEAR_BIT": PROTOCOL.clear.bit_length() - 1}
        sizes["FLUSH"] = self.flush_cycles
        sizes["SETTLE"] = _SETTLE + max(layer.restore_cycles for layer in self.layers)
        names = ["awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready"]
        names += ["araddr", "arvalid", "arready", "rdata", "rresp", "rvalid", "rready"]
        ports = {"clk": "clk", "aresetn": "aresetn"} | {each: f"s_axil_{each}" for each in names}
        ports["values"] = f"{{{', '.join(value for _, value, _ in reversed(registers))}}}"
        loaded = ("load_parts", "load_known", "load", "load_layer", "load_memory", "load_address", "load_data")
        ports |= {each: each for each in (*loaded, "rst", "clear", "idle", "guarded", "settled", "state_step")}
        return Instance("ernn_control", "control", ports, sizes | {"PARTS": self._parts})

    def _unused(self) -> Item:
        """Signals with bits that are not read."""
        signals = ["s_axil_awprot", "s_axil_arprot", "s_axis_tdata", "load_layer", "load_memory", "load_address"]
        signals += ["load_data", *(f"{layer.name}_{each}" for layer in self.layers for each in ("overflows", "state"))]
        return Wire("unused", value=f"&{{1'b0, {', '.join(signals)}}}", unchecked="UNUSEDSIGNAL")

    def _load_parts(self) -> Item:
        """Parts of a word of the memory or of the state that is loaded, and whether such a word exists."""
        bits, names = self._word_bits, "{load_parts, load_places, load_words}"
        sizes = "".join(
            f"            {{16'd{n}, 2'b{kind}}}: {names} <= {{16'd{parts}, 16'd{count}, {bits}'d{words}}};\n"
            for n, layer in enumerate(self.layers)
            for kind, parts, count, words in (
                ("00", part_count(layer.weight_bits), layer.memories, layer.depth),
                *(
                    (f"1{STATES.index(name)}", part_count(state.bits), self.streams, state.words)
                    for name, state in layer.states.items()
                ),
            )
        )
        last = PROTOCOL.state_shift - 1
        place = f"{{{16 - PROTOCOL.state_shift}'d0, load_memory[{last}:0]}} < load_places"
        return Process(f"""    always @(posedge clk) begin
        case ({{load_layer, load_memory[{PROTOCOL.state_bit}:{PROTOCOL.state_shift}]}})
{sizes}            default: {names} <= {{16'd1, 16'd0, {bits}'d0}};
        endcase
        load_known <= {place} && load_address[{bits - 1}:0] != load_words;
    end""")

    def _states(self) -> Iterator[Item]:
        """The word of a state that is shown."""
        words = {
            n: padded(f"{layer.name}_state", layer.state_bits, 32 * self.state_parts)
            for n, layer in enumerate(self.layers)
            if layer.states
        }
        first, *others = words.values()
        shown = "".join(f"load_layer == 16'd{n} ? {word} : " for n, word in zip([*words][1:], others, strict=True))
        yield Register("state_word", 32 * self.state_parts)
        yield Process(f"""    always @(posedge clk) begin
        idle <= under_way == {self.frame_bits}'d0 && first_beat;
        state_word <= {shown}{first};
    end""")
