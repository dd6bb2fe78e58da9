"""When each operator of a graph works, in cycles of a target clock.

Operators are chained within a cycle while their delays fit; products take the cycles of a registered multiplier. Every
input says in which cycle it is wanted: those that come from memories are read as late as that, instead of waiting in
registers. What waits in registers is the narrower end of an operator: a table is read a cycle before its words are
wanted, and until then its index waits. A product with a sum behind it takes the sum's other operand a cycle before its
result. A delay here only decides where registers are; whether the clock is reached, place and route says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ernn.devices.timing import Timing
from ernn.hw.graph.graph import Graph, Node, widths


@dataclass(frozen=True)
class Clock:
    """The clock that an accelerator is scheduled for."""

    mhz: float
    timing: Timing

    @property
    def budget_ns(self) -> float:
        """Time for operators in one cycle: the period less the margin."""
        return 1000 / self.mhz - self.timing.margin_ns

    @property
    def relaxed(self) -> bool:
        """Whether a cycle has time for a few look-up tables behind a memory."""
        return self.budget_ns >= 6 * self.timing.lut_ns


@dataclass(frozen=True)
class Schedule:
    """Cycles of a graph: cycle 0 is the one in which the first input arrives.

    `ready` is the cycle in which a node's result is there; `inputs` that in which each input is taken; results of the
    whole graph are registered and all there in cycle `latency`. `starts` is the cycle of a node's factors.
    """

    starts: tuple[int, ...]
    ready: tuple[int, ...]
    inputs: dict[str, int]
    latency: int
    widths: tuple[int, ...]


def schedule(
    graph: Graph, clock: Clock, late: Collection[str] = (), comes: Mapping[str, int] | None = None
) -> Schedule:
    """As soon as possible, for inputs that arrive in cycle 0 unless their name begins with one of `late` or `comes`.

    Late inputs with one beginning are taken together, as late as no other operator waits for them.

    Args:
        comes: cycles in which inputs are there, by the beginnings of their names.
    """
    bits = widths(graph)
    fixed: dict[int, int] = {}
    buses: dict[str, list[int]] = {}
    for name, place in graph.inputs.items():
        buses.setdefault(name[: name.find(".") + 1], []).append(place)

    def beginning(prefix: str) -> list[int]:
        if prefix.find(".") == len(prefix) - 1:  # a whole bus; there may be hundreds
            return buses.get(prefix, [])
        return [place for name, place in graph.inputs.items() if name.startswith(prefix)]

    for prefix, cycle in (comes or {}).items():
        fixed |= dict.fromkeys(beginning(prefix), cycle)
    groups = {prefix: beginning(prefix) for prefix in late}
    starts, ready = _as_soon_as_possible(graph, clock, bits, fixed)
    wanted = _wanted(graph, clock, bits, starts, ready, {place for group in groups.values() for place in group})
    arrivals = fixed | {
        place: max(0, min((wanted[each] for each in group), default=0)) for group in groups.values() for place in group
    }
    starts, ready = _as_soon_as_possible(graph, clock, bits, arrivals)
    counted = {place for places in graph.overflows.values() for place in places}
    latency = max(
        (ready[place] + (not graph.nodes[place].operator.product) for place in (*graph.outputs.values(), *counted)),
        default=1,
    )
    _put_off(graph, clock, bits, starts, ready, latency)
    inputs = {name: arrivals.get(place, 0) for name, place in graph.inputs.items()}
    return Schedule(tuple(starts), tuple(ready), inputs, latency, tuple(bits))


def cycles_of(node: Node, clock: Clock) -> tuple[int, ...]:
    """Cycles from each operand to the result; none where it is ready in the same one."""
    return node.operator.cycles(clock.timing.multiplier_cycles, len(node.operands))


def _as_soon_as_possible(
    graph: Graph, clock: Clock, bits: list[int], arrivals: dict[int, int]
) -> tuple[list[int], list[int]]:
    """The cycles in which nodes start and in which their results are there."""
    starts: list[int] = []
    ready: list[int] = []
    settled: list[float] = []  # ns into the cycle
    for place, node in enumerate(graph.nodes):
        cycles = cycles_of(node, clock)
        first = max(cycles, default=0)
        start = max(
            (ready[each] - first + own for each, own in zip(node.operands, cycles, strict=True)),
            default=arrivals.get(place, 0),
        )
        at = max((settled[each] for each in node.operands if ready[each] == start), default=0.0)
        delay = node.operator.delay(clock.timing, max((bits[each] for each in node.operands), default=0), node.data)
        if delay and at and at + delay > clock.budget_ns:
            start, at = start + 1, 0.0
        starts.append(start)
        ready.append(start + first)
        settled.append(0.0 if first else at + delay)
    return starts, ready


def _put_off(graph: Graph, clock: Clock, bits: list[int], starts: list[int], ready: list[int], latency: int) -> None:
    """Move operators that are wider than their one operand to a cycle before they are wanted: the operand waits.

    Each then begins behind a register, so it is alone in its cycle but for wires. Wires go with what they carry.
    """
    wanted = [latency - 1] * len(graph.nodes)  # the latest cycle in which a result may be there
    for place in reversed(range(len(graph.nodes))):
        node = graph.nodes[place]
        if len(node.operands) == 1 and bits[node.operands[0]] < bits[place]:
            starts[place] = ready[place] = max(ready[place], wanted[place])
        cycles = cycles_of(node, clock)
        for operand, own in zip(node.operands, cycles, strict=True):
            taken = starts[place] + max(cycles) - own
            wanted[operand] = min(wanted[operand], taken - (not node.operator.wiring))


def _wanted(
    graph: Graph, clock: Clock, bits: list[int], starts: list[int], ready: list[int], late: set[int]
) -> list[int]:
    """The latest cycles of the nodes that follow from late inputs alone, a cycle for each of their operators."""
    lazy: set[int] = set()
    for place, node in enumerate(graph.nodes):
        if place in late or (node.operands and lazy.issuperset(node.operands)):
            lazy.add(place)
    wanted = list(ready)
    users: dict[int, list[tuple[int, int]]] = {}  # and how much later than a user's factors it is wanted
    for place, node in enumerate(graph.nodes):
        cycles = cycles_of(node, clock)
        for operand, own in zip(node.operands, cycles, strict=True) if bits[place] else ():
            users.setdefault(operand, []).append((place, max(cycles) - own))
    last = max((ready[place] for place in graph.outputs.values()), default=0)
    begins = list(starts)
    for place in sorted(lazy, reverse=True):
        node = graph.nodes[place]
        wanted[place] = min((begins[each] + later for each, later in users.get(place, ())), default=last)
        cost = max(cycles_of(node, clock), default=0)
        begins[place] = wanted[place] - max(cost, int(node.operator.delay(clock.timing, 1, node.data) > 0))
    return wanted
