"""A program run element by element in plain Python integers, from the equations; the other way to the same integers."""

from collections.abc import Sequence

import numpy as np

from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Fourier
from ernn.program.matrices import Matrix, Numbers, Pruned, Sparse, shares_sums
from ernn.program.network import Dense, Gru, Layer, Lstm, Program, Rnn
from tests.dataflow import plain
from tests.dataflow.plain import fitted, integer, number, product

Vector = list[int]  # numbers of `plain`
Term = tuple[Matrix, Vector, Format]  # a matrix, what it multiplies, and the format of that


class Slow:
    """One utterance through a program; `seen` has the integers of the named values of each frame."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.saturated: dict[str, int] = {}
        self.seen: list[dict[str, list[int]]] = []
        self._state = [_begun(layer) for layer in program.layers]
        self._scope = ""

    def run(self, x: np.ndarray) -> list[list[int]]:
        """Logits of every frame, as integers."""
        return [self._frame([number(n, self.program.input.fraction) for n in row]) for row in x.tolist()]

    def state(self, layer: int) -> dict[str, list[int]]:
        """c and y behind the last frame, as integers."""
        c, y = self._state[layer]
        formats = self.program.layers[layer]
        return {"y": _integers(y, formats.output)} | (
            {} if isinstance(formats, Rnn) else {"c": _integers(c, formats.cell)}
        )

    def _frame(self, v: Vector) -> list[int]:
        self.seen.append({})
        for n, layer in enumerate(self.program.layers):
            self._scope = f"layers.{n}."
            step = {"lstm": self._lstm, "gru": self._gru, "rnn": self._rnn}[layer.kind]
            self._state[n] = step(layer, v, *self._state[n])
            v = self._state[n][1]
        for n, layer in enumerate(self.program.head):
            self._scope = f"head.{n}."
            v = self._dense(layer, v)
        self._scope = "output."
        output = self.program.output
        if output is None:
            return _integers(v, self.program.logits)
        totals = _rows([(output.weight, v, self.program.stack[-1].output)], slice(None))
        sums = [total + bias for total, bias in zip(totals, _values(output.bias), strict=True)]
        return _integers(self._fit("logits", sums, output.logits), output.logits)

    def _lstm(self, layer: Lstm, x: Vector, c: Vector, y: Vector) -> tuple[Vector, Vector]:
        cells, terms = layer.cells, [(layer.weight_ih, x, layer.input), (layer.weight_hh, y, layer.output)]
        totals = _rows(terms, slice(None))
        gates = [totals[g * cells : (g + 1) * cells] for g in range(4)]
        bias = np.array(_values(layer.bias), object).reshape(4, cells).tolist()
        weights = [0] * 3 * cells if layer.peephole is None else _values(layer.peephole)
        peep = [weights[g * cells : (g + 1) * cells] for g in range(3)]

        def gate(name: str, g: int, seen: Vector | None, weights: Vector | None) -> Vector:
            sums = [a + b for a, b in zip(gates[g], bias[g], strict=True)]
            if seen is not None and weights is not None:
                sums = [a + product(w, s) for a, w, s in zip(sums, weights, seen, strict=True)]
            return self._function("tanh" if name == "g" else "sigmoid", name, sums)

        i, f, g = gate("i", 0, c, peep[0]), gate("f", 1, c, peep[1]), gate("g", 2, None, None)
        kept = [product(a, b) + product(d, e) for a, b, d, e in zip(f, c, i, g, strict=True)]
        c = self._fit("c", kept, layer.cell)
        o = gate("o", 3, c, peep[2])
        flat = [fitted(v, *_shape(self.program.activations.preactivation))[0] for v in c]
        m = [product(a, b) for a, b in zip(o, self._apply("tanh", "tanh_c", flat), strict=True)]
        if layer.weight_ym is None:
            return c, self._fit("y", self._fit("m", m, layer.output), layer.output)
        m = self._fit("m", m, layer.hidden)
        return c, self._fit("y", _rows([(layer.weight_ym, m, layer.hidden)], slice(None)), layer.output)

    def _gru(self, layer: Gru, x: Vector, c: Vector, y: Vector) -> tuple[Vector, Vector]:
        cells, n = layer.cells, slice(2, 3)
        of_x, of_y = (layer.weight_ih, x, layer.input), (layer.weight_hh, y, layer.output)
        bias = np.array(_values(layer.bias), object).reshape(3, cells).tolist()
        totals = _rows([of_x, of_y], slice(0, 2))
        z, r = (
            self._function("sigmoid", name, [a + b for a, b in zip(part, bias[g], strict=True)])
            for g, (name, part) in enumerate((("z", totals[:cells]), ("r", totals[cells:])))
        )
        if layer.bias_hn is None:
            rc = self._fit("rc", [product(a, b) for a, b in zip(r, c, strict=True)], layer.output)
            total = _rows([of_x, (layer.weight_hh, rc, layer.output)], n)
        else:
            recurrent = [a + b for a, b in zip(_rows([of_y], n), _values(layer.bias_hn), strict=True)]
            hidden = self._fit("a_hn", recurrent, self.program.activations.preactivation)
            total = [a + product(b, h) for a, b, h in zip(_rows([of_x], n), r, hidden, strict=True)]
        new = self._function("tanh", "n", [a + b for a, b in zip(total, bias[2], strict=True)])
        mixed = [product(number(1, 0) - a, old) + product(a, b) for a, old, b in zip(z, c, new, strict=True)]
        c = self._fit("c", mixed, layer.cell)
        return c, self._fit("y", c, layer.output)

    def _rnn(self, layer: Rnn, x: Vector, c: Vector, y: Vector) -> tuple[Vector, Vector]:
        totals = _rows([(layer.weight_ih, x, layer.input), (layer.weight_hh, y, layer.output)], slice(None))
        h = self._function("tanh", "h", [a + b for a, b in zip(totals, _values(layer.bias), strict=True)])
        return c, self._fit("y", h, layer.output)

    def _dense(self, layer: Dense, x: Vector) -> Vector:
        totals = _rows([(layer.weight, x, layer.input)], slice(None))
        sums = [a + b for a, b in zip(totals, _values(layer.bias), strict=True)]
        if layer.function != "clip":
            return self._fit("y", self._function(layer.function, "d", sums), layer.output)
        low = [] if layer.low is None else [number(layer.low, layer.output.fraction)]
        high = [] if layer.high is None else [number(layer.high, layer.output.fraction)]
        return self._fit("y", [min([max([each, *low]), *high]) for each in sums], layer.output)

    def _function(self, function: str, name: str, sums: Vector) -> Vector:
        return self._apply(function, name, self._fit(f"a_{name}", sums, self.program.activations.preactivation))

    def _apply(self, function: str, name: str, inputs: Vector) -> Vector:
        functions = self.program.activations
        table = functions.tanh_table if function == "tanh" else functions.sigmoid_table
        if table is None:
            table, doubled = functions.sigmoid_table, 1
            outputs = [plain.tanh_by_sigmoid(a, table) for a in inputs]
        else:
            doubled, outputs = 0, [plain.table(a, table) for a in inputs]
        self.seen[-1][self._scope + name] = [integer(v, table.output.fraction - doubled) for v in outputs]
        return outputs

    def _fit(self, name: str, values: Vector, format: Format) -> Vector:
        pairs = [fitted(v, *_shape(format)) for v in values]
        path = self._scope + name
        self.saturated[path] = self.saturated.get(path, 0) + sum(outside for _, outside in pairs)
        self.seen[-1][path] = _integers([v for v, _ in pairs], format)
        return [v for v, _ in pairs]


def _rows(terms: Sequence[Term], gates: slice) -> Vector:
    """Rows of the sum of products, gate by gate; what shares its sums goes through one inverse transform."""
    if len(terms) == 2 and not shares_sums(terms[0][0], terms[1][0]):
        return [a + b for a, b in zip(_rows(terms[:1], gates), _rows(terms[1:], gates), strict=True)]
    first = terms[0][0]
    if not isinstance(first, Pruned) and isinstance(first.transform, Fourier):
        return _fourier_rows(terms, gates)
    parts = [_dense_rows(*term, gates) for term in terms]
    return [sum(each) for each in zip(*parts, strict=True)]


def _dense_rows(matrix: Matrix, v: Vector, format: Format, gates: slice) -> Vector:
    chosen = range(*gates.indices(matrix.gates))
    if isinstance(matrix, Pruned):
        dense, fraction = matrix.dense().tolist(), matrix.values.format.fraction
        rows = [dense[g * matrix.rows + r] for g in chosen for r in range(matrix.rows)]
    else:
        k, words, fraction = matrix.block_size, _words(matrix), matrix.words.format.fraction
        rows = [
            [words[g][r // k][s // k][(r % k - s % k) % k] for s in range(matrix.cols)]
            for g in chosen
            for r in range(matrix.rows)
        ]
    return [sum(product(number(w, fraction), x) for w, x in zip(row, v, strict=True)) for row in rows]


def _words(matrix: Matrix) -> list:
    """Words of every block by gate, block row and block column; zeros where a sparse matrix has none."""
    if not isinstance(matrix, Sparse):
        return matrix.words.integers.tolist()
    k, words = matrix.block_size, matrix.words.integers.tolist()
    found = [
        [[[0] * k for _ in range(0, matrix.cols, k)] for _ in range(0, matrix.rows, k)] for _ in range(matrix.gates)
    ]
    for n, row in enumerate(row for gate in found for row in gate):
        for place in range(matrix.starts[n], matrix.starts[n + 1]):
            row[matrix.columns[place]] = words[place]
    return found


def _fourier_rows(terms: Sequence[Term], gates: slice) -> Vector:
    spec, k, rows = terms[0][0].transform, terms[0][0].block_size, terms[0][0].rows
    spectra = []
    for _, v, format in terms:
        padded = v + [0] * (-len(v) % k)
        blocks = [padded[start : start + k] for start in range(0, len(padded), k)]
        spectra.append([plain.spectrum(block, format.fraction, spec)[0] for block in blocks])
    result: Vector = []
    for g in range(*gates.indices(terms[0][0].gates)):
        values: Vector = []
        for p in range(-(-rows // k)):
            bins = [(0, 0)] * (k // 2 + 1)
            for (matrix, _, _), blocks in zip(terms, spectra, strict=True):
                for words, block in zip(_words(matrix)[g][p], blocks, strict=True):
                    weights = plain.unpacked([number(w, matrix.words.format.fraction) for w in words])
                    bins = [_plus(total, _times(w, x)) for total, w, x in zip(bins, weights, block, strict=True)]
            narrow = [tuple(fitted(part, *_shape(spec.sums))[0] for part in each) for each in bins]
            values += plain.values(narrow, spec.sums.fraction, spec)
        result += values[:rows]
    return result


def _times(a: plain.Bin, b: plain.Bin) -> plain.Bin:
    return product(a[0], b[0]) - product(a[1], b[1]), product(a[0], b[1]) + product(a[1], b[0])


def _plus(a: plain.Bin, b: plain.Bin) -> plain.Bin:
    return a[0] + b[0], a[1] + b[1]


def _begun(layer: Layer) -> tuple[Vector, Vector]:
    """c and y before the first frame."""
    given = layer.initial
    if given is None:
        return [0] * layer.cells, [0] * layer.outputs
    c = [0] * layer.cells if given.c is None else [number(n, layer.cell.fraction) for n in given.c.tolist()]
    return c, [number(n, layer.output.fraction) for n in given.y.tolist()]


def _values(numbers: Numbers) -> Vector:
    return [number(n, numbers.format.fraction) for n in numbers.integers.ravel().tolist()]


def _integers(values: Vector, format: Format) -> list[int]:
    return [integer(v, format.fraction) for v in values]


def _shape(format: Format) -> tuple[int, int]:
    return format.bits, format.fraction
