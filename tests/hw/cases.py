"""Kernels of a program with inputs that can occur, and what the same dataflow functions make of them on numpy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ernn.dataflow import cells, transforms
from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers, Log
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.layer import circulant, gates_of, sums_of
from ernn.program.matrices import Circulant
from ernn.program.network import Gru, Lstm, Output, Program
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
            for _ in range(product.columns):
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

    def gate(self, sums: Sums, suffix: str, name: str, gates: str = "") -> list[Integers]:
        """Rows of a gate."""
        if sums.apart is None:
            return self.rows(sums.joined, f"s{suffix}", f"{name}{gates}")
        x = self.ready(sums.apart, f"x{suffix}", sums.joined.block_size)
        own = self.rows(sums.joined, f"s{suffix}", f"{name}_hh{gates}")
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
    return transforms.products(transforms.weight_points(w, transform), transforms.points(x, transform), transform)


def combined(sums: Sequence[Integers], joined: Joined, name: str) -> list[Integers]:
    """Rows with one fraction."""
    rows = transforms.combine(sums, joined.block_size, joined.transform, name)
    fraction = max(row.fraction for row in rows)
    return [row.to_fraction(fraction) for row in rows]


def of_points(matrix: Circulant, vector: Format, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Factors of a block."""
    drawn = Drawn(seed, vectors)
    kernel = kernels.points(f"points{seed}", matrix, vector, clock, 48)
    return drawn.case(kernel, f=transforms.points(drawn.values("x", matrix.block_size, vector), matrix.transform))


