"""Kernels as pipelined Verilog (IEEE 1364-2005).

What a kernel does for each element of its block, or for each gate, is a part: a module of its own. Parts with equal
text are one module, so that it is read, and synthesized, once.
"""

from collections.abc import Iterator

from ernn.hw.graph.kernel import Bus, Kernel
from ernn.hw.graph.operators import CONSTANT, INPUT
from ernn.hw.graph.verilog_text import literal
from ernn.hw.verilog.kernel_body import Body, taken

__all__ = ["literal", "module"]

_SMALLEST_PART = 4  # operators that are worth a module


def module(kernel: Kernel) -> str:
    """Source of a kernel's module, behind those of its parts.

    Ports: `clk`; `valid`, which comes with the inputs of cycle 0, and `valid_out` with the outputs; a bus for each
    input and output; `overflow_NAME`, a bit for each saturation, together with the outputs.
    """
    return _Writer(kernel).text()


class _Part:
    """Nodes that were built in one scope of the graph, as an instance of a module."""

    def __init__(self, kernel: Kernel, scope: str, places: list[int]) -> None:
        self.kernel, self.places, self.instance = kernel, places, f"part{scope.replace('.', '_')}"
        self.kind = "element" if scope.lstrip(".").isdigit() else "gate"
        inside, graph = set(places), kernel.graph
        arrivals: dict[int, int] = {}
        for place in places:
            for operand in graph.nodes[place].operands:
                if operand not in inside and graph.nodes[operand].operator is not CONSTANT:
                    cycle = taken(kernel, place)
                    arrivals[operand] = min(cycle, arrivals.get(operand, cycle))
        self.arrivals = arrivals
        elsewhere = {
            operand
            for place, node in enumerate(graph.nodes)
            if place not in inside and kernel.schedule.widths[place]
            for operand in node.operands
        }
        self.results = [place for place in places if place in elsewhere or place in graph.outputs.values()]
        names = {place: f"in_{number}" for number, place in enumerate(arrivals)}
        for number, place in enumerate(places):
            given = graph.names.get(place, "")
            own = given.removesuffix(scope).replace(".", "_") if given.endswith(scope) else ""
            names[place] = own if own and own not in names.values() else f"n{number}"
        self.body = Body(kernel, places, names, arrivals)

    def text(self, name: str) -> str:
        """Its module, called `name`."""
        width, names = self.kernel.schedule.widths, self.body.names
        ports = ["input wire clk"]
        ports += [f"input wire signed [{width[place] - 1}:0] {names[place]}" for place in self.arrivals]
        ports += [f"output wire signed [{width[place] - 1}:0] out_{names[place]}" for place in self.results]
        ports += [f"output wire flag_{names[place]}" for place in self.body.flagged()]
        lines = [f"module {name} (", ",\n".join(f"    {port}" for port in ports), ");", *self.body.text()]
        lines += [f"    assign out_{names[place]} = {names[place]};" for place in self.results]
        lines += [f"    assign flag_{names[place]} = over_{names[place]};" for place in self.body.flagged()]
        return "\n".join([*lines, *self.body.registers(), "endmodule", ""])

    def instantiated(self, name: str, outside: Body) -> Iterator[str]:
        """The instance, whose results are signals of the module around it."""
        own, width = self.body.names, self.kernel.schedule.widths
        ports = [".clk(clk)"]
        ports += [f".{own[place]}({outside.signal(place, cycle)})" for place, cycle in self.arrivals.items()]
        ports += [f".out_{own[place]}({outside.names[place]})" for place in self.results]
        ports += [f".flag_{own[place]}(over_{outside.names[place]})" for place in self.body.flagged()]
        for place in self.results:
            yield f"    wire signed [{width[place] - 1}:0] {outside.names[place]};"
        for place in self.body.flagged():
            yield f"    wire over_{outside.names[place]};"
        yield f"    {name} {self.instance} ({', '.join(ports)});"


