"""What the general modules of `ernn/hw/verilog/library` take, from their parameters."""

from collections.abc import Callable, Mapping
from typing import cast

from ernn.devices.catalogue import Resources
from ernn.estimate.fabric import Fabric, Style
from ernn.hw.graph.kernels import skew
from ernn.hw.verilog.items import Instance

Parameters = Mapping[str, int | str]


def library_cost(module: str, parameters: Parameters, fabric: Fabric) -> Resources:
    """Estimate of one instance, what is inside it included."""
    return _COSTS[module](parameters, fabric)


def instance_cost(instance: Instance, fabric: Fabric) -> Resources:
    """Estimate of an instance of the library; of any other, and of what has no parameters, nothing."""
    if instance.module not in _COSTS or not instance.parameters:
        return Resources()
    given = {name: value.strip('"') if isinstance(value, str) else value for name, value in instance.parameters.items()}
    written = instance.connections.get("write") != "1'b0"
    return library_cost(instance.module, given if written else given | {"CONSTANT": 1}, fabric)


def _int(parameters: Parameters, name: str) -> int:
    return int(parameters[name])


def _ram(p: Parameters, fabric: Fabric) -> Resources:
    """Two registers behind the words: a block has the first inside."""
    width, depth, style = _int(p, "WIDTH"), _int(p, "DEPTH"), cast(Style, p.get("KIND", "auto"))
    constant = p.get("CONSTANT") and style == "auto"
    memory = fabric.table(width, depth) if constant else fabric.memory(width, depth, style)
    if fabric.slices and memory.bram and p.get("SLICED", 1):
        memory = fabric.sliced(width, depth)
    return memory + Resources(ff=width * (1 if memory.bram else 2))


def _delay(p: Parameters, fabric: Fabric) -> Resources:
    return fabric.delay(_int(p, "WIDTH"), _int(p, "CYCLES"))


def _accumulate(p: Parameters, fabric: Fabric) -> Resources:
    """An adder with a choice before it; few rows are read without a register, more of them through three."""
    words, depth = _int(p, "WORDS"), _int(p, "DEPTH")
    bits = words * _int(p, "WIDTH")
    choice = 0 if fabric.lut_inputs == 6 else bits
    total = Resources(lut=fabric.constants.add * bits + choice, ff=bits)
    if depth <= _int(p, "SHALLOW"):
        return total + fabric.memory(bits, depth, "distributed", one_address=True)
    row = 4 + _int(p, "ADDRESS")
    choices = Resources(lut=bits * (1 if fabric.lut_inputs == 6 else 2) + 2 * row, ff=3 * bits + row + words)
    return total + fabric.memory(bits, depth, "block") + choices


def _drain(p: Parameters, fabric: Fabric) -> Resources:
    heads, steps, bits = _int(p, "HEADS"), _int(p, "STEPS"), _int(p, "BITS")
    control = Resources(lut=16 * fabric.constants.state, ff=32 + _int(p, "TAG"))
    choice = fabric.constants.wide_mux * heads * steps * bits if steps > 1 else 0
    return control + Resources(lut=choice, ff=heads * steps * bits)


def _operands(p: Parameters, fabric: Fabric) -> Resources:
    banks, writes, width = _int(p, "BANKS"), _int(p, "WRITES"), _int(p, "WIDTH")
    step, count = _int(p, "STEP_ADDRESS"), (_int(p, "TOTAL") + 2 * writes).bit_length()
    bank = _ram({"WIDTH": width, "DEPTH": _int(p, "PAGES") << step, "KIND": p.get("KIND", "auto")}, fabric)
    number = (banks + writes).bit_length() if banks > 1 else 0
    choice = fabric.constants.wide_mux * width * writes if writes > 1 else 0
    place = Resources(lut=fabric.constants.state * 2 * number + choice, ff=1 + number + step)
    control = Resources(
        lut=fabric.constants.state * (2 * count + number + step),
        ff=2 * count + 2 + number + step + writes * width + _int(p, "PAGE_ADDRESS"),
    )
    address = step + _int(p, "PAGE_ADDRESS")
    skews = [fabric.delay(address, skew(bank_number)) for bank_number in range(banks)]
    return sum(skews, (bank + place) * banks + control)


