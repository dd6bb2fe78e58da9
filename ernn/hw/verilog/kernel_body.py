"""Verilog of those operators of a kernel that are in one module."""

from collections.abc import Collection, Iterator
from itertools import pairwise

from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import CONSTANT
from ernn.hw.graph.schedule import cycles_of
from ernn.hw.graph.terms import Terms
from ernn.hw.graph.verilog_text import literal, saturates


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
        """A signal some cycles later."""
        if not cycles:
            return name
        self._lines[name] = width, max(cycles, self._lines.get(name, (0, 0))[1])
        return f"{name}_d{cycles}"

    def text(self) -> Iterator[str]:
        """All nodes, and for each saturation that is counted a wire `over_NODE`."""
        for place in self.places:
            yield self._node(place)
        for place in self.flagged():
            yield f"    wire over_{self.names[place]} = {saturates(self._terms(place))};"

    def flagged(self) -> list[int]:
        """Nodes that are counted when they saturate."""
        counted = {place for places in self.kernel.overflows.values() for place in places}
        return [place for place in self.places if place in counted]

    def registers(self) -> Iterator[str]:
        """What follows signals; last, since it is known by then what is wanted."""
        moves = []
        for name, (width, cycles) in sorted(self._lines.items()):
            line = [name, *(f"{name}_d{behind}" for behind in range(1, cycles + 1))]
            yield from (f"    reg signed [{width - 1}:0] {each};" for each in line[1:])
            moves += [f"        {after} <= {before};" for before, after in pairwise(line)]
        if moves:
            yield from ("    always @(posedge clk) begin", *moves, "    end")

    def _node(self, place: int) -> str:
        return self.graph.nodes[place].operator.verilog(self._terms(place))

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
