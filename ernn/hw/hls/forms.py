"""HLS C++ of a matrix in its form: constants that hold it, and the loop over what a block row has of it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from ernn.hw.hls.arrays import stored_as
from ernn.hw.hls.kernel import array, stored
from ernn.program.matrices import Circulant, Matrix, Pruned, Sparse


@dataclass(frozen=True)
class Multiply:
    """Statements of a block's products in the innermost loop: of words `w` and a block of the vector.

    Args:
        call: the statement of the kernel, from an expression of the number of the vector's block.
    """

    declare: str
    call: Callable[[str], str]
    add: str


@dataclass(frozen=True)
class Unrolled:
    """What a loop takes at a time.

    Args:
        count: gates whose sums are made.
        block_rows: of one gate.
        rows, gates, columns: block rows, gates of each, and blocks of the vector in a cycle.
    """

    count: int
    block_rows: int
    rows: int = 1
    gates: int = 1
    columns: int = 1

    @property
    def turns(self) -> int:
        """Passes over the columns, each for some of the gates."""
        return self.count // self.gates


class Form(ABC):
    """How the C++ holds matrices of one kind."""

    @abstractmethod
    def constants(self, name: str, path: str) -> str:
        """What the memories hold: arrays whose names begin with `name`; `path` is the matrix's, for a comment."""

    @abstractmethod
    def loop(self, name: str, unrolled: Unrolled, gate: str, multiply: Multiply) -> str:
        """The products of block row `row` for some gates; `gate` is the expression of one's place in the matrix."""


@dataclass(frozen=True)
class WordForm(Form):
    """Every block, one after the other."""

    matrix: Circulant

    def constants(self, name: str, path: str) -> str:
        """One array of words."""
        integers = self.matrix.words.integers
        shape = "".join(f"[{size}]" for size in integers.shape)
        return (
            f"// {path}: blocks of {self.matrix.block_size} words, [gate][block row][block column][word].\n"
            + array(f"static const {stored_as(self.matrix.words)} {name}_words{shape}", integers.ravel().tolist())
            + "\n"
        )

    def loop(self, name: str, unrolled: Unrolled, gate: str, multiply: Multiply) -> str:
        """Some columns after the others, for some block rows and gates at once."""
        words, columns = f"{name}_words", self.matrix.words.integers.shape[2]
        text = f"#pragma HLS ARRAY_PARTITION variable={words} complete dim=1\n"
        for size, dimension in ((unrolled.rows, 2), (unrolled.columns, 3)):
            if size > 1:
                text += f"#pragma HLS ARRAY_PARTITION variable={words} cyclic factor={size} dim={dimension}\n"
        text += f"#pragma HLS ARRAY_RESHAPE variable={words} complete dim=4\n"
        if unrolled.turns > 1:
            text += f"    for (int turn = 0; turn < {unrolled.count}; turn += {unrolled.gates}) {{\n"
        by = f"column += {unrolled.columns}" if unrolled.columns > 1 else "column++"
        text += f"    for (int column = 0; column < {columns}; {by}) {{\n#pragma HLS PIPELINE II=1\n"
        text += self._products(words, unrolled, gate, multiply) + "    }\n"
        return text + "    }\n" * (unrolled.turns > 1)

    def _products(self, words: str, unrolled: Unrolled, gate: str, multiply: Multiply) -> str:
        """The loops over what is done in one cycle."""
        lines, depth, k = [], 0, self.matrix.block_size
        line, column = "row", "column"
        if unrolled.rows > 1:
            line, depth = "row + line", depth + 1
            lines.append(_unrolled("line", "0", str(unrolled.rows)))
            if unrolled.block_rows % unrolled.rows:
                lines.append(f"        if ({line} < {unrolled.block_rows})\n")
        first, last = ("turn", f"turn + {unrolled.gates}") if unrolled.turns > 1 else ("0", str(unrolled.count))
        lines.append(_unrolled("gate", first, last))
        if unrolled.columns > 1:
            column, depth = "place", depth + 1
            lines.append(_unrolled("place", "column", f"column + {unrolled.columns}"))
            if self.matrix.words.integers.shape[2] % unrolled.columns:
                lines.append(f"        if (place < {self.matrix.words.integers.shape[2]}) {{\n")
                depth += 1
        inner = f"{multiply.declare}            blocks::copy<{k}>({words}[{gate}][{line}][{column}], w);\n"
        inner += f"            {multiply.call(column)}\n{multiply.add}"
        return "".join(lines) + inner + "        }\n" * (depth + 1)


