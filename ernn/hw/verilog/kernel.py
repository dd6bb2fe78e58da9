"""Kernels as pipelined Verilog (IEEE 1364-2005).

What a kernel does for each element of its block, or for each gate, is a part: a module of its own. Parts with equal
text are one module, so that it is read, and synthesized, once.
"""

from collections.abc import Iterator
from dataclasses import replace

from ernn.hw.graph.kernel import Bus, Kernel
from ernn.hw.graph.operators import CONSTANT, INPUT
from ernn.hw.graph.verilog_text import literal
from ernn.hw.verilog.items import Assign, Directive, Instance, Item, Process, Register, Wire
from ernn.hw.verilog.kernel_body import Body, taken
from ernn.hw.verilog.module import Module, Port, declared_first

__all__ = ["literal", "modules"]

_SMALLEST_PART = 4  # operators that are worth a module
_UNCHECKED = {
    "WIDTHEXPAND": "narrow operands are sign-extended on purpose",
    "UNUSEDSIGNAL": "some bits of an operand may have no use",
}


def modules(kernel: Kernel) -> tuple[Module, ...]:
    """A kernel's module, behind those of its parts.

    Ports: `clk`; `valid`, which comes with the inputs of cycle 0, and `valid_out` with the outputs; a bus for each
    input and output; `overflow_NAME`, a bit for each saturation, together with the outputs.
    """
    return _Writer(kernel).modules()


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

    def module(self, name: str) -> Module:
        """Module `name` with the nodes of this part."""
        width, names = self.kernel.schedule.widths, self.body.names
        ports = [Port("input", "clk")]
        ports += [Port("input", names[place], width[place], signed=True) for place in self.arrivals]
        ports += [Port("output", f"out_{names[place]}", width[place], signed=True) for place in self.results]
        ports += [Port("output", f"flag_{names[place]}") for place in self.body.flagged()]
        items: list[Item] = [*self.body.items()]
        items += [Assign(f"out_{names[place]}", names[place]) for place in self.results]
        items += [Assign(f"flag_{names[place]}", f"over_{names[place]}") for place in self.body.flagged()]
        items += self.body.registers()
        return Module(name, tuple(ports), declared_first(items), unchecked=_UNCHECKED)

    def instantiated(self, name: str, outside: Body) -> Iterator[Item]:
        """The instance, whose results are signals of the module around it."""
        own, width = self.body.names, self.kernel.schedule.widths
        ports = {"clk": "clk"}
        ports |= {own[place]: outside.signal(place, cycle) for place, cycle in self.arrivals.items()}
        ports |= {f"out_{own[place]}": outside.names[place] for place in self.results}
        ports |= {f"flag_{own[place]}": f"over_{outside.names[place]}" for place in self.body.flagged()}
        for place in self.results:
            yield Wire(outside.names[place], width[place], signed=True)
        for place in self.body.flagged():
            yield Wire(f"over_{outside.names[place]}")
        yield Instance(name, self.instance, ports)


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
        self._modules: list[Module] = []  # of parts

    def _names(self) -> dict[int, str]:
        inputs = {place: f"in_{name.replace('.', '_')}" for name, place in self.graph.inputs.items()}
        names: dict[int, str] = {}
        for place in range(len(self.graph.nodes)):
            signal = self.graph.names.get(place, f"n{place}").replace(".", "_")
            names[place] = inputs.get(place, f"{signal}_n{place}" if signal in names.values() else signal)
        return names

    def _module(self, part: _Part) -> str:
        """Name of a part's module, which is that of any part that is equal but for its name."""
        made = part.module("")
        for each in self._modules:
            if replace(each, name="") == made:
                return each.name
        number = sum(f"_{part.kind}" in each.name for each in self._modules)
        self._modules.append(replace(made, name=f"{self.kernel.name}_{part.kind}{number}"))
        return self._modules[-1].name

    def modules(self) -> tuple[Module, ...]:
        """Modules of the parts, then that of the whole kernel."""
        parts = [item for part in self.parts for item in part.instantiated(self._module(part), self.body)]
        body = [*self._inputs(), *self.body.items(), *parts]
        outputs = [item for bus in self.kernel.outputs.values() for item in self._output(bus)]
        overflows = [item for name, places in self.kernel.overflows.items() for item in self._overflow(name, places)]
        items = [*self._valid(), *body, *outputs, *overflows, *self.body.registers(), *self._trace()]
        doc = [
            f"{self.kernel.name}: {self.kernel.doc}",
            f"New inputs every cycle, {self.kernel.latency} cycles, {self.graph.multiplications()} multipliers.",
            *self._late(),
        ]
        ports, name = tuple(self._ports()), self.kernel.name
        whole = Module(name, ports, declared_first(items), doc="\n".join(doc), unchecked=_UNCHECKED)
        return *self._modules, whole

    def _late(self) -> Iterator[str]:
        for bus in self.kernel.inputs:
            if cycle := self.kernel.taken(bus):
                yield f"{bus} is taken {cycle} cycles after `valid`."

    def _ports(self) -> Iterator[Port]:
        yield from (Port("input", "clk"), Port("input", "valid"), Port("output", "valid_out"))
        yield from (Port("input", bus.name, bus.bits) for bus in self.kernel.inputs.values())
        yield from (Port("output", bus.name, bus.bits) for bus in self.kernel.outputs.values())
        for name, places in self.kernel.overflows.items():
            yield Port("output", f"overflow_{name}", len(places), register=True)

    def _valid(self) -> Iterator[Item]:
        latency = self.kernel.latency
        moved = "valid" if latency == 1 else f"{{running[{latency - 1}:1], valid}}"
        yield Register("running", latency, low=1)
        yield Process(f"    initial running = {latency}'d0;\n    always @(posedge clk) running <= {moved};")
        yield Assign("valid_out", f"running[{latency}]")

    def _inputs(self) -> Iterator[Item]:
        for bus in self.kernel.inputs.values():
            for number, place in enumerate(bus.elements):
                if width := self.width[place]:
                    low = number * bus.width
                    yield Wire(self.body.names[place], width, f"{bus.name}[{low + width - 1}:{low}]", signed=True)

    def _output(self, bus: Bus) -> Iterator[Item]:
        for number, place in enumerate(bus.elements):
            low, width = number * bus.width, self.width[place]
            signal = self.body.signal(place, self.kernel.latency)
            if bus.width > width:
                signal = f"{{{{{bus.width - width}{{{signal}[{width - 1}]}}}}, {signal}}}"
            yield Assign(f"{bus.name}[{low + bus.width - 1}:{low}]", signal)

    def _overflow(self, name: str, places: list[int]) -> Iterator[Item]:
        text = "    always @(posedge clk) begin\n"
        for number, place in enumerate(places):
            cycles = self.kernel.latency - 1 - self.schedule.ready[place]
            flag = self.body.delayed(f"over_{self.body.names[place]}", 1, cycles)
            text += f"        overflow_{name}[{number}] <= {flag};\n"
        yield Process(f"{text}    end")

    def _trace(self) -> Iterator[Item]:
        shown = {place: self.body.names[place] for place in self.body.places}
        for part in self.parts:
            shown |= {place: f"{part.instance}.{part.body.names[place]}" for place in part.places}
        named = [(place, name) for place, name in sorted(self.graph.names.items()) if place in shown]
        if not named:
            return
        text = "    always @(posedge clk) begin\n"
        for place, name in named:
            cycle = self.schedule.ready[place]
            valid = f"running[{cycle}]" if cycle else "valid"
            text += f'        if ({valid}) $display("TRACE %m {name} %0d", {shown[place]});\n'
        yield from (Directive("`ifdef ERNN_TRACE"), Process(f"{text}    end"), Directive("`endif"))
