"""The smallest widths of a program within a budget of phone errors, found by measuring a few of them.

Greedy by group, weights first because they fill the memory: each is narrowed by halving, with the groups before it as
narrow as they have become, until a share of the budget is used up that grows by equal parts. So the widths at the end
were measured together, and with four groups there are at most seventeen measurements.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ernn.params import Bits

GROUPS = tuple(Bits.model_fields)
NARROWEST = 4
Measure = Callable[[Bits], float]


@dataclass
class Search:
    """A search and every step that it has measured, in order."""

    measure: Measure  # PER in percent
    reference: float  # PER of the float network
    budget: float  # points
    steps: list[tuple[Bits, float]] = field(default_factory=list)

    def run(self, start: Bits) -> Bits:
        """The narrowest widths found whose loss is within the budget; `start` itself if that is not."""
        if not self._fits(start, self.budget):
            return start
        bits = start
        for number, group in enumerate(GROUPS, start=1):
            bits = self._narrowed(bits, group, self.budget * number / len(GROUPS))
        return bits

    def _narrowed(self, bits: Bits, group: str, budget: float) -> Bits:
        """Least width of a group within the budget, by bisection: the loss is taken to fall with every bit."""
        low, high = NARROWEST, getattr(bits, group)
        while low < high:
            middle = (low + high) // 2
            fits = self._fits(bits.model_copy(update={group: middle}), budget)
            low, high = (low, middle) if fits else (middle + 1, high)
        return bits.model_copy(update={group: high})

    def _fits(self, bits: Bits, budget: float) -> bool:
        known = [per for tried, per in self.steps if tried == bits]
        if not known:
            known = [self.measure(bits)]
            self.steps.append((bits, known[0]))
        return known[0] - self.reference <= budget