@dataclass(frozen=True)
class EntryForm(Form):
    """Entries that are kept, each with its column."""

    matrix: Pruned

    def constants(self, name: str, path: str) -> str:
        """Values, columns, and where each row starts."""
        matrix = self.matrix
        values, columns = matrix.values.integers.tolist(), matrix.columns.tolist()
        starts, count = matrix.starts.tolist(), max(len(values), 1)  # C++ has no arrays of nothing
        return "\n".join(
            [
                f"// {path}: the entries of [gate][row] stand from its start to the next one's.",
                array(f"static const {stored_as(matrix.values)} {name}_values[{count}]", values or [0]),
                array(f"static const {stored(columns)} {name}_columns[{count}]", columns or [0]),
                array(f"static const {stored(starts)} {name}_starts[{len(starts)}]", starts),
                "",
            ]
        )

    def loop(self, name: str, unrolled: Unrolled, gate: str, multiply: Multiply) -> str:
        """Gates one after the other, entry by entry."""
        line = f"{gate} * {self.matrix.rows} + row"
        return f"""    for (int gate = 0; gate < {unrolled.count}; gate++) {{
        const int line = {line};
        for (int entry = {name}_starts[line]; entry < {name}_starts[line + 1]; entry++) {{
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=0 max={self.matrix.cols}
{multiply.declare}            w[0] = {name}_values[entry];
            {multiply.call(f"{name}_columns[entry]")}
{multiply.add}        }}
    }}
"""


@dataclass(frozen=True)
class BlockForm(Form):
    """Blocks that are kept, each with its block column."""

    matrix: Sparse

    def constants(self, name: str, path: str) -> str:
        """Words, block columns, and where each block row starts."""
        matrix, k = self.matrix, self.matrix.block_size
        words, columns = matrix.words.integers.ravel().tolist(), matrix.columns.tolist()
        starts, count = matrix.starts.tolist(), max(len(columns), 1)  # C++ has no arrays of nothing
        return "\n".join(
            [
                f"// {path}: the blocks of [gate][block row] stand from its start to the next one's.",
                array(f"static const {stored_as(matrix.words)} {name}_words[{count}][{k}]", words or [0] * k),
                array(f"static const {stored(columns)} {name}_columns[{count}]", columns or [0]),
                array(f"static const {stored(starts)} {name}_starts[{len(starts)}]", starts),
                "",
            ]
        )

    def loop(self, name: str, unrolled: Unrolled, gate: str, multiply: Multiply) -> str:
        """Gates one after the other, block by block."""
        k, cols = self.matrix.block_size, self.matrix.cols
        line = f"{gate} * {-(-self.matrix.rows // k)} + row"
        return f"""#pragma HLS ARRAY_RESHAPE variable={name}_words complete dim=2
    for (int gate = 0; gate < {unrolled.count}; gate++) {{
        const int line = {line};
        for (int block = {name}_starts[line]; block < {name}_starts[line + 1]; block++) {{
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=0 max={-(-cols // k)}
{multiply.declare}            blocks::copy<{k}>({name}_words[block], w);
            {multiply.call(f"{name}_columns[block]")}
{multiply.add}        }}
    }}
"""


def _unrolled(name: str, first: str, last: str) -> str:
    return f"        for (int {name} = {first}; {name} < {last}; {name}++) {{\n#pragma HLS UNROLL\n"


def form_of(matrix: Matrix) -> Form:
    """That of the matrix's kind."""
    if isinstance(matrix, Circulant):
        return WordForm(matrix)
    return BlockForm(matrix) if isinstance(matrix, Sparse) else EntryForm(matrix)