class _Writer:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.graph, self.schedule = kernel, kernel.graph, kernel.schedule
        self.width = self.schedule.widths
        scopes: dict[str, list[int]] = {}
        for place, node in enumerate(self.graph.nodes):
            if self.width[place] and node.operator not in (CONSTANT, INPUT):
                scopes.setdefault(self.graph.scopes[place], []).append(place)
        split = {scope for scope, places in scopes.items() if scope and len(places) >= _SMALLEST_PART}
        self.parts = [_Part(kernel, scope, places) for scope, places in scopes.items() if scope in split]
        own = sorted(place for scope, places in scopes.items() if scope not in split for place in places)
        self.body = Body(kernel, own, self._names(), {})
        self._modules: dict[str, tuple[str, str]] = {}  # name and text by the text with a name that stands for all

    def _names(self) -> dict[int, str]:
        inputs = {place: f"in_{name.replace('.', '_')}" for name, place in self.graph.inputs.items()}
        names: dict[int, str] = {}
        for place in range(len(self.graph.nodes)):
            signal = self.graph.names.get(place, f"n{place}").replace(".", "_")
            names[place] = inputs.get(place, f"{signal}_n{place}" if signal in names.values() else signal)
        return names

    def _module(self, part: _Part) -> str:
        """Name of a part's module, which is that of any part with the same text."""
        text = part.text("PART")
        if text not in self._modules:
            number = sum(f"_{part.kind}" in name for name, _ in self._modules.values())
            name = f"{self.kernel.name}_{part.kind}{number}"
            self._modules[text] = name, part.text(name)
        return self._modules[text][0]

    def text(self) -> str:
        parts = [line for part in self.parts for line in part.instantiated(self._module(part), self.body)]
        body = [*self._inputs(), *self.body.text(), *parts]
        outputs = [line for bus in self.kernel.outputs.values() for line in self._output(bus)]
        overflows = [line for name, places in self.kernel.overflows.items() for line in self._overflow(name, places)]
        return "\n".join(
            [
                "// Narrow operands are sign-extended on purpose.",
                "/* verilator lint_off WIDTHEXPAND */",
                "/* verilator lint_off UNUSEDSIGNAL */",
                *(text for _, text in self._modules.values()),
                f"// {self.kernel.name}: {self.kernel.doc}",
                f"// New inputs every cycle, {self.kernel.latency} cycles, {self.graph.multiplications()} multipliers.",
                *self._late(),
                f"module {self.kernel.name} (",
                ",\n".join(f"    {port}" for port in self._ports()),
                ");",
                *self._valid(),
                *body,
                *outputs,
                *overflows,
                *self.body.registers(),
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

    def _inputs(self) -> Iterator[str]:
        for bus in self.kernel.inputs.values():
            for number, place in enumerate(bus.elements):
                if width := self.width[place]:
                    low = number * bus.width
                    name = self.body.names[place]
                    yield f"    wire signed [{width - 1}:0] {name} = {bus.name}[{low + width - 1}:{low}];"

    def _output(self, bus: Bus) -> Iterator[str]:
        for number, place in enumerate(bus.elements):
            low, width = number * bus.width, self.width[place]
            signal = self.body.signal(place, self.kernel.latency)
            if bus.width > width:
                signal = f"{{{{{bus.width - width}{{{signal}[{width - 1}]}}}}, {signal}}}"
            yield f"    assign {bus.name}[{low + bus.width - 1}:{low}] = {signal};"

    def _overflow(self, name: str, places: list[int]) -> Iterator[str]:
        yield "    always @(posedge clk) begin"
        for number, place in enumerate(places):
            cycles = self.kernel.latency - 1 - self.schedule.ready[place]
            flag = self.body.delayed(f"over_{self.body.names[place]}", 1, cycles)
            yield f"        overflow_{name}[{number}] <= {flag};"
        yield "    end"

    def _trace(self) -> Iterator[str]:
        shown = {place: self.body.names[place] for place in self.body.places}
        for part in self.parts:
            shown |= {place: f"{part.instance}.{part.body.names[place]}" for place in part.places}
        named = [(place, name) for place, name in sorted(self.graph.names.items()) if place in shown]
        if not named:
            return
        yield "`ifdef ERNN_TRACE"
        yield "    always @(posedge clk) begin"
        for place, name in named:
            cycle = self.schedule.ready[place]
            valid = f"running[{cycle}]" if cycle else "valid"
            yield f'        if ({valid}) $display("TRACE %m {name} %0d", {shown[place]});'
        yield "    end"
        yield "`endif"
