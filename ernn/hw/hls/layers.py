"""HLS C++ of layers: block row by block row, sums over the columns and then the kernel of the cells.

A recurrent layer's function takes y_{t-1} and leaves y_t in one array: matrices read the factors of a vector, which are
made before any of its elements is replaced.
"""

from collections.abc import Iterable

from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.ranges import Joined, Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.header import Source, apply
from ernn.hw.hls.matrices import block_size
from ernn.program.matrices import shares_sums
from ernn.program.network import Gru, Layer, Lstm, Output


def recurrent(number: int, layer: Layer, activations: Activations, clock: Clock) -> str:
    """The header of layer `number`, whose function is `layerN(x, first, y)`."""
    source = Source(f"layer{number}", f"layers.{number}", clock)
    inputs = _Inputs(source, layer)
    if isinstance(layer, Lstm):
        _lstm(source, layer, activations, inputs)
    else:
        _gru(source, layer, activations, inputs)
    arguments = (
        f"const ap_int<{layer.input.bits}> x[{layer.inputs}], const bool first, "
        f"ap_int<{layer.output.bits}> y[{layer.outputs}]"
    )
    sizes = f"{layer.inputs} inputs, {layer.cells} cells, {layer.outputs} outputs"
    return source.text(
        f"// Layer {number}: {layer.kind.upper()} of {sizes}.\n"
        "// `y` holds y_{t-1} and takes y_t; `first` begins an utterance with zeros.",
        arguments,
    )


def banks(layer: Layer) -> int:
    """Elements of y that are read or written at a time: a block."""
    return max(block_size(matrix) for name, matrix in layer.matrices.items() if name != "weight_ih")


def output(layer: Output, vector: Format, clock: Clock) -> str:
    """The header of the output layer, whose function is `output(y, logits)`."""
    source = Source("output", "output", clock)
    bias = source.table("bias", layer.bias, block_size(layer.weight))
    weight, classes = source.operand("weight", layer.weight, vector), layer.weight.rows
    joined = Joined((weight.product,))
    kernel = source.kernel(kernels.logits, "logits", layer, joined)
    body = apply(kernel, classes, {"s": "s[0]"}, {"b": bias}, {"y": "logits"})
    source.block_rows(joined, "", 0, [(weight, source.factors(weight, "y"))], body)
    arguments = f"const ap_int<{vector.bits}> y[{layer.weight.cols}], ap_int<{layer.logits.bits}> logits[{classes}]"
    return source.text(f"// Logits of {classes} classes.", arguments)


class _Inputs:
    """Both matrices of a recurrent layer, the cell state, and factors of x_t and y_{t-1}."""

    def __init__(self, source: Source, layer: Layer) -> None:
        self.source, self.cells = source, layer.cells
        self.ih = source.operand("weight_ih", layer.weight_ih, layer.input)
        self.hh = source.operand("weight_hh", layer.weight_hh, layer.output)
        self.banks = max(self.ih.block_size, self.hh.block_size)
        self.bias = source.table("bias", layer.bias, self.banks)
        ih, hh = self.ih.product, self.hh.product
        self.shared = shares_sums(layer.weight_ih, layer.weight_hh)
        self.apart = Sums(Joined((hh,)), Joined((ih,)))
        self.sums = Sums(Joined((ih, hh))) if self.shared else self.apart
        self.vector("c", layer.cell.bits, static=True)
        source.body.append(
            f"    if (first) {{\n        blocks::clear<{layer.cells}>(c);\n"
            f"        blocks::clear<{layer.outputs}>(y);\n    }}\n"
        )
        self._x, self._y = source.factors(self.ih, "x"), source.factors(self.hh, "y")

    def vector(self, name: str, bits: int, static: bool = False) -> None:
        """An element for every cell."""
        self.source.vector(name, bits, self.cells, self.banks, static)

    def rows(self, gates: str, first: int) -> None:
        """Rows of the input products of some gates, before the others: vectors `x_GATE`."""
        joined = Joined((self.ih.product,))
        kernel = self.source.kernel(kernels.rows, "ih_rows", joined, {"": "sums_ih"})
        for gate in gates:
            self.vector(f"x_{gate}", kernel.outputs["y"].width)
        body = [
            line
            for place, gate in enumerate(gates)
            for line in apply(kernel, self.cells, {"s": f"s[{place}]"}, {}, {"y": f"x_{gate}"})
        ]
        self.source.block_rows(joined, gates, first, [(self.ih, self._x)], body)

    def block_rows(self, gates: str, first: int, sums: Sums, body: Iterable[str], seen: str = "") -> None:
        """The loop over block rows of some gates; `seen` are the factors of what W_hh multiplies if not y_{t-1}."""
        parts = [(self.hh, seen or self._y)]
        if sums.apart is None:
            parts.insert(0, (self.ih, self._x))
        self.source.block_rows(sums.joined, gates, first, parts, body)


