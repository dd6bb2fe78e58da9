"""Which matrices of a layer share an array, and how its products are summed."""

from ernn.dataflow.transforms import multiplications
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.layout.array import Array
from ernn.hw.layout.sparse import as_dense
from ernn.hw.layout.words import Words
from ernn.program.matrices import Circulant, Matrix, Pruned, shares_sums
from ernn.program.network import Layer


def circulant(matrix: Matrix) -> Circulant:
    """A matrix as its products are described: a pruned one with its zeros."""
    return as_dense(matrix) if isinstance(matrix, Pruned) else matrix


def shares_lanes(a: Matrix, b: Matrix) -> bool:
    """Whether one array can multiply with both; formats of sums may differ."""
    return _blocks(a) == _blocks(b)


def projection_apart(layer: Layer) -> Matrix | None:
    """The projection that needs an array of its own."""
    projection = layer.matrices.get("weight_ym")
    return None if projection is None or shares_lanes(projection, layer.weight_hh) else projection


def _blocks(matrix: Matrix) -> tuple[int, str, int]:
    """What the lanes of an array must know of a matrix."""
    if isinstance(matrix, Pruned):
        return 1, "pruned", 1
    return matrix.block_size, matrix.transform.kind, multiplications(matrix.block_size, matrix.transform)


def sums_of(layer: Layer) -> Sums:
    """How a layer's products are summed: before one inverse transform, or as rows."""
    ih = Product(circulant(layer.weight_ih), layer.input)
    hh = Product(circulant(layer.weight_hh), layer.output)
    if shares_sums(layer.weight_ih, layer.weight_hh):
        return Sums(Joined((ih, hh)))
    return Sums(Joined((hh,)), Joined((ih,)))


def blocks_of(matrix: Matrix, array: Array, before: Words) -> Words:
    """Words of the vector that a matrix multiplies: as many blocks as banks take at a time and words `before` hold."""
    blocks, k = 1, circulant(matrix).block_size
    while not isinstance(matrix, Pruned) and 2 * blocks <= array.columns and 2 * blocks * k <= before.elements:
        blocks *= 2
    return Words(blocks * k, before.bits, -(-matrix.cols // (blocks * k)))
