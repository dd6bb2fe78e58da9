"""Layers of a program, one step of many utterances at a time."""

from collections.abc import Sequence

import numpy as np

from ernn.dataflow import cells
from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.golden.integers import Array, Integers, Log
from ernn.golden.products import Product, add, part, split
from ernn.program.matrices import Numbers, shares_sums
from ernn.program.network import Gru, Layer, Lstm, Output

State = dict[str, Array]  # integers, (elements, utterances)


class Lookup:
    """`Activations` read from a list of all their values: the kernel is run once on every input."""

    def __init__(self, activations: Activations, log: Log) -> None:
        self.preactivation = activations.preactivation
        inputs = np.arange(self.preactivation.low, self.preactivation.high + 1)
        a = typed(inputs, self.preactivation, log)
        self._sigmoid, self._tanh = activations.sigmoid(a, ""), activations.tanh(a, "")

    def sigmoid(self, a: Integers, name: str) -> Integers:
        """sigma(a)."""
        return self._read(self._sigmoid, a, name)

    def tanh(self, a: Integers, name: str) -> Integers:
        """tanh(a)."""
        return self._read(self._tanh, a, name)

    def _read(self, values: Integers, a: Integers, name: str) -> Integers:
        array = values.array[a.array - self.preactivation.low]
        return Integers(array, values.low, values.high, values.fraction, a.log).named(name)


def typed(array: Array, format: Format, log: Log) -> Integers:
    """Integers of `format`."""
    return Integers(array, format.low, format.high, format.fraction, log)


class LstmSteps:
    """One LSTM layer."""

    def __init__(self, layer: Lstm, lookup: Lookup, log: Log) -> None:
        self.layer, self._lookup, self._log = layer, lookup, log
        self._ih, self._hh = Product(layer.weight_ih, log), Product(layer.weight_hh, log)
        self._ym = None if layer.weight_ym is None else Product(layer.weight_ym, log)
        self._bias = _columns(layer.bias, LSTM_GATES, log)
        self._peephole = None if layer.peephole is None else _columns(layer.peephole, PEEPHOLES, log)

    def initial(self, utterances: int) -> State:
        """Zeros."""
        return _zeros(utterances, c=self.layer.cells, y=self.layer.outputs)

    def step(self, x: Integers, state: State) -> tuple[Integers, State]:
        """y_t and the state behind it."""
        layer = self.layer
        c, y = typed(state["c"], layer.cell, self._log), typed(state["y"], layer.output, self._log)
        sums_ih, sums_hh = self._ih.sums(self._ih.points(x)), self._hh.sums(self._hh.points(y))
        sums = split(_joined(self._ih, sums_ih, self._hh, sums_hh), LSTM_GATES)
        hidden = layer.hidden or layer.output
        c, m = cells.lstm_update(sums, c, self._bias, self._peephole, self._lookup, layer.cell, hidden)
        if self._ym is not None:
            m = split(self._ym.rows(self._ym.sums(self._ym.points(m)), "sums_ym"), "y")["y"]
        y = m.requantize(layer.output, "y")
        return y, {"c": c.array, "y": y.array}


class GruSteps:
    """One GRU layer."""

    def __init__(self, layer: Gru, lookup: Lookup, log: Log) -> None:
        self.layer, self._lookup, self._log = layer, lookup, log
        self._ih, self._hh = Product(layer.weight_ih, log), Product(layer.weight_hh, log)
        self._bias = _columns(layer.bias, GRU_GATES, log)
        self._bias_hn = (
            None if layer.bias_hn is None else typed(layer.bias_hn.integers[:, None], layer.bias_hn.format, log)
        )

    def initial(self, utterances: int) -> State:
        """Zeros."""
        return _zeros(utterances, c=self.layer.cells, y=self.layer.outputs)

    def step(self, x: Integers, state: State) -> tuple[Integers, State]:
        """y_t and the state behind it."""
        layer, first, last = self.layer, slice(0, 2), slice(2, 3)
        c, y = typed(state["c"], layer.cell, self._log), typed(state["y"], layer.output, self._log)
        sums_ih, seen = self._ih.sums(self._ih.points(x)), self._hh.points(y)
        joined = _joined(self._ih, part(sums_ih, first), self._hh, self._hh.sums(seen, first), "_zr")
        sums = split(joined, "zr")
        z, r = (cells.gru_gate(gate, sums[gate], self._bias[gate], self._lookup) for gate in "zr")
        if self._bias_hn is None:
            rc = cells.reset_before(r, c, layer.output)
            sums_hn = self._hh.sums(self._hh.points(rc), last)
            n_sum = split(_joined(self._ih, part(sums_ih, last), self._hh, sums_hn, "_n"), "n")["n"]
        else:
            recurrent = split(self._hh.rows(self._hh.sums(seen, last), "sums_hh_n"), "n")["n"]
            n_sum = split(self._ih.rows(part(sums_ih, last), "sums_ih_n"), "n")["n"]
            n_sum = n_sum + cells.reset_after(recurrent, self._bias_hn, r, self._lookup)
        c = cells.gru_update(n_sum, self._bias["n"], z, c, self._lookup, layer.cell)
        y = c.requantize(layer.output, "y")
        return y, {"c": c.array, "y": y.array}


class OutputSteps:
    """The output layer."""

    def __init__(self, layer: Output, log: Log) -> None:
        self._layer, self._weight = layer, Product(layer.weight, log)
        self._bias = typed(layer.bias.integers[:, None], layer.bias.format, log)

    def step(self, y: Integers) -> Integers:
        """The logits, (classes, utterances)."""
        rows = split(self._weight.rows(self._weight.sums(self._weight.points(y)), "sums"), "y")["y"]
        return (rows + self._bias).requantize(self._layer.logits, "logits")


def steps_of(layer: Layer, lookup: Lookup, log: Log) -> LstmSteps | GruSteps:
    """The interpreter of a layer."""
    return LstmSteps(layer, lookup, log) if isinstance(layer, Lstm) else GruSteps(layer, lookup, log)


def _joined(
    ih: Product, sums_ih: Sequence[Integers], hh: Product, sums_hh: Sequence[Integers], gates: str = ""
) -> Integers:
    """Input and recurrent products of the same rows: one sum where they share it. `gates` ends its name."""
    if shares_sums(ih.matrix, hh.matrix):
        return ih.rows(add(sums_ih, sums_hh), f"sums{gates}")
    return ih.rows(sums_ih, f"sums_ih{gates}") + hh.rows(sums_hh, f"sums_hh{gates}")


def _columns(numbers: Numbers, gates: Sequence[str], log: Log) -> dict[str, Integers]:
    return {gate: typed(row[:, None], numbers.format, log) for gate, row in zip(gates, numbers.integers, strict=True)}


def _zeros(utterances: int, **sizes: int) -> State:
    return {name: np.zeros((size, utterances), np.int64) for name, size in sizes.items()}
