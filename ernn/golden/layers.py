"""Layers of a program, one step of many utterances at a time: the plan of `ernn.program.plan` on integers."""

import functools
import operator
from collections.abc import Mapping, Sequence

import numpy as np

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.golden.integers import Array, Integers, Log
from ernn.golden.products import IntegerProduct, add, split
from ernn.program.matrices import Numbers, shares_sums
from ernn.program.network import Dense, Layer, Output
from ernn.program.plan import VALUES, Constants, Plan, Rows, Term, formats

State = dict[str, Array]  # integers, (elements, utterances)
Values = dict[str, Integers]


class Lookup:
    """`Activations` read from a list of all their values: the kernel is run once on every input."""

    def __init__(self, activations: Activations, log: Log) -> None:
        self.preactivation = activations.preactivation
        inputs = np.arange(self.preactivation.low, self.preactivation.high + 1)
        a = typed(inputs, self.preactivation, log)
        self._sigmoid, self._tanh = activations.sigmoid(a, ""), activations.tanh(a, "")

    def sigmoid(self, a: Integers, name: str) -> Integers:
        """sigma(a) by its table."""
        return self._read(self._sigmoid, a, name)

    def tanh(self, a: Integers, name: str) -> Integers:
        """tanh(a) by its table, or from that of sigma."""
        return self._read(self._tanh, a, name)

    def _read(self, values: Integers, a: Integers, name: str) -> Integers:
        array = values.array[a.array - self.preactivation.low]
        return Integers(array, values.low, values.high, values.fraction, a.log).named(name)


def typed(array: Array, format: Format, log: Log) -> Integers:
    """Integers of `format`."""
    return Integers(array, format.low, format.high, format.fraction, log)


class LayerModel:
    """A layer, frame by frame."""

    def __init__(self, layer: Layer | Dense | Output, plan: Plan, lookup: Lookup, log: Log) -> None:
        self._layer, self._plan, self._lookup, self._log = layer, plan, lookup, log
        self._formats = formats(layer)
        matrices = {term.matrix for rows in plan.rows for term in rows.terms}
        self._products = {matrix: IntegerProduct(getattr(layer, matrix), log) for matrix in matrices}
        self._constants = {update.name: self._numbers(update.constants) for update in plan.updates}

    def initial(self, utterances: int) -> State:
        """States before the first frame: zeros, or what the program says."""
        sizes = {name: getattr(self._layer, field) for name, field in self._plan.states.items()}
        initial = getattr(self._layer, "initial", None)
        if initial is None:
            return {name: np.zeros((size, utterances), np.int64) for name, size in sizes.items()}
        return {name: np.repeat(getattr(initial, name)[:, None], utterances, axis=1) for name in sizes}

    def step(self, x: Integers, state: State) -> tuple[Integers, State]:
        """The layer's result and the state after it."""
        seen = {name: typed(array, self._formats[VALUES[name]], self._log) for name, array in state.items()} | {"x": x}
        factors = dict[Term, Sequence[Integers]]()
        rows = functools.partial(self._rows, factors)
        made = self._plan.frame(seen, rows, self._constants, self._lookup, self._formats)
        return made[self._plan.result], {name: made[name].array for name in state}

    def _rows(self, factors: dict[Term, Sequence[Integers]], rows: Rows, seen: Mapping[str, Integers]) -> Values:
        """Rows of some gates; the factors of a vector are made once and kept in `factors`."""
        products, gates = [self._products[term.matrix] for term in rows.terms], self._plan.part(rows)
        for term, product in zip(rows.terms, products, strict=True):
            if term not in factors:
                factors[term] = product.factors(seen[term.vector])
        sums = [product.sums(factors[term], gates) for term, product in zip(rows.terms, products, strict=True)]
        if all(shares_sums(products[0].matrix, product.matrix) for product in products[1:]):
            total = products[0].rows(functools.reduce(add, sums), rows.joined)
        else:
            names = [rows.alone(term) for term in rows.terms]
            total = functools.reduce(operator.add, map(IntegerProduct.rows, products, sums, names))
        return split(total, rows.gates or ("",))

    def _numbers(self, constants: Sequence[Constants]) -> Values:
        found = Values()
        for each in constants:
            numbers: Numbers = getattr(self._layer, each.field)
            for row, name in enumerate(each.names, each.first):
                found[name] = typed(np.atleast_2d(numbers.integers)[row][:, None], numbers.format, self._log)
        return found
