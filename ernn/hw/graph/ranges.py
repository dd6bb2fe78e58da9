"""What products and their sums are: ranges that widths follow from, and which products share sums."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from ernn.dataflow import transforms
from ernn.dataflow.formats import LARGEST_BITS, Format, signed_bits
from ernn.dataflow.transforms import Exact, Transform
from ernn.hw.graph.graph import Graph, Wire
from ernn.hw.graph.kept import kept
from ernn.hw.graph.operators import INPUT
from ernn.program.matrices import Circulant
from ernn.program.plan import Rows


@dataclass(frozen=True)
class Range:
    """Smallest and largest value of an integer, and the bits behind its binary point."""

    low: int
    high: int
    fraction: int

    @property
    def bits(self) -> int:
        """Width of the narrowest signed integer that holds the range."""
        return signed_bits(self.low, self.high)

    def __lshift__(self, places: int) -> "Range":
        """The same numbers with so many places more."""
        return Range(self.low << places, self.high << places, self.fraction + places)

    def __or__(self, other: "Range") -> "Range":
        """The range that covers both; its fraction is that of the first."""
        return Range(min(self.low, other.low), max(self.high, other.high), self.fraction)


@dataclass(frozen=True)
class Blocks:
    """A block of a matrix and one of the vector that it multiplies: all that ranges of its products follow from."""

    block_size: int
    transform: Transform
    words: Format
    vector: Format

    def factors(self, graph: Graph) -> list[Wire]:
        """Factors of a block of the vector."""
        block = [graph.input(f"x.{n}", self.vector) for n in range(self.block_size)]
        return transforms.factors(block, self.transform)

    def weights(self, graph: Graph) -> list[Wire]:
        """Factors of a block of the matrix."""
        words = [graph.input(f"w.{n}", self.words) for n in range(self.block_size)]
        return transforms.weight_factors(words, self.transform)


# The same few are asked for again and again, by every accelerator of a search.
@lru_cache(maxsize=1024)
def _factors(blocks: Blocks) -> tuple[Range, ...]:
    return tuple(map(range_of, blocks.factors(Graph("ranges"))))


@lru_cache(maxsize=1024)
def _weight_factors(blocks: Blocks) -> tuple[Range, ...]:
    return tuple(map(range_of, blocks.weights(Graph("ranges"))))


@lru_cache(maxsize=1024)
def _sums(blocks: Blocks) -> tuple[Range, ...]:
    """Of the products of one block."""
    graph = Graph("ranges")
    factors = blocks.factors(graph)
    return tuple(map(range_of, transforms.products(blocks.weights(graph), factors, blocks.transform)))


@dataclass(frozen=True)
class Product:
    """A matrix and the vector that it multiplies: what decides ranges.

    `vector` is the vector's format.
    """

    matrix: Circulant
    vector: Format

    @property
    def block_columns(self) -> int:
        """Blocks in a block row, which is also the number of blocks of the vector."""
        return self.matrix.words.integers.shape[2]

    @property
    def summed(self) -> int:
        """Blocks of a block row whose products are summed, at most."""
        return self.matrix.longest_row

    @property
    def blocks(self) -> "Blocks":
        """What its ranges follow from."""
        return Blocks(self.matrix.block_size, self.matrix.transform, self.matrix.words.format, self.vector)

    def factors(self) -> list[Range]:
        """Ranges of the factors of a block of the vector."""
        return list(_factors(self.blocks))

    def sums(self) -> list[Range]:
        """Ranges of the sums over all blocks of a block row."""
        return self._sums

    @cached_property
    def _sums(self) -> list[Range]:
        return [Range(self.summed * p.low, self.summed * p.high, p.fraction) for p in _sums(self.blocks)]

    def weight_factors(self) -> list[Range]:
        """Ranges of the factors of a block of the matrix, behind the transform of its words."""
        return list(_weight_factors(self.blocks))

    def weight_map(self) -> np.ndarray:
        """The transform of words as a linear map: coefficients of the k words in each factor, (factors, k)."""
        found = self.blocks.weights(Graph("ranges"))
        k, vectors = self.matrix.block_size, list[np.ndarray]()
        for node in found[0].graph.nodes:
            parts = [vectors[place] for place in node.operands]
            if node.operator is INPUT:
                vectors.append(np.eye(k, dtype=np.int64)[len(vectors)])
            elif node.operator.linear is not None:
                vectors.append(node.operator.linear(node.data, *parts))
            else:
                raise AssertionError(f"{node.operator.name} is no part of a linear map of words")
        return np.stack([vectors[wire.place] for wire in found])

    def largest(self) -> int:
        """Bound of the magnitude of a row, in the fraction of exact sums."""
        return self.summed * self.matrix.block_size * -self.matrix.words.format.low * -self.vector.low


@dataclass(frozen=True)
class Joined:
    """Products that go into the same sums of a row, with equal blocks."""

    products: tuple[Product, ...]
    finest: int = -LARGEST_BITS  # a fraction that the sums have at least
    ready: int = 0  # rows at a time that come in ready, behind a kernel `rows`; 0: their sums do

    @property
    def block_size(self) -> int:
        """Side k of a block, in elements."""
        return self.products[0].matrix.block_size

    @property
    def transform(self) -> Transform:
        """Transform of the products; it is the same for all."""
        return self.products[0].matrix.transform

    @property
    def fraction(self) -> int:
        """Fraction of the sums: the largest that a product has."""
        return max(self.finest, *(product.sums()[0].fraction for product in self.products))

    def shift(self, product: Product) -> int:
        """Places by which a product's sums are shifted left to join the others."""
        return self.fraction - product.sums()[0].fraction

    def sums(self) -> list[Range]:
        """Ranges of the sums of all products together."""
        total: list[Range] = []
        for product in self.products:
            shift = self.shift(product)
            own = [each << shift for each in product.sums()]
            pairs = zip(total or [Range(0, 0, self.fraction)] * len(own), own, strict=True)
            total = [Range(a.low + b.low, a.high + b.high, a.fraction) for a, b in pairs]
        return total

    @property
    def key(self) -> Hashable:
        """Equal for sums that no kernel can tell apart."""
        return tuple((each.blocks, each.summed) for each in self.products), self.finest, self.ready

    @property
    def bits(self) -> int:
        """Width of the widest sum."""
        return max(each.bits for each in self.sums())

    def rows(self, graph: Graph, bus: str, name: str) -> list[Wire]:
        """The k rows of the sums that come in on a bus, or those that come in ready."""
        if self.ready:
            row = self.row_range()
            return [graph.input_range(f"{bus}.{n}", row.low, row.high, row.fraction) for n in range(self.ready)]
        ranges = self.sums()
        sums = [graph.input_range(f"{bus}.{n}", r.low, r.high, r.fraction) for n, r in enumerate(ranges)]
        values = transforms.combine(sums, self.block_size, self.transform, name)
        if isinstance(self.transform, Exact):
            bound = sum(product.largest() << self.shift(product) for product in self.products)
            values = [value.bounded(-bound, bound) for value in values]
        fraction = max(value.fraction for value in values)
        return [value.to_fraction(fraction) for value in values]

    def row_range(self) -> Range:
        """Range that covers every row."""
        return _row_range(replace(self, ready=0))


