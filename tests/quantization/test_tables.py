"""Tables of sigma and tanh: no more segments than asked for, the stated error, and no worse than equal segments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.activation import Table
from ernn.dataflow.formats import Format
from ernn.quantization import tables

FORMATS = st.tuples(st.integers(4, 12), st.integers(0, 4)).map(lambda p: Format(p[0], p[0] - 1 - p[1]))


def plain(table: Table, n: int) -> int:
    """The table's output for the integer n, by floats that hold every product exactly."""
    segment = sum(abs(n) >= bound for bound in table.bounds)
    line = table.slopes[segment] * 2.0**-table.slope_fraction * abs(n) * table.input.resolution
    line += table.offsets[segment] * 2.0**-table.offset_fraction
    y = min(np.floor(line * 2.0**table.output.fraction + 0.5), table.output.high)
    mirrored = -y if table.function == "tanh" else 2**table.output.fraction - y
    return int(min(max(mirrored if n < 0 else y, table.output.low), table.output.high))


@given(
    input=FORMATS, output=st.integers(4, 14), segments=st.integers(1, 40), function=st.sampled_from(["sigmoid", "tanh"])
)
def test_segments_and_stated_error(input, output, segments, function):
    table = tables.search(function, input, Format(output, output - 1), segments)
    assert len(table.slopes) <= segments
    n = np.arange(input.low, input.high + 1)
    got = np.array([plain(table, int(each)) for each in n]) * table.output.resolution
    assert tables.max_error(table) == np.abs(got - tables.FUNCTIONS[function](n * input.resolution)).max()


@pytest.mark.parametrize("function", ["sigmoid", "tanh"])
@pytest.mark.parametrize("segments", [4, 8, 16])
def test_free_bounds_beat_equal_ones(function, segments):
    input, output = Format(12, 8), Format(16, 15)
    table = tables.search(function, input, output, segments)
    equal = tuple(int(n) for n in np.linspace(0, 2049, segments + 1).astype(int)[1:-1])
    assert table.bounds != equal
    widths = np.diff((0, *table.bounds, 2049))
    assert widths[-1] > 4 * widths.min()  # long where the function is flat


def test_the_error_falls_with_the_square_of_the_segments():
    errors = [tables.max_error(tables.search("tanh", Format(14, 10), Format(18, 17), n)) for n in (4, 8, 16, 32)]
    ratios = np.array(errors[:-1]) / errors[1:]
    assert (ratios > 3).all()
    assert (ratios < 5).all()


@pytest.mark.parametrize("bits", [6, 8, 12])
def test_one_table_for_both_costs_tanh_twice_the_error_of_sigma(bits):
    preactivation, gate = Format(bits, bits - 4), Format(bits, bits - 1)
    shared, own = (tables.errors(tables.activations(preactivation, gate, 32, each)) for each in (True, False))
    assert shared["tanh"] <= 2 * shared["sigmoid"] + gate.resolution
    assert own["tanh"] <= 1.01 * gate.resolution  # the output ends one step below 1
