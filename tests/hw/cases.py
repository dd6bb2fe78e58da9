"""Kernels of a program with inputs that can occur, and what the same dataflow functions make of them on numpy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ernn.dataflow import transforms
from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers, Log
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.layer import sums_of
from ernn.program.matrices import Circulant
from ernn.program.network import Dense, Layer, Output, Program
from ernn.program.plan import Rows, Update, formats
from ernn.program.plans import OUTPUT, plan_of
from tests.hw.designs import CLOCK


@dataclass(frozen=True)
class Case:
    """A kernel; integers are (vectors,) by name, saturations are counted over all of them."""

    kernel: Kernel
    inputs: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    saturated: Mapping[str, int]

    @property
    def vectors(self) -> int:
        """How many there are."""
        return len(next(iter(self.inputs.values())))

    def vector(self, number: int) -> dict[str, int]:
        """The inputs of one."""
        return {name: int(array[number]) for name, array in self.inputs.items()}


class Drawn:
    """Random values, noted as inputs where they have a name; a quarter of the vectors has only ends of formats."""

    def __init__(self, seed: int, vectors: int) -> None:
        self.random, self.vectors = np.random.default_rng(seed), vectors
        self.inputs: dict[str, np.ndarray] = {}
        self.log = Log()

    def value(self, name: str, format: Format, log: Log | None = None) -> Integers:
        """A value of a format; in the first vectors its smallest integer and ends."""
        inside = self.random.integers(format.low, format.high, self.vectors, endpoint=True)
        ends = self.random.choice([format.low, format.high], self.vectors)
        kind = np.arange(self.vectors) % 4
        array = np.select([kind == 0, kind == 1], [np.full(self.vectors, format.low), ends], inside)
        if name:
            self.inputs[name] = array
        return Integers(array, format.low, format.high, format.fraction, self.log if log is None else log)

    def values(self, name: str, count: int, format: Format, log: Log | None = None) -> list[Integers]:
        """Elements of a bus."""
        return [self.value(name and f"{name}.{n}", format, log) for n in range(count)]

    def sums(self, joined: Joined, log: Log | None = None) -> list[Integers]:
        """Sums of products of random blocks."""
        total: list[Integers] = []
        for product in joined.products:
            for _ in range(product.summed):
                w = self.values("", joined.block_size, product.matrix.words.format, log)
                x = self.values("", joined.block_size, product.vector, log)
                part = multiplied(w, x, joined.transform)
                total = [a + b for a, b in zip(total, part, strict=True)] if total else part
        return [each.to_fraction(joined.fraction) for each in total]

    def rows(self, joined: Joined, bus: str, name: str) -> list[Integers]:
        """Rows of sums, which are inputs."""
        sums = self.sums(joined)
        for n, each in enumerate(sums):
            self.inputs[f"{bus}.{n}"] = each.array
        return combined(sums, joined, name)

    def ready(self, joined: Joined, bus: str, count: int) -> list[Integers]:
        """Rows that are inputs themselves, of as many blocks as it takes."""
        rows: list[Integers] = []
        while len(rows) < count:
            rows += combined(self.sums(joined, Log()), joined, "")
        self.inputs |= {f"{bus}.{n}": each.array for n, each in enumerate(rows[:count])}
        return [Integers(each.array, each.low, each.high, each.fraction, self.log) for each in rows[:count]]

    def gate(self, sums: Sums, suffix: str, rows: Rows) -> list[Integers]:
        """Rows of a gate."""
        if sums.apart is None:
            return self.rows(sums.joined, f"s{suffix}", rows.joined)
        x = self.ready(sums.apart, f"x{suffix}", sums.joined.block_size)
        own = self.rows(sums.joined, f"s{suffix}", rows.alone(rows.terms[-1]))
        return [a + b for a, b in zip(x, own, strict=True)]

    def case(self, kernel: Kernel, **outputs: Sequence[Integers]) -> Case:
        """A kernel and the values of its buses."""
        wanted = {f"{bus}.{n}": np.broadcast_to(value.array, self.vectors) for bus, n, value in _elements(outputs)}
        saturated = dict.fromkeys(kernel.overflows, 0)
        for name, count in self.log.saturated.items():
            saturated[name.split(".")[0]] += count
        return Case(kernel, self.inputs, wanted, saturated)


def multiplied(w: Sequence[Integers], x: Sequence[Integers], transform: transforms.Transform) -> list[Integers]:
    """The products of two blocks."""
    return transforms.products(transforms.weight_factors(w, transform), transforms.factors(x, transform), transform)


def combined(sums: Sequence[Integers], joined: Joined, name: str) -> list[Integers]:
    """Rows with one fraction."""
    rows = transforms.combine(sums, joined.block_size, joined.transform, name)
    fraction = max(row.fraction for row in rows)
    return [row.to_fraction(fraction) for row in rows]


def of_factors(matrix: Circulant, vector: Format, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Factors of a block."""
    drawn = Drawn(seed, vectors)
    kernel = kernels.factors(f"points{seed}", matrix, vector, clock, 48)
    return drawn.case(kernel, f=transforms.factors(drawn.values("x", matrix.block_size, vector), matrix.transform))


