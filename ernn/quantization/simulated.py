"""The float network step by step, with a hook on every value that has a format in the integer one.

The names are those of the integer model (`layers.0.a_i`, `layers.0.c`, ...), and of the weights. A hook that gives back
what it got leaves the network as it is: calibration listens so. One that rounds, with the gradient passed straight
through (Bengio et al. 2013, arXiv:1308.3432), makes the network learn with its rounding.
"""

import functools
from collections.abc import Callable, Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from ernn.dataflow.formats import Format
from ernn.nn import circulant
from ernn.nn.head import HeadLayer
from ernn.nn.matrices import CirculantWeight, PrunedWeight, Weight
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel
from ernn.program.plan import JOINED, Rows, Update, sums_of
from ernn.program.plans import plan_of

Hook = Callable[[str, Tensor], Tensor]
INITIAL = "initial_"  # before the name of a state: what it is before the first frame
_ANY = Format(32, 0)  # of kernels on floats, whose formats are the hook's


def logits(
    model: RecurrentModel, x: Float[Tensor, "time batch dimension"], hook: Hook
) -> Float[Tensor, "time batch classes"]:
    """What the model gives for x, through the hook."""
    y = hook("x", x)
    for number, module in enumerate(model.layers):
        layer = cast(RecurrentLayer, module)
        y = _Steps(layer, _scoped(hook, f"layers.{number}")).run(y)
    for number, module in enumerate(model.head):
        y = _head(cast(HeadLayer, module), _scoped(hook, f"head.{number}"), y)
    if model.output is None:
        return y
    weight, bias = hook("output.weight", model.output.weight), hook("output.bias", model.output.bias)
    return hook("output.logits", y @ weight.t() + bias)


def _head(layer: HeadLayer, hook: Hook, x: Tensor) -> Tensor:
    """Outputs of a layer of the head."""
    a = hook(sums_of("weight"), x @ _weight(layer.weight, "weight", hook).t()) + hook("bias", layer.bias)
    if layer.spec.function == "clip":
        return hook("y", layer.function(a))
    return hook("y", hook("d", layer.function(hook("a_d", a))))


def stored(matrix: Weight) -> Tensor:
    """What is stored of a matrix: the tensor that its hook sees."""
    if isinstance(matrix, CirculantWeight):
        return matrix.first_columns
    return matrix.weight * matrix.mask if isinstance(matrix, PrunedWeight) else matrix()


def _weight(matrix: Weight, name: str, hook: Hook) -> Tensor:
    """The dense tensor of a matrix whose stored words went through the hook."""
    words = hook(name, stored(matrix))
    if isinstance(matrix, CirculantWeight):
        return circulant.expand(words, matrix.rows, matrix.cols).flatten(0, 1)
    return words * matrix.mask if isinstance(matrix, PrunedWeight) else words


class _Float:
    """A float value under a kernel: where the integer model rounds, the hook is called."""

    __slots__ = ("hook", "tensor")

    def __init__(self, tensor: Tensor, hook: Hook) -> None:
        self.tensor, self.hook = tensor, hook

    def __add__(self, other: "_Float") -> "_Float":
        return _Float(self.tensor + other.tensor, self.hook)

    def __sub__(self, other: "_Float") -> "_Float":
        return _Float(self.tensor - other.tensor, self.hook)

    def __mul__(self, other: "_Float") -> "_Float":
        return _Float(self.tensor * other.tensor, self.hook)

    def requantize(self, format: Format, name: str = "", counted: bool = True) -> "_Float":
        """What the hook makes of it; a format is the hook's."""
        return _Float(self.hook(name, self.tensor), self.hook)


class _Functions:
    """sigma and tanh of floats, each followed by the hook."""

    preactivation = _ANY

    def sigmoid(self, a: _Float, name: str) -> _Float:
        """sigma(a), through the hook."""
        return _Float(a.hook(name, torch.sigmoid(a.tensor)), a.hook)

    def tanh(self, a: _Float, name: str) -> _Float:
        """tanh(a), through the hook."""
        return _Float(a.hook(name, torch.tanh(a.tensor)), a.hook)


