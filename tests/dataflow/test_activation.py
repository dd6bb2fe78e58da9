"""Activations by tables: every input against plain integers, their symmetries, and what tables are refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.activation import Activations, Table, activate, tanh_by_sigmoid
from ernn.dataflow.formats import Format
from ernn.golden.integers import Integers
from tests.dataflow import plain
from tests.dataflow.values import checked, every

FUNCTIONS = ("sigmoid", "tanh")
PREACTIVATIONS = st.builds(Format, st.integers(2, 7), st.integers(0, 6))
LINEAR = Table("sigmoid", Format(8, 4), Format(8, 7), (16, 64), (4, 2, 1), 4, (64, 80, 100), 8)


@st.composite
def tables(draw: st.DrawFn, function: str, input: Format) -> Table:
    """Any lines, also falling ones and ones that leave the output's format."""
    output = Format(draw(st.integers(3, 10)), draw(st.integers(1, 9)))
    bounds = sorted(draw(st.sets(st.integers(1, -input.low), max_size=5)))
    slope = draw(st.integers(max(0, output.fraction - input.fraction), 12))
    offset = draw(st.integers(output.fraction, slope + input.fraction))

    def words(fraction: int) -> tuple[int, ...]:
        end = 2 * 2**fraction
        return tuple(draw(st.lists(st.integers(-end // 2, end), min_size=len(bounds) + 1, max_size=len(bounds) + 1)))

    return Table(function, input, output, tuple(bounds), words(slope), slope, words(offset), offset)


@st.composite
def activations(draw: st.DrawFn, shared: bool) -> Activations:
    format = draw(PREACTIVATIONS)
    twice = Format(format.bits + 1, format.fraction)
    tanh = None if shared else draw(tables("tanh", format))
    return Activations(format, draw(tables("sigmoid", twice if shared else format)), tanh)


def inputs(format: Format) -> tuple[Integers, list[int]]:
    """Every integer of a format, and the same as plain numbers."""
    value = every(format.low, format.high, format.fraction)
    return value, [plain.number(n, format.fraction) for n in value.array]


def numbers(value: Integers) -> list[int]:
    return [plain.number(n, value.fraction) for n in checked([value])[0]]


@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data(), format=PREACTIVATIONS)
def test_tables_are_read_as_by_plain_integers(function, data, format):
    table = data.draw(tables(function, format))
    a, twins = inputs(format)
    got = activate(a, table, "y")
    assert numbers(got) == [plain.table(n, table) for n in twins]
    assert got.fraction == table.output.fraction
    assert table.output.low <= got.low
    assert got.high <= table.output.high


@given(data=st.data(), format=PREACTIVATIONS)
def test_lines_of_rounding_offsets_are_rounded_by_dropped_bits(data, format):
    table = data.draw(tables("tanh", format))
    words, fraction = table.rounding_offsets
    exact = table.slope_fraction + format.fraction
    for offset, word in zip(table.offsets, words, strict=True):
        for line in range(-40, 40):
            product = plain.number(line, exact)
            rounded = plain.rounded(product + plain.number(offset, table.offset_fraction), table.output.fraction)
            found = plain.integer(product + plain.number(word, fraction), exact) >> exact - table.output.fraction
            assert plain.number(found, table.output.fraction) == rounded
    assert fraction <= max(table.offset_fraction, table.output.fraction + 1)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data(), format=PREACTIVATIONS)
def test_negative_inputs_mirror_positive_ones(function, data, format):
    table = data.draw(tables(function, format))
    a = every(-format.high, format.high, format.fraction)
    y = activate(a, table, "").array
    negative, positive = y[: format.high][::-1], y[format.high + 1 :]
    whole = 0 if function == "tanh" else 2**table.output.fraction
    assert (negative == np.clip(whole - positive, table.output.low, table.output.high)).all()


@pytest.mark.parametrize("shared", [True, False])
@given(data=st.data())
def test_both_functions_of_a_network(shared, data):
    functions = data.draw(activations(shared))
    a, twins = inputs(functions.preactivation)
    a.log.trace = {}
    sigmoid, tanh = functions.sigmoid(a, "i"), functions.tanh(a, "g")
    table = functions.tanh_table
    assert numbers(sigmoid) == [plain.table(n, functions.sigmoid_table) for n in twins]
    assert numbers(tanh) == [
        plain.tanh_by_sigmoid(n, functions.sigmoid_table) if table is None else plain.table(n, table) for n in twins
    ]
    assert a.log.trace == {"i": sigmoid.array, "g": tanh.array}


@given(data=st.data(), format=PREACTIVATIONS)
def test_tanh_by_a_sigmoid_that_does_not_saturate_is_odd(data, format):
    drawn = data.draw(tables("sigmoid", Format(format.bits + 1, format.fraction)))
    table = replace(drawn, output=Format(drawn.output.fraction + 16, drawn.output.fraction))  # nothing saturates
    y = tanh_by_sigmoid(every(-format.high, format.high, format.fraction), table, "").array
    assert (y[: format.high] == -y[format.high + 1 :][::-1]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slopes": (4, 2)}, "a table of 2 slopes needs as many offsets and one bound less, got 3 and 2"),
        ({"offsets": (1, 2)}, "a table of 3 slopes needs as many offsets and one bound less, got 2 and 2"),
        ({"bounds": (16,)}, "a table of 3 slopes needs as many offsets and one bound less, got 3 and 1"),
        ({"slope_fraction": 49}, r"slope_fraction lies in 0\.\.48, got 49"),
        ({"slope_fraction": -1}, r"slope_fraction lies in 0\.\.48, got -1"),
        ({"slopes": (4, 2, 1 << 31)}, "slopes and offsets of a table have 32 bits at most"),
        ({"offsets": (1, 2, -(1 << 31) - 1)}, "slopes and offsets of a table have 32 bits at most"),
        ({"output": Format(8, 0)}, "output has a fraction of 1 bit or more, got 0"),
        ({"bounds": (0, 16)}, r"bounds must increase from above 0, got \[0, 16\]"),
        ({"bounds": (16, 16)}, r"bounds must increase from above 0, got \[16, 16\]"),
        (
            {"offset_fraction": 9},
            r"offset_fraction=9 must lie between the output's fraction \(7\) and that of slope times input \(8\)",
        ),
        (
            {"offset_fraction": 6},
            r"offset_fraction=6 must lie between the output's fraction \(7\) and that of slope times input \(8\)",
        ),
    ],
)
def test_inconsistent_tables_are_refused(changes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        replace(LINEAR, **changes)


NINE = Format(9, 4)


@pytest.mark.parametrize(
    ("sigmoid", "tanh", "message"),
    [
        (LINEAR, None, f"sigmoid_table must be of sigmoid for {NINE}, got sigmoid for {LINEAR.input}"),
        (
            replace(LINEAR, input=NINE),
            replace(LINEAR, function="tanh"),
            f"sigmoid_table must be of sigmoid for {LINEAR.input}, got sigmoid for {NINE}",
        ),
        (
            replace(LINEAR, function="tanh"),
            replace(LINEAR, function="tanh"),
            f"sigmoid_table must be of sigmoid for {LINEAR.input}, got tanh for {LINEAR.input}",
        ),
        (LINEAR, LINEAR, f"tanh_table must be of tanh for {LINEAR.input}, got sigmoid for {LINEAR.input}"),
        (
            LINEAR,
            replace(LINEAR, function="tanh", input=NINE),
            f"tanh_table must be of tanh for {LINEAR.input}, got tanh for {NINE}",
        ),
    ],
)
def test_tables_that_do_not_take_the_preactivation_are_refused(sigmoid, tanh, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Activations(LINEAR.input, sigmoid, tanh)
