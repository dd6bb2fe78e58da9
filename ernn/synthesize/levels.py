"""Levels of logic between registers in netlists of Xilinx cells, module by module, and the clock that they support.

A look-up table is one level. Other cells are weighed by their delay over that of a table with its wire: a carry chain
counts 0.4 where it is entered, 0.1 for every further cell and 0.35 where it is left, a wide multiplexer 0.25. A block
RAM that is read without its output register begins three levels late. Multipliers begin and end paths: the registers
that `ernn_multiply` has on both sides are theirs.

A module is a macro of the modules around it: each output bit has the levels behind the last register, each input bit
those before the next one, and each pair of the two those of logic from one to the other. So modules are counted once
each, and paths through their borders as a flat netlist would have them.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ernn.devices.catalogue import Device
from ernn.devices.flow import FLOWS
from ernn.records.synthesis import LogicPath
from ernn.tools.yosys import Cell, Module, Port

Bit = int
_REGISTER = re.compile(r"FD[RSCP]E|DSP48E[12]|RAMB(18|36)E[12]|SRL16E|SRLC32E")
_BLOCK = re.compile(r"RAMB(18|36)E[12]")
_SMALL_MEMORY = re.compile(r"RAM(32|64|128|256)(X1|M)")
_CLOCKS = ("C", "CLK", "CLKARDCLK", "CLKBWRCLK", "WCLK")
_BLOCK_READ = 3.0
_ENTER, _ALONG, _LEAVE, _WIDE = 0.4, 0.1, 0.35, 0.25  # a carry cell; and a wide multiplexer
REST_NS = 0.7  # of a cycle: clock to output, set-up, skew


def supported_mhz(levels: float, device: Device) -> float:
    """The clock at which a path of so many levels fits into a cycle of a device, by the rule of this module."""
    return 1000 / (REST_NS + FLOWS[device.family].level_ns[device.speed] * levels)


@dataclass
class _Module:
    """What is known of a module: arrivals of its own registers' outputs, and how it looks from outside."""

    out: dict[tuple[str, int], tuple[float, str]] = field(default_factory=dict)  # from a register, and its name
    into: dict[tuple[str, int], tuple[float, str, str]] = field(default_factory=dict)  # to a register: name, line
    through: dict[tuple[str, int], list[tuple[str, int, float]]] = field(default_factory=dict)
    paths: list[LogicPath] = field(default_factory=list)


def paths(modules: Mapping[str, Module], top: str, most: int = 10) -> list[LogicPath]:
    """The paths with most levels, the worst first, one for each pair of start and end (numbers in names left out).

    Args:
        modules: of Xilinx cells, by name, as Yosys' write_json has them: `top` and all below it.
    """
    known: dict[str, _Module] = {}
    _module(modules, top, known)
    found: dict[tuple[str, str, str], LogicPath] = {}
    for path in sorted((path for each in known.values() for path in each.paths), key=_rank):
        found.setdefault((path.module, _common(path.start), _common(path.end)), path)
    return list(found.values())[:most]


def _rank(path: LogicPath) -> tuple[float, str, str, str, str]:
    return -path.levels, path.module, path.end, path.start, path.line


