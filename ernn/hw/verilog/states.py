"""Verilog of a layer's states, c and y, as words that are written and read between frames."""

from collections.abc import Iterator
from dataclasses import dataclass

from ernn.hw.layout.registers import PROTOCOL
from ernn.hw.layout.steps import StepMemory, Steps
from ernn.hw.layout.words import State, padded
from ernn.hw.verilog.interfaces import stream_bits
from ernn.hw.verilog.items import Assign, Instance, Item, Note, Process, Register, Wire
from ernn.hw.verilog.unit import Unit


@dataclass(frozen=True)
class States:
    """The states of a layer.

    A word of c is that of a step of the unit that reads it, a word of y that of a step of `unit`.

    Args:
        unit: makes y.
        cells: the unit that reads c, and its memory; None for cells without c.
        y_bits, y_element_bits: of a word and of an element of y.
        block_size: of y.
    """

    unit: Steps
    cells: tuple[Unit, StepMemory] | None
    y_bits: int
    y_element_bits: int
    block_size: int
    streams: int

    def words(self) -> dict[str, State]:
        """Word layout of each state."""
        found, unit = dict[str, State](), self.unit
        if self.cells:
            reader, memory = self.cells
            elements = reader.width * reader.block_size
            found["c"] = State(reader.real_steps, reader.memory_bits(memory), elements, memory.bits)
        found["y"] = State(unit.real_steps, self.y_bits, unit.width * self.block_size, self.y_element_bits)
        return found

    def declarations(self, load_bits: int) -> Iterator[Item]:
        """Registers that take a written word a cycle after it comes, and choose between it and y of a step.

        Args:
            load_bits: of a word that is loaded.
        """
        state, kind, stream = PROTOCOL.state_bit, PROTOCOL.state_shift, stream_bits(self.streams)
        yield Note(f"Between frames, bit {state} says states: bit {kind} for y, then the stream.")
        yield from map(Register, ("state_chosen", "state_write", "state_is_y"))
        yield from (Register("state_stream", stream), Register("state_address", 32), Register("state_data", load_bits))
        yield from (Register("y_write"), Register("y_new", self.y_bits), Register("y_new_stream", stream))
        yield Process(f"""    always @(posedge clk) begin
        state_chosen <= idle && load_memory[{state}];
        state_write <= load && idle && load_memory[{state}];
        state_is_y <= load_memory[{kind}];
        state_stream <= load_memory[STREAM_BITS-1:0];
        state_address <= load_address;
        state_data <= load_data;
        y_write <= {self.unit.name}_done || (state_write && state_is_y);
        y_new <= state_write ? state_data[{self.y_bits - 1}:0] : {self.unit.name}_out;
        y_new_stream <= state_write ? state_stream : {self.unit.name}_done_stream;
    end""")

    def body(self, state_bits: int) -> Iterator[Item]:
        """The memory of y, and the choice between it and c.

        Args:
            state_bits: of the widest word of a state.
        """
        unit, y = self.unit, StepMemory("y", ("y",), 1, page="stream")
        bits = unit.step_bits + unit.stream_bits
        written = unit.address(y, f"{unit.name}_done_step", f"{unit.name}_done_stream", "")
        place, seen = (unit.address(y, step, "state_stream", "") for step in ("state_address", "state_step"))
        word = padded("y_word", self.y_bits, state_bits)
        if self.cells:
            reader, memory = self.cells
            c = padded(f"{reader.name}_{memory.name}_word", reader.memory_bits(memory), state_bits)
            word = f"state_is_y ? {word} : {c}"
        yield Note("y, to be read out.")
        yield from (Wire("y_word", self.y_bits), Register("y_new_address", bits))
        yield Process(f"    always @(posedge clk) y_new_address <= state_write ? {place} : {written};")
        ports = {"clk": "clk", "write": "y_write", "write_address": "y_new_address", "d": "y_new"}
        sizes = {"WIDTH": self.y_bits, "DEPTH": self.streams << unit.step_bits, "ADDRESS": bits}
        yield Instance("ernn_ram", "memory_y", ports | {"read_address": seen, "q": "y_word"}, sizes)
        yield Assign("state_read", word)
