"""The HLS C++ header of a layer, put together from matrices, kernels and loops over block rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ernn.dataflow.formats import Format
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.arrays import table, vector
from ernn.hw.hls.kernel import call, function
from ernn.hw.hls.matrices import MatrixOperand
from ernn.hw.hls.parallel import LayerParallel, Parallel
from ernn.program.matrices import Matrix, Numbers


@dataclass(frozen=True)
class Header:
    """The text of a layer's header, and about how many cycles its function takes."""

    text: str
    cycles: int


class Source:
    """The header of a layer, built piece by piece.

    `cycles` adds up what its loops take: their trips, and the latencies of the kernels in them as ours are scheduled.

    Args:
        name: of its function.
        path: of the layer in the program.
        clock: that kernels are scheduled for; widths do not depend on it.
        arrays: how many blocks are multiplied in a cycle.
    """

    def __init__(self, name: str, path: str, clock: Clock, arrays: LayerParallel) -> None:
        self.name, self.path, self.clock, self.arrays = name, path, clock, arrays
        self.constants: list[str] = []
        self.functions: list[str] = []
        self.body: list[str] = []
        self.cycles = 0
        self._pragmas: list[str] = []

    def operand(self, name: str, matrix: Matrix, vector: Format, array: Parallel) -> MatrixOperand:
        """A matrix, with its constants and functions."""
        short = name.removeprefix("weight").removeprefix("_")
        operand = MatrixOperand(
            "_".join(filter(None, (self.name, short))), f"{self.path}.{name}", matrix, vector, self.clock, array
        )
        self.constants.append(operand.constants())
        self.functions.append(operand.functions())
        return operand

    def kernel(self, build: Callable[..., Kernel], name: str, *arguments: object) -> Kernel:
        """A kernel of `ernn.hw.graph.kernels` and its function."""
        kernel = build(f"{self.name}_{name}", *arguments, clock=self.clock)
        self.functions.append(function(kernel, "PIPELINE II=1"))
        return kernel

    def vector(self, name: str, bits: int, size: int, banks: int, static: bool = False, streams: int = 1) -> None:
        """An array of which `banks` elements are read at a time, of each of some streams."""
        self.body.append(vector(name, bits, size, banks, static, streams))

    def table(self, name: str, numbers: Numbers, banks: int) -> str:
        """The name of a constant array, (gates, size) or (size,), read like vectors, all gates at a time."""
        full = f"{self.name}_{name}"
        self.constants.append(table(full, numbers))
        dimensions = numbers.integers.ndim
        if dimensions > 1:
            self._pragmas.append(f"#pragma HLS ARRAY_PARTITION variable={full} complete dim=1\n")
        if banks > 1:
            self._pragmas.append(
                f"#pragma HLS ARRAY_PARTITION variable={full} cyclic factor={banks} dim={dimensions}\n"
            )
        return full

    def factors(self, operand: MatrixOperand, vector: str) -> str:
        """The array of the factors of a vector, which it makes."""
        name = f"f_{vector}"
        self.cycles += operand.product.block_columns + operand.factors.latency
        self.body += [operand.declare_factors(name), f"    {operand.name}_factors({vector}, {name});\n"]
        return name

    def block_rows(
        self,
        joined: Joined,
        gates: str,
        first: int,
        parts: Sequence[tuple[MatrixOperand, str]],
        array: Parallel,
        body: Callable[[Callable[[int], str]], Iterable[str]],
        kernels: Sequence[Kernel],
    ) -> None:
        """The loop over block rows: sums of some gates over all columns, then `body`, row by row.

        Args:
            parts: matrices with the factors of their vectors.
            array: how many rows of sums there are at a time.
            body: statements that take the sums of a block row, `s[..]`, by the gate's place.
            kernels: in the body.
        """
        count, sums, total = max(len(gates), 1), len(joined.sums()), parts[0][0].block_rows
        rows = min(array.over(operand.matrix).rows(count, total) for operand, _ in parts)
        self.functions += [operand.sums(gates, first, joined, rows) for operand, _ in parts]
        once = sum(operand.cycles(count) for operand, _ in parts) + rows + sum(kernel.latency for kernel in kernels)
        self.cycles += -(-total // rows) * once
        self.body.append(f"""    for (int row = 0; row < {total}; {"row++" if rows == 1 else f"row += {rows}"}) {{
        ap_int<{joined.bits}> s[{rows * count}][{sums}];
#pragma HLS ARRAY_PARTITION variable=s complete dim=0
        blocks::zero<{rows * count}, {sums}>(s);
""")
        self.body += [f"        {operand.sums_call(gates, factors)}\n" for operand, factors in parts]
        if rows == 1:
            self.body += [*body(lambda place: f"s[{place}]"), "    }\n"]
            return
        last = f" && start + line < {total}" if total % rows else ""
        self.body.append(f"""        const int start = row;
        for (int line = 0; line < {rows}{last}; line++) {{
#pragma HLS PIPELINE II=1
            const int row = start + line;
""")
        self.body += [*body(lambda place: f"s[line * {count} + {place}]"), "        }\n    }\n"]

    def header(self, doc: str, arguments: str) -> Header:
        """The header file."""
        head = f"{doc}\nstatic void {self.name}({arguments}) {{\n"
        body = head + "".join([*self._pragmas, *self.body]) + "}\n"
        return Header("\n".join([*self.constants, *self.functions, body]), self.cycles)


def apply(
    kernel: Kernel, size: int, sums: Mapping[str, str], sources: Mapping[str, str], sinks: Mapping[str, str]
) -> Iterator[str]:
    """A kernel on block `row` of vectors.

    Args:
        size: elements of the vectors.
        sums: expressions of buses of sums.
        sources: vectors of the other buses that come in.
        sinks: vectors of those that go out.
    """
    used = {bus: source for bus, source in sources.items() if bus in kernel.inputs}
    yield "        {\n"
    for bus in [*used, *sinks]:
        found = kernel.inputs.get(bus) or kernel.outputs[bus]
        yield f"            ap_int<{found.width}> {bus}_block[{len(found.elements)}];\n"
        yield f"#pragma HLS ARRAY_PARTITION variable={bus}_block complete\n"
    k = len(next(kernel.outputs[bus] for bus in sinks).elements)
    for bus, source in used.items():
        yield f"            blocks::gather<{k}, {size}>({source}, row, {bus}_block);\n"
    yield f"            {call(kernel, {**sums, **{bus: f'{bus}_block' for bus in [*used, *sinks]}})}\n"
    for bus, sink in sinks.items():
        yield f"            blocks::scatter<{k}, {size}>({bus}_block, row, {sink});\n"
    yield "        }\n"
