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


class Form(ABC):
    """How the C++ holds matrices of one kind."""

    @abstractmethod
    def constants(self, name: str, path: str) -> str:
        """What the memories hold: arrays whose names begin with `name`; `path` is the matrix's, for a comment."""

    @abstractmethod
    def loop(self, name: str, count: int, gate: str, multiply: Multiply) -> str:
        """The products of block row `row` for `count` gates; `gate` is the expression of one's place in the matrix."""


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

    def loop(self, name: str, count: int, gate: str, multiply: Multiply) -> str:
        """Columns one after the other, all gates at once."""
        k, words = self.matrix.block_size, f"{name}_words"
        return f"""#pragma HLS ARRAY_PARTITION variable={words} complete dim=1
#pragma HLS ARRAY_RESHAPE variable={words} complete dim=4
    for (int column = 0; column < {self.matrix.words.integers.shape[2]}; column++) {{
#pragma HLS PIPELINE II=1
        for (int gate = 0; gate < {count}; gate++) {{
#pragma HLS UNROLL
{multiply.declare}            blocks::copy<{k}>({words}[{gate}][row][column], w);
            {multiply.call("column")}
{multiply.add}        }}
    }}
"""


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

    def loop(self, name: str, count: int, gate: str, multiply: Multiply) -> str:
        """Gates one after the other, entry by entry."""
        line = f"{gate} * {self.matrix.rows} + row"
        return f"""    for (int gate = 0; gate < {count}; gate++) {{
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

    def loop(self, name: str, count: int, gate: str, multiply: Multiply) -> str:
        """Gates one after the other, block by block."""
        k, cols = self.matrix.block_size, self.matrix.cols
        line = f"{gate} * {-(-self.matrix.rows // k)} + row"
        return f"""#pragma HLS ARRAY_RESHAPE variable={name}_words complete dim=2
    for (int gate = 0; gate < {count}; gate++) {{
        const int line = {line};
        for (int block = {name}_starts[line]; block < {name}_starts[line + 1]; block++) {{
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=0 max={-(-cols // k)}
{multiply.declare}            blocks::copy<{k}>({name}_words[block], w);
            {multiply.call(f"{name}_columns[block]")}
{multiply.add}        }}
    }}
"""


def form_of(matrix: Matrix) -> Form:
    """That of the matrix's kind."""
    if isinstance(matrix, Circulant):
        return WordForm(matrix)
    return BlockForm(matrix) if isinstance(matrix, Sparse) else EntryForm(matrix)
