"""HLS C++ of layers: block row by block row, sums over the columns and then the kernels of the cells.

A recurrent layer's function takes y_{t-1} and leaves y_t in one array: matrices read the factors of a vector, which are
made before any of its elements is replaced.
"""

from collections.abc import Callable, Iterator

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.ranges import Joined, Sums
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.header import Header, Source, apply
from ernn.hw.hls.matrices import MatrixOperand
from ernn.hw.hls.parallel import LayerParallel
from ernn.program.matrices import Numbers, shares_sums
from ernn.program.network import Dense, Layer, Output
from ernn.program.plan import VALUES, Rows, Term, Update
from ernn.program.plans import OUTPUT, plan_of


def recurrent(
    number: int, layer: Layer, activations: Activations, clock: Clock, arrays: LayerParallel, streams: int
) -> Header:
    """The header of layer `number`, whose function is `layerN(x, first, [stream,] y)`."""
    source = Source(f"layer{number}", f"layers.{number}", clock, arrays)
    _Layer(source, layer, activations, streams).write()
    arguments = (
        f"const ap_int<{layer.input.bits}> x[{layer.inputs}], const bool first, {'const int stream, ' * (streams > 1)}"
        f"ap_int<{layer.output.bits}> y[{layer.outputs}]"
    )
    sizes = f"{layer.inputs} inputs, {layer.cells} cells, {layer.outputs} outputs"
    return source.header(
        f"// Layer {number}: {layer.kind.upper()} of {sizes}.\n"
        "// `y` holds y_{t-1} and takes y_t; `first` begins an utterance with "
        f"{'zeros' if layer.initial is None else 'its initial states'}.",
        arguments,
    )


def banks(layer: Layer) -> int:
    """Elements of y that are read or written at a time: a block."""
    return max(matrix.block_size for name, matrix in layer.matrices.items() if name != "weight_ih")


def output(layer: Output, vector: Format, clock: Clock, arrays: LayerParallel) -> Header:
    """The header of the output layer, whose function is `output(y, logits)`."""
    source, classes = Source("output", "output", clock, arrays), layer.weight.rows
    _linear(source, layer, vector, OUTPUT.updates[0], None, ("y", "logits"))
    arguments = f"const ap_int<{vector.bits}> y[{layer.weight.cols}], ap_int<{layer.logits.bits}> logits[{classes}]"
    return source.header(f"// Logits of {classes} classes.", arguments)


def dense(number: int, layer: Dense, activations: Activations, clock: Clock, arrays: LayerParallel) -> Header:
    """The header of layer `number` of the head, whose function is `headN(x, y)`."""
    source = Source(f"head{number}", f"head.{number}", clock, arrays)
    functions = None if layer.function == "clip" else activations
    _linear(source, layer, layer.input, plan_of(layer.kind, layer).updates[0], functions, ("x", "y"))
    arguments = f"const ap_int<{layer.input.bits}> x[{layer.inputs}], ap_int<{layer.output.bits}> y[{layer.outputs}]"
    return source.header(f"// Layer {number} of the head: {layer.outputs} outputs, {layer.function}.", arguments)


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
    weight = source.operand("weight", layer.weight, vector, source.arrays.main)
    joined = Joined((weight.product,))
    kernel = source.kernel(kernels.update, update.module, update, layer, Sums(joined), activations)
    parts = [(weight, source.factors(weight, names[0]))]

    def body(sums: Callable[[int], str]) -> Iterator[str]:
        return apply(kernel, layer.weight.rows, {"s": sums(0)}, {"b": bias}, {"y": names[1]})

    source.block_rows(joined, "", 0, parts, source.arrays.main, body, [kernel])


