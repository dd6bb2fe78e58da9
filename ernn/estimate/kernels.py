"""What a kernel takes: tables over its operators by their widths, and the registers that its schedule needs."""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import lru_cache

from ernn.devices.catalogue import Resources
from ernn.estimate.fabric import Fabric, FabricConstants
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import CONSTANT, Cost
from ernn.hw.graph.usage import Use, behind_products, roots

_LUTS: dict[Cost, Callable[[Use, FabricConstants], float]] = {  # look-up tables of an operator
    "adder": lambda use, c: c.add * (use.width - max(use.zeros)),
    "subtractor": lambda use, c: c.add * (use.width - use.zeros[-1]),
    "constant adder": lambda use, c: c.plus * (use.width - use.places),
    "negation": lambda use, c: c.negate * use.width,
    "magnitude": lambda use, c: c.magnitude * use.width,
    "choice": lambda use, c: c.select * use.width,
    "saturation": lambda use, c: c.saturate * use.width + c.flag * max(0, use.operands[0] - use.width),
    "search": lambda use, c: use.operands[0] * (c.bound + (c.read * use.entries / 32 if use.entries > 2 else 0.0)),
    "table": lambda use, c: c.read * use.width * max(1.0, use.entries / 32),
}


@lru_cache(maxsize=2048)
def kernel_cost(kernel: Kernel, fabric: Fabric) -> Resources:
    """Estimate of one instance: operators, multipliers, registers that balance them."""
    operators = sum((use_cost(use, fabric) * count for use, count in kernel.uses.items()), Resources())
    return operators + _flags(kernel, fabric) + _Registers(kernel, fabric).total()


def use_cost(use: Use, fabric: Fabric) -> Resources:
    """Estimate of an operator without the registers around it."""
    if use.operator.product:
        a, b, *addend = use.operands
        product = fabric.multiplier(a, b, use.width)
        added = Resources(lut=fabric.constants.add * use.width, ff=use.width)
        return product + added if addend and not fabric.adds else product
    if use.behind_product and fabric.packs:
        return Resources()
    return Resources(lut=max(0.0, _LUTS[use.operator.cost](use, fabric.constants)))


def _flags(kernel: Kernel, fabric: Fabric) -> Resources:
    """Whether saturations that are counted changed their values, and the flags' registers."""
    width, ready, total = kernel.schedule.widths, kernel.schedule.ready, Resources()
    for place in (place for places in kernel.overflows.values() for place in places):
        bits = width[kernel.graph.nodes[place].operands[0]]
        total += Resources(lut=fabric.constants.flag * bits) + fabric.delay(1, kernel.latency - ready[place])
    return total


class _Registers:
    """Registers behind the nodes of a kernel, from when something wants them."""

    def __init__(self, kernel: Kernel, fabric: Fabric) -> None:
        self.kernel, self.fabric, self.graph = kernel, fabric, kernel.graph
        self.width, self._roots = kernel.schedule.widths, roots(self.graph)
        self.ready = [kernel.schedule.ready[root] for root, _ in self._roots]  # of what wires carry
        self._inside = behind_products(self.graph) if fabric.packs else set()
        self._uses: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)  # cycles behind: bits that are used

    def total(self) -> Resources:
        """Registers of all chains, and those of `valid`."""
        for place in range(len(self.graph.nodes)):
            if self.width[place]:
                self._operands(place)
        for bus in self.kernel.outputs.values():
            for place in bus.elements:
                self._use(place, self.kernel.latency)
        return self._chains() + self.fabric.delay(1, self.kernel.latency)

    def _operands(self, place: int) -> None:
        """When an operator wants its operands, and which bits of them."""
        node = self.graph.nodes[place]
        if node.operator.wiring:
            return
        if node.operator.product:
            a, b, *addend = node.operands
            start = self.kernel.schedule.starts[place]
            for operand in (a, b):
                packed = self.fabric.packs and start > self.ready[operand]  # a register before it, too
                self._use(operand, start - packed)
            for operand in addend:
                self._use(operand, self.ready[place] - 1)
            return
        cut = self.width[place] if node.operator.cuts else None
        for number, operand in enumerate(node.operands):
            sign = number == node.operator.sign_of
            self._use(operand, self.ready[place], None if sign else cut, sign)

    def _use(self, place: int, cycle: int, width: int | None = None, sign: bool = False) -> None:
        """Bits of a node that something wants in a cycle: the lowest `width` of them, or its sign alone."""
        if self.graph.nodes[place].operator is CONSTANT:
            return
        root, moved = self._roots[place]
        width = self.width[place] if width is None else min(width, self.width[place])
        low, high = max(moved, 0), min(moved + width, self.width[root])
        low = high - 1 if sign else low
        if low < high:
            behind = cycle - self.ready[place]
            before = self._uses[root].get(behind, (low, high))
            self._uses[root][behind] = min(low, before[0]), max(high, before[1])

    def _chains(self) -> Resources:
        """Chains behind all nodes; a multiplier block that packs registers takes in the one behind it."""
        chains: Counter[int] = Counter()  # bits by the length of a chain without a tap
        for root, uses in self._uses.items():
            taps = sorted(uses)
            packed = self.graph.nodes[root].operator.product or root in self._inside
            if self.fabric.packs and packed and taps[0]:
                taps, uses = [behind - 1 for behind in taps], {behind - 1: bits for behind, bits in uses.items()}
            for bit in range(max(high for _, high in uses.values())):
                so_far = 0
                for behind in taps:
                    low, high = uses[behind]
                    if low <= bit < high:
                        chains[behind - so_far] += behind > so_far
                        so_far = behind
        return sum((self.fabric.delay(bits, cycles) for cycles, bits in chains.items()), Resources())
