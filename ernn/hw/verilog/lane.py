"""Verilog of a lane of an array."""

from collections.abc import Iterator

from ernn.hw.graph import kernels
from ernn.hw.verilog.array import ArrayHardware
from ernn.hw.verilog.items import Assign, Directive, Instance, Item, Process, Register, Wire, delay
from ernn.hw.verilog.module import Module, Port, declared_first
from ernn.hw.verilog.size import SCALAR

_TAGS = ("add", "start", "row", "start_in_1", "start_in_2", "row_in_1", "row_in_2", "row_in_3")


def lane_module(array: ArrayHardware) -> Module:
    """A lane: weights, operands, kernel, accumulators."""
    columns, count = array.layout.array.columns, array.layout.array.columns // array.layout.together
    elements = f"{columns} processing element{'s' * (columns > 1)}"
    return Module(
        f"{array.name}_lane",
        tuple(_ports(array)),
        declared_first(lane_items(array)),
        {f"IMAGE_{number}": '""' for number in range(count)},
        f"A lane of {array.name}: {elements}, the weights of its block rows, and their sums.",
    )


def _ports(array: ArrayHardware) -> Iterator[Port]:
    count, address = array.layout.array.columns // array.layout.together, array.address_bits
    yield Port("input", "clk")
    yield Port("input", "load", count)
    yield Port("input", "load_address", address)
    yield Port("input", "load_data", array.weight_bits)
    yield Port("input", "weight_address", count * address)
    yield from array.operands.lane_ports()
    yield from (Port("input", tag, array.row_bits if tag.startswith("row") else SCALAR) for tag in _TAGS)
    if len(array.shifts) > 1:
        yield Port("input", "alignment", len(array.shifts), comment="of the next cycle's sums")
    yield Port("output", "total", array.lanes_bits)


def lane_items(array: ArrayHardware) -> Iterator[Item]:
    """What is in a lane's module."""
    columns, count = array.layout.array.columns, array.layout.array.columns // array.layout.together
    assert array.lane.inputs["w0"].width == array.layout.word_bits
    yield Directive("/* verilator no_inline_module */")
    yield Wire("weights", columns * array.layout.column_bits)
    yield Register("load_here", count)
    yield Process("    always @(posedge clk) load_here <= load;")
    for number in range(count):
        yield from _memory(array, number)
    yield from array.operands.fetch()
    if len(array.shifts) > 1:
        yield Register("alignment_here", len(array.shifts), kept=True)
        yield Process("    always @(posedge clk) alignment_here <= alignment;")
    signs = "their upper bits may be signs alone"
    yield Wire("sums", array.lane.outputs["s"].bits, comment=signs, unchecked="UNUSEDSIGNAL")
    yield Wire("aligned", array.lanes_bits)
    yield from (_aligned(array, n) for n in range(array.sums))
    yield from _registered(array)
    yield from _kernel(array)
    ports = {"clk": "clk", **{tag: tag for tag in _TAGS}, "sums": "aligned_sums", "total": "total"}
    sizes = {
        "WORDS": array.sums,
        "WIDTH": array.sum_bits,
        "DEPTH": array.layout.accumulators,
        "ADDRESS": array.row_bits,
        "SHALLOW": array.lane.clock.timing.shallow,
    }
    yield Instance("ernn_accumulate", "accumulate", ports, sizes)


def _kernel(array: ArrayHardware) -> Iterator[Item]:
    """What multiplies; nothing asks when its outputs are valid."""
    bits, word = array.factors.bits, array.layout.block_bits
    ports = {"clk": "clk", "valid": "1'b0", "valid_out": ""}
    for c in range(array.layout.array.columns):
        ports[f"w{c}"] = f"kernel_weights[{(c + 1) * word - 1}:{c * word}]"
        ports[f"x{c}"] = f"operands_here[{(c + 1) * bits - 1}:{c * bits}]"
    yield Directive("/* verilator lint_off PINCONNECTEMPTY */")
    yield Instance(array.lane.name, "kernel", ports | {"s": "sums"})
    yield Directive("/* verilator lint_on PINCONNECTEMPTY */")


def _memory(array: ArrayHardware, number: int) -> Iterator[Item]:
    """Weights of a column, or of all columns side by side; then those of later columns wait for them."""
    bits, address = array.weight_bits, array.address_bits
    together = array.layout.together > 1
    if together:
        yield Wire("words", bits)
    ports = {
        "clk": "clk",
        "write": f"load_here[{number}]",
        "write_address": "load_address",
        "d": "load_data",
        "read_address": f"weight_address[{(number + 1) * address - 1}:{number * address}]",
        "q": "words" if together else f"weights[{(number + 1) * bits - 1}:{number * bits}]",
    }
    parameters: dict[str, int | str] = {
        "WIDTH": bits,
        "DEPTH": array.layout.depth,
        "ADDRESS": address,
        "IMAGE": f"IMAGE_{number}",
        "KIND": f'"{array.memory}"',
        "SLICED": int(not array.clock.relaxed),
    }
    yield Instance("ernn_ram", f"memory_{number}", ports, parameters)
    width = array.layout.column_bits
    for column in range(array.layout.together) if together else ():
        here = f"[{(column + 1) * width - 1}:{column * width}]"
        yield delay(f"delay_words_{column}", width, kernels.skew(column), f"words{here}", f"weights{here}")


def _registered(array: ArrayHardware) -> Iterator[Item]:
    """Sums as they are added."""
    if array.align_cycles:
        yield Register("aligned_sums", array.lanes_bits)
        yield Process("    always @(posedge clk) aligned_sums <= aligned;")
    else:
        yield Wire("aligned_sums", array.lanes_bits, "aligned")


def _aligned(array: ArrayHardware, n: int) -> Assign:
    """A sum at the width of the accumulators, shifted as the thread's sums need it: `alignment` says which."""
    s, total = array.lane.outputs["s"].width, array.sum_bits
    word = f"sums[{n * s + min(s, total) - 1}:{n * s}]"
    if total > s:
        word = f"{{{{{total - s}{{sums[{(n + 1) * s - 1}]}}}}, {word}}}"
    shifted = [word if shift == 0 else f"({word} << {shift})" for shift in array.shifts]
    if len(shifted) > 1:
        shifted = [f"({{{total}{{alignment_here[{place}]}}}} & {each})" for place, each in enumerate(shifted)]
    return Assign(f"aligned[{(n + 1) * total - 1}:{n * total}]", " | ".join(shifted))
