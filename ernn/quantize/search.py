"""The smallest widths of a program within a budget of phone errors, found by measuring a few of them.

Greedy by group: each is narrowed alone, by halving, with the others at their start. Then all are joined, and while the
joint loss exceeds the budget the group that was cut the most gets a bit back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ernn.params import Bits

GROUPS = ("weights", "activations", "accumulators", "cell")
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
        if not self._fits(start):
            return start
        narrowest = {group: self._narrowest(start, group) for group in GROUPS}
        joint = start.model_copy(update=narrowest)
        while not self._fits(joint):
            below = {group: getattr(start, group) - getattr(joint, group) for group in GROUPS}
            group = max(GROUPS, key=lambda name: (below[name], -GROUPS.index(name)))
            joint = joint.model_copy(update={group: getattr(joint, group) + 1})
        return joint

    def _narrowest(self, start: Bits, group: str) -> int:
        """By halving: the loss grows as the width falls, but for noise."""
        low, high = NARROWEST, getattr(start, group)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._fits(start.model_copy(update={group: middle})) else (middle + 1, high)
        return high

    def _fits(self, bits: Bits) -> bool:
        known = [per for tried, per in self.steps if tried == bits]
        if not known:
            known = [self.measure(bits)]
            self.steps.append((bits, known[0]))
        return known[0] - self.reference <= self.budget
