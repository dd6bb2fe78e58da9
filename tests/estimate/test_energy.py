"""Laws of the estimate: linear in work, monotone in widths, leakage with time, a value within its range."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.estimate import energy
from ernn.hw.design import Work

COUNTS = st.floats(1, 1e6)
BITS = tuple(each.name for each in fields(Work) if each.name != "multiplications")


@st.composite
def works(draw):
    widths = st.tuples(st.integers(1, 18), st.integers(1, 18)).map(lambda pair: f"{pair[0]}x{pair[1]}")
    return Work(draw(st.dictionaries(widths, COUNTS)), **{name: draw(COUNTS) for name in BITS})


def times(work, factor):
    scaled = {name: factor * getattr(work, name) for name in BITS}
    return Work({key: factor * n for key, n in work.multiplications.items()}, **scaled)


def made(work, cycles=100.0, clock=200.0, registers=1000.0, toggles=3e4, device="xcku060"):
    return energy.estimate(work, cycles, clock, registers, toggles, DEVICES[device])


@given(work=works(), factor=st.floats(0.1, 10))
def test_operators_and_memories_are_linear_in_work(work, factor):
    once, scaled = made(work), made(times(work, factor))
    for name in ("multiplications", "logic", "tables", "memories"):
        assert scaled.parts[name].value == pytest.approx(factor * once.parts[name].value)
    for name in ("registers", "toggles", "static"):
        assert scaled.parts[name] == once.parts[name]


@given(work=works(), device=st.sampled_from(sorted(DEVICES)))
def test_the_value_lies_in_its_range_and_is_the_sum_of_its_parts(work, device):
    found = made(work, device=device)
    for each in (found.total, *found.parts.values()):
        assert 0 <= each.low <= each.value <= each.high
    assert found.total.value == pytest.approx(sum(each.value for each in found.parts.values()))


@given(a=st.integers(1, 17), b=st.integers(1, 17), count=COUNTS)
def test_wider_products_cost_more_and_the_order_of_widths_nothing(a, b, count):
    def cost(x, y):
        return made(Work({f"{x}x{y}": count})).parts["multiplications"].value

    assert cost(a, b) == cost(b, a) < cost(a + 1, b)


@given(work=works(), name=st.sampled_from(BITS))
def test_every_kind_of_work_costs_something(work, name):
    assert made(replace(work, **{name: 2 * getattr(work, name)})).total.value > made(work).total.value


@given(work=works(), cycles=st.floats(1, 1e5), clock=st.floats(10, 1000))
def test_leakage_goes_with_time_and_clocked_registers_with_cycles(work, cycles, clock):
    one, slow, long = made(work, cycles, clock), made(work, cycles, clock / 2), made(work, 2 * cycles, clock)
    assert slow.parts["static"].value == pytest.approx(2 * one.parts["static"].value)
    assert slow.parts["registers"] == one.parts["registers"]
    for name in ("static", "registers"):
        assert long.parts[name].value == pytest.approx(2 * one.parts[name].value)


@given(work=works(), toggles=COUNTS, cycles=st.floats(1, 1e5), more=st.floats(0, 1e6))
def test_toggles_cost_by_their_number_alone(work, toggles, cycles, more):
    before, behind = (made(work, cycles, toggles=number) for number in (toggles, toggles + more))
    each = made(work, toggles=1.0).parts["toggles"].value
    assert behind.total.value - before.total.value == pytest.approx(more * each, rel=1e-6, abs=1e-9)
    assert {name for name in before.parts if before.parts[name] != behind.parts[name]} <= {"toggles"}
    assert made(work, 3 * cycles, toggles=toggles).parts["toggles"] == before.parts["toggles"]


def test_published_energies_come_out_as_they_went_in():
    product, logic, memory = (energy.CONSTANTS[name].span for name in ("product", "logic", "memory"))
    assert 32 * 32 * product.value == pytest.approx(3.1)
    assert product.low <= 0.2 / 64 <= product.high
    assert (32 * logic.value, 8 * logic.high) == (pytest.approx(0.1), pytest.approx(0.03))
    assert 64 * memory.value == pytest.approx(10)


def test_every_device_has_a_process_and_every_constant_a_source():
    assert {device.family for device in DEVICES.values()} == set(energy.PROCESSES)
    assert all(each.source and each.unit for each in energy.CONSTANTS.values())


def test_work_adds_up():
    each = dict.fromkeys(BITS, 2.0)
    total = Work({"8x8": 3}, **each) + Work({"8x8": 4, "8x12": 5}, **each)
    assert total == Work({"8x8": 7, "8x12": 5}, **dict.fromkeys(BITS, 4.0))


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_toggles_without_a_simulation_are_a_share_of_all_registers_in_each_cycle(registers, cycles):
    found = energy.toggles_estimate(registers, cycles)
    assert 0.4 * registers * cycles < found < 0.75 * registers * cycles
    assert energy.toggles_estimate(2 * registers, cycles) == pytest.approx(2 * found)
