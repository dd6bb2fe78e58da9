"""The plans of all kinds of layers: LSTM, GRU, plain RNN, linear ones with a function, and the output layer."""

from collections.abc import Callable
from typing import Any

from ernn.dataflow import cells
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, PEEPHOLES, RNN_GATES
from ernn.program.plan import Constants, Kernel, Plan, Rows, Term, Update


def plan_of(kind: str, layer: Any) -> Plan:
    """The plan of a layer of `kind`, a program's or a float network's.

    Args:
        layer: whose optional parts are None where they are absent.
    """
    return _PLANS[kind](layer)


def _lstm(layer: Any) -> Plan:
    rows = Rows(LSTM_GATES, (_IH, _HH))
    inputs: list[Constants | str] = [Constants("bias", "b", LSTM_GATES), "c"]
    if layer.peephole is not None:
        inputs.append(Constants("peephole", "p", PEEPHOLES))
    projected = layer.weight_ym is not None
    doc = "cell states and outputs of a block of LSTM cells"
    result = "m" if projected else "y"
    cell = Update("cell", "cell", cells.lstm_cell, LSTM_GATES, rows, tuple(inputs), result, doc, keeps="c")
    return Plan("LSTM", LSTM_GATES, (cell, *[_PROJECTION] * projected), _STATES)


def _gru(layer: Any) -> Plan:
    gates, candidate = Rows(("z", "r"), (_IH, _HH), "_zr"), Rows(("n",), (_IH, Term("weight_hh", "rc")), "_n")
    after = layer.bias_hn is not None
    bias = {gate: Constants("bias", "b", first=row) for row, gate in enumerate(GRU_GATES)}

    def gate(name: str, kernel: Kernel, result: str, *reads: str) -> Update:
        doc = f"gate {name} of a block of GRU cells"
        return Update(name, f"gate_{name}", kernel, (name,), gates, (bias[name], *reads), result, doc)

    r = gate("r", cells.gru_reset, "r") if after else gate("r", cells.gru_reset_before, "rc", "c")
    n = Update(
        "n",
        "cell",
        cells.gru_cell_after if after else cells.gru_cell,
        ("n",),
        Rows(("n",), (_HH,), "_n") if after else candidate,
        (bias["n"], "c", "z", *(("r", Constants("bias_hn", "h")) if after else ())),
        "y",
        "cell states and outputs of a block of GRU cells",
        Rows(("n",), (_IH,), "_n") if after else None,
        keeps="c",
    )
    updates = (r, gate("z", cells.gru_update_gate, "z"), n)
    return Plan(f"GRU, reset {'after' if after else 'before'} the product", GRU_GATES, updates, _STATES)


def _rnn(layer: Any) -> Plan:
    rows, inputs = Rows(RNN_GATES, (_IH, _HH)), (Constants("bias", "b"),)
    cell = Update("h", "cell", cells.rnn_cell, RNN_GATES, rows, inputs, "y", "outputs of a block of cells")
    return Plan("RNN", RNN_GATES, (cell,), {"y": "outputs"})


def _dense(layer: Any) -> Plan:
    kernel: Kernel = cells.dense_sigmoid if layer.function == "sigmoid" else cells.dense_tanh
    if layer.function == "clip":
        kernel = cells.Clip(layer.low, layer.high)
    rows, bias, doc = Rows((), (Term("weight", "x"),)), Constants("bias", "b"), "a block of a linear layer's outputs"
    return Plan("linear layer", (), (Update("dense", "dense", kernel, (), rows, (bias,), "y", doc),), {})


_STATES = {"c": "cells", "y": "outputs"}
_IH, _HH = Term("weight_ih", "x"), Term("weight_hh", "y")
_PROJECTION = Update(
    "projection",
    "projection",
    cells.projection,
    (),
    Rows((), (Term("weight_ym", "m"),)),
    (),
    "y",
    "a block of the projected output",
)
_LOGITS = Update(
    "logits",
    "logits",
    cells.logits,
    (),
    Rows((), (Term("weight", "x"),)),
    (Constants("bias", "b"),),
    "logits",
    "a block of logits",
)
OUTPUT = Plan("output layer", (), (_LOGITS,), {})
_PLANS: dict[str, Callable[[Any], Plan]] = {"lstm": _lstm, "gru": _gru, "rnn": _rnn, "dense": _dense}
