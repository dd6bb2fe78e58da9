"""What happens to a cell once the products of its gates are there: the equations of `ernn.nn.lstm` and `ernn.nn.gru`.

The sums that come in are exact or carry the error of their transforms; each result is rounded once, to its own format.
`a_i` is the pre-activation of gate i.
"""

from collections.abc import Mapping
from typing import TypeVar

from ernn.dataflow.activation import Functions
from ernn.dataflow.formats import Format
from ernn.dataflow.value import Value

V = TypeVar("V", bound=Value)
LSTM_GATES, GRU_GATES = ("i", "f", "g", "o"), ("z", "r", "n")
PEEPHOLES = ("i", "f", "o")


def lstm_update(
    sums: Mapping[str, V],
    c: V,
    bias: Mapping[str, V],
    peephole: Mapping[str, V] | None,
    functions: Functions[V],
    cell: Format,
    hidden: Format,
) -> tuple[V, V]:
    """c_t and m_t = o . tanh(c_t) of an LSTM cell.

    Args:
        sums: W_x x_t + W_r y_{t-1} of the gates i, f, g, o.
        c: c_{t-1}.
        bias: of the gates.
        peephole: weights of the gates i, f, o; None means none.
        functions: sigma and tanh.
        cell: format of c.
        hidden: format of m.
    """

    def preactivation(gate: str, seen: V) -> V:
        total = sums[gate] + bias[gate]
        if peephole is not None and gate in PEEPHOLES:
            total = total + peephole[gate] * seen
        return total.requantize(functions.preactivation, f"a_{gate}")

    i, f = (functions.sigmoid(preactivation(gate, c), gate) for gate in "if")
    g = functions.tanh(preactivation("g", c), "g")
    new = (f * c + i * g).requantize(cell, "c")
    o = functions.sigmoid(preactivation("o", new), "o")
    return new, (o * _tanh_of_state(new, functions)).requantize(hidden, "m")


def gru_gate(gate: str, total: V, bias: V, functions: Functions[V]) -> V:
    """z or r from its sum W_x x_t + W_c c_{t-1}."""
    return functions.sigmoid((total + bias).requantize(functions.preactivation, f"a_{gate}"), gate)


def reset_before(r: V, c: V, recurrent: Format) -> V:
    """r . c_{t-1} in the format of recurrent inputs, which W_nc multiplies."""
    return (r * c).requantize(recurrent, "rc")


def gru_update(n_sum: V, n_bias: V, z: V, c: V, functions: Functions[V], cell: Format) -> V:
    """c_t = c_{t-1} + z . (n - c_{t-1}), which is (1 - z) . c_{t-1} + z . n with one product."""
    n = functions.tanh((n_sum + n_bias).requantize(functions.preactivation, "a_n"), "n")
    return (c + z * (n - c)).requantize(cell, "c")


def reset_after(n_recurrent: V, bias: V, r: V, functions: Functions[V]) -> V:
    """r . (W_nc c_{t-1} + b_h), for GRUs that reset after the product (those of cuDNN and torch)."""
    return r * (n_recurrent + bias).requantize(functions.preactivation, "a_hn")


def _tanh_of_state(c: V, functions: Functions[V]) -> V:
    """tanh(c); c saturates at the end of the table, where tanh is flat, so it isn't counted as an overflow."""
    return functions.tanh(c.requantize(functions.preactivation), "tanh_c")