class _Steps:
    """A layer's plan on floats, frame by frame."""

    def __init__(self, layer: RecurrentLayer, hook: Hook) -> None:
        self.layer, self.hook, self.plan = layer, hook, plan_of(layer.cell, layer)
        matrices = dict.fromkeys(term.matrix for rows in self.plan.rows for term in rows.terms)
        self._weights = {name: _weight(getattr(layer, name), name, hook) for name in matrices}
        self._parts = {rows: [self._part(rows, term.matrix) for term in rows.terms] for rows in self.plan.rows}
        fields = dict.fromkeys(each.field for update in self.plan.updates for each in update.constants)
        numbers = {name: hook(name, getattr(layer, name)).reshape(-1, layer.weight_ih.rows) for name in fields}
        self._constants = {update.name: self._rows_of(numbers, update) for update in self.plan.updates}
        fields_of_formats = {"cell", "output"} | ({"hidden"} if self.plan.projection else set())
        self._formats = dict.fromkeys(fields_of_formats, _ANY)

    def _part(self, rows: Rows, matrix: str) -> Tensor:
        """The gates of some rows, of a matrix, transposed."""
        cells, part = self.layer.weight_ih.rows, self.plan.part(rows)
        whole = self._weights[matrix]
        return (whole if part == slice(None) else whole[cells * part.start : cells * part.stop]).t()

    def _rows_of(self, numbers: Mapping[str, Tensor], update: Update) -> dict[str, _Float]:
        return {
            name: _Float(numbers[each.field][row], self.hook)
            for each in update.constants
            for row, name in enumerate(each.names, each.first)
        }

    def run(self, x: Tensor) -> Tensor:
        """Outputs of all frames."""
        term = self.plan.rows[0].terms[0]
        sums = self.hook(term.sums, x @ self._weights[term.matrix].t())
        sizes = {"cells": self.layer.weight_ih.rows, "outputs": self.layer.outputs}
        state: dict[str, _Float] = {}
        for name, size in self.plan.states.items():
            given = self.layer.initial(name)
            if given is None:
                state[name] = _Float(x.new_zeros(x.shape[1], sizes[size]), self.hook)
                continue
            if self.layer.cell == "gru" and "c" in state:
                given = state["c"].tensor  # y is c, rounded once more
            begun = self.hook(f"{INITIAL}{name}", given).expand(x.shape[1], -1)
            state[name] = _Float(begun, self.hook)
        outputs = []
        for sums_of_x in sums:
            rows = functools.partial(self._rows, sums_of_x)
            made = self.plan.frame(state, rows, self._constants, _Functions(), self._formats)
            state = {name: made[name] for name in state}
            outputs.append(made[self.plan.result].tensor)
        return torch.stack(outputs)

    def _rows(self, sums_of_x: Tensor, rows: Rows, seen: Mapping[str, _Float]) -> dict[str, _Float]:
        cells, part = self.layer.weight_ih.rows, self.plan.part(rows)
        chosen = slice(None) if part == slice(None) else slice(cells * part.start, cells * part.stop)
        total: Tensor | None = None
        for term, weight in zip(rows.terms, self._parts[rows], strict=True):
            if term.vector == "x":
                own = sums_of_x[:, chosen]
            else:
                own = self.hook(term.sums, seen[term.vector].tensor @ weight)
            total = own if total is None else self.hook(JOINED, total + own)
        assert total is not None
        gates = rows.gates or ("",)
        return {gate: _Float(each, self.hook) for gate, each in zip(gates, total.chunk(len(gates), 1), strict=True)}


def _scoped(hook: Hook, scope: str) -> Hook:
    return lambda name, value: hook(f"{scope}.{name}", value)