@kept(lambda joined: joined.key)
def _row_range(joined: Joined) -> Range:
    return union([range_of(row) for row in joined.rows(Graph("ranges"), "s", "")])


@dataclass(frozen=True)
class Sums:
    """What the rows of a gate are sums of.

    `apart` are products with other blocks than those of `joined`: their rows come in ready.
    """

    joined: Joined
    apart: Joined | None = None

    @property
    def key(self) -> Hashable:
        """Equal for sums that no kernel can tell apart."""
        return self.joined.key, self.apart and self.apart.key

    def name(self, rows: Rows) -> str:
        """Name of the sums on the buses `s`, as the integer model logs them."""
        return rows.joined if self.apart is None else rows.alone(rows.terms[-1])

    def rows(self, graph: Graph, suffix: str, rows: Rows) -> list[Wire]:
        """The k rows from the buses `s` and, for products apart, `x`; buses end in `suffix`."""
        found = self.joined.rows(graph, f"s{suffix}", self.name(rows))
        if self.apart is None:
            return found
        r = self.apart.row_range()
        ready = [graph.input_range(f"x{suffix}.{n}", r.low, r.high, r.fraction) for n in range(len(found))]
        return [x + row for x, row in zip(ready, found, strict=True)]


def stored(products: Sequence[Product], transformed: bool) -> list[Range]:
    """Ranges of a block in a lane's memory: the program's words, or the factors behind their transform."""
    if transformed:
        return [union(ranges) for ranges in zip(*(product.weight_factors() for product in products), strict=True)]
    words = [product.matrix.words.format for product in products]
    return [Range(min(f.low for f in words), max(f.high for f in words), 0)] * products[0].matrix.block_size


def of_format(format: Format) -> Range:
    """Range of a format's integers."""
    return Range(format.low, format.high, format.fraction)


def range_of(wire: Wire) -> Range:
    """Range of a node of a graph."""
    return Range(wire.low, wire.high, wire.fraction)


def union(ranges: Sequence[Range]) -> Range:
    """The range that covers all of them; its fraction is that of the first."""
    total = ranges[0]
    for each in ranges[1:]:
        total |= each
    return total
