"""Verilog of what follows the heads: a kernel on the sums of finished block rows, with its memories.

A unit takes `width` blocks of a vector in a cycle, whose numbers follow each other; a step is one such set. Memories
hold a word a step and are read so late that it meets the sums in the kernel. Behind a kernel that makes rows of the
sums, a unit may take a block in several beats: then a step is a beat, and its blocks are those of the beat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ernn.hw.graph.kernel import Kernel
from ernn.hw.layout.steps import StepMemory, Steps
from ernn.hw.layout.weights import image
from ernn.hw.verilog.interfaces import stream_bits
from ernn.hw.verilog.items import BLANK, Assign, Instance, Item, Note, Process, Register, Wire, delay
from ernn.hw.verilog.row_kernel import RowKernel
from ernn.program.matrices import Numbers
from ernn.program.plan import JOINED

_READ_CYCLES = 3
_LOGIC_WORDS = 32  # of constants; more of them are slow to read from look-up tables


@dataclass(frozen=True)
class Unit(Steps):
    """Kernel and memories behind one kind of drain.

    Args:
        drain: its number.
        sums: buses of the kernel that take the heads, in their order: those of all blocks for one bus after the other.
        steps: of a frame, padding included.
        row_kernel: makes the rows of a block's sums, if the kernel takes rows: of all buses, the rows of an element
            together, or of one bus after the other in the first beats.
        beats: in which it takes a block's rows, a share of the elements in each.
        turns: in which it takes what is at the heads, `width` blocks in each.
    """

    drain: int
    kernel: Kernel
    sums: tuple[str, ...]
    steps: int
    memories: tuple[StepMemory, ...] = field(default=())
    row_kernel: Kernel | None = None
    beats: int = 1
    turns: int = 1

    @property
    def real_steps(self) -> int:
        """Steps of blocks that have elements; with beats, all those of a block."""
        size = self.width * self.block_size * self.beats
        return -(-self.elements // size) * self.beats

    @property
    def rows(self) -> Steps:
        """Steps of the row kernel: whole blocks."""
        return Steps(f"{self.name}_rows", 1, self.elements, self.block_size * self.beats, self.streams)

    @property
    def before(self) -> RowKernel | None:
        """The row kernel with its registers, if the unit has one."""
        return RowKernel(self.name, self.row_kernel, self.sums, self.beats) if self.row_kernel else None

    @property
    def _lead(self) -> int:
        """Cycles from a block's sums to rows of theirs."""
        return self.before.lead if self.before else 0

    @property
    def ahead(self) -> int:
        """Cycles that sums wait for their rows, for memories read in a kernel's first cycle, or for their turn."""
        buses = [memory.buses[0] for memory in self.memories]
        wanted = min((self.kernel.taken(bus) for bus in buses), default=_READ_CYCLES)
        return max(self._lead, _READ_CYCLES - wanted, int(self.turns > 1))

    @property
    def out_bits(self) -> int:
        """Width of the elements of `y` that one step gives."""
        return self.width * self.kernel.outputs["y"].bits

    def images(self, layer: str) -> dict[str, str]:
        """Files of the memories that hold something from the start."""
        held = ((memory, self._words(memory.numbers)) for memory in self.memories if memory.numbers is not None)
        return {
            f"{layer}_{self.name}_{memory.name}.hex": image(words, [memory.bits] * words.shape[1])
            for memory, words in held
        }

    def _words(self, numbers: Numbers) -> np.ndarray:
        """(steps, integers), a block's buses one after the other."""
        rows = np.atleast_2d(numbers.integers)
        size = self.width * self.block_size
        padded = np.zeros((len(rows), self.real_steps * size), np.int64)
        padded[:, : rows.shape[1]] = rows
        blocks = padded.reshape(len(rows), self.real_steps, self.width, self.block_size)
        return blocks.transpose(1, 2, 0, 3).reshape(self.real_steps, -1)

    @property
    def _stream(self) -> int:
        """Width of a stream's number."""
        return stream_bits(self.streams)

    def declarations(self) -> Iterator[Item]:
        """Wires that other units may read."""
        n = self.name
        yield from (Wire(f"{n}_done"), Wire(f"{n}_done_frame"), Wire(f"{n}_done_step", 16))
        yield Wire(f"{n}_done_stream", self._stream)
        yield from (Wire(f"{n}_raw", self.out_bits), Wire(f"{n}_out", self.out_bits))
        if self.row_kernel:
            yield Wire(f"{n}_rows_valid")
        if "c_new" in self.kernel.outputs:
            yield Wire(f"{n}_c_new", self.width * self.kernel.outputs["c_new"].bits)

    def items(self, layer: str, heads: int, head_bits: int) -> Iterator[Item]:
        """Counter, memories, kernels, outputs: NAME_done with NAME_out, and NAME_c_new where the kernel has it."""
        yield from self._counter()
        yield from self._sums(heads, head_bits)
        n, done = self.name, self.ahead + self.kernel.latency
        drained, behind = f"{{drained_stream, drained_frame, {n}_step}}", f"{n}_done_frame, {n}_done_step"
        yield delay(f"delay_{n}", 17 + self._stream, done, drained, f"{{{n}_done_stream, {behind}}}")
        for memory in self.memories:
            yield from self._memory(layer, memory)
        yield from self._kernels(head_bits)
        yield from self._outputs()

    def _counter(self) -> Iterator[Item]:
        """The unit's step counter."""
        n, bits = self.name, self.steps.bit_length()
        several = f"{self.width} blocks" if self.width > 1 else "a block"
        several = f"{self.block_size} of a block" if self.beats > 1 else several
        yield Note(f"{n}: {self.kernel.doc}, {several} a cycle.")
        yield Register(f"{n}_steps_now", bits)
        yield Wire(f"{n}_step", 16, f"{{{16 - bits}'d0, {n}_steps_now}}")
        yield Wire(f"{n}_drained", value=f"drain_valid && draining[{self.drain}]")
        yield Wire(f"{n}_real", value=f"{n}_drained && {n}_step < 16'd{self.real_steps}")
        yield Process(f"""    always @(posedge clk)
        if (rst) {n}_steps_now <= {bits}'d0;
        else if ({n}_drained) {n}_steps_now <= {n}_step == 16'd{self.steps - 1} ? {bits}'d0 : {n}_steps_now + 1'b1;""")

    def _sums(self, heads: int, head_bits: int) -> Iterator[Item]:
        """The unit's sums, or their rows, delayed until the kernel takes them."""
        n, taken = self.name, len(self.sums) * self.width
        total, valid = taken * head_bits, f"{n}_real"
        source = f"heads[{total - 1}:0]"
        assert self.before or self.turns == heads // taken
        for beat in range(1, self.turns):
            source = f"drain_beat == 8'd{beat} ? heads[{(beat + 1) * total - 1}:{beat * total}] : {source}"
        if self.before:
            total, valid, source = self.before.rows_bits // self.beats, f"{n}_beat_valid", f"{n}_beat"
            yield from self.before.items(head_bits)
        yield from (Wire(f"{n}_valid"), Wire(f"{n}_sums", total))
        given, behind = f"{{{valid}, {source}}}", f"{{{n}_valid, {n}_sums}}"
        yield delay(f"delay_{n}_sums", total + 1, self.ahead - self._lead, given, behind)

    def address_bits(self, memory: StepMemory) -> int:
        """Width of an address of one of its memories: step, and frame parity or stream."""
        return self.step_bits + {"frame": 1, "stream": self.stream_bits}.get(memory.page, 0)

    def memory_bits(self, memory: StepMemory) -> int:
        """Width of a word of one of its memories: the elements of one step on all buses."""
        return self.width * len(memory.buses) * self.block_size * memory.bits

    def _memory(self, layer: str, memory: StepMemory) -> Iterator[Item]:
        name, bits, width = f"{self.name}_{memory.name}", self.address_bits(memory), self.memory_bits(memory)
        cycles = self.ahead + self.kernel.taken(memory.buses[0])
        yield from (Wire(f"{name}_address", bits), Wire(f"{name}_word", width))
        address = self.address(memory, f"{self.name}_step", "drained_stream", "drained_frame")
        yield delay(f"delay_{name}", bits, cycles - _READ_CYCLES, address, f"{name}_address")
        yield Register(f"{name}_from", bits)
        yield Process(f"    always @(posedge clk) {name}_from <= {self._from(memory, f'{name}_address')};")
        yield self._words_of(layer, memory)
        if memory.zero_first:
            yield Wire(f"{name}_first")
            yield delay(f"delay_{name}_first", 1, cycles, "drained_first", f"{name}_first")
            yield Wire(f"{name}_read", width, f"{name}_first ? {width}'d0 : {name}_word")
        else:
            yield Wire(f"{name}_read", width, f"{name}_word")

    def _words_of(self, layer: str, memory: StepMemory) -> Instance:
        """Instance of the RAM with a memory's words."""
        name, constant = f"{self.name}_{memory.name}", memory.numbers is not None
        pages = {"frame": 2, "stream": self.streams}.get(memory.page, 1)
        depth = pages << self.step_bits if pages > 1 else self.real_steps
        parameters: dict[str, int | str] = {"WIDTH": self.memory_bits(memory), "DEPTH": depth}
        if constant:
            parameters["IMAGE"] = f'"{layer}_{name}.hex"'
        if constant and self.real_steps > _LOGIC_WORDS and not self.kernel.clock.relaxed:
            parameters["KIND"] = '"block"'
        parameters["ADDRESS"] = self.address_bits(memory)
        enable, address, data = self._written(memory)
        ports = {"clk": "clk", "write": enable, "write_address": address, "d": data}
        ports |= {"read_address": f"{name}_from", "q": f"{name}_word"}
        return Instance("ernn_ram", f"memory_{name}", ports, parameters)

    def _from(self, memory: StepMemory, address: str) -> str:
        """Expression of the address that is read: a state may also be read out between frames."""
        if memory.page != "stream":
            return address
        return f"state_chosen ? {self.address(memory, 'state_step', 'state_stream', '')} : {address}"

    def _written(self, memory: StepMemory) -> tuple[str, str, str]:
        """Expressions of enable, address and data."""
        if memory.numbers is not None:
            return "1'b0", f"{self.address_bits(memory)}'d0", f"{self.memory_bits(memory)}'d0"
        if not memory.writer:
            return "x_take", self.address(memory, "x_step", "", "x_turn"), memory.data
        w = memory.writer
        address = self.address(memory, f"{w}_done_step", f"{w}_done_stream", f"{w}_done_frame")
        if memory.page != "stream":
            return f"{w}_done", address, f"{w}_{memory.data}"
        place, width = self.address(memory, "state_address", "state_stream", ""), self.memory_bits(memory)
        return (
            f"{w}_done || (state_write && !state_is_y)",
            f"state_write ? {place} : {address}",
            f"state_write ? state_data[{width - 1}:0] : {w}_{memory.data}",
        )

    def _bus(self, memory: StepMemory, bus: str, block: int) -> str:
        """Part of a memory's word that holds a bus of a block."""
        count, bits, k = len(memory.buses), memory.bits, self.block_size
        base, number = block * count * k * bits, memory.buses.index(bus)
        word = f"{self.name}_{memory.name}_read"
        if not memory.element_major or count == 1:
            low = base + number * k * bits
            return f"{word}[{low + k * bits - 1}:{low}]"
        lows = [base + (e * count + number) * bits for e in reversed(range(k))]
        return "{" + ", ".join(f"{word}[{low + bits - 1}:{low}]" for low in lows) + "}"

    def _kernels(self, head_bits: int) -> Iterator[Item]:
        n = self.name
        yield Wire(f"{n}_all_done", self.width)
        yield Assign(f"{n}_done", f"{n}_all_done[0]")
        for block in range(self.width):
            for flag, places in self.kernel.overflows.items():
                yield Wire(f"{n}_{block}_over_{flag}", len(places))
            yield Instance(self.kernel.name, f"{n}_kernel_{block}", self._ports(block, head_bits))

    def _ports(self, block: int, head_bits: int) -> dict[str, str]:
        """Ports of the kernel of one block, by name."""
        n, kernel = self.name, self.kernel
        ports = {"clk": "clk", "valid": f"{n}_valid", "valid_out": f"{n}_all_done[{block}]"}
        for number, bus in enumerate(self.sums):
            low = (number * self.width + block) * head_bits
            sums = f"{n}_sums[{low + head_bits - 1}:{low}]"
            ports[bus] = self.before.rows(number, f"{n}_sums") if self.before else sums
        ports |= {bus: self._bus(memory, bus, block) for memory in self.memories for bus in memory.buses}
        for name, out in kernel.outputs.items():
            target = f"{n}_raw" if name == "y" else f"{n}_{name}"
            ports[name] = f"{target}[{(block + 1) * out.bits - 1}:{block * out.bits}]"
        return ports | {f"overflow_{flag}": f"{n}_{block}_over_{flag}" for flag in kernel.overflows}

    def _outputs(self) -> Iterator[Item]:
        """Elements behind the last one of the vector are zeros, and aren't counted."""
        n, k = self.name, self.block_size
        bits = self.kernel.outputs["y"].bits // k
        size = self.width * k
        last = (self.elements - 1) // size
        mask = "".join(str(int(last * size + e < self.elements)) for e in reversed(range(size)))
        behind = f"{n}_done_step > 16'd{last} ? {size}'d0 : " if last < self.real_steps - 1 else ""
        masked = f"{behind}{n}_done_step == 16'd{last} ? {size}'b{mask} : {{{size}{{1'b1}}}}"
        yield Wire(f"{n}_mask", size, masked)
        for e in range(size):
            high, low = (e + 1) * bits - 1, e * bits
            yield Assign(f"{n}_out[{high}:{low}]", f"{n}_mask[{e}] ? {n}_raw[{high}:{low}] : {bits}'d0")
        yield BLANK

    def overflows(self) -> Mapping[str, Sequence[str]]:
        """Bits that say which values of a step were saturated, by the name of the value."""
        found: dict[str, list[str]] = {}
        k, n = self.block_size, self.name
        for flag, places in (self.row_kernel.overflows if self.row_kernel else {}).items():
            found[flag] = [f"{n}_rows_valid && {n}_rows_over_{flag}[{number}]" for number in range(len(places))]
        for block in range(self.width):
            for flag, places in self.kernel.overflows.items():
                for number in range(len(places)):
                    element = 0 if flag.startswith(JOINED) else number  # spectra count if the block has any row
                    mask = f"{n}_mask[{block * k + element}]"
                    bit = f"{n}_{block}_over_{flag}[{number}]"
                    found.setdefault(flag, []).append(f"{n}_done && {mask} && {bit}")
        return found