def of_lane(products: Sequence[Product], columns: int, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Sums over columns, of blocks of one of the products."""
    drawn, product = Drawn(seed, vectors), products[seed % len(products)]
    k, transform, total = product.matrix.block_size, product.matrix.transform, []
    for column in range(columns):
        w = drawn.values(f"w{column}", k, product.matrix.words.format)
        x = transforms.points(drawn.values("", k, product.vector), transform)
        drawn.inputs |= {f"x{column}.{n}": each.array for n, each in enumerate(x)}
        part = transforms.products(transforms.weight_points(w, transform), x, transform)
        total = [a + b for a, b in zip(total, part, strict=True)] if total else part
    return drawn.case(kernels.lane(f"lane{seed}", products, columns, clock), s=total)


def of_rows(joined: Joined, gates: Sequence[str], seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Rows of all gates, the gates of an element together."""
    drawn = Drawn(seed, vectors)
    found = [drawn.rows(joined, f"s_{gate}", "sums_ih") for gate in gates]
    kernel = kernels.rows(f"rows{seed}", joined, {f"_{gate}": "sums_ih" for gate in gates}, clock)
    return drawn.case(kernel, y=[row for element in zip(*found, strict=True) for row in element])


def of_lstm(layer: Lstm, program: Program, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """A block of LSTM cells."""
    drawn, sums, functions, hidden = Drawn(seed, vectors), sums_of(layer), program.activations, layer.hidden
    k = sums.joined.block_size
    rows = {gate: drawn.gate(sums, f"_{gate}", "sums") for gate in LSTM_GATES}
    states, outputs = [], []
    for n in range(k):
        bias = {gate: drawn.value(f"b_{gate}.{n}", layer.bias.format) for gate in LSTM_GATES}
        peephole = None
        if layer.peephole is not None:
            peephole = {gate: drawn.value(f"p_{gate}.{n}", layer.peephole.format) for gate in PEEPHOLES}
        total, c = {gate: rows[gate][n] for gate in LSTM_GATES}, drawn.value(f"c.{n}", layer.cell)
        new, m = cells.lstm_update(total, c, bias, peephole, functions, layer.cell, hidden or layer.output)
        states.append(new)
        outputs.append(m if hidden else m.requantize(layer.output, "y"))
    kernel = kernels.lstm_cell(f"lstm{seed}", layer, sums, functions, clock, sums.joined.bits + 3)
    return drawn.case(kernel, c_new=states, y=outputs)


def of_projection(layer: Lstm, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """A block of projected outputs."""
    assert layer.hidden is not None
    drawn, joined = Drawn(seed, vectors), Joined((Product(circulant(layer.weight_ym), layer.hidden),))
    rows = drawn.rows(joined, "s", "sums_ym")
    kernel = kernels.projection(f"projection{seed}", layer, joined, clock)
    return drawn.case(kernel, y=[row.requantize(layer.output, "y") for row in rows])


def of_logits(output: Output, input: Format, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """A block of logits."""
    drawn, joined = Drawn(seed, vectors), Joined((Product(circulant(output.weight), input),))
    rows, bias = drawn.rows(joined, "s", "sums"), drawn.values("b", joined.block_size, output.bias.format)
    logits = [(row + b).requantize(output.logits, "logits") for row, b in zip(rows, bias, strict=True)]
    return drawn.case(kernels.logits(f"logits{seed}", output, joined, clock), y=logits)


def of_gru_gate(layer: Gru, gate: str, program: Program, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """Gate z or r of a block."""
    drawn, sums, functions = Drawn(seed, vectors), sums_of(layer), program.activations
    found = []
    for n, row in enumerate(drawn.gate(sums, "", "sums", "_zr")):
        result = cells.gru_gate(gate, row, drawn.value(f"b.{n}", layer.bias.format), functions)
        if gate == "r" and layer.reset == "before":
            result = cells.reset_before(result, drawn.value(f"c.{n}", layer.cell), layer.output)
        found.append(result)
    return drawn.case(kernels.gru_gate(f"gate_{gate}{seed}", layer, gate, sums, functions, clock), y=found)


def of_gru(layer: Gru, program: Program, seed: int, vectors: int, clock: Clock = CLOCK) -> Case:
    """A block of GRU cells."""
    drawn, sums, functions = Drawn(seed, vectors), sums_of(layer), program.activations
    gate, ready = functions.sigmoid_table.output, []
    if layer.bias_hn is not None:
        hh = sums.joined.products[-1]
        rows_of_x = sums.apart or Joined((sums.joined.products[0],), sums.joined.fraction)
        sums = Sums(Joined((hh,)), rows_of_x)
        ready = drawn.ready(rows_of_x, "x", sums.joined.block_size)
        rows = drawn.rows(sums.joined, "s", "sums_hh_n")
    else:
        rows = drawn.gate(sums, "", "sums", "_n")
    states, outputs = [], []
    for n, row in enumerate(rows):
        c, z = drawn.value(f"c.{n}", layer.cell), drawn.value(f"z.{n}", gate)
        bias = drawn.value(f"b.{n}", layer.bias.format)
        if layer.bias_hn is not None:
            extra = drawn.value(f"h.{n}", layer.bias_hn.format)
            row = ready[n] + cells.reset_after(row, extra, drawn.value(f"r.{n}", gate), functions)
        new = cells.gru_update(row, bias, z, c, functions, layer.cell)
        states.append(new)
        outputs.append(new.requantize(layer.output, "y"))
    kernel = kernels.gru_cell(f"gru{seed}", layer, sums, functions, clock, sums.joined.bits)
    return drawn.case(kernel, c_new=states, y=outputs)


def of_program(program: Program, seed: int, vectors: int, clock: Clock = CLOCK) -> Iterator[Case]:
    """Every kernel of a program's last layer and output layer."""
    layer = program.layers[-1]
    sums = sums_of(layer)
    for product in (*sums.joined.products, *(sums.apart.products if sums.apart else ())):
        yield of_points(product.matrix, product.vector, seed, vectors, clock)
        yield of_lane([product], 1 + seed % 3, seed, vectors, clock)
    yield of_lane(sums.joined.products, 2, seed, vectors, clock)
    if sums.apart is not None:
        yield of_rows(sums.apart, gates_of(layer), seed, vectors, clock)
    if isinstance(layer, Lstm):
        yield of_lstm(layer, program, seed, vectors, clock)
        if layer.hidden is not None:
            yield of_projection(layer, seed, vectors, clock)
    else:
        yield from (of_gru_gate(layer, gate, program, seed, vectors, clock) for gate in "rz")
        yield of_gru(layer, program, seed, vectors, clock)
    yield of_logits(program.output, layer.output, seed, vectors, clock)


def _elements(outputs: Mapping[str, Sequence[Integers]]) -> Iterator[tuple[str, int, Integers]]:
    return ((bus, n, value) for bus, values in outputs.items() for n, value in enumerate(values))
