"""Kernels as HLS C++ functions on `ap_int`.

Everything is written from the graph, each node as wide as the schedule found it: values are the same modulo 2^width, so
`ap_int` may cut where Verilog cuts. Saturations are not counted here: the integer model counts them on the same
vectors, and a simulation that equals it has saturated the same values.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from ernn.dataflow.formats import signed_bits
from ernn.hw.graph.cplusplus_text import literal
from ernn.hw.graph.graph import Node
from ernn.hw.graph.kernel import Bus, Kernel
from ernn.hw.graph.operators import CONSTANT

Pragma = Literal["INLINE", "PIPELINE II=1"]
LINE = 116


def function(kernel: Kernel, pragma: Pragma = "INLINE") -> str:
    """Source of a kernel's function, with its tables before it.

    Arguments are the buses in the order of `kernel.inputs` and `kernel.outputs`, arrays of `ap_int` as wide as a bus's
    elements. The source wants `ernn_blocks.h`.
    """
    return _Writer(kernel).text(pragma)


def call(kernel: Kernel, arguments: dict[str, str]) -> str:
    """The statement that calls a kernel.

    Args:
        arguments: an expression for every bus by its name.

    Raises:
        ValueError: buses without an expression, or expressions without a bus.
    """
    buses = [*kernel.inputs, *kernel.outputs]
    if sorted(buses) != sorted(arguments):
        raise ValueError(f"{kernel.name} has buses {sorted(buses)}, got {sorted(arguments)}")
    return f"{kernel.name}({', '.join(arguments[bus] for bus in buses)});"


def array(declaration: str, integers: Sequence[int]) -> str:
    """A constant array of at least one integer, which `declaration` names with its shape.

    >>> print(array("static const short words[3]", [1, -2, 3]))
    static const short words[3] = {
        1, -2, 3};
    """
    lines, line = [], "   "
    for word in integers:
        text = f" {literal(word)},"
        if len(line) + len(text) > LINE:
            lines.append(line)
            line = "   "
        line += text
    return "\n".join([f"{declaration} = {{", *lines, f"{line[:-1]}}};"])


def stored(integers: Sequence[int]) -> str:
    """The type of constants in memories, as wide as the widest of them.

    >>> stored([0, 100])
    'blocks::stored<8>::type'
    """
    return f"blocks::stored<{signed_bits(min(integers, default=0), max(integers, default=0))}>::type"


class _Writer:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.graph = kernel, kernel.graph
        self.width = kernel.schedule.widths
        self._tables: dict[tuple[int, ...], str] = {}
        self._names: dict[int, str] = {}
        self._elements = {
            place: f"{bus.name}[{number}]"
            for bus in kernel.inputs.values()
            for number, place in enumerate(bus.elements)
        }
        names, taken = {place: f"in_{name}" for name, place in self.graph.inputs.items()}, set()
        for place, name in (names | self.graph.names).items():
            signal = name.replace(".", "_")
            self._names[place] = f"{signal}_n{place}" if signal in taken else signal
            taken.add(self._names[place])

    def text(self, pragma: Pragma) -> str:
        """Text of the C++ source."""
        kernel = self.kernel
        inputs = [f"const ap_int<{bus.width}> {self._argument(bus)}" for bus in kernel.inputs.values()]
        outputs = [f"ap_int<{bus.width}> {self._argument(bus)}" for bus in kernel.outputs.values()]
        body = [f"    {line}" for place in range(len(self.graph.nodes)) for line in self._node(place)]
        results = [
            f"    {bus.name}[{number}] = {self._value(place)};"
            for bus in kernel.outputs.values()
            for number, place in enumerate(bus.elements)
        ]
        tables = [
            array(f"static const {stored(data)} {name}[{len(data)}]", data) for data, name in self._tables.items()
        ]
        return "\n".join(
            [
                *tables,
                f"// {kernel.doc[0].upper()}{kernel.doc[1:]}; {self.graph.multiplications()} products of two values.",
                *_wrapped(f"static void {kernel.name}(", [*inputs, *outputs], ") {"),
                f"#pragma HLS {pragma}",
                *body,
                *results,
                "}",
                "",
            ]
        )

    def _argument(self, bus: Bus) -> str:
        return f"{bus.name}[{len(bus.elements)}]"

    def _node(self, place: int) -> Iterator[str]:
        node, width = self.graph.nodes[place], self.width[place]
        if width and node.operator is not CONSTANT:
            yield f"const ap_int<{width}> {self._value(place)} = {self._expression(place, node, width)};"

    def _value(self, place: int) -> str:
        node = self.graph.nodes[place]
        return literal(node.data[0]) if node.operator is CONSTANT else self._names.get(place, f"n{place}")

    def _expression(self, place: int, node: Node, width: int) -> str:
        operands = [self.graph.nodes[each].operand(self._value(each), self.width[each]) for each in node.operands]
        if place in self._elements:
            operands = [node.operand(self._elements[place], width)]
        return node.operator.cplusplus(node.terms(self._value(place), width, operands, table=self._table))

    def _table(self, data: tuple[int, ...]) -> str:
        return self._tables.setdefault(data, f"{self.kernel.name}_table_{len(self._tables)}")


def _wrapped(before: str, arguments: Sequence[str], after: str) -> list[str]:
    """A list of arguments on as many lines as it takes."""
    lines = [before]
    for number, argument in enumerate(arguments):
        last = number == len(arguments) - 1
        text = argument + (after if last else ",")
        if len(lines[-1]) + len(text) + 1 > LINE:
            lines.append("    " + text)
        else:
            lines[-1] += text if lines[-1].endswith("(") else f" {text}"
    return lines
