"""HLS C++ of layers: block row by block row, sums over the columns and then the kernels of the cells.

A recurrent layer's function takes y_{t-1} and leaves y_t in one array: matrices read the factors of a vector, which are
made before any of its elements is replaced.
"""

from collections.abc import Iterator

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.header import Source, apply
from ernn.hw.hls.matrices import MatrixOperand
from ernn.program.matrices import shares_sums
from ernn.program.network import Dense, Layer, Output
from ernn.program.plan import VALUES, Rows, Term, Update
from ernn.program.plans import OUTPUT, plan_of


def recurrent(number: int, layer: Layer, activations: Activations, clock: Clock) -> str:
    """The header of layer `number`, whose function is `layerN(x, first, y)`."""
    source = Source(f"layer{number}", f"layers.{number}", clock)
    _Layer(source, layer, activations).write()
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
    return max(matrix.block_size for name, matrix in layer.matrices.items() if name != "weight_ih")


def output(layer: Output, vector: Format, clock: Clock) -> str:
    """The header of the output layer, whose function is `output(y, logits)`."""
    source, classes = Source("output", "output", clock), layer.weight.rows
    _linear(source, layer, vector, OUTPUT.updates[0], None, ("y", "logits"))
    arguments = f"const ap_int<{vector.bits}> y[{layer.weight.cols}], ap_int<{layer.logits.bits}> logits[{classes}]"
    return source.text(f"// Logits of {classes} classes.", arguments)


def dense(number: int, layer: Dense, activations: Activations, clock: Clock) -> str:
    """The header of layer `number` of the head, whose function is `headN(x, y)`."""
    source = Source(f"head{number}", f"head.{number}", clock)
    functions = None if layer.function == "clip" else activations
    _linear(source, layer, layer.input, plan_of(layer.kind, layer).updates[0], functions, ("x", "y"))
    arguments = f"const ap_int<{layer.input.bits}> x[{layer.inputs}], ap_int<{layer.output.bits}> y[{layer.outputs}]"
    return source.text(f"// Layer {number} of the head: {layer.outputs} outputs, {layer.function}.", arguments)


def _linear(
    source: Source,
    layer: Dense | Output,
    vector: Format,
    update: Update,
    activations: Activations | None,
    names: tuple[str, str],
) -> None:
    """Write the loop over block rows of a layer of one matrix; `names` are of its vector and of its result."""
    bias = source.table("bias", layer.bias, layer.weight.block_size)
    weight = source.operand("weight", layer.weight, vector)
    joined = Joined((weight.product,))
    kernel = source.kernel(kernels.update, update.module, update, layer, Sums(joined), activations)
    body = apply(kernel, layer.weight.rows, {"s": "s[0]"}, {"b": bias}, {"y": names[1]})
    source.block_rows(joined, "", 0, [(weight, source.factors(weight, names[0]))], body)


