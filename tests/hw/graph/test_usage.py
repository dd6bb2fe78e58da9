"""What graphs use: every operator that is wanted, once, with the widths of what it takes and gives."""

import pytest

from ernn.dataflow.formats import Format
from ernn.estimate import kernels as estimate
from ernn.hw.graph.graph import Graph, widths
from ernn.hw.graph.operators import ADD, MULTIPLY, OPERATORS, PLUS
from ernn.hw.graph.usage import Use, usage
from tests import programs
from tests.hw import cases

A, B = Format(6, 4), Format(5, 3)


def test_a_sum_behind_a_product_that_nothing_else_wants():
    graph = Graph("one")
    a, b = graph.input("a.0", A), graph.input("b.0", B)
    product = a * b
    graph.output("y.0", product + a)
    found = usage(graph, widths(graph))
    [(total, once)] = [(use, count) for use, count in found.items() if use.operator is ADD]
    assert once == 1
    assert total.behind_product
    assert Use(MULTIPLY, 11, (6, 5), (0, 0), 0, 0, False) in found
    assert total.zeros == (0, 3)  # a has three places less than the product
    graph.output("z.0", product)
    assert not any(use.behind_product for use in usage(graph, widths(graph)))


def test_zeros_of_a_constant_are_no_bits_of_its_sum():
    graph = Graph("one")
    graph.output("y.0", graph.input("a.0", A)._plus(12, -20, 43))
    assert [(use.operator, use.places) for use in usage(graph, widths(graph))] == [(PLUS, 2)]


@pytest.mark.parametrize("structure", programs.STRUCTURES)
def test_every_operator_that_is_wanted_is_counted_once(structure):
    for case in cases.of_program(programs.build(**programs.STRUCTURES[structure]), 1, 2):
        graph, bits = case.kernel.graph, case.kernel.schedule.widths
        wanted = [n for n, node in enumerate(graph.nodes) if bits[n] and not node.operator.wiring]
        found = usage(graph, bits)
        assert found.total() == len(wanted)
        assert sum(use.width * count for use, count in found.items()) == sum(bits[n] for n in wanted)
        assert sum(use.operator.product * count for use, count in found.items()) == graph.multiplications()


def test_look_up_tables_are_known_of_every_class_of_operators():
    assert set(estimate._LUTS) == {each.cost for each in OPERATORS} - {"none", "multiplier"}
