"""Work of a frame against counts made another way: from the program alone, or by hand."""

from dataclasses import replace

import pytest

from ernn.dataflow.transforms import multiplications
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.graph import Graph
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.schedule import Clock
from ernn.hw.work import WorkCounter, work
from ernn.program.matrices import Pruned, Sparse
from tests import programs
from tests.hw import designs


def products(matrix) -> int:
    """Necessary multiplications of a matrix and a vector."""
    if isinstance(matrix, Sparse):
        return len(matrix.columns) * multiplications(matrix.block_size, matrix.transform)
    if isinstance(matrix, Pruned):
        return int((matrix.values.integers != 0).sum())
    gates, rows, cols, k = matrix.words.integers.shape
    return gates * rows * cols * multiplications(k, matrix.transform)


@pytest.mark.parametrize("name", sorted({*programs.STRUCTURES} - {"global"}))  # dense beside pruned: none is built
def test_products_are_those_of_the_matrices_and_of_the_units(name):
    program = programs.build(**programs.STRUCTURES[name])
    design = designs.network(program)
    counted = sum(sum(work(layer).multiplications.values()) for layer in design.layers)
    units = sum(unit.blocks * unit.kernel.graph.multiplications() for each in design.layers for unit in each.units)
    matrices = sum(products(matrix) for matrix in program.matrices.values())
    assert counted == pytest.approx(matrices + units)


def test_more_lanes_change_what_is_read_alone():
    program = programs.build(block_sizes=(2, 2))
    small, large = (work(designs.network(program, size, (1, 1, 0)).layers[0]) for size in ((4, 1, 0), (8, 1, 0)))
    assert small.read_bits > large.read_bits
    assert replace(small, read_bits=0.0) == replace(large, read_bits=0.0)


def test_every_weight_is_read_once():
    layer = designs.network(programs.build(block_sizes=(4, 4)), (4, 2, 0)).layers[0]
    steps = sum(thread.length for thread in layer.array.layout.threads)
    units = sum(unit.real_steps * unit.memory_bits(memory) for unit in layer.units for memory in unit.memories)
    vector = steps * 2 * layer.array.factors.bits
    assert work(layer).read_bits == layer.weight_memory_bits + vector + units


def test_a_kernel_is_counted_by_its_operators():
    graph = Graph("small")
    a, b = (graph.input_range(name, -128, 127, 0) for name in "ab")
    graph.output("y", a * b + a)
    graph.output("z", a + b)
    done = WorkCounter()
    done.add(Kernel(graph, Clock(100, TIMINGS["xc7"]), "small"), 3)
    assert done.multiplications == {"8x8": 3}
    assert done.logic_bits == 3 * (16 + 9)
    assert (done.table_bits, done.read_bits, done.write_bits) == (0, 0, 0)
