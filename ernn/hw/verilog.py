"""Kernels as pipelined Verilog (IEEE 1364-2005)."""

from collections.abc import Iterator

from ernn.hw.graph import Node
from ernn.hw.kernel import Bus, Kernel


def module(kernel: Kernel) -> str:
    """Source of a kernel's module.

    Ports: `clk`; `valid`, which comes with the inputs of cycle 0, and `valid_out` with the outputs; a bus for each
    input and output; `overflow_NAME`, a bit for each saturation, together with the outputs.
    """
    return _Writer(kernel).text()


class _Writer:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.graph, self.schedule = kernel, kernel.graph, kernel.schedule
        self.width = self.schedule.widths
        self._inputs = {place: name for name, place in self.graph.inputs.items()}
        self._named: dict[int, str] = {}
        for place, name in self.graph.names.items():
            signal = name.replace(".", "_")
            self._named[place] = f"{signal}_n{place}" if signal in self._named.values() else signal
        self._registers: dict[int, int] = {}  # node: the last cycle in which it is used

    def text(self) -> str:
        body = [line for place in range(len(self.graph.nodes)) for line in self._node(place)]
        outputs = [line for bus in self.kernel.outputs.values() for line in self._output(bus)]
        overflows = [line for name, places in self.kernel.overflows.items() for line in self._overflow(name, places)]
        return "\n".join(
            [
                f"// {self.kernel.name}: {self.kernel.doc}",
                f"// New inputs every cycle, {self.kernel.latency} cycles, {self.graph.multiplications()} multipliers.",
                *self._late(),
                "// Narrow operands are sign-extended on purpose.",
                "/* verilator lint_off WIDTHEXPAND */",
                "/* verilator lint_off UNUSEDSIGNAL */",
                f"module {self.kernel.name} (",
                ",\n".join(f"    {port}" for port in self._ports()),
                ");",
                *self._valid(),
                *body,
                *outputs,
                *overflows,
                *self._delays(),
                *self._trace(),
                "endmodule",
                "/* verilator lint_on UNUSEDSIGNAL */",
                "/* verilator lint_on WIDTHEXPAND */",
                "",
            ]
        )

    def _late(self) -> Iterator[str]:
        for bus in self.kernel.inputs:
            if cycle := self.kernel.taken(bus):
                yield f"// {bus} is taken {cycle} cycles after `valid`."

    def _ports(self) -> Iterator[str]:
        yield from ("input wire clk", "input wire valid", "output wire valid_out")
        for bus in self.kernel.inputs.values():
            yield f"input wire [{bus.bits - 1}:0] {bus.name}"
        for bus in self.kernel.outputs.values():
            yield f"output wire [{bus.bits - 1}:0] {bus.name}"
        for name, places in self.kernel.overflows.items():
            yield f"output reg [{len(places) - 1}:0] overflow_{name}"

    def _valid(self) -> Iterator[str]:
        latency = self.kernel.latency
        yield f"    reg [{latency}:1] running;"
        yield f"    initial running = {latency}'d0;"
        if latency == 1:
            yield "    always @(posedge clk) running <= valid;"
        else:
            yield f"    always @(posedge clk) running <= {{running[{latency - 1}:1], valid}};"
        yield f"    assign valid_out = running[{latency}];"

    def name(self, place: int) -> str:
        """The signal of a node in the cycle in which it is there."""
        if place in self._inputs:
            return f"in_{self._inputs[place].replace('.', '_')}"
        return self._named.get(place, f"n{place}")

    def at(self, place: int, cycle: int) -> str:
        """The signal of a node in a cycle, through registers."""
        behind = cycle - self.schedule.ready[place]
        if self.graph.nodes[place].operator == "constant":
            return self._constant(place)
        self._registers[place] = max(self._registers.get(place, 0), behind)
        return self.name(place) + (f"_d{behind}" if behind else "")

    def _constant(self, place: int) -> str:
        return literal(self.graph.nodes[place].data[0], self.width[place])

    def _operand(self, place: int, cycle: int, width: int) -> str:
        """A signal cut to `width` bits if it has more."""
        signal = self.at(place, cycle)
        return f"$signed({signal}[{width - 1}:0])" if self.width[place] > width else signal

    def _node(self, place: int) -> Iterator[str]:
        node, width = self.graph.nodes[place], self.width[place]
        if not width or node.operator == "constant":
            return
        name = self.name(place)
        if node.operator == "input":
            bus = self._inputs[place].split(".")[0]
            low = self.kernel.inputs[bus].elements.index(place) * self.kernel.inputs[bus].width
            yield f"    wire signed [{width - 1}:0] {name} = {bus}[{low + width - 1}:{low}];"
        elif node.operator == "multiply":
            a, b = node.operands
            start = self.schedule.ready[place] - self.kernel.clock.timing.multiplier_cycles
            left, right = self.at(a, start), self.at(b, start)
            yield f"    wire signed [{width - 1}:0] {name};"
            yield (
                f"    ernn_multiply #(.A_WIDTH({self.width[a]}), .B_WIDTH({self.width[b]}), .P_WIDTH({width}), "
                f".CYCLES({self.kernel.clock.timing.multiplier_cycles}))"
            )
            yield f"        multiply_{place} (.clk(clk), .a({left}), .b({right}), .p({name}));"
        elif node.operator == "read":
            index = self.at(node.operands[0], self.schedule.ready[place])
            index_width = self.width[node.operands[0]]
            yield f"    reg signed [{width - 1}:0] {name};"
            yield f"    always @(*) case ({index})"
            for number, word in enumerate(node.data[:-1]):
                yield f"        {literal(number, index_width)}: {name} = {literal(word, width)};"
            yield f"        default: {name} = {literal(node.data[-1], width)};"
            yield "    endcase"
        else:
            expression = self._expression(node, width, self.schedule.ready[place])
            yield f"    wire signed [{width - 1}:0] {name} = {expression};"

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
                return f"$signed({self.at(first, cycle)}[{top - 1}:{min(data[0], bits - 1)}])"
            case "narrow":
                return self._operand(first, cycle, width)
            case "magnitude":
                a = self.at(first, cycle)
                return f"{a}[{bits - 1}] ? -{a} : {a}"
            case "select":
                a, b = (self._operand(each, cycle, width) for each in node.operands[:2])
                sign = self.at(node.operands[2], cycle)
                return f"{sign}[{self.width[node.operands[2]] - 1}] ? {a} : {b}"
            case "saturate":
                return self._saturated(node, width, cycle)
            case "segment":
                a = self.at(first, cycle)
                return _search(a, bits, data, 0, len(data), width)
        raise AssertionError(node.operator)

    def _saturated(self, node: Node, width: int, cycle: int) -> str:
        first = node.operands[0]
        source, bits, a = self.graph.nodes[first], self.width[first], self.at(first, cycle)
        result = self._operand(first, cycle, width)
        if source.low < node.low:
            result = f"{a} < {literal(node.low, bits)} ? {literal(node.low, width)} : {result}"
        if source.high > node.high:
            result = f"{a} > {literal(node.high, bits)} ? {literal(node.high, width)} : {result}"
        return result

    def _output(self, bus: Bus) -> Iterator[str]:
        for number, place in enumerate(bus.elements):
            low, width = number * bus.width, self.width[place]
            signal = self.at(place, self.kernel.latency)
            if bus.width > width:
                signal = f"{{{{{bus.width - width}{{{signal}[{width - 1}]}}}}, {signal}}}"
            yield f"    assign {bus.name}[{low + bus.width - 1}:{low}] = {signal};"

    def _overflow(self, name: str, places: list[int]) -> Iterator[str]:
        latency = self.kernel.latency
        yield "    always @(posedge clk) begin"
        for number, place in enumerate(places):
            node = self.graph.nodes[place]
            first = node.operands[0]
            before, after = self.at(first, latency - 1), self.at(place, latency - 1)
            yield f"        overflow_{name}[{number}] <= {before} != {after};"
        yield "    end"

    def _delays(self) -> Iterator[str]:
        lines = []
        for place, depth in sorted(self._registers.items()):
            name, previous = self.name(place), self.name(place)
            for behind in range(1, depth + 1):
                yield f"    reg signed [{self.width[place] - 1}:0] {name}_d{behind};"
                lines.append(f"        {name}_d{behind} <= {previous};")
                previous = f"{name}_d{behind}"
        if lines:
            yield from ("    always @(posedge clk) begin", *lines, "    end")

    def _trace(self) -> Iterator[str]:
        named = [(p, n) for p, n in sorted(self.graph.names.items()) if self.width[p] and p not in self._inputs]
        if not named:
            return
        yield "`ifdef ERNN_TRACE"
        yield "    always @(posedge clk) begin"
        for place, name in named:
            cycle = self.schedule.ready[place]
            valid = f"running[{cycle}]" if cycle else "valid"
            yield f'        if ({valid}) $display("TRACE %m {name} %0d", {self.name(place)});'
        yield "    end"
        yield "`endif"


def literal(integer: int, width: int) -> str:
    """A signed constant of `width` bits, modulo 2^width.

    >>> literal(5, 4), literal(-3, 4), literal(-8, 4)
    ("4'sd5", "-4'sd3", "4'sh8")
    """
    wrapped = (integer + (1 << (width - 1))) % (1 << width) - (1 << (width - 1))
    if wrapped == -(1 << (width - 1)):
        return f"{width}'sh{wrapped % (1 << width):x}"
    return f"{width}'sd{wrapped}" if wrapped >= 0 else f"-{width}'sd{-wrapped}"


def _search(signal: str, bits: int, bounds: tuple[int, ...], first: int, last: int, width: int) -> str:
    """Binary search for how many of `bounds` a signal reaches, as nested conditions."""
    if first == last:
        return literal(first, width)
    middle = (first + last) // 2
    bound = bounds[middle]
    if bound >= 1 << (bits - 1):  # beyond the signal's range
        return _search(signal, bits, bounds, first, middle, width)
    low = _search(signal, bits, bounds, first, middle, width)
    high = _search(signal, bits, bounds, middle + 1, last, width)
    return f"({signal} >= {literal(bound, bits)} ? {high} : {low})"
