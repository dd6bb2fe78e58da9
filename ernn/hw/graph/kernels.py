"""The kernels of a layer as graphs: `ernn.dataflow` read for the hardware.

Elements of a block are built one after the other, so that names end in the element: `a_i.3`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

from ernn.dataflow import transforms
from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.hw.graph.graph import Graph, Wire
from ernn.hw.graph.kept import kept
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product, Range, Sums, of_format, stored, union
from ernn.hw.graph.schedule import Clock
from ernn.program.matrices import Circulant
from ernn.program.network import Dense, Layer, Output
from ernn.program.plan import GATE, VALUES, Update, formats


@kept(
    lambda name, matrix, vector, clock, width=0: (name, matrix.block_size, matrix.transform, vector, clock, width),
)
def factors(name: str, matrix: Circulant, vector: Format, clock: Clock, width: int = 0) -> Kernel:
    """Factors `f` of a block `x` of a vector, each `width` bits wide or as wide as the widest."""
    graph = Graph(name)
    block = [graph.input(f"x.{n}", vector) for n in range(matrix.block_size)]
    for n, factor in enumerate(transforms.factors(block, matrix.transform)):
        graph.output(f"f.{n}", factor)
    return Kernel(graph, clock, f"factors of {matrix.block_size} elements of a vector", wide={"f": width})


def skew(column: int) -> int:
    """Cycles by which a column of a lane comes later than the first: the sum before it takes a cycle in each column."""
    return max(0, column - 1)


def _lane_key(
    name: str,
    products: Sequence[Product],
    columns: int,
    clock: Clock,
    transformed: bool = False,
    shifts: Sequence[int] = (),
) -> Hashable:
    return name, tuple(product.blocks for product in products), columns, clock, transformed, tuple(shifts)


@kept(_lane_key)
def lane(
    name: str,
    products: Sequence[Product],
    columns: int,
    clock: Clock,
    transformed: bool = False,
    shifts: Sequence[int] = (),
) -> Kernel:
    """Sums `s` over `columns` blocks of weights `w0`, `w1`, .. times factors `x0`, `x1`, .. of a vector.

    The products of a sum are added one after the other, each where it is made; so columns come in one after the other.

    Args:
        transformed: weights come in as factors.
        shifts: places by which the factors of each product's vector are shifted left.
    """
    graph, matrix = Graph(name), products[0].matrix
    weights = stored(products, transformed)
    shifted = [
        [factor << shift for factor in product.factors()]
        for product, shift in zip(products, shifts or [0] * len(products), strict=True)
    ]
    factors = [union(ranges) for ranges in zip(*shifted, strict=True)]
    totals: list[Wire] = []
    for column in range(columns):
        w = [graph.input_range(f"w{column}.{n}", r.low, r.high, 0) for n, r in enumerate(weights)]
        x = [graph.input_range(f"x{column}.{n}", r.low, r.high, 0) for n, r in enumerate(factors)]
        w = w if transformed else transforms.weight_factors(w, matrix.transform)
        if not totals:
            totals = transforms.products(w, x, matrix.transform)
        elif transforms.sums_products(matrix.transform):
            totals = [a.multiply_add(b, total) for a, b, total in zip(x, w, totals, strict=True)]
        else:
            parts = transforms.products(w, x, matrix.transform)
            totals = [total + part for total, part in zip(totals, parts, strict=True)]
    for n, total in enumerate(totals):
        graph.output(f"s.{n}", total)
    width = max(signed.bits for signed in (graph.nodes[place] for place in graph.outputs.values()))
    doc = f"products of {columns} block{'s' * (columns > 1)} of {matrix.block_size} x {matrix.block_size}, summed"
    factor_width = max(r.bits for r in factors)
    wide = {f"x{column}": factor_width for column in range(columns)} | {"s": width}
    wide |= {f"w{column}": max(r.bits for r in weights) for column in range(columns)}
    comes = {f"w{column}.": skew(column) for column in range(columns)}
    return Kernel(graph, clock, doc, late=[f"x{column}." for column in range(columns)], comes=comes, wide=wide)


@kept(
    lambda name, joined, gates, clock, sum_bits=0: (name, joined.key, tuple(gates.items()), clock, sum_bits),
)
def joined_rows(name: str, joined: Joined, gates: Mapping[str, str], clock: Clock, sum_bits: int = 0) -> Kernel:
    """Rows `y` of a block, all gates of an element together, for products that are apart.

    Args:
        gates: what golden calls the spectra of each gate, by the ends of the buses `s`.
        sum_bits: of an element of the buses of sums, here and in the other kernels: as many as they need, or more.
    """
    graph, found = Graph(name), []
    for suffix, spectrum in gates.items():
        graph.scope = suffix.replace("_", ".")
        found.append(joined.rows(graph, f"s{suffix}", spectrum))
    for n, row in enumerate(row for element in zip(*found, strict=True) for row in element):
        graph.output(f"y.{n}", row)
    wide = {"y": joined.row_range().bits} | {f"s{suffix}": sum_bits for suffix in gates}
    return Kernel(graph, clock, "rows of a block", wide=wide)


class _Inputs(Mapping[str, Wire]):
    """Values of one element of a block; an input of the graph is made when a kernel first reads it."""

    def __init__(self, graph: Graph, element: int, rows: Mapping[str, Wire], ranges: Mapping[str, Range]) -> None:
        self._graph, self._element, self._found, self._ranges = graph, element, dict(rows), ranges

    def __getitem__(self, name: str) -> Wire:
        if name not in self._found:
            r = self._ranges[name]
            self._found[name] = self._graph.input_range(f"{name}.{self._element}", r.low, r.high, r.fraction)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter({*self._found, *self._ranges})

    def __len__(self) -> int:
        return len({*self._found, *self._ranges})


def _update_key(
    name: str,
    update: Update,
    layer: Layer | Dense | Output,
    sums: Sums,
    activations: Activations | None,
    clock: Clock,
    sum_bits: int = 0,
) -> Hashable:
    constants = tuple(getattr(layer, each.field).format for each in update.constants)
    return name, update, tuple(sorted(formats(layer).items())), constants, sums.key, activations, clock, sum_bits


@kept(_update_key)
def update(
    name: str,
    update: Update,
    layer: Layer | Dense | Output,
    sums: Sums,
    activations: Activations | None,
    clock: Clock,
    sum_bits: int = 0,
) -> Kernel:
    """An update of a block: its result `y` and, where it keeps a state, `c_new`, from the sums `s` of its gates.

    Args:
        sums: how the products of its rows are summed; of rows that the kernel takes by themselves, `apart`.
        activations: sigma and tanh; None for a kernel without them.
        sum_bits: of an element of the buses of sums, here and in the other kernels: as many as they need, or more.
    """
    graph, rows = Graph(name), dict[str, list[Wire]]()
    for gate, bus in update.buses.items():
        graph.scope = f".{gate}" if update.together else ""
        if update.ready is None:
            rows[bus] = sums.rows(graph, bus.removeprefix("s"), update.rows)
        else:
            rows[bus] = sums.joined.rows(graph, bus, update.rows.joined)
    ranges, rounded = _ranges(update, layer, sums, activations), formats(layer)
    for n in range(len(next(iter(rows.values())))):
        graph.scope = f".{n}"
        inputs = _Inputs(graph, n, {bus: row[n] for bus, row in rows.items()}, ranges)
        made = update.kernel(inputs, activations, rounded)
        if update.keeps:
            graph.output(f"{update.keeps}_new.{n}", made[update.keeps])
        graph.output(f"y.{n}", made[update.result])
    wide = dict.fromkeys(update.buses.values(), sum_bits)
    wide["y"] = format_of(update.result, layer, activations).bits
    if update.keeps:
        wide[f"{update.keeps}_new"] = format_of(update.keeps, layer, activations).bits
    memories = [f"{each.name}_" if each.gates else f"{each.name}." for each in update.constants]
    late = [*memories, *(f"{bus}." for bus in update.reads), "x"]  # the buses of a memory are read together
    return Kernel(graph, clock, update.doc, late=late, wide=wide)


def format_of(value: str, layer: Layer | Dense | Output, activations: Activations | None) -> Format:
    """Format of a vector, a state or a result of an update, by its name."""
    if VALUES[value] == GATE:
        assert activations is not None
        return activations.sigmoid_table.output
    return formats(layer)[VALUES[value]]


def _ranges(
    update: Update, layer: Layer | Dense | Output, sums: Sums, activations: Activations | None
) -> dict[str, Range]:
    """Ranges of the constants, states and vectors that an update reads in addition to its rows, by bus."""
    found = {bus: of_format(getattr(layer, each.field).format) for each in update.constants for bus in each.names}
    found |= {each: of_format(format_of(each, layer, activations)) for each in update.reads}
    if update.ready is not None:
        assert sums.apart is not None
        found["x"] = sums.apart.row_range()
    return found
