"""Which matrices of a layer share an array, and how its products are summed."""

from ernn.dataflow.transforms import multiplications
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.layout.array import Array
from ernn.hw.layout.store import store_of
from ernn.hw.layout.words import Words
from ernn.program.matrices import Matrix, Sparse, shares_sums
from ernn.program.network import Layer


def shares_lanes(a: Matrix, b: Matrix) -> bool:
    """Whether one array can multiply with both; formats of sums may differ."""
    return _blocks(a) == _blocks(b)


def projection_apart(layer: Layer) -> Matrix | None:
    """The projection that needs an array of its own."""
    projection = layer.matrices.get("weight_ym")
    return None if projection is None or shares_lanes(projection, layer.weight_hh) else projection


def _blocks(matrix: Matrix) -> tuple[str, bool, int, str, int]:
    """What the lanes of an array must know of a matrix."""
    k, transform = matrix.block_size, matrix.transform
    shared = isinstance(matrix, Sparse) and matrix.shared  # lanes of all gates read one block, which rows alone do not
    return matrix.kind, shared, k, transform.kind, multiplications(k, transform)


def sums_of(layer: Layer) -> Sums:
    """How a layer's products are summed: before one inverse transform, or as rows."""
    ih = Product(layer.weight_ih.filled(), layer.input)
    hh = Product(layer.weight_hh.filled(), layer.output)
    if shares_sums(layer.weight_ih, layer.weight_hh):
        return Sums(Joined((ih, hh)))
    return Sums(Joined((hh,)), Joined((ih,)))


def blocks_of(matrix: Matrix, array: Array, before: Words) -> Words:
    """Words of the vector that a matrix multiplies: as many blocks as are written at a time and words `before` hold."""
    blocks, k, writes = 1, matrix.block_size, store_of(matrix).writes(array.columns)
    while 2 * blocks <= writes and 2 * blocks * k <= before.elements:
        blocks *= 2
    return Words(blocks * k, before.bits, -(-matrix.cols // (blocks * k)))
