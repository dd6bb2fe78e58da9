"""A kernel: a scheduled graph whose inputs and outputs are buses of equal elements.

Inputs and outputs of a graph are called `bus.element`; an element without a number is a bus of one.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ernn.hw.graph.graph import Graph
from ernn.hw.graph.schedule import Clock, Schedule, schedule
from ernn.hw.graph.usage import Use, usage


@dataclass(frozen=True)
class Bus:
    """Elements side by side, the first in the lowest bits."""

    name: str
    elements: tuple[int, ...]  # places in the graph
    width: int  # of an element

    @property
    def bits(self) -> int:
        """Width of the whole bus, in bits."""
        return len(self.elements) * self.width


@dataclass(frozen=True, eq=False)
class Kernel:
    """A graph that takes new inputs every cycle.

    Args:
        late: beginnings of input names that come from memories; see `ernn.hw.graph.schedule`.
        comes: cycles in which inputs are there, by the beginnings of their names, where it is not 0.
        wide: buses whose elements are given wider than the graph needs, sign-extended.
        doc: what it computes, for the head of its source.
    """

    graph: Graph
    clock: Clock
    doc: str
    late: Collection[str] = ()
    comes: Mapping[str, int] = field(default_factory=dict)
    wide: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the Verilog module and of the C++ function."""
        return self.graph.name

    @cached_property
    def schedule(self) -> Schedule:
        """Cycle in which each node is computed."""
        return schedule(self.graph, self.clock, self.late, self.comes)

    @cached_property
    def uses(self) -> Counter[Use]:
        """Operators whose results are used, without wires, each as often as it occurs."""
        return usage(self.graph, self.schedule.widths)

    @cached_property
    def multiplications(self) -> int:
        """Number of products of two values."""
        return self.graph.multiplications()

    @property
    def latency(self) -> int:
        """Cycles from the first input to the outputs."""
        return self.schedule.latency

    @cached_property
    def inputs(self) -> dict[str, Bus]:
        """Input buses by name."""
        return self._buses(self.graph.inputs)

    @cached_property
    def outputs(self) -> dict[str, Bus]:
        """Output buses by name."""
        return self._buses(self.graph.outputs)

    @cached_property
    def overflows(self) -> dict[str, list[int]]:
        """Saturations that are counted: places by the name without its element."""
        found: dict[str, list[int]] = {}
        for name, places in self.graph.overflows.items():
            found.setdefault(name.split(".")[0], []).extend(places)
        return found

    def taken(self, bus: str) -> int:
        """The cycle in which an input bus is taken."""
        return self.schedule.inputs[next(n for n in self.graph.inputs if n == bus or n.startswith(f"{bus}."))]

    def _buses(self, named: Mapping[str, int]) -> dict[str, Bus]:
        places: dict[str, list[int]] = {}
        for name, place in named.items():
            places.setdefault(name.split(".")[0], []).append(place)
        return {
            bus: Bus(bus, tuple(found), max(self.wide.get(bus, 1), *(self.graph.nodes[each].bits for each in found)))
            for bus, found in places.items()
        }
