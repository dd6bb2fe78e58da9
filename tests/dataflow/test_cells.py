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


@pytest.mark.parametrize("peepholes", [True, False])
@given(seed=SEEDS, preactivation=FORMATS, cell=FORMATS, hidden=FORMATS)
def test_lstm_is_that_of_the_equations(peepholes, seed, preactivation, cell, hidden):
    sums, bias = drawn(seed, SUMS, LSTM_GATES), drawn(seed + 1, WEIGHTS, LSTM_GATES)
    weights = drawn(seed + 2, WEIGHTS, PEEPHOLES) if peepholes else None
    c = typed(arrays(seed + 4, cell, 5), cell)
    found = cells.lstm_update(sums, c, bias, weights, Straight(preactivation), cell, hidden)

    def gate(name: str, seen: Numbers) -> Numbers:
        terms = [numbers(sums[name]), numbers(bias[name])]
        if weights is not None and name != "g":
            terms.append(times(numbers(weights[name]), seen))
        return fit(total(*terms), preactivation)

    i, f, g = (gate(name, numbers(c)) for name in "ifg")
    new = fit(total(times(f, numbers(c)), times(i, g)), cell)
    m = fit(times(gate("o", new), fit(new, preactivation)), hidden)
    assert [numbers(value) for value in found] == [new, m]


@pytest.mark.parametrize("reset", ["before", "after"])
@given(seed=SEEDS, preactivation=FORMATS, cell=FORMATS, recurrent=FORMATS)
def test_gru_is_that_of_the_equations(reset, seed, preactivation, cell, recurrent):
    sums, bias = drawn(seed, SUMS, GRU_GATES), drawn(seed + 1, WEIGHTS, GRU_GATES)
    functions, c = Straight(preactivation), typed(arrays(seed + 4, cell, 5), cell)
    z, r = (cells.gru_gate(gate, sums[gate], bias[gate], functions) for gate in "zr")
    wanted_z, wanted_r = (fit(total(numbers(sums[g]), numbers(bias[g])), preactivation) for g in "zr")
    assert [numbers(z), numbers(r)] == [wanted_z, wanted_r]

    rows = numbers(sums["n"])
    if reset == "before":
        rc = cells.reset_before(r, c, recurrent)
        assert numbers(rc) == fit(times(wanted_r, numbers(c)), recurrent)
        n_sum, rows = sums["n"] + rc, total(rows, numbers(rc))  # W_nc is the identity
    else:
        extra = cells.reset_after(c, bias["n"], r, functions)
        assert numbers(extra) == times(wanted_r, fit(total(numbers(c), numbers(bias["n"])), preactivation))
        n_sum, rows = sums["n"] + extra, total(rows, numbers(extra))
    n = fit(total(rows, numbers(bias["n"])), preactivation)
    mixed = [(1 - a) * old + a * new for a, old, new in zip(wanted_z, numbers(c), n, strict=True)]
    assert numbers(cells.gru_update(n_sum, bias["n"], z, c, functions, cell)) == fit(mixed, cell)


@given(seed=SEEDS, cell=FORMATS)
def test_peepholes_of_zero_are_none(seed, cell):
    sums, bias = drawn(seed, SUMS, LSTM_GATES), drawn(seed + 1, WEIGHTS, LSTM_GATES)
    zeros = {gate: typed(np.zeros(5, np.int64), WEIGHTS) for gate in PEEPHOLES}
    c, functions = typed(arrays(seed + 2, cell, 5), cell), Straight(Format(8, 4))
    with_zeros, without = (cells.lstm_update(sums, c, bias, each, functions, cell, cell) for each in (zeros, None))
    assert [numbers(value) for value in with_zeros] == [numbers(value) for value in without]
