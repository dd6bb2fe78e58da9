"""What an accelerator does in a frame: operators by their widths, and bits that go in and out of memories.

WorkCounter from the kernels' graphs, each as often as it has real blocks to work on. Steps that only fill up multiply
zeros, which toggles little: their products are not counted, but the weights that they read are.
"""

from collections import defaultdict

from ernn.hw.design import Work
from ernn.hw.graph import kernels
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import MULTIPLY_ADD
from ernn.hw.verilog.layer import LayerHardware


class WorkCounter:
    """Work as it is counted; see `ernn.hw.design.Work`."""

    def __init__(self) -> None:
        self.multiplications: dict[str, float] = defaultdict(float)
        self.logic_bits = self.table_bits = self.register_file_bits = self.read_bits = self.write_bits = 0.0

    def add(self, kernel: Kernel, runs: float) -> None:
        """Count a kernel that is run so many times."""
        for use, count in kernel.uses.items():
            times = runs * count
            if use.operator.product:
                a, b = sorted(use.operands[:2])
                self.multiplications[f"{a}x{b}"] += times
                self.logic_bits += times * use.width * (use.operator is MULTIPLY_ADD)
            elif use.operator.cost == "table":
                self.table_bits += times * use.width
            elif use.operator.cost == "search":
                self.logic_bits += times * use.operands[0]
                self.table_bits += times * use.operands[0] * (use.entries > 1)
            else:
                self.logic_bits += times * use.width

    def work(self) -> Work:
        """Rounded, so that equal accelerators have equal numbers."""
        bits = {name: round(value, 3) for name, value in vars(self).items() if name != "multiplications"}
        return Work({widths: round(n, 3) for widths, n in sorted(self.multiplications.items())}, **bits)


def work(layer: LayerHardware) -> Work:
    """Work of one layer in a frame."""
    total = WorkCounter()
    _array(layer, total)
    _vectors(layer, total)
    for unit in layer.units:
        total.add(unit.kernel, unit.blocks)
        if unit.before:
            total.add(unit.before.kernel, unit.before.turns * unit.rows.blocks)
        for memory in unit.memories:
            bits = unit.real_steps * unit.memory_bits(memory)
            total.read_bits += bits
            total.write_bits += bits if memory.numbers is None else 0
    return total.work()


def _array(layer: LayerHardware, total: WorkCounter) -> None:
    """Products and their sums; a word of weights is read once a frame."""
    array, layout = layer.array, layer.array.layout
    lane, steps = array.lane, sum(thread.length for thread in layout.threads)
    runs = sum(thread.products for thread in layout.threads) / lane.multiplications
    total.add(lane, runs)
    total.logic_bits += runs * array.lanes_bits
    total.register_file_bits += 2 * runs * array.lanes_bits  # sums are read and written back
    total.read_bits += layer.weight_memory_bits
    total.read_bits += steps * array.operands.reads * layout.array.columns * array.factors.bits


def _vectors(layer: LayerHardware, total: WorkCounter) -> None:
    """Factors of the vectors, made once for all rows, and written to every copy."""
    array = layer.array
    for thread in {thread.vector: thread for thread in array.layout.threads}.values():
        kernel = kernels.factors("points", thread.matrix, thread.product.vector, array.lane.clock)
        total.add(kernel, thread.block_columns)
        total.write_bits += thread.block_columns * array.operands.write_copies * array.factors.kept_bits(thread.vector)
