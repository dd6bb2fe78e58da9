"""Registers of kernels, as their schedules need them."""

import pytest

from ernn.dataflow.formats import Format
from ernn.devices.timing import TIMINGS
from ernn.estimate.fabric import FABRICS
from ernn.estimate.kernels import kernel_cost
from ernn.hw.graph.graph import Graph
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.schedule import Clock


def kernel(places: int) -> Kernel:
    """A word of a table that is a factor early and, `places` further left, a summand late."""
    graph = Graph("table")
    x, index = graph.input("x.0", Format(8, 0)), graph.input_range("i.0", 0, 3, 0)
    word = index.read((1, -100, 40, 99), 0)
    graph.output("y.0", x * word + word.to_fraction(places).scaled(places))
    return Kernel(graph, Clock(200, TIMINGS["xc7"]), "an example")


@pytest.mark.parametrize("flow", FABRICS)
def test_words_that_wires_move_wait_in_as_many_registers(flow):
    one, other = (kernel_cost(kernel(places), FABRICS[flow]) for places in (0, 2))
    assert kernel(2).schedule.ready != kernel(0).schedule.ready
    assert (one.ff, one.dsp) == (other.ff, other.dsp)
    assert one.ff > 0