def _gearbox(p: Parameters, fabric: Fabric) -> Resources:
    into, out, width = _int(p, "IN"), _int(p, "OUT"), _int(p, "WIDTH")
    words = (_int(p, "IN_WORDS") - 1).bit_length() + (_int(p, "OUT_WORDS") - 1).bit_length()
    bits = words + (max(into, out) // min(into, out) - 1).bit_length() + 1
    control = Resources(lut=fabric.constants.state * (bits + 2), ff=bits)
    if into >= out:
        return control + Resources(lut=fabric.constants.wide_mux * into * width if into > out else 0)
    return control + Resources(lut=fabric.constants.state * out // into, ff=out * width)


def _fifo(p: Parameters, fabric: Fabric) -> Resources:
    width, address = _int(p, "WIDTH"), _int(p, "ADDRESS")
    memory = fabric.memory(width, _int(p, "DEPTH"))
    state = 3 * address + 3
    return memory + Resources(lut=fabric.constants.state * state, ff=state + width * (1 if memory.bram else 2))


def _link(p: Parameters, fabric: Fabric) -> Resources:
    fifo = _fifo({"WIDTH": p["WIDTH"], "DEPTH": 2 * _int(p, "WORDS"), "ADDRESS": p["ADDRESS"]}, fabric)
    bits = 2 + (_int(p, "WORDS") - 1).bit_length()
    return fifo + Resources(lut=fabric.constants.state * bits, ff=bits)


def _thread(p: Parameters, fabric: Fabric) -> Resources:
    bits = _int(p, "GROUPS").bit_length() + _int(p, "STEPS").bit_length() + _int(p, "ADDRESS") + 5
    return Resources(lut=fabric.constants.thread * bits, ff=bits)


def _queue(p: Parameters, fabric: Fabric) -> Resources:
    width = _int(p, "WIDTH")
    return Resources(lut=fabric.constants.mux * width + 4, ff=2 * width + 2)


def _available(p: Parameters, fabric: Fabric) -> Resources:
    """Two sums of three numbers, one of which is chosen from a few constants."""
    bits = (2 * _int(p, "TOTAL")).bit_length() + 2
    return Resources(lut=fabric.constants.add * 4 * bits + fabric.constants.mux * bits, ff=3 * bits)


def _ahead(p: Parameters, fabric: Fabric) -> Resources:
    bits = 2 * _int(p, "GROUPS").bit_length() + 2
    return Resources(lut=fabric.constants.state * bits, ff=bits)


def _copy(p: Parameters, fabric: Fabric) -> Resources:
    return Resources(ff=1)


def _count(p: Parameters, fabric: Fabric) -> Resources:
    """A tree of adders, its first sums of six bits each, and two registers of the total."""
    bits, registers = _int(p, "BITS"), 65
    parts, width = 1 << (-(-bits // 6) - 1).bit_length(), 3
    while parts:
        registers, parts, width = registers + min(parts, -(-bits // 6)) * width, parts // 2, width + 1
    return Resources(lut=fabric.constants.total + fabric.constants.count * bits, ff=registers)


def _elements(p: Parameters, fabric: Fabric) -> Resources:
    bits = _int(p, "ADDRESS")
    return Resources(lut=fabric.constants.state * bits, ff=bits + 2)


def _registers(p: Parameters, fabric: Fabric) -> Resources:
    """A multiplexer of all values, in two steps."""
    reads = _int(p, "READS")
    return Resources(lut=fabric.constants.choice * 32 * reads, ff=184 + 3 * _int(p, "ADDRESS") + 32 * -(-reads // 8))


def _loader(p: Parameters, fabric: Fabric) -> Resources:
    parts = _int(p, "PARTS")
    return Resources(lut=fabric.constants.state * (16 + 4 * parts), ff=32 * parts + 81)


def _control(p: Parameters, fabric: Fabric) -> Resources:
    """Registers, a loader, and what it has itself: registers of control."""
    own = 4 + 32 + 2 + 3 * 16 + 1
    return _registers(p, fabric) + _loader(p, fabric) + Resources(lut=fabric.constants.state * own, ff=own)


def _serial(p: Parameters, fabric: Fabric) -> Resources:
    width, words = _int(p, "WIDTH"), _int(p, "WORDS")
    choice = Resources(lut=fabric.constants.mux * (words - 1) * width, ff=words * width)
    return choice + fabric.delay(width, _int(p, "WAIT"))


_COSTS: dict[str, Callable[[Parameters, Fabric], Resources]] = {
    "ernn_accumulate": _accumulate,
    "ernn_ahead": _ahead,
    "ernn_available": _available,
    "ernn_control": _control,
    "ernn_copy": _copy,
    "ernn_count": _count,
    "ernn_delay": _delay,
    "ernn_drain": _drain,
    "ernn_elements": _elements,
    "ernn_fifo": _fifo,
    "ernn_gearbox": _gearbox,
    "ernn_link": _link,
    "ernn_loader": _loader,
    "ernn_operands": _operands,
    "ernn_queue": _queue,
    "ernn_ram": _ram,
    "ernn_registers": _registers,
    "ernn_serial": _serial,
    "ernn_thread": _thread,
}
