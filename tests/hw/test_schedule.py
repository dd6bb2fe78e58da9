"""Schedules: operands are there when they are used, cycles hold what fits in them, late inputs cost nothing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.hw.graph import Graph
from ernn.hw.kernel import Kernel
from ernn.hw.schedule import FAMILIES, Clock, Timing, schedule
from tests import programs
from tests.hw import cases

KERNELS: dict[str, Kernel] = {
    case.kernel.name: case.kernel
    for number, structure in enumerate(
        [
            {"block_sizes": (4, 4), "peepholes": True},
            {"block_sizes": (8, 8), "transform": "fourier", "products": 3, "shared": True},
            {"block_sizes": (2, 4), "projection": 4},
            {"cell": "gru", "block_sizes": (4, 4)},
            {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "reset": "after"},
        ]
    )
    for case in cases.of_program(programs.build(**structure), seed=number, vectors=1)
}
CLOCKS = st.builds(Clock, st.floats(20, 900), st.sampled_from(list(FAMILIES.values())))
NAMES = st.sampled_from(sorted(KERNELS))


@given(name=NAMES, clock=CLOCKS)
def test_operands_are_there_before_they_are_used(name, clock):
    kernel = KERNELS[name]
    found = schedule(kernel.graph, clock, kernel.late)
    for place, node in enumerate(kernel.graph.nodes):
        used = found.ready[place] - (clock.timing.multiplier_cycles if node.operator == "multiply" else 0)
        assert all(found.ready[each] <= used for each in node.operands)
    assert all(found.ready[place] == found.inputs[name] for name, place in kernel.graph.inputs.items())
    assert all(found.ready[place] < found.latency for place in kernel.graph.outputs.values())


@given(name=NAMES, clock=CLOCKS)
def test_chains_fit_in_a_cycle_unless_one_operator_does_not(name, clock):
    kernel = KERNELS[name]
    found, settled = schedule(kernel.graph, clock, kernel.late), []
    for place, node in enumerate(kernel.graph.nodes):
        chained = [settled[each] for each in node.operands if found.ready[each] == found.ready[place]]
        delay = clock.timing.delay(node, max((found.widths[each] for each in node.operands), default=0))
        settled.append(0.0 if node.operator == "multiply" else max(chained, default=0.0) + delay)
        assert settled[place] <= max(clock.budget_ns, delay, *chained)


@pytest.mark.parametrize("cycles", [2, 3, 5])
def test_a_product_takes_the_cycles_of_its_multiplier(cycles):
    graph = Graph("product")
    a, b, c = (graph.input(name, Format(8, 0)) for name in "abc")
    graph.output("y", a * b * c)
    found = schedule(graph, Clock(100, Timing(1.0, 0.0, 0.5, multiplier_cycles=cycles)))
    assert found.latency == 2 * cycles + 1


@pytest.mark.parametrize(("mhz", "chained"), [(500, 0), (250, 3), (101, 9), (400, 2), (1000, 0)])
def test_as_many_operators_are_chained_as_fit(mhz, chained):
    graph = Graph("chain")
    value = graph.input("x", Format(8, 0))
    for _ in range(20):
        value = -value
    graph.output("y", value)
    found = schedule(graph, Clock(mhz, Timing(lut_ns=1.0, carry_ns_per_bit=0.0, margin_ns=0.5)))
    assert found.latency == 1 + (20 - 1) // max(1, chained)


@given(name=NAMES, clock=CLOCKS)
def test_late_inputs_do_not_lengthen_the_latency(name, clock):
    kernel = KERNELS[name]
    found, early = schedule(kernel.graph, clock, kernel.late), schedule(kernel.graph, clock)
    assert found.latency == early.latency
    assert set(early.inputs.values()) <= {0}
    for bus, cycle in found.inputs.items():
        late = [prefix for prefix in kernel.late if bus.startswith(prefix)]
        assert cycle == (next(c for n, c in found.inputs.items() if n.startswith(late[0])) if late else 0)


@given(depth=st.integers(0, 12), clock=CLOCKS)
def test_a_late_input_is_there_in_the_cycle_of_the_operator_that_waits_for_it(depth, clock):
    graph = Graph("late")
    value, bias = graph.input("x", Format(8, 0)), graph.input("b", Format(8, 0))
    for _ in range(depth):
        value = (value * value).requantize(Format(8, 3))
    total = value + bias
    graph.output("y", total)
    found = schedule(graph, clock, ["b"])
    assert found.inputs == {"x": 0, "b": found.ready[total.place]}


def test_the_factor_of_a_product_is_taken_when_the_multiplier_starts():
    graph, clock = Graph("late"), Clock(200, FAMILIES["xc7"])
    x, y, p = (graph.input(name, Format(8, 0)) for name in ("x", "y", "p"))
    first = x * y
    graph.output("z", (first * p) + p)
    assert schedule(graph, clock, ["p"]).inputs["p"] == schedule(graph, clock).ready[first.place] == 2


def test_inputs_of_one_beginning_are_taken_with_the_first_that_is_wanted():
    graph, clock = Graph("late"), Clock(200, FAMILIES["xc7"])
    x, early, late = (graph.input(name, Format(8, 0)) for name in ("x", "b.0", "b.1"))
    graph.output("y", (x + early) * x + late)
    found = schedule(graph, clock, ["b."])
    assert found.inputs == {"x": 0, "b.0": 0, "b.1": 0}


@given(name=NAMES, family=st.sampled_from(list(FAMILIES.values())), mhz=st.lists(st.floats(20, 900), min_size=2))
def test_latency_grows_with_the_clock(name, family, mhz):
    latencies = [schedule(KERNELS[name].graph, Clock(each, family), KERNELS[name].late).latency for each in sorted(mhz)]
    assert all(slow <= fast for slow, fast in pairwise(latencies))