class _Layer:
    """A recurrent layer: its plan, written step by step into a header."""

    def __init__(self, source: Source, layer: Layer, activations: Activations, streams: int) -> None:
        self.source, self.layer, self.activations, self.plan = source, layer, activations, plan_of(layer.kind, layer)
        self.streams = streams
        terms = [term for rows in self.plan.rows for term in rows.terms]
        self.operands = {name: self._operand(name, terms) for name in dict.fromkeys(term.matrix for term in terms)}
        self.banks = max(self.operands[name].block_size for name in ("weight_ih", "weight_hh"))
        self.shared = shares_sums(layer.weight_ih, layer.weight_hh)
        self._factors: dict[Term, str] = {}
        self._tables: dict[str, str] = {}

    def _operand(self, name: str, terms: list[Term]) -> MatrixOperand:
        vector = next(term.vector for term in terms if term.matrix == name)
        arrays = self.source.arrays
        array = {"weight_ih": arrays.x, "weight_projection": arrays.projection}.get(name, arrays.main)
        return self.source.operand(name, getattr(self.layer, name), getattr(self.layer, VALUES[vector]), array)

    def write(self) -> None:
        """Write the loops of all stages of the plan."""
        layer, states = self.layer, [name for name in self.plan.states if name != self.plan.result]
        for name in states:
            self._vector(name, kernels.format_of(name, layer, self.activations).bits, static=True)
        cleared = [*((name, getattr(layer, self.plan.states[name])) for name in states), ("y", layer.outputs)]
        begins = "".join(self._begin(name, size) for name, size in cleared)
        self.source.body.append(f"    if (first) {{\n{begins}    }}\n")
        for rows, _ in self.plan.stages:  # of vectors of the frame before, before any is replaced
            for term in rows.terms:
                if term.vector in ("x", self.plan.result):
                    self._factor(term)
        self._ready()
        for rows, updates in self.plan.stages:
            self._stage(rows, updates)

    def _begin(self, name: str, size: int) -> str:
        """A state before the first frame."""
        if self.layer.initial is None:
            return f"        blocks::clear<{size}>({self._state(name)});\n"
        format = kernels.format_of(name, self.layer, self.activations)
        table = self.source.table(f"initial_{name}", Numbers(format, getattr(self.layer.initial, name)), 1)
        return (
            f"        for (int n = 0; n < {size}; n++) {{\n"
            "#pragma HLS PIPELINE II=1\n"
            f"            {self._state(name)}[n] = {table}[n];\n"
            "        }\n"
        )

    def _vector(self, name: str, bits: int, static: bool = False) -> None:
        """Declare an array with an element for each cell; a static one has them of every stream."""
        self.source.vector(name, bits, self.layer.cells, self.banks, static, self.streams if static else 1)

    def _state(self, name: str) -> str:
        """A vector in C++; a state that is not handed to the function is that of the frame's stream."""
        own = name in self.plan.states and name != self.plan.result and self.streams > 1
        return f"{name}[stream]" if own else name

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
        parts = [(self.operands[term.matrix], self._factor(term))]

        def body(sums: Callable[[int], str]) -> Iterator[str]:
            for place, gate in enumerate(ready):
                yield from apply(kernel, self.layer.cells, {"s": sums(place)}, {}, {"y": f"x_{gate}"})

        self.source.block_rows(joined, "".join(ready), first, parts, self.source.arrays.x, body, [kernel] * len(ready))

    def _stage(self, rows: Rows, updates: list[Update]) -> None:
        """Rows of some gates and the kernels that take them."""
        *others, last = rows.terms
        sums = self._sums(rows, updates)
        kernels_of = [self._kernel(update, sums) for update in updates]

        def body(at: Callable[[int], str]) -> Iterator[str]:
            for update, kernel in zip(updates, kernels_of, strict=True):
                yield from self._apply(update, kernel, rows, at)

        terms = [*(others if sums.apart is None else ()), last]
        parts = [(self.operands[term.matrix], self._factor(term)) for term in terms]
        first = self.plan.part(rows).start or 0
        array = self.source.arrays.main if rows.gates else self.source.arrays.projection
        self.source.block_rows(sums.joined, "".join(rows.gates), first, parts, array, body, kernels_of)

    def _sums(self, rows: Rows, updates: list[Update]) -> Sums:
        *others, last = (self.operands[term.matrix].product for term in rows.terms)
        if others and self.shared:
            return Sums(Joined((*others, last)))
        ready = [self.operands[term.matrix].product for u in updates if u.ready for term in u.ready.terms]
        return Sums(Joined((last,)), Joined(tuple(others or ready)) if others or ready else None)

    def _apply(self, update: Update, kernel: Kernel, rows: Rows, at: Callable[[int], str]) -> Iterator[str]:
        places = {gate: place for place, gate in enumerate(rows.gates or ("",))}
        given = {bus: at(places[gate]) for gate, bus in update.buses.items()}
        vectors = {bus.replace("s", "x"): f"x_{gate}" for gate, bus in update.buses.items()}
        vectors |= {name: self._state(name) for name in update.reads}
        for each in update.constants:
            table = self._table(each.field)
            indexed = getattr(self.layer, each.field).integers.ndim > 1
            vectors |= {n: f"{table}[{row}]" if indexed else table for row, n in enumerate(each.names, each.first)}
        results = {f"{update.keeps}_new": self._state(update.keeps)} if update.keeps else {}
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
