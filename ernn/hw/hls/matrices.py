"""HLS C++ of a matrix: its constants, the factors of the vector that it multiplies, and the sums of a block row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.arrays import stored_as
from ernn.hw.hls.kernel import array, call, function, stored
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned


@dataclass(frozen=True, eq=False)
class Operand:
    """A matrix and the vector that it multiplies, as the C++ calls them.

    A pruned matrix has the arithmetic of a dense one: blocks of one element.

    Args:
        path: of the matrix in the program, for comments.
        vector: format of the vector.
    """

    name: str
    path: str
    matrix: Matrix
    vector: Format
    clock: Clock

    @cached_property
    def product(self) -> Product:
        """Matrix and vector format as the ranges need them; a pruned matrix has blocks of 1."""
        return Product(_circulant(self.matrix), self.vector)

    @property
    def block_size(self) -> int:
        """Side k of a block, in elements."""
        return block_size(self.matrix)

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

    def declare_factors(self, name: str) -> str:
        """An array of the factors of a whole vector."""
        bus = self.factors.outputs["f"]
        return (
            f"    ap_int<{bus.width}> {name}[{self.product.block_columns}][{len(bus.elements)}];\n"
            f"#pragma HLS ARRAY_RESHAPE variable={name} complete dim=2\n"
        )

    def sums_call(self, gates: str, factors: str) -> str:
        """The statement that adds a block row's products to `s`."""
        return f"{self._sums_name(gates)}(row, {factors}, s);"

    def constants(self) -> str:
        """C++ constants with the weights."""
        if isinstance(self.matrix, Pruned):
            return self._sparse()
        integers = self.matrix.words.integers
        shape = "".join(f"[{size}]" for size in integers.shape)
        return (
            f"// {self.path}: blocks of {self.block_size} words, [gate][block row][block column][word].\n"
            + array(f"static const {stored_as(self.matrix.words)} {self.name}_words{shape}", integers.ravel().tolist())
            + "\n"
        )

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

    def sums(self, gates: str, first: int, joined: Joined) -> str:
        """The function that adds the products of a block row to the sums of some gates.

        Args:
            gates: their letters; empty for a matrix of one.
            first: place of the first of them in the matrix.
            joined: whose sums they are.
        """
        factors, sums, count = self.factors.outputs["f"], self.lane.outputs["s"], max(len(gates), 1)
        what = f"of gate{'s' * (count > 1)} {', '.join(gates)} " if gates else ""
        loop = self._sparse_loop if isinstance(self.matrix, Pruned) else self._dense_loop
        return f"""// Adds the products {what}of a block row of {self.path} to their sums.
static void {self._sums_name(gates)}(const int row,
    const ap_int<{factors.width}> f[{self.product.block_columns}][{len(factors.elements)}],
    ap_int<{joined.bits}> s[{count}][{len(sums.elements)}]) {{
#pragma HLS INLINE
{loop(count, f"({first} + gate)" if first else "gate", joined)}}}
"""

    def _sums_name(self, gates: str) -> str:
        return f"{self.name}_sums_{gates}" if gates else f"{self.name}_sums"

    def _dense_loop(self, count: int, gate: str, joined: Joined) -> str:
        words = f"{self.name}_words"
        return f"""#pragma HLS ARRAY_PARTITION variable={words} complete dim=1
#pragma HLS ARRAY_RESHAPE variable={words} complete dim=4
    for (int column = 0; column < {self.product.block_columns}; column++) {{
#pragma HLS PIPELINE II=1
        for (int gate = 0; gate < {count}; gate++) {{
#pragma HLS UNROLL
{self._declare_block()}            blocks::copy<{self.block_size}>({words}[{gate}][row][column], w);
            {call(self.lane, {"w0": "w", "x0": "f[column]", "s": "p"})}
{self._add(joined)}        }}
    }}
"""

    def _sparse_loop(self, count: int, gate: str, joined: Joined) -> str:
        line = f"{gate} * {self.matrix.rows} + row"
        return f"""    for (int gate = 0; gate < {count}; gate++) {{
        const int line = {line};
        for (int entry = {self.name}_starts[line]; entry < {self.name}_starts[line + 1]; entry++) {{
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=0 max={self.matrix.cols}
{self._declare_block()}            w[0] = {self.name}_values[entry];
            {call(self.lane, {"w0": "w", "x0": f"f[{self.name}_columns[entry]]", "s": "p"})}
{self._add(joined)}        }}
    }}
"""

    def _declare_block(self) -> str:
        words, sums = self.lane.inputs["w0"], self.lane.outputs["s"]
        return f"""            ap_int<{words.width}> w[{len(words.elements)}];
            ap_int<{sums.width}> p[{len(sums.elements)}];
#pragma HLS ARRAY_PARTITION variable=w complete
#pragma HLS ARRAY_PARTITION variable=p complete
"""

    def _add(self, joined: Joined) -> str:
        shift = joined.shift(self.product)
        product = f"(ap_int<{joined.bits}>(p[n]) << {shift})" if shift else "p[n]"
        return f"""            for (int n = 0; n < {len(self.lane.outputs["s"].elements)}; n++) {{
#pragma HLS UNROLL
                s[gate][n] += {product};
            }}
"""

    def _sparse(self) -> str:
        matrix = self.matrix
        assert isinstance(matrix, Pruned)
        values, columns = matrix.values.integers.tolist(), matrix.columns.tolist()
        starts, count = matrix.starts.tolist(), max(len(values), 1)  # C++ has no arrays of nothing
        return "\n".join(
            [
                f"// {self.path}: the entries of [gate][row] stand from its start to the next one's.",
                array(f"static const {stored_as(matrix.values)} {self.name}_values[{count}]", values or [0]),
                array(f"static const {stored(columns)} {self.name}_columns[{count}]", columns or [0]),
                array(f"static const {stored(starts)} {self.name}_starts[{len(starts)}]", starts),
                "",
            ]
        )


def block_size(matrix: Matrix) -> int:
    """k; a pruned matrix has blocks of one element."""
    return matrix.block_size if isinstance(matrix, Circulant) else 1


def _circulant(matrix: Matrix) -> Circulant:
    if isinstance(matrix, Circulant):
        return matrix
    words = np.zeros((matrix.gates, matrix.rows, matrix.cols, 1), np.int64)
    return Circulant(matrix.rows, matrix.cols, 1, Exact(), Numbers(matrix.values.format, words))
