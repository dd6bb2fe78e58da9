"""Kernels of cells: what becomes of the sums of the gates, by the equations of `ernn.nn.lstm` and `ernn.nn.gru`.

A kernel takes values by name: `s` the rows of its gate (`s_i`, `s_f`, .. of several), `b` a bias, `p` a peephole, `c`
the state, and what else its docstring names; sigma and tanh; and formats by the layer's fields. It returns its results
by name. The sums that come in are exact or carry the error of their transforms; each result is rounded once, to its own
format. `a_i` is the pre-activation of gate i.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from ernn.dataflow.activation import Functions
from ernn.dataflow.formats import Format
from ernn.dataflow.value import Number, Value

V = TypeVar("V", bound=Number)
W = TypeVar("W", bound=Value)
Formats = Mapping[str, Format]
LSTM_GATES, GRU_GATES, RNN_GATES = ("i", "f", "g", "o"), ("z", "r", "n"), ("h",)
PEEPHOLES = ("i", "f", "o")


def lstm_cell(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """c_t and m_t = o . tanh(c_t) of an LSTM cell; without a projection, m_t is y_t."""
    c, bias = v["c"], {gate: v[f"b_{gate}"] for gate in LSTM_GATES}
    peephole = {gate: v[f"p_{gate}"] for gate in PEEPHOLES if f"p_{gate}" in v}

    def preactivation(gate: str, seen: V) -> V:
        total = v[f"s_{gate}"] + bias[gate]
        if gate in peephole:
            total = total + peephole[gate] * seen
        return total.requantize(functions.preactivation, f"a_{gate}")

    i, f = (functions.sigmoid(preactivation(gate, c), gate) for gate in "if")
    g = functions.tanh(preactivation("g", c), "g")
    new = (f * c + i * g).requantize(formats["cell"], "c")
    o = functions.sigmoid(preactivation("o", new), "o")
    # c saturates at the end of the table, where tanh is flat, so that is not counted as an overflow.
    seen = functions.tanh(new.requantize(functions.preactivation, "a_c", counted=False), "tanh_c")
    m = (o * seen).requantize(formats.get("hidden", formats["output"]), "m")
    return {"c": new} | ({"m": m} if "hidden" in formats else {"y": m.requantize(formats["output"], "y")})


def projection(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """y_t = W_ym m_t."""
    return {"y": v["s"].requantize(formats["output"], "y")}


def logits(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """W y + b of the output layer."""
    return {"logits": (v["s"] + v["b"]).requantize(formats["logits"], "logits")}


@dataclass(frozen=True)
class Clip:
    """y = W x + b between two integers of y's format; None: there is no such bound."""

    low: int | None
    high: int | None

    def __call__(self, v: Mapping[str, W], functions: Functions[W], formats: Formats) -> dict[str, W]:
        total = (v["s"] + v["b"]).to_fraction(formats["output"].fraction)
        return {"y": total.clipped(self.low, self.high).requantize(formats["output"], "y")}


def dense_sigmoid(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """y = sigma(W x + b)."""
    d = functions.sigmoid((v["s"] + v["b"]).requantize(functions.preactivation, "a_d"), "d")
    return {"y": d.requantize(formats["output"], "y")}


def dense_tanh(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """y = tanh(W x + b)."""
    d = functions.tanh((v["s"] + v["b"]).requantize(functions.preactivation, "a_d"), "d")
    return {"y": d.requantize(formats["output"], "y")}


def gru_update_gate(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """z."""
    return {"z": _gate("z", v, functions)}


def gru_reset(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """r, for GRUs that reset after the product (those of cuDNN and torch)."""
    return {"r": _gate("r", v, functions)}


def gru_reset_before(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """r . c_{t-1} in the format of recurrent inputs, which W_nc multiplies."""
    return {"rc": (_gate("r", v, functions) * v["c"]).requantize(formats["output"], "rc")}


def gru_cell(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """c_t = c_{t-1} + z . (n - c_{t-1}), which is (1 - z) . c_{t-1} + z . n with one product; y_t is c_t."""
    c, z, bias = v["c"], v["z"], v["b"]
    return _candidate(v["s"] + bias, z, c, functions, formats)


def gru_cell_after(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """The same with r . (W_nc c_{t-1} + b_hn): `s` are rows of W_nc c_{t-1}, `x` those of W_nx x_t, `h` is b_hn."""
    c, z, bias, r, extra, x = v["c"], v["z"], v["b"], v["r"], v["h"], v["x"]
    total = x + r * (v["s"] + extra).requantize(functions.preactivation, "a_hn")
    return _candidate(total + bias, z, c, functions, formats)


def rnn_cell(v: Mapping[str, V], functions: Functions[V], formats: Formats) -> dict[str, V]:
    """y_t = tanh(W_x x_t + W_y y_{t-1} + b) (Elman 1990)."""
    y = functions.tanh((v["s"] + v["b"]).requantize(functions.preactivation, "a_h"), "h")
    return {"y": y.requantize(formats["output"], "y")}


def _gate(name: str, v: Mapping[str, V], functions: Functions[V]) -> V:
    return functions.sigmoid((v["s"] + v["b"]).requantize(functions.preactivation, f"a_{name}"), name)


def _candidate(total: V, z: V, c: V, functions: Functions[V], formats: Formats) -> dict[str, V]:
    n = functions.tanh(total.requantize(functions.preactivation, "a_n"), "n")
    new = (c + z * (n - c)).requantize(formats["cell"], "c")
    return {"c": new, "y": new.requantize(formats["output"], "y")}
