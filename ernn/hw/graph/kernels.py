"""The kernels of a layer as graphs: `ernn.dataflow` read for the hardware.

Elements of a block are built one after the other, so that names end in the element: `a_i.3`.
"""

from collections.abc import Mapping, Sequence

from ernn.dataflow import cells, transforms
from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.hw.graph.graph import Graph, Wire
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Product, Sums, stored, union
from ernn.hw.graph.schedule import Clock
from ernn.program.matrices import Circulant
from ernn.program.network import Gru, Lstm, Output


def points(name: str, matrix: Circulant, vector: Format, clock: Clock, width: int = 0) -> Kernel:
    """Factors `f` of a block `x` of a vector, each `width` bits wide or as wide as the widest."""
    graph = Graph(name)
    block = [graph.input(f"x.{n}", vector) for n in range(matrix.block_size)]
    for n, factor in enumerate(transforms.points(block, matrix.transform)):
        graph.output(f"f.{n}", factor)
    return Kernel(graph, clock, f"factors of {matrix.block_size} elements of a vector", wide={"f": width})


def skew(column: int) -> int:
    """Cycles by which a column of a lane comes later than the first: the sum before it takes a cycle in each column."""
    return max(0, column - 1)


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
        w = w if transformed else transforms.weight_points(w, matrix.transform)
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


def rows(name: str, joined: Joined, gates: Mapping[str, str], clock: Clock, sum_bits: int = 0) -> Kernel:
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


def lstm_cell(name: str, layer: Lstm, sums: Sums, activations: Activations, clock: Clock, sum_bits: int = 0) -> Kernel:
    """c_t and y_t (m_t before a projection) of a block of cells from the sums of its gates."""
    graph, rows = Graph(name), {}
    for gate in LSTM_GATES:
        graph.scope = f".{gate}"
        rows[gate] = sums.rows(graph, f"_{gate}", "sums")
    out: list[tuple[Wire, Wire]] = []
    for n in range(len(rows["i"])):
        graph.scope = f".{n}"
        c = graph.input(f"c.{n}", layer.cell)
        bias = {gate: graph.input(f"b_{gate}.{n}", layer.bias.format) for gate in LSTM_GATES}
        peephole: Mapping[str, Wire] | None = None
        if layer.peephole is not None:
            peephole = {gate: graph.input(f"p_{gate}.{n}", layer.peephole.format) for gate in PEEPHOLES}
        total = {gate: rows[gate][n] for gate in LSTM_GATES}
        hidden = layer.hidden or layer.output
        new, m = cells.lstm_update(total, c, bias, peephole, activations, layer.cell, hidden)
        out.append((new, m if layer.hidden else m.requantize(layer.output, "y")))
    for n, (new, m) in enumerate(out):
        graph.output(f"c_new.{n}", new)
        graph.output(f"y.{n}", m)
    doc = "cell states and outputs of a block of LSTM cells"
    wide = {f"s_{gate}": sum_bits for gate in LSTM_GATES}
    wide |= {"c_new": layer.cell.bits, "y": (layer.hidden or layer.output).bits}
    return Kernel(graph, clock, doc, late=("c.", "b_", "p_", "x_"), wide=wide)


def projection(name: str, layer: Lstm, joined: Joined, clock: Clock, sum_bits: int = 0) -> Kernel:
    """y_t = W_ym m_t of a block from its sums."""
    graph = Graph(name)
    for n, row in enumerate(joined.rows(graph, "s", "sums_ym")):
        graph.scope = f".{n}"
        graph.output(f"y.{n}", row.requantize(layer.output, "y"))
    return Kernel(graph, clock, "a block of the projected output", wide={"s": sum_bits, "y": layer.output.bits})


def logits(name: str, layer: Output, joined: Joined, clock: Clock, sum_bits: int = 0) -> Kernel:
    """The logits of a block from its sums."""
    graph = Graph(name)
    for n, row in enumerate(joined.rows(graph, "s", "sums")):
        graph.scope = f".{n}"
        bias = graph.input(f"b.{n}", layer.bias.format)
        graph.output(f"y.{n}", (row + bias).requantize(layer.logits, "logits"))
    return Kernel(graph, clock, "a block of logits", late=("b.",), wide={"s": sum_bits, "y": layer.logits.bits})


def gru_gate(
    name: str, layer: Gru, gate: str, sums: Sums, activations: Activations, clock: Clock, sum_bits: int = 0
) -> Kernel:
    """z or r of a block; for a reset before the product, r . c_{t-1}."""
    graph, format = Graph(name), activations.sigmoid_table.output
    if gate == "r" and layer.reset == "before":
        format = layer.output
    for n, row in enumerate(sums.rows(graph, "", "sums", "_zr")):
        graph.scope = f".{n}"
        result = cells.gru_gate(gate, row, graph.input(f"b.{n}", layer.bias.format), activations)
        if gate == "r" and layer.reset == "before":
            result = cells.reset_before(result, graph.input(f"c.{n}", layer.cell), layer.output)
        graph.output(f"y.{n}", result)
    return Kernel(
        graph,
        clock,
        f"gate {gate} of a block of GRU cells",
        late=("c.", "b.", "x."),
        wide={"s": sum_bits, "y": format.bits},
    )


def gru_cell(name: str, layer: Gru, sums: Sums, activations: Activations, clock: Clock, sum_bits: int = 0) -> Kernel:
    """c_t and y_t of a block from the sums of its candidate, which x's don't join with a reset after the product."""
    graph, gate = Graph(name), activations.sigmoid_table.output
    rows = sums.rows(graph, "", "sums", "_n") if layer.bias_hn is None else sums.joined.rows(graph, "s", "sums_hh_n")
    for n, row in enumerate(rows):
        graph.scope = f".{n}"
        c, z = graph.input(f"c.{n}", layer.cell), graph.input(f"z.{n}", gate)
        bias = graph.input(f"b.{n}", layer.bias.format)
        if layer.bias_hn is not None and sums.apart is not None:
            r, extra = graph.input(f"r.{n}", gate), graph.input(f"h.{n}", layer.bias_hn.format)
            x = sums.apart.row_range()
            ready = graph.input_range(f"x.{n}", x.low, x.high, x.fraction)
            row = ready + cells.reset_after(row, extra, r, activations)
        new = cells.gru_update(row, bias, z, c, activations, layer.cell)
        graph.output(f"c_new.{n}", new)
        graph.output(f"y.{n}", new.requantize(layer.output, "y"))
    doc = "cell states and outputs of a block of GRU cells"
    wide = {"s": sum_bits, "c_new": layer.cell.bits, "y": layer.output.bits}
    return Kernel(graph, clock, doc, late=("c.", "b.", "z.", "r.", "h.", "x."), wide=wide)
