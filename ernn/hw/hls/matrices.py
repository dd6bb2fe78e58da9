"""HLS C++ of a matrix: its constants, the factors of the vector that it multiplies, and the sums of a block row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.forms import Multiply, Unrolled, form_of
from ernn.hw.hls.kernel import call, function
from ernn.hw.hls.parallel import Parallel
from ernn.program.matrices import Circulant, Matrix


@dataclass(frozen=True, eq=False)
class MatrixOperand:
    """A matrix and the vector that it multiplies, as the C++ calls them.

    Args:
        path: of the matrix in the program, for comments.
        vector: format of the vector.
        array: how many blocks are multiplied in a cycle.
    """

    name: str
    path: str
    matrix: Matrix
    vector: Format
    clock: Clock
    array: Parallel

    @cached_property
    def product(self) -> Product:
        """What decides ranges."""
        return Product(self.matrix.filled(), self.vector)

    @property
    def block_size(self) -> int:
        """k."""
        return self.matrix.block_size

    @property
    def block_rows(self) -> int:
        """Block rows of one gate."""
        return -(-self.matrix.rows // self.block_size)

    @cached_property
    def factors(self) -> Kernel:
        """Kernel that makes the factors of a block of the vector."""
        width = max(each.bits for each in self.product.factors())
        return kernels.factors(f"{self.name}_points", self.product.matrix, self.vector, self.clock, width)

    @cached_property
    def lane(self) -> Kernel:
        """Kernel that multiplies one block by the factors of the vector."""
        return kernels.lane(f"{self.name}_lane", [self.product], 1, self.clock)

    @property
    def columns(self) -> int:
        """Blocks of the vector that are multiplied in a cycle."""
        return min(self.array.over(self.matrix).columns, self.product.block_columns)

    def unrolled(self, count: int, rows: int) -> Unrolled:
        """What the loop over its columns takes at a time, for the sums of some gates of some block rows."""
        gates = self.array.over(self.matrix).gates(count)
        return Unrolled(count, self.block_rows, rows, gates, self.columns)

    def cycles(self, count: int) -> int:
        """About how many the sums of some gates of a group of block rows take."""
        if isinstance(self.matrix, Circulant):
            unrolled = self.unrolled(count, 1)
            trips = unrolled.turns * -(-self.product.block_columns // unrolled.columns)
            return trips + unrolled.turns * self.lane.latency
        return count * (max(1, int(np.diff(self.matrix.starts).max())) + self.lane.latency)

    def declare_factors(self, name: str) -> str:
        """An array of the factors of a whole vector."""
        bus = self.factors.outputs["f"]
        text = (
            f"    ap_int<{bus.width}> {name}[{self.product.block_columns}][{len(bus.elements)}];\n"
            f"#pragma HLS ARRAY_RESHAPE variable={name} complete dim=2\n"
        )
        if self.columns > 1:
            text += f"#pragma HLS ARRAY_PARTITION variable={name} cyclic factor={self.columns} dim=1\n"
        return text

    def sums_call(self, gates: str, factors: str) -> str:
        """The statement that adds a block row's products to `s`."""
        return f"{self._sums_name(gates)}(row, {factors}, s);"

    def constants(self) -> str:
        """What the memories hold."""
        return form_of(self.matrix).constants(self.name, self.path)

    def functions(self) -> str:
        """The kernels and the loop over the blocks of the vector."""
        k, columns = self.block_size, self.product.block_columns
        bus = self.factors.outputs["f"]
        return "\n".join(
            [
                function(self.factors),
                function(self.lane),
                f"""// Factors of a vector for {self.path}, once for all rows.
static void {self.name}_factors(const ap_int<{self.vector.bits}> x[{self.matrix.cols}],
                                ap_int<{bus.width}> f[{columns}][{len(bus.elements)}]) {{
    for (int column = 0; column < {columns}; column++) {{
#pragma HLS PIPELINE II=1
        ap_int<{self.vector.bits}> block[{k}];
#pragma HLS ARRAY_PARTITION variable=block complete
        blocks::gather<{k}, {self.matrix.cols}>(x, column, block);
        {call(self.factors, {"x": "block", "f": "f[column]"})}
    }}
}}
""",
            ]
        )

    def sums(self, gates: str, first: int, joined: Joined, rows: int) -> str:
        """The function that adds the products of a block row to the sums of some gates.

        Args:
            gates: their letters; empty for a matrix of one.
            first: place of the first of them in the matrix.
            joined: whose sums they are.
            rows: block rows at a time.
        """
        factors, sums, count = self.factors.outputs["f"], self.lane.outputs["s"], max(len(gates), 1)
        what = f"of gate{'s' * (count > 1)} {', '.join(gates)} " if gates else ""
        place = f"line * {count} + gate" if rows > 1 else "gate"
        multiply = Multiply(self._declare_block(), self._call, self._add(joined, place))
        gate = f"({first} + gate)" if first else "gate"
        return f"""// Adds the products {what}of a block row of {self.path} to their sums.
static void {self._sums_name(gates)}(const int row,
    const ap_int<{factors.width}> f[{self.product.block_columns}][{len(factors.elements)}],
    ap_int<{joined.bits}> s[{rows * count}][{len(sums.elements)}]) {{
#pragma HLS INLINE
{form_of(self.matrix).loop(self.name, self.unrolled(count, rows), gate, multiply)}}}
"""

    def _sums_name(self, gates: str) -> str:
        return f"{self.name}_sums_{gates}" if gates else f"{self.name}_sums"

    def _call(self, column: str) -> str:
        return call(self.lane, {"w0": "w", "x0": f"f[{column}]", "s": "p"})

    def _declare_block(self) -> str:
        words, sums = self.lane.inputs["w0"], self.lane.outputs["s"]
        return f"""            ap_int<{words.width}> w[{len(words.elements)}];
            ap_int<{sums.width}> p[{len(sums.elements)}];
#pragma HLS ARRAY_PARTITION variable=w complete
#pragma HLS ARRAY_PARTITION variable=p complete
"""

    def _add(self, joined: Joined, place: str) -> str:
        shift = joined.shift(self.product)
        product = f"(ap_int<{joined.bits}>(p[n]) << {shift})" if shift else "p[n]"
        return f"""            for (int n = 0; n < {len(self.lane.outputs["s"].elements)}; n++) {{
#pragma HLS UNROLL
                s[{place}][n] += {product};
            }}
"""
