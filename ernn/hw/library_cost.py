"""What the general modules of `ernn/hw/rtl` take, from their parameters."""

from collections.abc import Callable, Mapping
from typing import cast

from ernn.hw.devices import Resources
from ernn.hw.fabric import Fabric, Style

Parameters = Mapping[str, int | str]
_COUNTER = 16  # bits of the library's counters


def library_cost(module: str, parameters: Parameters, fabric: Fabric) -> Resources:
    """Estimate of one instance, what is inside it included."""
    return _COSTS[module](parameters, fabric)


def _int(parameters: Parameters, name: str) -> int:
    return int(parameters[name])


def _ram(p: Parameters, fabric: Fabric) -> Resources:
    """Two registers behind the words: a block has the first inside."""
    width, depth, style = _int(p, "WIDTH"), _int(p, "DEPTH"), cast(Style, p.get("KIND", "auto"))
    memory = fabric.table(width, depth) if p.get("CONSTANT") else fabric.memory(width, depth, style)
    return memory + Resources(ff=width * (1 if memory.bram else 2))


def _delay(p: Parameters, fabric: Fabric) -> Resources:
    return fabric.delay(_int(p, "WIDTH"), _int(p, "CYCLES"))


def _accumulate(p: Parameters, fabric: Fabric) -> Resources:
    """An adder with a choice of zero before it; the memory of few rows is read without a register."""
    bits, depth = _int(p, "WORDS") * _int(p, "WIDTH"), _int(p, "DEPTH")
    choice = 0 if fabric.lut_inputs == 6 else bits
    total = Resources(lut=fabric.constants.add * bits + choice, ff=bits)
    if depth <= _int(p, "SHALLOW"):
        return total + fabric.memory(bits, depth, "distributed", one_address=True)
    row = 2 + _int(p, "ADDRESS")
    return total + fabric.memory(bits, depth, "block") + Resources(lut=2 * bits + row, ff=row + bits)


def _drain(p: Parameters, fabric: Fabric) -> Resources:
    heads, steps, bits = _int(p, "HEADS"), _int(p, "STEPS"), _int(p, "BITS")
    control = Resources(lut=16 * fabric.constants.state, ff=32 + _int(p, "TAG"))
    chain = Resources(lut=fabric.constants.mux * heads * (steps - 1) * bits, ff=heads * steps * bits)
    return control + chain


def _operands(p: Parameters, fabric: Fabric) -> Resources:
    banks, writes, width = _int(p, "BANKS"), _int(p, "WRITES"), _int(p, "WIDTH")
    bank = _ram({"WIDTH": width, "DEPTH": _int(p, "PAGES") << _int(p, "STEP_ADDRESS")}, fabric)
    own = fabric.constants.state * _COUNTER if banks > 1 else 0
    choice = fabric.constants.wide_mux * width * writes if writes > 1 else 0
    control = Resources(lut=fabric.constants.state * 26, ff=34 + _COUNTER + _int(p, "STEP_ADDRESS"))
    return bank * banks + Resources(lut=banks * (own + choice)) + control


def _gearbox(p: Parameters, fabric: Fabric) -> Resources:
    into, out, width = _int(p, "IN"), _int(p, "OUT"), _int(p, "WIDTH")
    if into >= out:
        control = Resources(lut=fabric.constants.state * 16, ff=2 * _COUNTER)
        return control + Resources(lut=fabric.constants.wide_mux * into * width if into > out else 0)
    control = Resources(lut=fabric.constants.state * 20, ff=3 * _COUNTER + 1)
    return control + Resources(lut=fabric.constants.state * out // into, ff=out * width)


def _fifo(p: Parameters, fabric: Fabric) -> Resources:
    width, address = _int(p, "WIDTH"), _int(p, "ADDRESS")
    memory = fabric.memory(width, _int(p, "DEPTH"))
    state = 3 * address + 2
    return memory + Resources(lut=fabric.constants.state * state, ff=state + (0 if memory.bram else width))


def _link(p: Parameters, fabric: Fabric) -> Resources:
    fifo = _fifo({"WIDTH": p["WIDTH"], "DEPTH": 2 * _int(p, "WORDS"), "ADDRESS": p["ADDRESS"]}, fabric)
    return fifo + Resources(lut=10 * fabric.constants.mux, ff=2 + _COUNTER)


def _thread(p: Parameters, fabric: Fabric) -> Resources:
    return Resources(lut=fabric.constants.thread, ff=3 * _COUNTER + _int(p, "ADDRESS"))


def _count(p: Parameters, fabric: Fabric) -> Resources:
    bits = _int(p, "BITS")
    return Resources(lut=fabric.constants.total + fabric.constants.count * bits, ff=32 + _int(p, "COUNT"))


def _elements(p: Parameters, fabric: Fabric) -> Resources:
    bits = _int(p, "ADDRESS")
    return Resources(lut=fabric.constants.state * bits, ff=bits + 2)


def _registers(p: Parameters, fabric: Fabric) -> Resources:
    """A multiplexer of all values."""
    return Resources(lut=fabric.constants.choice * 32 * _int(p, "READS"), ff=66 + _int(p, "ADDRESS"))


def _loader(p: Parameters, fabric: Fabric) -> Resources:
    parts = _int(p, "PARTS")
    return Resources(lut=fabric.constants.state * (16 + 4 * parts), ff=32 * parts + 81)


def _serial(p: Parameters, fabric: Fabric) -> Resources:
    width, words = _int(p, "WIDTH"), _int(p, "WORDS")
    choice = Resources(lut=fabric.constants.mux * (words - 1) * width, ff=words * width)
    return choice + fabric.delay(width, _int(p, "WAIT"))


_COSTS: dict[str, Callable[[Parameters, Fabric], Resources]] = {
    "ernn_accumulate": _accumulate,
    "ernn_count": _count,
    "ernn_delay": _delay,
    "ernn_drain": _drain,
    "ernn_elements": _elements,
    "ernn_fifo": _fifo,
    "ernn_gearbox": _gearbox,
    "ernn_link": _link,
    "ernn_loader": _loader,
    "ernn_operands": _operands,
    "ernn_ram": _ram,
    "ernn_registers": _registers,
    "ernn_serial": _serial,
    "ernn_thread": _thread,
}
