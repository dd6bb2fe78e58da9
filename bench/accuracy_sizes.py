"""Bits and products of a network's matrices, and what gives two kinds of matrices equally many bits."""

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Literal

from ernn.dataflow import exact, fourier
from ernn.hw.layout.store import CHOSEN
from ernn.nn.acoustic import AcousticModel
from ernn.nn.matrices import PrunedWeight, SparseWeight, Weight
from ernn.params import Bits, Network
from ernn.params.compression import Densities, kept_blocks

WORD_BITS = Bits().weights
STEPS = 256  # of a density
Pattern = Literal["gate", "cell"]


def bits(model: AcousticModel) -> int:
    """Bits of the matrices: their words and indices."""
    return sum(WORD_BITS * matrix.stored_words for _, matrix in model.matrices()) + index_bits(model)


def index_bits(model: AcousticModel) -> int:
    """Bits of the indices that tell which blocks, or which single weights, of the matrices are kept.

    Gates that keep the same blocks share an index.
    """
    total = 0
    for _, matrix in model.matrices():
        if isinstance(matrix, SparseWeight):
            shared = bool((matrix.mask == matrix.mask[:1]).all())
            mask = matrix.mask[:1] if shared else matrix.mask
        elif isinstance(matrix, PrunedWeight):
            mask = matrix.mask
        else:
            continue
        total += int(mask.sum()) * CHOSEN.index_bits(mask.shape[-1])
    return total


def products(model: AcousticModel) -> int:
    """Multiplications of a frame with the cheapest transform of each block size, without those of the transforms."""
    return sum(_products(matrix) for _, matrix in model.matrices())


@cache
def equal_densities(network: Network, inputs: int, block_size: int, pattern: Pattern, equal: int) -> Densities:
    """Densities with which blocks of a size have as many bits as a circulant network of block size `equal`.

    A block row keeps a whole number of blocks. Of all pairs that come within 1 % of the bits, the one that is most
    alike for input and recurrent matrices.
    """
    wanted = _circulant_bits(network, inputs, equal)
    shapes = list(_shapes(network, inputs))
    choices = [kept / STEPS for kept in range(1, STEPS + 1)]
    of_input, of_recurrent = (
        {d: sum(_sparse_bits(*shape, block_size, pattern, d) for shape in shapes[kind::2]) for d in choices}
        for kind in (0, 1)
    )

    def order(pair: tuple[float, float]) -> tuple[bool, float, int]:
        difference = abs(of_input[pair[0]] + of_recurrent[pair[1]] - wanted)
        return difference > 0.01 * wanted, abs(pair[0] - pair[1]), difference

    best = min(itertools.product(choices, choices), key=order)
    return Densities(input=best[0], recurrent=best[1])


def equal_ratio(network: Network, inputs: int, equal: int) -> float:
    """The pruning ratio with which weights and column indices have as many bits as a circulant network."""
    dense = sum(
        gates * rows * cols * (WORD_BITS + CHOSEN.index_bits(cols)) for gates, rows, cols in _shapes(network, inputs)
    )
    return round(dense / _circulant_bits(network, inputs, equal), 3)


def _products(matrix: Weight) -> int:
    size = int(getattr(matrix, "block_size", 1))
    return matrix.stored_words // size * min(exact.multiplications(size), fourier.multiplications(size, 3))


def _shapes(network: Network, inputs: int) -> Iterator[tuple[int, int, int]]:
    """Gates, rows and columns of each matrix of the recurrent layers."""
    for cells, before in zip(network.sizes, (inputs, *network.widths), strict=False):
        yield from ((network.gates, cells, before), (network.gates, cells, cells))


def _circulant_bits(network: Network, inputs: int, size: int) -> int:
    shapes = _shapes(network, inputs)
    return sum(WORD_BITS * gates * size * -(-rows // size) * -(-cols // size) for gates, rows, cols in shapes)


def _sparse_bits(gates: int, rows: int, cols: int, size: int, pattern: Pattern, density: float) -> int:
    columns = -(-cols // size)
    blocks = -(-rows // size) * kept_blocks(columns, density)
    patterns = 1 if pattern == "cell" else gates
    return gates * blocks * size * WORD_BITS + patterns * blocks * CHOSEN.index_bits(columns)
