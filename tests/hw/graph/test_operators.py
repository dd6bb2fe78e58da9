"""Every reader of graphs knows every operator: written in both languages, evaluated, scheduled and estimated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format
from ernn.devices.catalogue import DEVICES
from ernn.devices.timing import TIMINGS
from ernn.estimate.fabric import FABRICS
from ernn.estimate.kernels import kernel_cost
from ernn.hw.graph.graph import Graph, Wire, widths
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import OPERATORS, Operator
from ernn.hw.graph.schedule import Clock
from ernn.hw.hls.kernel import function
from ernn.hw.verilog.kernel import modules
from ernn.hw.work import WorkCounter
from tests.hw.evaluate import evaluate

CLOCK = Clock(200, TIMINGS["xc7"])
WORDS = Format(8, 4)
BUILT = {  # a value that takes each operator to make
    "input": lambda a, b: a,
    "constant": lambda a, b: a._times(0, 0, 0, 4),
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "negate": lambda a, b: -a,
    "plus": lambda a, b: a._plus(3, a.low + 3, a.high + 3),
    "multiply": lambda a, b: a * b,
    "multiply_add": lambda a, b: a.multiply_add(b, (a * b).named("c")),
    "shift_left": lambda a, b: a._shift_left(2, 4 * a.low, 4 * a.high, 4),
    "shift_right": lambda a, b: a._shift_right(2, a.low >> 2, a.high >> 2, 2),
    "narrow": lambda a, b: ((a + b) - b).bounded(a.low, a.high),
    "saturate": lambda a, b: (a + b)._saturate(-8, 7, "s"),
    "magnitude": lambda a, b: a.magnitude(),
    "select": lambda a, b: a.where_negative(b, a + b),
    "search": lambda a, b: a.magnitude().segment([1, 5, 9]),
    "read": lambda a, b: a.magnitude().segment([1, 5, 9]).read([4, 3, 2, 1], 0),
}


def built(operator: Operator) -> Graph:
    graph = Graph("one")
    made: Wire = BUILT[operator.name](graph.input("a.0", WORDS), graph.input("b.0", WORDS))
    graph.output("y.0", made)
    return graph


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each.name)
def test_every_reader_knows_the_operator(operator):
    graph = built(operator)
    assert operator in {node.operator for node in graph.nodes}
    kernel = Kernel(graph, CLOCK, "one operator")
    assert modules(kernel)[-1].name == kernel.name
    assert f"static void {kernel.name}" in function(kernel)
    for flow in {device.family for device in DEVICES.values()}:
        assert min(vars(kernel_cost(kernel, FABRICS[flow])).values()) >= 0
    total = WorkCounter()
    total.add(kernel, 1.0)
    assert evaluate(graph, {"a.0": 5, "b.0": -3}).outputs()["y.0"] is not None


def test_each_operator_has_its_name_to_itself():
    assert len({each.name for each in OPERATORS}) == len(OPERATORS) == len(BUILT)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each.name)
@given(a=st.integers(WORDS.low, WORDS.high), b=st.integers(WORDS.low, WORDS.high))
def test_low_bits_of_operands_decide_what_is_asked_for(operator, a, b):
    """Cut to the widths that the operators ask for, every node that is asked for ends as it would without a cut."""
    graph = built(operator)
    whole, cut = (evaluate(graph, {"a.0": a, "b.0": b}, wrapped=wrapped) for wrapped in (False, True))
    bits = widths(graph)
    for place in graph.outputs.values():
        assert (whole.nodes[place] - cut.nodes[place]) % (1 << bits[place]) == 0


@pytest.mark.parametrize("operator", [each for each in OPERATORS if each.linear], ids=lambda each: each.name)
@given(seed=st.integers(0, 999))
def test_a_linear_operator_is_the_same_on_vectors_of_coefficients(operator, seed):
    graph = built(operator)
    x = np.random.default_rng(seed).integers(-8, 8, (2,))
    vectors: list[np.ndarray] = []
    for node in graph.nodes:
        if node.operator.linear is None:
            vectors.append(np.eye(2, dtype=np.int64)[len(vectors)])
        else:
            vectors.append(node.operator.linear(node.data, *(vectors[each] for each in node.operands)))
    wanted = evaluate(graph, {"a.0": int(x[0]), "b.0": int(x[1])}).outputs()["y.0"]
    assert vectors[graph.outputs["y.0"]] @ x == wanted