def _common(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _module(modules: Mapping[str, Module], name: str, known: dict[str, _Module]) -> _Module:
    if name not in known:
        text = modules[name]
        used = dict.fromkeys(cell["type"] for cell in text["cells"].values())
        below = [each for each in used if each in modules and not _blackbox(modules[each])]
        macros = {each: _module(modules, each, known) for each in below}
        known[name] = _Graph(name, text, macros).analysed()
    return known[name]


def _blackbox(module: Module) -> bool:
    return any(key in module.get("attributes", {}) for key in ("blackbox", "whitebox"))


class _Graph:
    """Bits of a module as nodes; arcs are cells between them, with their levels."""

    def __init__(self, name: str, module: Module, macros: Mapping[str, _Module]) -> None:
        self.name, self.module, self.macros = name, module, macros
        self.arcs: dict[Bit, list[tuple[Bit, float]]] = defaultdict(list)
        self.starts: dict[Bit, tuple[float, str]] = {}
        self.ends: dict[Bit, list[tuple[float, str, str]]] = defaultdict(list)
        self.names = self._signals()
        for cell_name, cell in module["cells"].items():
            if cell["type"] in macros or not cell["type"].startswith("$"):  # else a note of Yosys
                self._cell(cell_name, cell)

    def _signals(self) -> dict[Bit, str]:
        found: dict[Bit, str] = {}
        for name, each in self.module["netnames"].items():
            for place, bit in enumerate(each["bits"]):
                if isinstance(bit, int) and (bit not in found or len(name) < len(found[bit].split("[")[0])):
                    found[bit] = f"{name}[{place}]" if len(each["bits"]) > 1 else name
        return found

    def _cell(self, name: str, cell: Cell) -> None:
        kind = cell["type"]
        inputs, outputs = (list(_wired(cell, inwards)) for inwards in (True, False))
        if kind in self.macros:
            self._macro(name, self.macros[kind], inputs, outputs)
        elif _REGISTER.fullmatch(kind):
            begins = _BLOCK_READ if _BLOCK.fullmatch(kind) and not _output_register(cell) else 0.0
            for _, _, bit in outputs:
                self.starts[bit] = begins, self.names.get(bit, name)
            self._end(name, cell, [bit for port, _, bit in inputs if port not in _CLOCKS], outputs)
        elif _SMALL_MEMORY.match(kind):
            addresses = [bit for port, _, bit in inputs if re.fullmatch(r"(ADDR|DPRA)\w*|A\d?", port)]
            for bit in addresses:
                self.arcs[bit] += [(out, 1.0) for _, _, out in outputs]
            for _, _, bit in outputs:
                self.starts[bit] = 1.0, name  # what is written changes what is read
            written = [bit for port, _, bit in inputs if port not in _CLOCKS and bit not in addresses]
            self._end(name, cell, written, outputs)
        else:
            for port, place, bit in inputs:
                self.arcs[bit] += [
                    (out, levels)
                    for to, there, out in outputs
                    if (levels := _levels(kind, port, place, to, there)) is not None
                ]

    def _end(self, name: str, cell: Cell, bits: list[Bit], outputs: list[tuple[str, int, Bit]]) -> None:
        signal = next((self.names[bit] for _, _, bit in outputs if bit in self.names), name)
        line = _source(cell.get("attributes", {}).get("src", ""))
        for bit in bits:
            self.ends[bit].append((0.0, signal, line))

    def _macro(
        self, name: str, macro: _Module, inputs: list[tuple[str, int, Bit]], outputs: list[tuple[str, int, Bit]]
    ) -> None:
        outside = {(port, place): bit for port, place, bit in outputs}
        for key, bit in outside.items():
            if key in macro.out:
                levels, signal = macro.out[key]
                self.starts[bit] = levels, f"{name}.{signal}"
        for port, place, bit in inputs:
            if (port, place) in macro.into:
                levels, signal, line = macro.into[port, place]
                self.ends[bit].append((levels, f"{name}.{signal}", line))
            for to, there, levels in macro.through.get((port, place), ()):
                if (to, there) in outside:
                    self.arcs[bit].append((outside[to, there], levels))

    def _order(self) -> list[Bit]:
        """Bits so that arcs lead forward.

        Raises:
            ValueError: a loop of logic, whose levels cannot be counted.
        """
        incoming: dict[Bit, int] = defaultdict(int)
        for arcs in self.arcs.values():
            for out, _ in arcs:
                incoming[out] += 1
        bits = {*self.arcs, *incoming, *self.starts, *self.ends}
        ready, order = deque(bit for bit in bits if not incoming[bit]), []
        while ready:
            bit = ready.popleft()
            order.append(bit)
            for out, _ in self.arcs.get(bit, ()):
                incoming[out] -= 1
                if not incoming[out]:
                    ready.append(out)
        if len(order) < len(bits):
            looped = sorted(self.names.get(bit, str(bit)) for bit in bits - {*order})
            raise ValueError(f"module {self.name} has a loop of logic through {', '.join(looped[:4])}")
        return order

    def analysed(self) -> _Module:
        """Longest ways from registers, from inputs and to registers."""
        order, result = self._order(), _Module()
        ports = self.module["ports"]
        arrival: dict[Bit, tuple[float, str]] = dict(self.starts)
        for bit in order:
            if bit in arrival:
                levels, start = arrival[bit]
                for out, more in self.arcs.get(bit, ()):
                    if out not in arrival or levels + more > arrival[out][0]:
                        arrival[out] = levels + more, start
        for bit, ends in self.ends.items():
            if bit in arrival:
                levels, start = arrival[bit]
                more, end, line = max(ends)
                result.paths.append(LogicPath(round(levels + more, 2), self.name, start, end, line))
        result.paths = sorted(result.paths, key=_rank)[:1000]
        for port, each in ports.items():
            if each["direction"] != "input":
                for place, wire in enumerate(each["bits"]):
                    if isinstance(wire, int) and wire in arrival:
                        result.out[port, place] = arrival[wire]
        required = self._required(order)
        for port, place, bit in _port_bits(ports, "input"):
            if bit in required:
                result.into[port, place] = required[bit]
            if through := self._through(order, bit):
                result.through[port, place] = through
        return result

    def _required(self, order: list[Bit]) -> dict[Bit, tuple[float, str, str]]:
        found = {bit: max(ends) for bit, ends in self.ends.items()}
        for bit in reversed(order):
            for out, more in self.arcs.get(bit, ()):
                if out in found:
                    levels, end, line = found[out]
                    if bit not in found or levels + more > found[bit][0]:
                        found[bit] = levels + more, end, line
        return found

    def _through(self, order: list[Bit], start: Bit) -> list[tuple[str, int, float]]:
        """Levels from an input to every output that depends on it without a register."""
        levels, waiting = {start: 0.0}, [start]
        while waiting:  # few bits: most inputs end in registers at once
            bit = waiting.pop()
            for out, more in self.arcs.get(bit, ()):
                if levels[bit] + more > levels.get(out, -1.0):
                    levels[out] = levels[bit] + more
                    waiting.append(out)
        outputs = [(port, place, bit) for port, place, bit in _port_bits(self.module["ports"], "output")]
        return [(port, place, levels[bit]) for port, place, bit in outputs if bit in levels]


def _wired(cell: Cell, inwards: bool) -> Iterator[tuple[str, int, Bit]]:
    """Bits at the inputs of a cell, or at its other ports; constants are none."""
    for port, wires in cell["connections"].items():
        if (cell["port_directions"][port] == "input") == inwards:
            yield from ((port, place, bit) for place, bit in enumerate(wires) if isinstance(bit, int))


def _port_bits(ports: Mapping[str, Port], direction: str) -> Iterator[tuple[str, int, Bit]]:
    for port, each in ports.items():
        if each["direction"] == direction:
            yield from ((port, place, bit) for place, bit in enumerate(each["bits"]) if isinstance(bit, int))


def _levels(kind: str, port: str, place: int, to: str, there: int) -> float | None:
    """Of an arc through a cell of logic; None: the output does not depend on the input."""
    if kind.startswith("LUT") or kind == "INV":
        return 1.0 if kind.startswith("LUT") else 0.0
    if kind.startswith("MUXF"):
        return _WIDE
    if kind.startswith("CARRY"):
        if port in ("CI", "CYINIT", "CI_TOP"):
            return _ALONG if to == "CO" else _LEAVE
        return _ENTER if there >= place else None
    return 0.0


def _output_register(cell: Cell) -> bool:
    return any(cell["parameters"].get(f"DO{port}_REG", "0")[-1:] == "1" for port in "AB")


def _source(places: str) -> str:
    """The first place in the accelerator's own files; where there is none, of Yosys' library, without its folder."""
    found = places.split("|")
    return next((place for place in found if "/" not in place), found[0].rpartition("/")[2])
