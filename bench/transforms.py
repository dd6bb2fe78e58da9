"""What the transforms of a block-circulant product cost and how far off they are, at equal widths."""

from typing import Any

import numpy as np
import torch

from bench.record import record
from ernn.dataflow import fourier, transforms
from ernn.dataflow.formats import Format, nearest
from ernn.dataflow.transforms import Exact, Transform
from ernn.dataflow.value import Value
from ernn.golden.integers import Integers, Log
from ernn.nn import circulant
from ernn.params import Quantization
from ernn.quantization import freeze, rules
from ernn.quantization.calibrate import packed_spectrum

COLUMNS, ROWS, VECTORS = 16, 4, 2000  # blocks of a row, rows of blocks, random vectors
BITS = (8, 12, 16)
MEASURES = ("ernn/dataflow", "ernn/nn/circulant.py", "ernn/quantization")
NOTE = (
    f"Products of random block-circulant matrices ({COLUMNS} blocks a row, normal weights) with {VECTORS} random "
    "vectors in -1..1, all with so many bits: words, vectors, sums of spectra before the inverse, result. `rms_error` "
    "is relative to the result in floating point. `multiplications` are those of one block; `constant_multiplications` "
    "those of a forward and an inverse transform together; `operands` are the bits of a block's widest product, "
    "`sum_bits` those of the exact sum over the row."
)


class Counted(Integers):
    """Integers that note the widths of their products; a product is of arrays of one block each."""

    widest: tuple[int, int] = (0, 0)
    count = 0

    def __mul__(self, other: Value) -> "Counted":
        """The product, counted."""
        Counted.count += 1
        Counted.widest = max(Counted.widest, (max(self.bits, other.bits), min(self.bits, other.bits)))
        return super().__mul__(other)  # type: ignore[arg-type, return-value]


def main() -> None:
    """Measure and record."""
    kinds = [("exact", 0), ("fourier", 4), ("fourier", 3)]
    table = [row(k, kind, products, bits) for bits in BITS for k in (2, 4, 8, 16, 32) for kind, products in kinds]
    record("transforms", table, note=NOTE)


def row(block_size: int, kind: str, products: int, bits: int) -> dict[str, Any]:
    """One transform at one width."""
    random = np.random.default_rng(block_size)
    columns = random.standard_normal((ROWS, COLUMNS, block_size))
    x = random.uniform(-1, 1, (VECTORS, COLUMNS * block_size))
    wanted = circulant.multiply(torch.from_numpy(columns), torch.from_numpy(x), ROWS * block_size).numpy()
    words, settings = columns, Quantization()
    transform: Transform = Exact()
    if kind == "fourier":
        words = packed_spectrum(torch.from_numpy(columns)).numpy()
        spectra = packed_spectrum(torch.from_numpy(wanted.reshape(VECTORS, ROWS, block_size))).numpy()
        transform = freeze.fourier(block_size, rules.choose(spectra, bits, settings), bits, products)
    word_format, vector_format = rules.choose(words, bits, settings), rules.choose(x, bits, settings)
    result_format = rules.choose(wanted, bits, settings)
    Counted.widest, Counted.count = (0, 0), 0
    got, sum_bits = multiply(words, word_format, x, vector_format, transform, result_format)
    name = kind if kind == "exact" else f"{kind}, {products} products"
    return {
        "block_size": block_size,
        "transform": name,
        "bits": bits,
        "multiplications": Counted.count,
        "dense_multiplications": block_size**2,
        "constant_multiplications": 2 * fourier.twiddle_multiplications(block_size) if kind == "fourier" else 0,
        "operands": "x".join(map(str, Counted.widest)),
        "sum_bits": sum_bits,
        "rms_error": float(np.sqrt(np.square(got - wanted).mean() / np.square(wanted).mean())),
    }


def multiply(
    words: np.ndarray, word_format: Format, x: np.ndarray, vector_format: Format, transform: Transform, result: Format
) -> tuple[np.ndarray, int]:
    """The product as the kernels compute it, (vectors, rows), and the bits of the exact sums."""
    block_size = words.shape[-1]
    weights = _typed(nearest(words, word_format), word_format)  # (rows, columns, 1) for each word
    vectors = nearest(x.reshape(VECTORS, COLUMNS, block_size), vector_format)
    block = _typed(vectors.transpose(1, 0, 2), vector_format)  # (columns, vectors)
    expanded = [Counted(w.array[:, :, None], w.low, w.high, w.fraction, w.log) for w in weights]
    parts = transforms.products(
        transforms.weight_factors(expanded, transform), transforms.factors(block, transform), transform
    )
    sums = [
        Integers(part.array.sum(axis=1), COLUMNS * part.low, COLUMNS * part.high, part.fraction, part.log)
        for part in parts
    ]
    rows = [value.requantize(result) for value in transforms.combine(sums, block_size, transform, "sums")]
    stacked = np.stack([value.array for value in rows], axis=1) * result.resolution  # (rows, k, vectors)
    return stacked.reshape(-1, VECTORS).T, max(value.bits for value in sums)


def _typed(array: np.ndarray, format: Format) -> list[Counted]:
    """One value for each place of a block."""
    return [Counted(part, format.low, format.high, format.fraction, Log()) for part in np.moveaxis(array, -1, 0)]


if __name__ == "__main__":
    main()
