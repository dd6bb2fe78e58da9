"""Verilog of operators of a kernel that stand together in one module."""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from ernn.hw.graph.graph import PRODUCTS, Node
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.schedule import cycles_of


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
        if self.graph.nodes[place].operator == "constant":
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
            yield from self._node(place)
        for place in self.flagged():
            yield f"    wire over_{self.names[place]} = {self._saturates(place)};"

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

    def _operand(self, place: int, cycle: int, width: int) -> str:
        """A signal cut to `width` bits if it has more."""
        signal = self.signal(place, cycle)
        return f"$signed({signal}[{width - 1}:0])" if self.width[place] > width else signal

    def _node(self, place: int) -> Iterator[str]:
        node, width = self.graph.nodes[place], self.width[place]
        name, cycle = self.names[place], taken(self.kernel, place)
        if node.operator in PRODUCTS:
            yield from self._product(place, node, name)
        elif node.operator == "search":
            yield from self._searched(node, name, width, cycle)
        else:
            yield f"    wire signed [{width - 1}:0] {name} = {self._expression(node, width, cycle)};"

    def _product(self, place: int, node: Node, name: str) -> Iterator[str]:
        """A multiplier with registers; behind some of them is a sum with a register."""
        width, ready = self.width[place], self.schedule.ready[place]
        cycles = cycles_of(node, self.kernel.clock)
        ports = {
            port: self.signal(each, ready - own) for port, each, own in zip("abc", node.operands, cycles, strict=False)
        }
        widths = {port: self.width[each] for port, each in zip("abc", node.operands, strict=False)} | {"p": width}
        sizes = ", ".join(f".{port.upper()}_WIDTH({bits})" for port, bits in widths.items())
        joined = ", ".join(f".{port}({signal})" for port, signal in ports.items())
        yield f"    wire signed [{width - 1}:0] {name};"
        yield f"    ernn_{node.operator} #({sizes}, .CYCLES({self.kernel.clock.timing.multiplier_cycles}))"
        yield f"        multiply_{name} (.clk(clk), {joined}, .p({name}));"

    def _searched(self, node: Node, name: str, width: int, cycle: int) -> Iterator[str]:
        """One more bit of an index: whether the bound that the bits before it choose is reached."""
        a, wide = self.signal(node.operands[0], cycle), self.width[node.operands[0]] + 1  # bounds may lie beyond
        if len(node.operands) == 1:
            yield f"    wire signed [{width - 1}:0] {name} = {{1'b0, {a} >= {literal(node.data[0], wide)}}};"
            return
        prefix = self.signal(node.operands[1], cycle)
        bound = _chosen(prefix, len(node.data).bit_length() - 1, node.data, wide)
        yield f"    wire signed [{wide - 1}:0] bound_{name} = {bound};"
        yield f"    wire signed [{width - 1}:0] {name} = {{{prefix}, {a} >= bound_{name}}};"

    def _expression(self, node: Node, width: int, cycle: int) -> str:
        first = node.operands[0]
        data, bits = node.data, self.width[first]
        match node.operator:
            case "add" | "subtract":
                sign = "+" if node.operator == "add" else "-"
                a, b = (self._operand(each, cycle, width) for each in node.operands)
                return f"{a} {sign} {b}"
            case "negate":
                return f"-{self._operand(first, cycle, width)}"
            case "plus":
                return f"{self._operand(first, cycle, width)} + {literal(data[0], width)}"
            case "shift_left":
                return f"{self._operand(first, cycle, width)} <<< {data[0]}"
            case "shift_right":
                top = min(bits, data[0] + width)
                return f"$signed({self.signal(first, cycle)}[{top - 1}:{min(data[0], bits - 1)}])"
            case "narrow":
                return self._operand(first, cycle, width)
            case "magnitude":
                a = self.signal(first, cycle)
                return f"{a}[{bits - 1}] ? -{a} : {a}"
            case "select":
                a, b = (self._operand(each, cycle, width) for each in node.operands[:2])
                sign = self.signal(node.operands[2], cycle)
                return f"{sign}[{self.width[node.operands[2]] - 1}] ? {a} : {b}"
            case "saturate":
                return self._saturated(node, width, cycle)
            case "read":
                bits = (len(data) - 1).bit_length()
                return _chosen(self.signal(first, cycle), bits, data + data[-1:] * ((1 << bits) - len(data)), width)
        raise AssertionError(node.operator)

    def _saturated(self, node: Node, width: int, cycle: int) -> str:
        first = node.operands[0]
        source, bits, a = self.graph.nodes[first], self.width[first], self.signal(first, cycle)
        result = self._operand(first, cycle, width)
        if beyond := self._beyond(node, a, bits):
            sign = f"{a}[{bits - 1}]"
            return f"{beyond} ? {{{sign}, {{{width - 1}{{!{sign}}}}}}} : {result}"
        if source.low < node.low:
            result = f"{a} < {literal(node.low, bits)} ? {literal(node.low, width)} : {result}"
        if source.high > node.high:
            result = f"{a} > {literal(node.high, bits)} ? {literal(node.high, width)} : {result}"
        return result

    def _beyond(self, node: Node, a: str, bits: int) -> str:
        """Whether a value is beyond all integers of some bits: its upper bits differ. Empty for other ranges."""
        least = node.bits
        if (node.low, node.high) != (-(1 << (least - 1)), (1 << (least - 1)) - 1) or bits <= least:
            return ""
        top = f"{a}[{bits - 1}:{least - 1}]"
        return f"(!(&{top}) && |{top})"

    def _saturates(self, place: int) -> str:
        node = self.graph.nodes[place]
        source, a = self.graph.nodes[node.operands[0]], self.signal(node.operands[0], self.schedule.ready[place])
        bits = self.width[node.operands[0]]
        if whole := self._beyond(node, a, bits):
            return whole
        beyond = [f"{a} < {literal(node.low, bits)}"] if source.low < node.low else []
        beyond += [f"{a} > {literal(node.high, bits)}"] if source.high > node.high else []
        return " || ".join(beyond) or "1'b0"


def taken(kernel: Kernel, place: int) -> int:
    """The cycle in which a node takes its operands, of a product its factors."""
    return kernel.schedule.starts[place]


def literal(integer: int, width: int) -> str:
    """A signed constant of `width` bits, modulo 2^width.

    >>> literal(5, 4), literal(-3, 4), literal(-8, 4)
    ("4'sd5", "-4'sd3", "4'sh8")
    """
    wrapped = (integer + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))
    if wrapped == -(1 << (width - 1)):
        return f"{width}'sh{wrapped % (1 << width):x}"
    return f"{width}'sd{wrapped}" if wrapped >= 0 else f"-{width}'sd{-wrapped}"


def _chosen(signal: str, bits: int, words: Sequence[int], width: int) -> str:
    """One of 2^bits constants, by the lowest bits of a signal.

    Conditions rather than a case: synthesis makes memories of cases, and moves a register in front of one behind it.
    """
    if len(set(words)) == 1:
        return literal(words[0], width)
    half = len(words) // 2
    high, low = (_chosen(signal, bits - 1, part, width) for part in (words[half:], words[:half]))
    return high if high == low else f"({signal}[{bits - 1}] ? {high} : {low})"
