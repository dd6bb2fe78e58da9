"""Modules without feedback: the output layer, and matrices with other blocks than the recurrent one's."""

from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.ranges import Joined, Product
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.layer import circulant, gates_of, sums_of
from ernn.hw.layout.words import Words
from ernn.hw.verilog.common import Shared, array_hardware, constants
from ernn.hw.verilog.interfaces import Condition, Drain
from ernn.hw.verilog.items import Assign
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.unit import Unit
from ernn.program.matrices import Numbers, Pruned
from ernn.program.network import Gru, Lstm, Output


def rows_of_x(name: str, layer: Lstm | Gru, array: Array, source: Words, shared: Shared) -> LayerHardware:
    """Products of x for a layer whose sums they do not join: rows, those of all gates of a cell together."""
    apart = sums_of(layer).apart
    assert apart is not None
    product, gates = apart.products[0], gates_of(layer)
    thread = Thread("ih", product, "x", array, tuple(range(len(gates))), 0, side_by_side=True, drains="rows")
    hardware = array_hardware(name, layer.weight_ih, array, [thread], [Drain("rows", apart)], shared)
    k = product.matrix.block_size
    made = LayerHardware(hardware, source, Words(k, len(gates) * apart.row_range().bits, thread.rows), shared.streams)
    made.doc = f"products of {layer.inputs} inputs for {layer.cells} cells"
    spectra = {f"_{gate}": f"sums_ih{_ending(layer, gate)}" for gate in gates}
    kernel = kernels.rows(f"{name}_rows", apart, spectra, shared.clock, hardware.sum_bits)
    sums = tuple(f"s_{gate}" for gate in gates)
    steps = thread.groups * array.chain
    return _finished(made, Unit("rows", 1, layer.cells, k, shared.streams, 0, kernel, sums, steps))


def projection(name: str, layer: Lstm, array: Array, source: Words, shared: Shared) -> LayerHardware:
    """The projection of a layer, with other blocks than those of y: columns of m are taken as they come."""
    assert layer.weight_ym is not None
    assert layer.hidden is not None
    product = Product(circulant(layer.weight_ym), layer.hidden)
    joined, k, by_step = Joined((product,)), product.matrix.block_size, not isinstance(layer.weight_ym, Pruned)
    thread = Thread("ih", product, "x", array, (0,), 0, by_step=by_step, drains="y")
    hardware = array_hardware(name, layer.weight_ym, array, [thread], [Drain("y", joined)], shared)
    sink = Words(array.heads * k, layer.output.bits, -(-thread.rows // array.heads))
    made = LayerHardware(hardware, source, sink, shared.streams)
    made.doc = f"{layer.outputs} outputs from {layer.cells} cells"
    kernel = kernels.projection(f"{name}_projection", layer, joined, shared.clock, hardware.sum_bits)
    steps = thread.groups * array.chain
    unit = Unit("projection", array.heads, layer.outputs, k, shared.streams, 0, kernel, ("s",), steps)
    return _takes_columns(_finished(made, unit))


def output(name: str, layer: Output, input: Format, array: Array, source: Words, shared: Shared) -> LayerHardware:
    """The output layer: columns are taken as they come."""
    product = Product(circulant(layer.weight), input)
    joined, k = Joined((product,)), product.matrix.block_size
    by_step = not isinstance(layer.weight, Pruned)
    thread = Thread("ih", product, "x", array, (0,), 0, by_step=by_step, drains="logits")
    hardware = array_hardware(name, circulant(layer.weight), array, [thread], [Drain("logits", joined)], shared)
    sink = Words(array.heads * k, layer.logits.bits, -(-thread.rows // array.heads))
    made = LayerHardware(hardware, source, sink, shared.streams)
    made.doc = f"logits of {layer.weight.rows} classes from {layer.weight.cols} elements"
    kernel = kernels.logits(f"{name}_logits", layer, joined, shared.clock, hardware.sum_bits)
    memories = (constants("bias", "b", "", Numbers(layer.bias.format, layer.bias.integers[None])),)
    steps = thread.groups * array.chain
    sizes = (array.heads, layer.weight.rows, k, shared.streams)
    unit = Unit("logits", *sizes, 0, kernel, ("s",), steps, memories)
    return _takes_columns(_finished(made, unit))


def _takes_columns(layer: LayerHardware) -> LayerHardware:
    """Products of a column begin as soon as it is there."""
    layer.body += layer.available("ih")
    layer.conditions = {"ih": Condition(always="ih_has", opens="room")}
    return layer


def _finished(layer: LayerHardware, unit: Unit) -> LayerHardware:
    layer.add_x()
    layer.add_unit(unit)
    layer.add_output(unit)
    layer.body.append(Assign("reserve", "ih_go && ih_opens"))
    layer.conditions = {"ih": Condition(always="ih_x", opens="room")}
    return layer


def _ending(layer: Lstm | Gru, gate: str) -> str:
    """What the integer model adds to the names of a gate's sums."""
    if isinstance(layer, Lstm):
        return ""
    return "_n" if gate == "n" else "_zr"
