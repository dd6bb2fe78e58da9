"""What the layers of a network have in common: settings, sums, and the memories of their units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import multiplications
from ernn.hw import kernels
from ernn.hw.architecture import Array, Layout, Thread
from ernn.hw.array_parts import Drain
from ernn.hw.array_verilog import ArrayText
from ernn.hw.kernel import Kernel
from ernn.hw.schedule import Clock
from ernn.hw.sparse import SparseArrayText, SparseLayout, SparseThread, as_dense
from ernn.hw.steps import Memory
from ernn.hw.sums import Joined, Product, Sums
from ernn.hw.words import Words
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
    transformed: bool  # weights are stored as the factors of their blocks


def circulant(matrix: Matrix) -> Circulant:
    """A matrix as its products are described: a pruned one with its zeros."""
    return as_dense(matrix) if isinstance(matrix, Pruned) else matrix


def shares_lanes(a: Matrix, b: Matrix) -> bool:
    """Whether one array can multiply with both; formats of sums may differ."""
    return _blocks(a) == _blocks(b)


def projection_apart(layer: Lstm | Gru) -> Matrix | None:
    """The projection that needs an array of its own."""
    projection = layer.weight_ym if isinstance(layer, Lstm) else None
    return None if projection is None or shares_lanes(projection, layer.weight_hh) else projection


def _blocks(matrix: Matrix) -> tuple[int, str, int]:
    """What the lanes of an array must know of a matrix."""
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
    name: str, matrix: Matrix, array: Array, threads: Sequence[Thread], drains: Sequence[Drain], shared: Shared
) -> ArrayText:
    """An array for matrices like this one, pruned or others."""
    if not isinstance(matrix, Pruned):
        dense = Layout(array, tuple(threads), shared.transformed)
        return ArrayText(name, dense, drains, shared.frame_bits, shared.streams, shared.clock, shared.memory)
    sparse = tuple(SparseThread(**{f.name: getattr(t, f.name) for f in fields(Thread)}) for t in threads)
    layout = SparseLayout(array, sparse)
    return SparseArrayText(name, layout, drains, shared.frame_bits, shared.streams, shared.clock, shared.memory)


def blocks_of(matrix: Matrix, array: Array, before: Words) -> Words:
    """Words of the vector that a matrix multiplies: as many blocks as banks take at a time and words `before` hold."""
    blocks, k = 1, circulant(matrix).block_size
    while not isinstance(matrix, Pruned) and 2 * blocks <= array.columns and 2 * blocks * k <= before.elements:
        blocks *= 2
    return Words(blocks * k, before.bits, -(-matrix.cols // (blocks * k)))


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


def rows_in_front(
    name: str, sums: Sums, spectra: Mapping[str, str], array: Array, clock: Clock, sum_bits: int
) -> tuple[Kernel | None, Sums, int]:
    """The kernel in front of one that takes a block in several beats; what that one sums, and the bits of a sum.

    Where a block's beats leave time for it, the kernel is one for all gates.

    Args:
        spectra: what golden calls the spectra of each gate, by the ends of the buses `s`.
    """
    if array.beats == 1:
        return None, sums, sum_bits
    joined, names = sums.joined, set(spectra.values())
    if 1 < len(spectra) <= array.beats and len(names) == 1:
        spectra = {"": names.pop()}
    front = kernels.rows(name, joined, spectra, clock, sum_bits)
    ready = replace(joined, ready=joined.block_size // array.beats)
    return front, replace(sums, joined=ready), joined.row_range().bits


def ready_rows(layer: Lstm | Gru, sums: Sums, gates: Sequence[str], elements: int) -> Memory:
    """Rows of x of some gates, from words of all gates of some elements."""
    assert sums.apart is not None
    bits, names = sums.apart.row_range().bits, gates_of(layer)
    size = len(names) * bits
    parts = [
        f"x_data[{e * size + (names.index(gate) + 1) * bits - 1}:{e * size + names.index(gate) * bits}]"
        for e in range(elements)
        for gate in gates
    ]
    buses = tuple(f"x_{gate}" for gate in gates) if isinstance(layer, Lstm) else ("x",)
    data = "{" + ", ".join(reversed(parts)) + "}"
    return Memory("x", buses, bits, page="frame", data=data, element_major=True)
