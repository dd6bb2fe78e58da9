"""Verilog of those operators of a kernel that are in one module."""

from collections.abc import Collection, Iterator
from itertools import pairwise

from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import CONSTANT
from ernn.hw.graph.schedule import cycles_of
from ernn.hw.graph.terms import Terms
from ernn.hw.graph.verilog_text import literal, saturates
from ernn.hw.verilog.items import Instance, Item, Process, Register, Wire


class Body:
    """The signals of some nodes of a kernel, each in the cycles in which something wants it.

    Args:
        places: nodes that are computed here, in their order; kernel inputs among them come from buses.
        names: signals of nodes, those of other modules included.
        arrivals: cycles in which nodes of other modules come in.
    """

    def __init__(
        self, kernel: Kernel, places: Collection[int], names: dict[int, str], arrivals: dict[int, int]
    ) -> None:
        self.kernel, self.graph, self.schedule = kernel, kernel.graph, kernel.schedule
        self.places, self.names, self._arrivals = places, names, arrivals
        self.width = self.schedule.widths
        self._lines: dict[str, tuple[int, int]] = {}  # registers behind a signal: bits and how many

    def signal(self, place: int, cycle: int) -> str:
        """A node in a cycle, through registers."""
        if self.graph.nodes[place].operator is CONSTANT:
            return literal(self.graph.nodes[place].data[0], self.width[place])
        since = self._arrivals.get(place, self.schedule.ready[place])
        return self.delayed(self.names[place], self.width[place], cycle - since)

    def delayed(self, name: str, width: int, cycles: int) -> str:
        """Name of a signal delayed by some cycles; the register chain is declared at its first use."""
        if not cycles:
            return name
        self._lines[name] = width, max(cycles, self._lines.get(name, (0, 0))[1])
        return f"{name}_d{cycles}"

    def items(self) -> Iterator[Item]:
        """All nodes, and for each saturation that is counted a wire `over_NODE`."""
        for place in self.places:
            yield from self._node(place)
        for place in self.flagged():
            yield Wire(f"over_{self.names[place]}", value=saturates(self._terms(place)))

    def flagged(self) -> list[int]:
        """Nodes that are counted when they saturate."""
        counted = {place for places in self.kernel.overflows.values() for place in places}
        return [place for place in self.places if place in counted]

    def registers(self) -> Iterator[Item]:
        """Registers that delay signals; made last, when all uses are known."""
        moves = []
        for name, (width, cycles) in sorted(self._lines.items()):
            line = [name, *(f"{name}_d{behind}" for behind in range(1, cycles + 1))]
            yield from (Register(each, width, signed=True) for each in line[1:])
            moves += [f"        {after} <= {before};" for before, after in pairwise(line)]
        if moves:
            yield Process("\n".join(["    always @(posedge clk) begin", *moves, "    end"]))

    def _node(self, place: int) -> Iterator[Item]:
        node, terms = self.graph.nodes[place], self._terms(place)
        if node.operator.product:
            yield from _product(terms)
        else:
            for signal in node.operator.verilog(terms):
                yield Wire(signal.name, signal.width, signal.value, signed=True)

    def _terms(self, place: int) -> Terms:
        """A node with the signals of its operands, each in the cycle in which it is taken."""
        node, nodes, clock = self.graph.nodes[place], self.graph.nodes, self.kernel.clock
        cycles = cycles_of(node, clock)
        end = self.schedule.starts[place] + max(cycles)
        operands = [
            nodes[each].operand(self.signal(each, end - own), self.width[each])
            for each, own in zip(node.operands, cycles, strict=True)
        ]
        return node.terms(self.names[place], self.width[place], operands, cycles=clock.timing.multiplier_cycles)


def taken(kernel: Kernel, place: int) -> int:
    """The cycle in which a node takes its operands, of a product its factors."""
    return kernel.schedule.starts[place]


def _product(terms: Terms) -> Iterator[Item]:
    """A module with registers, `ernn_` and the operator's name; ports a, b, c and p."""
    ports = dict(zip("abc", terms.operands, strict=False))
    sizes = {f"{port.upper()}_WIDTH": operand.bits for port, operand in ports.items()} | {"P_WIDTH": terms.width}
    joined = {port: operand.text for port, operand in ports.items()}
    yield Wire(terms.name, terms.width, signed=True)
    yield Instance(
        f"ernn_{terms.module}",
        f"multiply_{terms.name}",
        {"clk": "clk", **joined, "p": terms.name},
        {**sizes, "CYCLES": terms.cycles},
    )
