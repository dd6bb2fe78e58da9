"""Layers without feedback: the output layer, and products of x with other blocks than those of y."""

from ernn.dataflow.formats import Format
from ernn.hw import kernels
from ernn.hw.architecture import Array, Thread
from ernn.hw.array_verilog import Condition, Drain
from ernn.hw.kernels import Joined, Product
from ernn.hw.layer_parts import Shared, array_text, circulant, constants, gates_of, sums_of
from ernn.hw.layer_verilog import LayerText, Words
from ernn.hw.unit_verilog import Unit
from ernn.program import Gru, Lstm, Output
from ernn.program_matrices import Numbers


def rows_of_x(name: str, layer: Lstm | Gru, array: Array, source: Words, shared: Shared) -> LayerText:
    """Products of x for a layer whose sums they do not join: rows, those of all gates of a cell together."""
    apart = sums_of(layer).apart
    assert apart is not None
    product, gates = apart.products[0], gates_of(layer)
    thread = Thread("ih", product, "x", array, tuple(range(len(gates))), 0, side_by_side=True, drains="rows")
    text = array_text(name, False, array, [thread], [Drain("rows", apart)], shared)
    k = product.matrix.block_size
    made = LayerText(text, source, Words(k, len(gates) * apart.row_range().bits, thread.rows), shared.streams)
    made.doc = f"products of {layer.inputs} inputs for {layer.cells} cells"
    spectra = {f"_{gate}": f"sums_ih{_ending(layer, gate)}" for gate in gates}
    kernel = kernels.rows(f"{name}_rows", apart, spectra, shared.clock, text.sum_bits)
    sums = tuple(f"s_{gate}" for gate in gates)
    return _finished(
        made, Unit("rows", 0, kernel, sums, 1, layer.cells, thread.groups * array.chain, k, shared.streams)
    )


def output(name: str, layer: Output, input: Format, array: Array, source: Words, shared: Shared) -> LayerText:
    """The output layer."""
    product = Product(circulant(layer.weight), input)
    joined, k = Joined((product,)), product.matrix.block_size
    thread = Thread("ih", product, "x", array, (0,), 0, drains="logits")
    text = array_text(name, False, array, [thread], [Drain("logits", joined)], shared)
    sink = Words(array.heads * k, layer.logits.bits, -(-thread.rows // array.heads))
    made = LayerText(text, source, sink, shared.streams)
    made.doc = f"logits of {layer.weight.rows} classes from {layer.weight.cols} elements"
    kernel = kernels.logits(f"{name}_logits", layer, joined, shared.clock, text.sum_bits)
    memories = (constants("bias", "b", "", Numbers(layer.bias.format, layer.bias.integers[None])),)
    steps = thread.groups * array.chain
    unit = Unit("logits", 0, kernel, ("s",), array.heads, layer.weight.rows, steps, k, shared.streams, memories)
    return _finished(made, unit)


def _finished(layer: LayerText, unit: Unit) -> LayerText:
    layer.add_x()
    layer.add_unit(unit)
    layer.add_output(unit)
    layer.body.append("    assign reserve = ih_go && ih_opens;\n")
    layer.conditions = {"ih": Condition(always="ih_x", opens="room")}
    return layer


def _ending(layer: Lstm | Gru, gate: str) -> str:
    """What the integer model adds to the names of a gate's sums."""
    if isinstance(layer, Lstm):
        return ""
    return "_n" if gate == "n" else "_zr"