class _Layer:
    """A recurrent layer: its plan, written step by step into a header."""

    def __init__(self, source: Source, layer: Layer, activations: Activations) -> None:
        self.source, self.layer, self.activations, self.plan = source, layer, activations, plan_of(layer.kind, layer)
        terms = [term for rows in self.plan.rows for term in rows.terms]
        self.operands = {name: self._operand(name, terms) for name in dict.fromkeys(term.matrix for term in terms)}
        self.banks = max(self.operands[name].block_size for name in ("weight_ih", "weight_hh"))
        self.shared = shares_sums(layer.weight_ih, layer.weight_hh)
        self._factors: dict[Term, str] = {}
        self._tables: dict[str, str] = {}

    def _operand(self, name: str, terms: list[Term]) -> MatrixOperand:
        vector = next(term.vector for term in terms if term.matrix == name)
        return self.source.operand(name, getattr(self.layer, name), getattr(self.layer, VALUES[vector]))

    def write(self) -> None:
        """Write the loops of all stages of the plan."""
        layer, states = self.layer, [name for name in self.plan.states if name != self.plan.result]
        for name in states:
            self._vector(name, kernels.format_of(name, layer, self.activations).bits, static=True)
        cleared = [*((name, getattr(layer, self.plan.states[name])) for name in states), ("y", layer.outputs)]
        clears = "".join(f"        blocks::clear<{size}>({name});\n" for name, size in cleared)
        self.source.body.append(f"    if (first) {{\n{clears}    }}\n")
        for rows, _ in self.plan.stages:  # of vectors of the frame before, before any is replaced
            for term in rows.terms:
                if term.vector in ("x", self.plan.result):
                    self._factor(term)
        self._ready()
        for rows, updates in self.plan.stages:
            self._stage(rows, updates)

    def _vector(self, name: str, bits: int, static: bool = False) -> None:
        """Declare an array with an element for each cell."""
        self.source.vector(name, bits, self.layer.cells, self.banks, static)

    def _factor(self, term: Term) -> str:
        """The factors of a vector."""
        if term not in self._factors:
            self._factors[term] = self.source.factors(self.operands[term.matrix], term.vector)
        return self._factors[term]

    def _ready(self) -> None:
        """Rows of x that join no others, before all updates: vectors `x_GATE`."""
        ready = self.plan.gates if not self.shared else [g for u in self.plan.updates if u.ready for g in u.gates]
        if not ready:
            return
        term = self.plan.stages[0][0].terms[0]
        joined, first = Joined((self.operands[term.matrix].product,)), self.plan.gates.index(ready[0])
        kernel = self.source.kernel(kernels.joined_rows, "ih_rows", joined, {"": term.sums})
        for gate in ready:
            self._vector(f"x_{gate}", kernel.outputs["y"].width)
        body = [
            line
            for place, gate in enumerate(ready)
            for line in apply(kernel, self.layer.cells, {"s": f"s[{place}]"}, {}, {"y": f"x_{gate}"})
        ]
        parts = [(self.operands[term.matrix], self._factor(term))]
        self.source.block_rows(joined, "".join(ready), first, parts, body)

    def _stage(self, rows: Rows, updates: list[Update]) -> None:
        """Rows of some gates and the kernels that take them."""
        *others, last = rows.terms
        sums = self._sums(rows, updates)
        body = [line for update in updates for line in self._apply(update, rows, sums)]
        terms = [*(others if sums.apart is None else ()), last]
        parts = [(self.operands[term.matrix], self._factor(term)) for term in terms]
        first = self.plan.part(rows).start or 0
        self.source.block_rows(sums.joined, "".join(rows.gates), first, parts, body)

    def _sums(self, rows: Rows, updates: list[Update]) -> Sums:
        *others, last = (self.operands[term.matrix].product for term in rows.terms)
        if others and self.shared:
            return Sums(Joined((*others, last)))
        ready = [self.operands[term.matrix].product for u in updates if u.ready for term in u.ready.terms]
        return Sums(Joined((last,)), Joined(tuple(others or ready)) if others or ready else None)

    def _apply(self, update: Update, rows: Rows, sums: Sums) -> Iterator[str]:
        kernel = self._kernel(update, sums)
        places = {gate: place for place, gate in enumerate(rows.gates or ("",))}
        given = {bus: f"s[{places[gate]}]" for gate, bus in update.buses.items()}
        vectors = {bus.replace("s", "x"): f"x_{gate}" for gate, bus in update.buses.items()}
        vectors |= {name: name for name in update.reads}
        for each in update.constants:
            table = self._table(each.field)
            indexed = getattr(self.layer, each.field).integers.ndim > 1
            vectors |= {n: f"{table}[{row}]" if indexed else table for row, n in enumerate(each.names, each.first)}
        results = {f"{update.keeps}_new": update.keeps} if update.keeps else {}
        size = self.layer.cells if update.gates else self.layer.outputs
        return apply(kernel, size, given, vectors, results | {"y": update.result})

    def _kernel(self, update: Update, sums: Sums) -> Kernel:
        """Kernel of an update, and the vector that it makes."""
        kernel = self.source.kernel(kernels.update, update.module, update, self.layer, sums, self.activations)
        if update.result not in self.plan.states:
            self._vector(update.result, kernel.outputs["y"].width)
        return kernel

    def _table(self, field: str) -> str:
        if field not in self._tables:
            self._tables[field] = self.source.table(field, getattr(self.layer, field), self.banks)
        return self._tables[field]