def of_lane(products: Sequence[Product], columns: int, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Sums over columns, of blocks of one of the products."""
    drawn, product = Drawn(seed, vectors), products[seed % len(products)]
    k, transform, total = product.matrix.block_size, product.matrix.transform, []
    for column in range(columns):
        w = drawn.values(f"w{column}", k, product.matrix.words.format)
        x = transforms.factors(drawn.values("", k, product.vector), transform)
        drawn.inputs |= {f"x{column}.{n}": each.array for n, each in enumerate(x)}
        part = transforms.products(transforms.weight_factors(w, transform), x, transform)
        total = [a + b for a, b in zip(total, part, strict=True)] if total else part
    return drawn.case(kernels.lane(f"lane{seed}", products, columns, clock), s=total)


def of_rows(joined: Joined, gates: Sequence[str], seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Rows of all gates, the gates of an element together."""
    drawn = Drawn(seed, vectors)
    found = [drawn.rows(joined, f"s_{gate}", "sums_ih") for gate in gates]
    kernel = kernels.joined_rows(f"rows{seed}", joined, {f"_{gate}": "sums_ih" for gate in gates}, clock)
    return drawn.case(kernel, y=[row for element in zip(*found, strict=True) for row in element])


def of_update(program: Program, name: str, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """An update of the last layer, by its name."""
    layer = program.layers[-1]
    update = next(each for each in plan_of(layer.kind, layer).updates if each.name == name)
    drawn = Drawn(seed, vectors)
    return _of_update(f"{update.module}{seed}", update, layer, _sums(update, layer), program.activations, drawn, clock)


def _of_update(
    module: str,
    update: Update,
    layer: Layer | Dense | Output,
    sums: Sums,
    functions: Activations,
    drawn: Drawn,
    clock: Clock,
) -> Case:
    k = sums.joined.block_size
    if update.ready is None:
        rows = {bus: drawn.gate(sums, bus.removeprefix("s"), update.rows) for bus in update.buses.values()}
    else:
        assert sums.apart is not None
        rows = {"x": drawn.ready(sums.apart, "x", k), "s": drawn.rows(sums.joined, "s", update.rows.joined)}
    results: dict[str, list[Integers]] = {}
    for n in range(k):
        given = {bus: each[n] for bus, each in rows.items()}
        for each in update.constants:
            given |= {name: drawn.value(f"{name}.{n}", getattr(layer, each.field).format) for name in each.names}
        for name in update.reads:
            given[name] = drawn.value(f"{name}.{n}", kernels.format_of(name, layer, functions))
        for name, value in update.kernel(given, functions, formats(layer)).items():
            results.setdefault("y" if name == update.result else f"{name}_new", []).append(value)
    kernel = kernels.update(module, update, layer, sums, functions, clock, sums.joined.bits + 3 * update.together)
    return drawn.case(kernel, **results)


def _sums(update: Update, layer: Layer) -> Sums:
    """How the products of an update are summed."""
    sums = sums_of(layer)
    if update.gates and update.ready is None:
        return sums
    if update.gates:
        of_x = sums.apart or Joined((sums.joined.products[0],), sums.joined.fraction)
        return Sums(Joined((sums.joined.products[-1],)), of_x)
    (term,) = update.rows.terms
    return Sums(Joined((Product(layer.matrices[term.matrix].filled(), kernels.format_of(term.vector, layer, None)),)))


def of_program(program: Program, seed: int, vectors: int, clock: Clock = CLOCK) -> Iterator[Case]:
    """Every kernel of a program's last recurrent layer, its head and its output layer."""
    layer = program.layers[-1]
    sums, plan = sums_of(layer), plan_of(layer.kind, layer)
    for product in (*sums.joined.products, *(sums.apart.products if sums.apart else ())):
        yield of_factors(product.matrix, product.vector, seed, vectors, clock)
        yield of_lane([product], 1 + seed % 3, seed, vectors, clock)
    yield of_lane(sums.joined.products, 2, seed, vectors, clock)
    if sums.apart is not None:
        yield of_rows(sums.apart, plan.gates, seed, vectors, clock)
    for update in plan.updates:
        yield of_update(program, update.name, seed, vectors, clock)
    linear = [(each, each.input, plan_of(each.kind, each).updates[0]) for each in program.head]
    linear += [(program.output, program.stack[-1].output, OUTPUT.updates[0])] if program.output else []
    for number, (each, vector, update) in enumerate(linear):
        product, drawn = Product(each.weight.filled(), vector), Drawn(seed, vectors)
        yield of_factors(product.matrix, vector, seed, vectors, clock)
        yield of_lane([product], 1 + seed % 3, seed, vectors, clock)
        name = f"{update.module}{number}_{seed}"
        yield _of_update(name, update, each, Sums(Joined((product,))), program.activations, drawn, clock)


def _elements(outputs: Mapping[str, Sequence[Integers]]) -> Iterator[tuple[str, int, Integers]]:
    return ((bus, n, value) for bus, values in outputs.items() for n, value in enumerate(values))
