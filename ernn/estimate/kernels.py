"""What a kernel takes: the fourth reader of the dataflow graphs, an estimate without synthesis."""

from collections import Counter, defaultdict

from ernn.devices.catalogue import Resources
from ernn.estimate.fabric import Fabric
from ernn.hw.graph.kernel import Kernel
from ernn.hw.graph.operators import ADD, CONSTANT, INPUT, MULTIPLY, Cost

_NOTHING = Resources()
_SOURCES = (CONSTANT, INPUT)


def kernel_cost(kernel: Kernel, fabric: Fabric) -> Resources:
    """Estimate of one instance: operators, multipliers, registers that balance them."""
    return _Reader(kernel, fabric).total()


class _Reader:
    def __init__(self, kernel: Kernel, fabric: Fabric) -> None:
        self.kernel, self.fabric, self.graph = kernel, fabric, kernel.graph
        self.width, self.ready = kernel.schedule.widths, kernel.schedule.ready
        self._roots = self._sources()
        self._inside = self._post_adders() if fabric.packs else set()
        self._uses: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)  # cycles behind: bits that are used

    def total(self) -> Resources:
        """Everything."""
        nodes = [self._node(place) for place in range(len(self.graph.nodes)) if self.width[place]]
        total = Resources(*(sum(getattr(node, field) for node in nodes) for field in ("lut", "ff", "dsp", "bram")))
        for bus in self.kernel.outputs.values():
            for place in bus.elements:
                self._use(place, self.kernel.latency)
        for places in self.kernel.overflows.values():
            for place in places:
                total += self._flag(place)
        return total + self._registers() + self.fabric.delay(1, self.kernel.latency)

    def _sources(self) -> list[tuple[int, int]]:
        """For each node the operator whose bits it shows, and by how many places they are moved down."""
        found: list[tuple[int, int]] = []
        for place, node in enumerate(self.graph.nodes):
            if node.operator.wiring and node.operator not in _SOURCES:
                root, moved = found[node.operands[0]]
                by = node.operator.moves
                found.append((root, moved + (by * node.data[0] if by else 0)))
            else:
                found.append((place, 0))
        return found

    def _post_adders(self) -> set[int]:
        """Additions that a multiplier block does behind its product, which nothing else wants."""
        nodes = self.graph.nodes
        wanted = Counter(operand for node in nodes for operand in node.operands)
        wanted.update(place for bus in self.kernel.outputs.values() for place in bus.elements)
        return {
            place
            for place, node in enumerate(nodes)
            if node.operator is ADD
            and any(nodes[each].operator is MULTIPLY and wanted[each] == 1 for each in node.operands)
        }

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

    def _registers(self) -> Resources:
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

    def _node(self, place: int) -> Resources:
        node, width, c = self.graph.nodes[place], self.width[place], self.fabric.constants
        if node.operator.wiring:
            return _NOTHING
        if node.operator.product:
            a, b, *addend = node.operands
            start = self.kernel.schedule.starts[place]
            for operand in (a, b):
                packed = self.fabric.packs and start > self.ready[operand]  # a register before it, too
                self._use(operand, start - packed)
            for operand in addend:
                self._use(operand, self.ready[place] - 1)
            product = self.fabric.multiplier(self.width[a], self.width[b], width)
            added = Resources(lut=c.add * width, ff=width) if addend and not self.fabric.adds else _NOTHING
            return product + added
        cut = width if node.operator.cuts else None
        for number, operand in enumerate(node.operands):
            sign = number == node.operator.sign_of
            self._use(operand, self.ready[place], None if sign else cut, sign)
        if place in self._inside:
            return _NOTHING
        bits = self.width[node.operands[0]]
        luts: dict[Cost, float] = {
            "adder": c.add * (width - max(map(self._zeros, node.operands))),
            "subtractor": c.add * (width - self._zeros(node.operands[-1])),
            "constant adder": c.plus * (width - ((node.data[0] & -node.data[0]).bit_length() - 1 if node.data else 0)),
            "negation": c.negate * width,
            "magnitude": c.magnitude * width,
            "choice": c.select * width,
            "saturation": c.saturate * width + c.flag * max(0, bits - width),
            "search": bits * (c.bound + (c.read * len(node.data) / 32 if len(node.data) > 2 else 0.0)),
            "table": c.read * width * max(1.0, len(node.data) / 32),
        }
        return Resources(lut=max(0.0, luts[node.operator.cost]))

    def _zeros(self, place: int) -> int:
        """Lowest bits that are always zero: nothing is added there."""
        return max(0, -self._roots[place][1])

    def _flag(self, place: int) -> Resources:
        """Whether a saturation changed its value, and the flag's registers."""
        bits = self.width[self.graph.nodes[place].operands[0]]
        compare = Resources(lut=self.fabric.constants.flag * bits)
        return compare + self.fabric.delay(1, self.kernel.latency - self.ready[place])
