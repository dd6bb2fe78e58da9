"""Verilog of what follows the heads: a kernel on the sums of finished block rows, with its memories.

A unit takes `width` blocks of a vector in a cycle, whose numbers follow each other; a step is one such set. Memories
hold a word a step and are read so late that it meets the sums in the kernel. Behind a kernel that makes rows of the
sums, a unit may take a block in several beats: then a step is a beat, and its blocks are those of the beat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ernn.hw.graph.kernel import Kernel
from ernn.hw.layout.array import image
from ernn.hw.layout.steps import Memory, Steps
from ernn.hw.verilog.row_kernel import Front
from ernn.program.matrices import Numbers
from ernn.program.plan import JOINED

_READ_CYCLES = 3
_LOGIC_WORDS = 32  # of constants; more of them are slow to read from look-up tables


@dataclass(frozen=True)
class Unit(Steps):
    """Kernel and memories behind one kind of drain.

    Args:
        drain: its number.
        sums: buses of the kernel that take the heads, in their order, all of one block; or one bus of every block.
        steps: of a frame, padding included.
        front: makes the rows of a block's sums, if the kernel takes rows: of all buses, those of an element together,
            or of one bus after the other in the first beats.
        beats: in which it takes a block's rows, a share of the elements in each.
        turns: in which it takes what is at the heads, `width` blocks in each.
    """

    drain: int
    kernel: Kernel
    sums: tuple[str, ...]
    steps: int
    memories: tuple[Memory, ...] = field(default=())
    front: Kernel | None = None
    beats: int = 1
    turns: int = 1

    @property
    def real_steps(self) -> int:
        """Steps of blocks that have elements; with beats, all those of a block."""
        size = self.width * self.block_size * self.beats
        return -(-self.elements // size) * self.beats

    @property
    def rows(self) -> Steps:
        """The steps of the kernel in front: whole blocks."""
        return Steps(f"{self.name}_rows", 1, self.elements, self.block_size * self.beats, self.streams)

    @property
    def before(self) -> Front | None:
        """The kernel in front, with what is around it."""
        return Front(self.name, self.front, self.sums, self.beats) if self.front else None

    @property
    def _lead(self) -> int:
        """Cycles from a block's sums to rows of theirs."""
        return self.before.lead if self.before else 0

    @property
    def ahead(self) -> int:
        """Cycles that sums wait for their rows, for memories that their kernel wants at once, or for their turn."""
        buses = [memory.buses[0] for memory in self.memories]
        wanted = min((self.kernel.taken(bus) for bus in buses), default=_READ_CYCLES)
        return max(self._lead, _READ_CYCLES - wanted, int(self.turns > 1))

    @property
    def out_bits(self) -> int:
        """Of all elements of `y` of a step."""
        return self.width * self.kernel.outputs["y"].bits

    def images(self, layer: str) -> dict[str, str]:
        """Files of the memories that hold something from the start."""
        return {
            f"{layer}_{self.name}_{memory.name}.hex": image(self._words(memory.numbers), memory.bits)
            for memory in self.memories
            if memory.numbers is not None
        }

    def _words(self, numbers: Numbers) -> np.ndarray:
        """(steps, integers), a block's buses one after the other."""
        rows = np.atleast_2d(numbers.integers)
        size = self.width * self.block_size
        padded = np.zeros((len(rows), self.real_steps * size), np.int64)
        padded[:, : rows.shape[1]] = rows
        blocks = padded.reshape(len(rows), self.real_steps, self.width, self.block_size)
        return blocks.transpose(1, 2, 0, 3).reshape(self.real_steps, -1)

    def declarations(self) -> Iterator[str]:
        """Wires that other units may read."""
        n = self.name
        yield f"    wire {n}_done, {n}_done_frame;"
        yield f"    wire [15:0] {n}_done_step;"
        yield f"    wire [STREAM_BITS-1:0] {n}_done_stream;"
        yield f"    wire [{self.out_bits - 1}:0] {n}_raw, {n}_out;"
        if self.front:
            yield f"    wire {n}_rows_valid;"
        if "c_new" in self.kernel.outputs:
            yield f"    wire [{self.width * self.kernel.outputs['c_new'].bits - 1}:0] {n}_c_new;"

    def text(self, layer: str, heads: int, head_bits: int) -> Iterator[str]:
        """Counter, memories, kernels, outputs: NAME_done with NAME_out, and NAME_c_new where the kernel has it."""
        n, kernel, bits = self.name, self.kernel, self.steps.bit_length()
        several = f"{self.width} blocks" if self.width > 1 else "a block"
        several = f"{self.block_size} of a block" if self.beats > 1 else several
        yield f"""    // {n}: {kernel.doc}, {several} a cycle.
    reg [{bits - 1}:0] {n}_steps_now;
    wire [15:0] {n}_step = {{{16 - bits}'d0, {n}_steps_now}};
    wire {n}_drained = drain_valid && draining[{self.drain}];
    wire {n}_real = {n}_drained && {n}_step < 16'd{self.real_steps};
    always @(posedge clk)
        if (rst) {n}_steps_now <= {bits}'d0;
        else if ({n}_drained) {n}_steps_now <= {n}_step == 16'd{self.steps - 1} ? {bits}'d0 : {n}_steps_now + 1'b1;"""
        taken = len(self.sums) if len(self.sums) > 1 else self.width
        total, valid = taken * head_bits, f"{n}_real"
        source = f"heads[{total - 1}:0]"
        assert self.before or self.turns == heads // taken
        for beat in range(1, self.turns):
            source = f"drain_beat == 8'd{beat} ? heads[{(beat + 1) * total - 1}:{beat * total}] : {source}"
        if self.before:
            total, valid, source = self.before.rows_bits // self.beats, f"{n}_beat_valid", f"{n}_beat"
            yield from self.before.text(head_bits)
        yield f"""    wire {n}_valid;
    wire [{total - 1}:0] {n}_sums;
    ernn_delay #(.WIDTH({total + 1}), .CYCLES({self.ahead - self._lead})) delay_{n}_sums (
        .clk(clk), .d({{{valid}, {source}}}), .q({{{n}_valid, {n}_sums}}));"""
        done = self.ahead + kernel.latency
        yield f"""    ernn_delay #(.WIDTH(17 + STREAM_BITS), .CYCLES({done})) delay_{n} (.clk(clk),
        .d({{drained_stream, drained_frame, {n}_step}}), .q({{{n}_done_stream, {n}_done_frame, {n}_done_step}}));"""
        for memory in self.memories:
            yield from self._memory(layer, memory)
        yield from self._kernels(head_bits)
        yield from self._outputs()

    def address_bits(self, memory: Memory) -> int:
        """Of an address."""
        return self.step_bits + {"frame": 1, "stream": self.stream_bits}.get(memory.page, 0)

    def memory_bits(self, memory: Memory) -> int:
        """Of a word."""
        return self.width * len(memory.buses) * self.block_size * memory.bits

    def _memory(self, layer: str, memory: Memory) -> Iterator[str]:
        name, bits, width = f"{self.name}_{memory.name}", self.address_bits(memory), self.memory_bits(memory)
        cycles = self.ahead + self.kernel.taken(memory.buses[0])
        pages = {"frame": 2, "stream": self.streams}.get(memory.page, 1)
        deep = self.real_steps > _LOGIC_WORDS and not self.kernel.clock.relaxed
        kind = '.KIND("block"), ' if memory.numbers is not None and deep else ""
        image_text = f'.IMAGE("{layer}_{name}.hex"), {kind}' if memory.numbers is not None else ""
        depth = pages << self.step_bits if pages > 1 else self.real_steps
        enable, address, data = self._written(memory)
        yield f"""    wire [{bits - 1}:0] {name}_address;
    wire [{width - 1}:0] {name}_word;
    ernn_delay #(.WIDTH({bits}), .CYCLES({cycles - _READ_CYCLES})) delay_{name} (.clk(clk),
        .d({self.address(memory, f"{self.name}_step", "drained_stream", "drained_frame")}), .q({name}_address));
    reg [{bits - 1}:0] {name}_from;
    always @(posedge clk) {name}_from <= {self._from(memory, f"{name}_address")};
    ernn_ram #(.WIDTH({width}), .DEPTH({depth}), {image_text}.ADDRESS({bits}))
        memory_{name} (.clk(clk), .write({enable}), .write_address({address}),
        .d({data}), .read_address({name}_from), .q({name}_word));"""
        if memory.zero_first:
            yield f"""    wire {name}_first;
    ernn_delay #(.WIDTH(1), .CYCLES({cycles})) delay_{name}_first (
        .clk(clk), .d(drained_first), .q({name}_first));
    wire [{width - 1}:0] {name}_read = {name}_first ? {width}'d0 : {name}_word;"""
        else:
            yield f"    wire [{width - 1}:0] {name}_read = {name}_word;"

    def _from(self, memory: Memory, address: str) -> str:
        """Expression of the address that is read: a state may also be read out between frames."""
        if memory.page != "stream":
            return address
        return f"state_chosen ? {self.address(memory, 'state_step', 'state_stream', '')} : {address}"

    def _written(self, memory: Memory) -> tuple[str, str, str]:
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

    def _bus(self, memory: Memory, bus: str, block: int) -> str:
        """Where a bus of a block stands in a memory's word."""
        count, bits, k = len(memory.buses), memory.bits, self.block_size
        base, number = block * count * k * bits, memory.buses.index(bus)
        word = f"{self.name}_{memory.name}_read"
        if not memory.element_major or count == 1:
            low = base + number * k * bits
            return f"{word}[{low + k * bits - 1}:{low}]"
        lows = [base + (e * count + number) * bits for e in reversed(range(k))]
        return "{" + ", ".join(f"{word}[{low + bits - 1}:{low}]" for low in lows) + "}"

    def _kernels(self, head_bits: int) -> Iterator[str]:
        n, kernel = self.name, self.kernel
        yield f"    wire [{self.width - 1}:0] {n}_all_done;\n    assign {n}_done = {n}_all_done[0];"
        for block in range(self.width):
            ports = []
            for number, bus in enumerate(self.sums):
                low = (number if len(self.sums) > 1 else block) * head_bits
                sums = f"{n}_sums[{low + head_bits - 1}:{low}]"
                if self.before:
                    sums = self.before.rows(number, f"{n}_sums")
                ports.append(f".{bus}({sums})")
            ports += [f".{bus}({self._bus(memory, bus, block)})" for memory in self.memories for bus in memory.buses]
            for name, out in kernel.outputs.items():
                target = f"{n}_raw" if name == "y" else f"{n}_{name}"
                ports.append(f".{name}({target}[{(block + 1) * out.bits - 1}:{block * out.bits}])")
            for flag, places in kernel.overflows.items():
                yield f"    wire [{len(places) - 1}:0] {n}_{block}_over_{flag};"
                ports.append(f".overflow_{flag}({n}_{block}_over_{flag})")
            joined = ",\n        ".join(ports)
            yield (
                f"    {kernel.name} {n}_kernel_{block} (.clk(clk), .valid({n}_valid), "
                f".valid_out({n}_all_done[{block}]),\n        {joined});"
            )

    def _outputs(self) -> Iterator[str]:
        """Elements behind the last one of the vector are zeros, and aren't counted."""
        n, k = self.name, self.block_size
        bits = self.kernel.outputs["y"].bits // k
        size = self.width * k
        last = (self.elements - 1) // size
        mask = "".join(str(int(last * size + e < self.elements)) for e in reversed(range(size)))
        behind = f"{n}_done_step > 16'd{last} ? {size}'d0 : " if last < self.real_steps - 1 else ""
        yield f"""    wire [{size - 1}:0] {n}_mask = {behind}{n}_done_step == 16'd{last} ? {size}'b{mask}
        : {{{size}{{1'b1}}}};"""
        for e in range(size):
            high, low = (e + 1) * bits - 1, e * bits
            yield f"    assign {n}_out[{high}:{low}] = {n}_mask[{e}] ? {n}_raw[{high}:{low}] : {bits}'d0;"
        yield ""

    def overflows(self) -> Mapping[str, Sequence[str]]:
        """Bits that say which values of a step were saturated, by the name of the value."""
        found: dict[str, list[str]] = {}
        k, n = self.block_size, self.name
        for flag, places in (self.front.overflows if self.front else {}).items():
            found[flag] = [f"{n}_rows_valid && {n}_rows_over_{flag}[{number}]" for number in range(len(places))]
        for block in range(self.width):
            for flag, places in self.kernel.overflows.items():
                for number in range(len(places)):
                    element = 0 if flag.startswith(JOINED) else number  # spectra count if the block has any row
                    mask = f"{n}_mask[{block * k + element}]"
                    bit = f"{n}_{block}_over_{flag}[{number}]"
                    found.setdefault(flag, []).append(f"{n}_done && {mask} && {bit}")
        return found
