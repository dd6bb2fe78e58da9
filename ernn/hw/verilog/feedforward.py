"""Modules without feedback: linear layers, and matrices with other blocks than the recurrent one's."""

from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.ranges import Joined, Product, Sums
from ernn.hw.layout.array import Array, Thread
from ernn.hw.layout.layer import sums_of
from ernn.hw.layout.store import store_of
from ernn.hw.layout.words import Words
from ernn.hw.verilog.common import Context, array_hardware, constants
from ernn.hw.verilog.interfaces import Condition, Drain
from ernn.hw.verilog.items import Assign
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.unit import Unit
from ernn.program.matrices import Matrix, Numbers
from ernn.program.network import Dense, Layer, Output
from ernn.program.plan import Update
from ernn.program.plans import OUTPUT, plan_of


def rows_of_x(name: str, layer: Layer, array: Array, source: Words, context: Context) -> LayerHardware:
    """Products of x for a layer whose sums they do not join: rows, those of all gates of a cell together."""
    apart, plan = sums_of(layer).apart, plan_of(layer.kind, layer)
    assert apart is not None
    product, gates = apart.products[0], plan.gates
    store, sections = store_of(layer.weight_ih), tuple(range(len(gates)))
    thread = Thread("ih", product, "x", array, store, sections, 0, side_by_side=True, drains="rows")
    hardware = array_hardware(name, array, [thread], [Drain("rows", apart)], context)
    k = product.matrix.block_size
    made = LayerHardware(hardware, source, Words(k, len(gates) * apart.row_range().bits, thread.rows), context.streams)
    made.doc = f"products of {layer.inputs} inputs for {layer.cells} cells"
    spectra = {f"_{gate}": _rows_of_x(plan.of_gate(gate)) for gate in gates}
    kernel = kernels.joined_rows(f"{name}_rows", apart, spectra, context.clock, hardware.sum_bits)
    sums = tuple(f"s_{gate}" for gate in gates)
    steps = thread.groups * array.chain
    return _finished(made, Unit("rows", 1, layer.cells, k, context.streams, 0, kernel, sums, steps), thread.name)


def projection(name: str, layer: Layer, update: Update, array: Array, source: Words, context: Context) -> LayerHardware:
    """The projection of a layer, with other blocks than those of y; it starts with the first block of m."""
    made = _columns(name, "ym", layer, update, kernels.format_of("m", layer, None), array, source, context)
    made.doc = f"{layer.outputs} outputs from {layer.cells} cells"
    return made


def output(name: str, layer: Output, input: Format, array: Array, source: Words, context: Context) -> LayerHardware:
    """The output layer; it starts with the first block of y."""
    made = _columns(name, "logit", layer, OUTPUT.updates[0], input, array, source, context)
    made.doc = f"logits of {layer.weight.rows} classes from {layer.weight.cols} elements"
    return made


def dense(name: str, layer: Dense, array: Array, source: Words, context: Context) -> LayerHardware:
    """A linear layer of the head; it starts with the first block of its vector."""
    update = plan_of(layer.kind, layer).updates[0]
    made = _columns(name, "columns", layer, update, layer.input, array, source, context)
    made.doc = f"{layer.outputs} outputs ({layer.function}) from {layer.inputs} elements"
    return made


def _columns(
    name: str,
    thread_name: str,
    layer: Layer | Dense | Output,
    update: Update,
    input: Format,
    array: Array,
    source: Words,
    context: Context,
) -> LayerHardware:
    """An update of one matrix, whose products with a block of the vector start as soon as the block arrives."""
    matrix: Matrix = getattr(layer, update.rows.terms[0].matrix)
    product, store, k = Product(matrix.filled(), input), store_of(matrix), matrix.block_size
    joined = Joined((product,))
    thread = Thread(thread_name, product, "x", array, store, (0,), 0, by_step=store.by_step, drains=update.result)
    hardware = array_hardware(name, array, [thread], [Drain(update.result, joined)], context)
    bits = kernels.format_of(update.result, layer, None).bits
    sink = Words(array.heads * k, bits, -(-thread.rows // array.heads))
    made = LayerHardware(hardware, source, sink, context.streams)
    sums, module = Sums(joined), f"{name}_{update.module}"
    functions = context.activations if isinstance(layer, Dense) and layer.function != "clip" else None
    kernel = kernels.update(module, update, layer, sums, functions, context.clock, hardware.sum_bits)
    memories = []
    for each in update.constants:
        numbers: Numbers = getattr(layer, each.field)
        memories.append(constants(each.field, each.names, Numbers(numbers.format, numbers.integers[None])))
    sizes = (array.heads, matrix.rows, k, context.streams)
    unit = Unit(update.name, *sizes, 0, kernel, ("s",), thread.groups * array.chain, tuple(memories))
    _finished(made, unit, thread_name)
    made.body += made.available(thread_name)
    made.conditions = {thread_name: Condition(always=f"{thread_name}_has", opens="room")}
    return made


def _rows_of_x(update: Update) -> str:
    """Name of the sums of x that an update takes."""
    return update.ready.joined if update.ready else update.rows.alone(update.rows.terms[0])


def _finished(layer: LayerHardware, unit: Unit, thread: str) -> LayerHardware:
    layer.add_x(thread)
    layer.add_unit(unit)
    layer.add_output(unit)
    layer.body.append(Assign("reserve", f"{thread}_go && {thread}_opens"))
    layer.conditions = {thread: Condition(always=f"{thread}_x", opens="room")}
    return layer
