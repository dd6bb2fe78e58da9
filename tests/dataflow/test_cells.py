"""Cell updates against their equations in fractions, sigma and tanh left out: sums, products, one rounding each."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow import cells
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, PEEPHOLES
from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers
from tests.dataflow.values import SEEDS, arrays, checked, typed

FORMATS = st.builds(Format, st.integers(3, 9), st.integers(0, 9))
SUMS, WEIGHTS = Format(11, 8), Format(6, 4)
Numbers = list[Fraction]


class Straight:
    """Functions that give back what they take."""

    def __init__(self, preactivation: Format) -> None:
        self.preactivation = preactivation

    def sigmoid(self, a: Integers, name: str) -> Integers:
        return a

    tanh = sigmoid


def numbers(value: Integers) -> Numbers:
    return [Fraction(int(n)) / Fraction(2) ** value.fraction for n in checked([value])[0]]


def fit(values: Numbers, format: Format) -> Numbers:
    """Q[format]: the nearest, halves upwards, or the end of the format."""
    scale = Fraction(2) ** format.fraction
    nearest = (math.floor(v * scale + Fraction(1, 2)) for v in values)
    return [min(max(n, format.low), format.high) / scale for n in nearest]


def total(*terms: Numbers) -> Numbers:
    return [sum(each) for each in zip(*terms, strict=True)]


def times(a: Numbers, b: Numbers) -> Numbers:
    return [x * y for x, y in zip(a, b, strict=True)]


def drawn(seed: int, format: Format, gates: str | tuple[str, ...]) -> dict[str, Integers]:
    """Five integers of a format for each gate."""
    return {gate: typed(row, format) for gate, row in zip(gates, arrays(seed, format, len(gates), 5), strict=True)}


def by_gate(prefix: str, values: dict[str, Integers]) -> dict[str, Integers]:
    """Values as a kernel takes them."""
    return {f"{prefix}_{gate}": value for gate, value in values.items()}


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("peepholes", [True, False])
@given(seed=SEEDS, preactivation=FORMATS, cell=FORMATS, hidden=FORMATS, output=FORMATS)
def test_lstm_is_that_of_the_equations(peepholes, projected, seed, preactivation, cell, hidden, output):
    sums, bias = drawn(seed, SUMS, LSTM_GATES), drawn(seed + 1, WEIGHTS, LSTM_GATES)
    weights = drawn(seed + 2, WEIGHTS, PEEPHOLES) if peepholes else {}
    c = typed(arrays(seed + 4, cell, 5), cell)
    given = by_gate("s", sums) | by_gate("b", bias) | by_gate("p", weights) | {"c": c}
    formats = {"cell": cell, "output": output} | ({"hidden": hidden} if projected else {})
    found = cells.lstm_cell(given, Straight(preactivation), formats)

    def gate(name: str, seen: Numbers) -> Numbers:
        terms = [numbers(sums[name]), numbers(bias[name])]
        if peepholes and name != "g":
            terms.append(times(numbers(weights[name]), seen))
        return fit(total(*terms), preactivation)

    i, f, g = (gate(name, numbers(c)) for name in "ifg")
    new = fit(total(times(f, numbers(c)), times(i, g)), cell)
    m = fit(times(gate("o", new), fit(new, preactivation)), hidden if projected else output)
    assert {name: numbers(value) for name, value in found.items()} == {"c": new, "m" if projected else "y": m}


@pytest.mark.parametrize("reset", ["before", "after"])
@given(seed=SEEDS, preactivation=FORMATS, cell=FORMATS, output=FORMATS)
def test_gru_is_that_of_the_equations(reset, seed, preactivation, cell, output):
    sums, bias = drawn(seed, SUMS, GRU_GATES), drawn(seed + 1, WEIGHTS, GRU_GATES)
    functions, c = Straight(preactivation), typed(arrays(seed + 4, cell, 5), cell)
    formats, gates = {"cell": cell, "output": output}, {g: {"s": sums[g], "b": bias[g]} for g in GRU_GATES}
    z = cells.gru_update_gate(gates["z"], functions, formats)["z"]
    wanted_z, wanted_r = (fit(total(numbers(sums[g]), numbers(bias[g])), preactivation) for g in "zr")
    assert numbers(z) == wanted_z

    rows, given = numbers(sums["n"]), gates["n"] | {"c": c, "z": z}
    if reset == "before":
        rc = cells.gru_reset_before(gates["r"] | {"c": c}, functions, formats)["rc"]
        assert numbers(rc) == fit(times(wanted_r, numbers(c)), output)
        found = cells.gru_cell(given | {"s": sums["n"] + rc}, functions, formats)  # W_nc is the identity
        rows = total(rows, numbers(rc))
    else:
        r = cells.gru_reset(gates["r"], functions, formats)["r"]
        assert numbers(r) == wanted_r
        found = cells.gru_cell_after(given | {"s": c, "x": sums["n"], "r": r, "h": bias["z"]}, functions, formats)
        extra = fit(total(numbers(c), numbers(bias["z"])), preactivation)
        rows = total(rows, times(wanted_r, extra))
    n = fit(total(rows, numbers(bias["n"])), preactivation)
    mixed = fit([(1 - a) * old + a * new for a, old, new in zip(wanted_z, numbers(c), n, strict=True)], cell)
    assert {name: numbers(value) for name, value in found.items()} == {"c": mixed, "y": fit(mixed, output)}


@given(seed=SEEDS, preactivation=FORMATS, output=FORMATS)
def test_a_plain_cell_is_that_of_the_equation(seed, preactivation, output):
    s, b = typed(arrays(seed, SUMS, 5), SUMS), typed(arrays(seed + 1, WEIGHTS, 5), WEIGHTS)
    found = cells.rnn_cell({"s": s, "b": b}, Straight(preactivation), {"output": output})
    wanted = fit(fit(total(numbers(s), numbers(b)), preactivation), output)
    assert {name: numbers(value) for name, value in found.items()} == {"y": wanted}


@given(seed=SEEDS, cell=FORMATS)
def test_peepholes_of_zero_are_none(seed, cell):
    sums, bias = drawn(seed, SUMS, LSTM_GATES), drawn(seed + 1, WEIGHTS, LSTM_GATES)
    zeros = {gate: typed(np.zeros(5, np.int64), WEIGHTS) for gate in PEEPHOLES}
    given = by_gate("s", sums) | by_gate("b", bias) | {"c": typed(arrays(seed + 2, cell, 5), cell)}
    functions, formats = Straight(Format(8, 4)), {"cell": cell, "output": cell}
    with_zeros, without = (cells.lstm_cell(given | by_gate("p", each), functions, formats) for each in (zeros, {}))
    assert {n: numbers(v) for n, v in with_zeros.items()} == {n: numbers(v) for n, v in without.items()}
