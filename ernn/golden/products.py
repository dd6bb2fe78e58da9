"""Products of a program's matrices with vectors of many utterances at once."""

from collections.abc import Sequence

import numpy as np

from ernn.dataflow import transforms
from ernn.dataflow.transforms import Transform
from ernn.golden.integers import Integers, Log, Weights
from ernn.program.matrices import Matrix

Sums = Sequence[Integers]  # one for each accumulator of a block, (gates, p, utterances)


class IntegerProduct:
    """A matrix whose factors are made once; see `ernn.dataflow.transforms` for the steps of a product."""

    def __init__(self, matrix: Matrix, log: Log) -> None:
        self.matrix, self.block_size = matrix, matrix.block_size
        self._transform: Transform = matrix.transform
        filled = matrix.filled().words
        words, format = np.moveaxis(filled.integers, -1, 0), filled.format
        block = [Weights(word.astype(np.float64), format.low, format.high, format.fraction, log) for word in words]
        self._factors: list[Weights] = transforms.weight_factors(block, self._transform)

    def factors(self, v: Integers) -> list[Integers]:
        """Factors of the vector v, (cols, utterances): each (blocks, utterances)."""
        blocks = -(-self.matrix.cols // self.block_size)
        padding = blocks * self.block_size - self.matrix.cols
        array = np.pad(v.array, ((0, padding), (0, 0))) if padding else v.array
        parts = np.moveaxis(array.reshape(blocks, self.block_size, -1), 1, 0)
        block = [Integers(part, min(v.low, 0), max(v.high, 0), v.fraction, v.log) for part in parts]
        return transforms.factors(block, self._transform)

    def sums(self, factors: Sequence[Integers], gates: slice = slice(None)) -> Sums:
        """Sums of products over the columns, for some of the gates."""
        weights = self._factors
        if gates != slice(None):
            weights = [Weights(f.array[gates], f.low, f.high, f.fraction, f.log) for f in weights]
        return transforms.products(weights, factors, self._transform)

    def rows(self, sums: Sums, name: str) -> Integers:
        """The rows of the product, (gates, rows, utterances)."""
        values = transforms.combine(sums, self.block_size, self._transform, name)
        fraction = max(value.fraction for value in values)
        aligned = [value.to_fraction(fraction) for value in values]
        stacked = np.stack([value.array for value in aligned], axis=-2)
        gates, blocks, block_size, utterances = stacked.shape
        array = stacked.reshape(gates, blocks * block_size, utterances)[:, : self.matrix.rows]
        low, high = min(value.low for value in aligned), max(value.high for value in aligned)
        return Integers(array, low, high, fraction, values[0].log)


def add(a: Sums, b: Sums) -> Sums:
    """Two matrices' products in the same sums."""
    return [x + y for x, y in zip(a, b, strict=True)]


def split(rows: Integers, gates: Sequence[str]) -> dict[str, Integers]:
    """The gates one by one, (rows, utterances)."""
    return {gate: Integers(rows.array[n], rows.low, rows.high, rows.fraction, rows.log) for n, gate in enumerate(gates)}
