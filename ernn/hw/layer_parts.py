"""What the layers of a network have in common: settings, sums, and the memories of their units."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import multiplications
from ernn.errors import UserError
from ernn.hw.architecture import Array, Layout, Thread
from ernn.hw.array_verilog import ArrayText, Drain
from ernn.hw.kernels import Joined, Product, Sums
from ernn.hw.schedule import Clock
from ernn.hw.sparse import SparseArrayText, SparseLayout, SparseThread, as_dense
from ernn.hw.unit_verilog import Memory
from ernn.program import Gru, Lstm
from ernn.program_matrices import Circulant, Matrix, Numbers, Pruned, shares_sums


@dataclass(frozen=True)
class Shared:
    """What all layers of a network have in common."""

    activations: Activations
    clock: Clock
    streams: int
    frame_bits: int
    memory: str


def circulant(matrix: Matrix) -> Circulant:
    """A matrix as its products are described: a pruned one with its zeros."""
    return as_dense(matrix) if isinstance(matrix, Pruned) else matrix


def is_pruned(layer: Lstm | Gru) -> bool:
    """Whether a layer's matrices are pruned.

    Raises:
        UserError: some are and some are not, or a projection has other blocks than what follows it.
    """
    projection = layer.matrices.get("weight_ym")
    if projection is not None and _blocks(projection) != _blocks(layer.weight_hh):
        raise UserError(
            "recurrent and projection matrices of an accelerator have equal blocks; give them one block size"
        )
    kinds = {isinstance(matrix, Pruned) for matrix in layer.matrices.values()}
    if len(kinds) > 1:
        raise UserError("matrices of a layer must be all pruned or none for an accelerator; compress them alike")
    return kinds.pop()


def _blocks(matrix: Matrix) -> tuple[int, str, int]:
    """What the lanes of an array must know of a matrix; formats of sums may differ."""
    if isinstance(matrix, Pruned):
        return 1, "pruned", 1
    return matrix.block_size, matrix.transform.kind, multiplications(matrix.block_size, matrix.transform)


def sums_of(layer: Lstm | Gru) -> Sums:
    """How a layer's products are summed: before one inverse transform, or as rows."""
    ih = Product(circulant(layer.weight_ih), layer.input)
    hh = Product(circulant(layer.weight_hh), layer.output)
    if shares_sums(layer.weight_ih, layer.weight_hh):
        return Sums(Joined((ih, hh)))
    return Sums(Joined((hh,)), Joined((ih,)))


def array_text(
    name: str, pruned: bool, array: Array, threads: Sequence[Thread], drains: Sequence[Drain], shared: Shared
) -> ArrayText:
    """The array of a layer, for pruned matrices or others."""
    if not pruned:
        dense = Layout(array, tuple(threads))
        return ArrayText(name, dense, drains, shared.frame_bits, shared.streams, shared.clock, shared.memory)
    sparse = tuple(SparseThread(**{f.name: getattr(t, f.name) for f in fields(Thread)}) for t in threads)
    layout = SparseLayout(array, sparse)
    return SparseArrayText(name, layout, drains, shared.frame_bits, shared.streams, shared.clock, shared.memory)


def gates_of(layer: Lstm | Gru) -> Sequence[str]:
    """Gates in the order of the matrices."""
    return LSTM_GATES if isinstance(layer, Lstm) else GRU_GATES


def constants(name: str, bus: str, gates: Sequence[str], numbers: Numbers) -> Memory:
    """Numbers for each cell: a bus a gate."""
    buses = tuple(f"{bus}_{gate}" for gate in gates) or (bus,)
    return Memory(name, buses, numbers.format.bits, numbers=numbers)


def states(cell: Format, writer: str) -> Memory:
    """c_{t-1}, of every stream."""
    return Memory("c", ("c",), cell.bits, page="stream", writer=writer, data="c_new", zero_first=True)


def passed(writer: str, bits: int, bus: str = "") -> Memory:
    """What one unit gives to another, of two frames."""
    return Memory(writer, (bus or writer,), bits, page="frame", writer=writer, data="out")


def ready_rows(layer: Lstm | Gru, sums: Sums, gates: Sequence[str], blocks: int) -> Memory:
    """Rows of x of some gates, from words of all gates of `blocks` blocks of elements."""
    assert sums.apart is not None
    bits, names = sums.apart.row_range().bits, gates_of(layer)
    size = len(names) * bits
    parts = [
        f"x_data[{e * size + (names.index(gate) + 1) * bits - 1}:{e * size + names.index(gate) * bits}]"
        for e in range(blocks * sums.joined.block_size)
        for gate in gates
    ]
    buses = tuple(f"x_{gate}" for gate in gates) if isinstance(layer, Lstm) else ("x",)
    data = "{" + ", ".join(reversed(parts)) + "}"
    return Memory("x", buses, bits, page="frame", data=data, element_major=True)
