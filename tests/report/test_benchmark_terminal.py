"""The table for the terminal: never wider than one, whatever the names and numbers are."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Resources
from ernn.records.benchmark import BenchmarkRow, FrameEnergy, Speed
from ernn.report.benchmark_terminal import WIDTH, table


@dataclass
class Result:
    """What the table reads of a result."""

    name: str
    table: list[BenchmarkRow]


def row(device: str, clock_kind: str, energy_kind: str, fits: bool, size: float) -> BenchmarkRow:
    used = Resources(*[round(size * 500_000)] * 2, round(size * 9000), 2000)
    speed = Speed(400 * size, 5000 * size, 5000.0, 1e6, 1e3)
    energy = FrameEnergy(900 * size, 1.0, energy_kind)
    return BenchmarkRow(
        *("x", device, "flow", "words", 1, 1, 99_999 * size, 1.0, speed, clock_kind, None, used, used, None, fits),
        *((), energy, 99.99),
    )


@st.composite
def results(draw) -> list[Result]:
    def one(name: str) -> Result:
        kinds = draw(st.sampled_from(["assumed", "levels", "place_and_route"])), draw(st.sampled_from(ENERGIES))
        return Result(name, [row(draw(st.sampled_from([*DEVICES])), *kinds, draw(st.booleans()), draw(SIZES))])

    return [one(name) for name in draw(st.lists(NAMES, min_size=1, max_size=6))]


ENERGIES, SIZES = ["estimate", "vendor", "board"], st.floats(0.001, 1)
NAMES = st.text("abk-2", min_size=1, max_size=64)


@given(results())
def test_no_line_is_wider_than_a_terminal_and_no_name_is_cut(found):
    text = table(found)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert all(each.name in text for each in found)


def test_without_accelerators_nothing_is_said():
    assert table([]) == ""


def test_marks_are_explained_where_they_occur():
    said = table([Result("a", [row("ecp5-85f", "levels", "board", False, 1.0)])])
    assert "l estimated from levels of logic" in said
    assert "assumed" not in said
    assert "* does not fit the device." in said
