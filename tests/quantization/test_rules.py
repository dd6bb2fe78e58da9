"""Binary points: what each rule promises about the format that it gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.params import Quantization
from ernn.quantization import rules

VALUES = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30).map(np.array)
BITS = st.integers(4, 18)


@given(values=VALUES, bits=BITS)
def test_minmax_saturates_nothing_and_is_the_finest_that_does_not(values, bits):
    format = rules.minmax(values, bits, Quantization())
    assert np.abs(values).max() <= format.limit or not values.any()
    assert np.abs(values).max() > format.limit / 2 - format.resolution or not values.any() or format.fraction == 40


@pytest.mark.parametrize(("name", "power"), [("least_squares", 2), ("robust", 1.5)])
@given(values=VALUES, bits=BITS)
def test_errors_to_their_power_are_never_more_than_by_another_rule(name, power, values, bits):
    def errors(rule):
        return (np.abs(rules.quantized(values, rule(values, bits, Quantization())) - values) ** power).sum()

    assert all(
        errors(rules.RULES[name]) <= errors(rule) * (1 + 1e-12)
        for rule in (rules.minmax, rules.least_squares, rules.robust)
    )


def test_robust_binary_points_have_more_values_saturate():
    values = np.append(np.linspace(-3, 3, 9999), np.full(10, 5.0))
    found = {name: rules.RULES[name](values, 8, Quantization()).limit for name in ("least_squares", "robust")}
    assert found["least_squares"] > 5
    assert 3 < found["robust"] < 5


def test_percentile_leaves_out_the_rare_large_value():
    values = np.append(np.linspace(-1, 1, 9999), 100.0)
    settings = Quantization(percentile=99.9)
    assert rules.percentile(values, 12, settings).limit == pytest.approx(1, abs=0.01)
    assert rules.minmax(values, 12, settings).limit >= 100


@pytest.mark.parametrize(("value", "integer"), [(0.5, 1), (-0.5, 0), (1.5, 2), (-1.5, -1), (99, 7), (-99, -8)])
def test_halves_go_upwards_and_ends_hold(value, integer):
    assert rules.quantized(np.array([value]), rules.Format(4, 0)) == [integer]


def test_a_tensor_of_zeros_has_a_format():
    assert rules.choose(np.zeros(3), 12, Quantization()).bits == 12