def _lstm(source: Source, layer: Lstm, activations: Activations, inputs: _Inputs) -> None:
    gates, m = "".join(LSTM_GATES), "y"
    if layer.hidden is not None:
        m = "m"
        inputs.vector(m, layer.hidden.bits)
    if not inputs.shared:
        inputs.rows(gates, 0)
    vectors = {"c": "c"} | {f"x_{gate}": f"x_{gate}" for gate in gates}
    vectors |= {f"b_{gate}": f"{inputs.bias}[{place}]" for place, gate in enumerate(gates)}
    if layer.peephole is not None:
        peephole = source.table("peephole", layer.peephole, inputs.banks)
        vectors |= {f"p_{gate}": f"{peephole}[{place}]" for place, gate in enumerate(PEEPHOLES)}
    cell = source.kernel(kernels.lstm_cell, "cell", layer, inputs.sums, activations)
    sums = {f"s_{gate}": f"s[{place}]" for place, gate in enumerate(gates)}
    inputs.block_rows(gates, 0, inputs.sums, apply(cell, layer.cells, sums, vectors, {"c_new": "c", "y": m}))
    if layer.weight_ym is not None and layer.hidden is not None:
        ym = source.operand("weight_ym", layer.weight_ym, layer.hidden)
        joined = Joined((ym.product,))
        kernel = source.kernel(kernels.projection, "projection", layer, joined)
        factors = source.factors(ym, m)
        source.block_rows(joined, "", 0, [(ym, factors)], apply(kernel, layer.outputs, {"s": "s[0]"}, {}, {"y": "y"}))


def _gru(source: Source, layer: Gru, activations: Activations, inputs: _Inputs) -> None:
    gates, bias, after = "".join(GRU_GATES), inputs.bias, layer.bias_hn is not None
    if not inputs.shared:
        inputs.rows(gates, 0)
    elif after:
        inputs.rows("n", gates.index("n"))
    results = {"z": "z", "r": "r" if after else "rc"}
    body: list[str] = []
    for place, (gate, result) in enumerate(results.items()):
        kernel = source.kernel(kernels.gru_gate, f"gate_{gate}", layer, gate, inputs.sums, activations)
        inputs.vector(result, layer.output.bits if result == "rc" else kernel.outputs["y"].width)
        vectors = {"b": f"{bias}[{place}]", "c": "c", "x": f"x_{gate}"}
        body += apply(kernel, layer.cells, {"s": f"s[{place}]"}, vectors, {"y": result})
    inputs.block_rows("zr", 0, inputs.sums, body)
    candidate = inputs.apart if after else inputs.sums
    cell = source.kernel(kernels.gru_cell, "cell", layer, candidate, activations)
    vectors = {"b": f"{bias}[2]", "c": "c", "z": "z", "r": "r", "x": "x_n"}
    if layer.bias_hn is not None:
        vectors["h"] = source.table("bias_hn", layer.bias_hn, inputs.banks)
    body = list(apply(cell, layer.cells, {"s": "s[0]"}, vectors, {"c_new": "c", "y": "y"}))
    inputs.block_rows("n", 2, candidate, body, "" if after else source.factors(inputs.hh, "rc"))
