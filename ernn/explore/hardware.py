"""The search for the best accelerators of a program on a device, by the cost model.

It is exhaustive over its space (`ernn.explore.space`): every accelerator is made of parts that are estimated, or is
beaten by one that is, or exceeds what it may take (`ernn.explore.combine` says why nothing is lost). Cycles are those
of `ernn.explore.pace`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ernn.devices.catalogue import Device, Resources
from ernn.estimate import energy
from ernn.explore.accelerators import RESOURCES, Estimated, Variant, binding, ratios, whole
from ernn.explore.combine import BRAM, INTERVAL, LATENCY, LUT, WORK, Bounds, Combined, Compared, combined
from ernn.explore.pace import Pace
from ernn.explore.pareto import front
from ernn.explore.parts import Parts
from ernn.explore.space import Setting, Space
from ernn.hw.design import Work
from ernn.params.requirement import Requirement

_FOLLOWED = 500  # ways to build the first modules, in a rough search
SLACK = 0.05  # of modules together, and of whole accelerators


@dataclass(frozen=True)
class Found:
    """The answer of a search.

    Args:
        best: those with the least of what is minimised that keep the requirement, the best first.
        front: of those that keep it, the least share, and the least of each resource, for their latency and energy; to
            within a tenth: for each that is not there, one is that is not above 1.1025 times it in these quantities,
            unless there are too many ways to combine layers.
        nearest: where none keeps it, that whose worst quantity is least above what is allowed, among those whose
            multipliers the device has.
        binds: what the nearest one has too much of, in words, the worst first.
        covered: accelerators that the answer holds for.
        space: accelerators of the space; all are covered, unless there are too many ways to combine layers.
        evaluated: accelerators whose quantities were added up to the end, none of which beats another of its setting.
        parts: modules that were estimated.
    """

    best: tuple[Estimated, ...]
    front: tuple[Estimated, ...]
    nearest: Estimated | None
    binds: tuple[str, ...]
    covered: int
    space: int
    evaluated: int
    parts: int


_Change = Callable[[Bounds, Variant, Setting], Bounds]


def search(
    variants: Sequence[Variant],
    requirement: Requirement,
    device: Device,
    space: Space | None = None,
    few: int = 5,
    fronts: bool = True,
    parts: Parts | None = None,
) -> Found:
    """The best accelerators of some programs on a device.

    Args:
        few: how many of the best.
        fronts: whether the front is wanted, which takes longer.
        parts: of earlier searches, to be used again.
    """
    space, parts = space or Space(), parts or Parts()
    before, asked = parts.made, _asked(requirement)
    pairs = [(each, setting) for each in variants for setting in space.settings(device, requirement.clock_mhz)]

    def table(compared: Compared, change: _Change = lambda bounds, *_: bounds) -> _Table:
        made = _Table(requirement, device)
        for variant, setting in pairs:
            bounds = change(_bounds(requirement, setting), variant, setting)
            made.add(variant, combined(variant.program, setting, space, parts, bounds, compared))
        return made

    rough = table(Compared((LATENCY, WORK, INTERVAL) if fronts else asked, SLACK, _FOLLOWED, apart=fronts))
    exact = table(Compared(asked), lambda bounds, variant, setting: rough.better(bounds, variant, setting, few))
    best = _verified(exact, few)
    if not best and rough.rows:  # none of those that seemed to keep it does
        exact = table(Compared(asked))
        best = _verified(exact, few)
    counts = exact.covered, exact.space, len(rough.rows) + len(exact.rows)
    if best:
        return Found(best, rough.front() if fronts else (), None, (), *counts, parts.made - before)
    nearest = table(Compared(asked, most=_FOLLOWED), lambda bounds, *_: bounds.opened()).nearest()
    binds = () if nearest is None else binding(nearest, requirement)
    return Found((), (), nearest, binds, *counts, parts.made - before)


def _asked(requirement: Requirement) -> tuple[int, ...]:
    """Quantities that a requirement asks for, besides what an accelerator takes."""
    found = set[int]()
    if requirement.latency_us is not None or requirement.minimise == "latency_us":
        found.add(LATENCY)
    if requirement.energy_uj is not None or requirement.minimise == "energy_uj":
        found |= {WORK, INTERVAL}
    if requirement.frames_per_s is not None:
        found.add(INTERVAL)
    return tuple(sorted(found))


def _bounds(requirement: Requirement, setting: Setting) -> Bounds:
    clock = setting.clock_mhz
    interval = np.inf if requirement.frames_per_s is None else 1e6 * clock / requirement.frames_per_s
    latency = np.inf if requirement.latency_us is None else requirement.latency_us * clock
    allowed = _allowed(requirement, setting.device)
    energy = np.inf if requirement.energy_uj is None else requirement.energy_uj
    return Bounds(allowed, interval, latency, allowed, energy, _energies(setting))


def _allowed(requirement: Requirement, device: Device) -> tuple[float, float, float, float]:
    there = (getattr(device.resources, name) for name in RESOURCES)
    lut, ff, dsp, bram = (requirement.share * most if most else np.inf for most in there)
    return lut, ff, dsp, bram


class _Table:
    """Candidates of all settings, as rows of numbers."""

    def __init__(self, requirement: Requirement, device: Device) -> None:
        self.requirement, self.device = requirement, device
        self.covered = self.space = 0
        self.rows: list[tuple[Variant, Combined, int]] = []
        self._columns: list[np.ndarray] = []

    def add(self, variant: Variant, found: Combined) -> None:
        """Candidates of a setting."""
        self.covered, self.space = self.covered + found.covered, self.space + found.space
        self.rows += [(variant, found, number) for number in range(len(found.arrays))]
        rows, clock = found.rows, found.setting.clock_mhz
        interval, energies = rows[:, INTERVAL], _bounds(self.requirement, found.setting).energies(rows)
        there = np.array([getattr(self.device.resources, name) or np.inf for name in RESOURCES])
        share = (rows[:, LUT : BRAM + 1] / there).max(axis=1)
        error = np.full(len(rows), 0.0 if variant.error is None else variant.error)
        columns = [rows[:, LUT : BRAM + 1], share[:, None], rows[:, LATENCY, None] / clock, energies[:, None]]
        self._columns.append(np.concatenate([*columns, (interval / clock)[:, None], error[:, None]], axis=1))

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """Quantities of all candidates, by the names of a requirement."""
        table = np.concatenate(self._columns) if self._columns else np.zeros((0, 9))
        names = (*RESOURCES, "share", "latency_us", "energy_uj", "frame_us", "per")
        return dict(zip(names, table.T, strict=True))

    def ordered(self) -> list[int]:
        """All, the best first."""
        names = (self.requirement.minimise, "share", "latency_us", "energy_uj")
        return np.lexsort([self.columns[name] for name in reversed(names)]).tolist()

    def better(self, bounds: Bounds, variant: Variant, setting: Setting, few: int) -> Bounds:
        """The bounds of what is not worse than the best few of these; where errors are minimised, of its own program.

        Nothing outside of them is among the best few, so the best of all are found within them.
        """
        name = self.requirement.minimise
        wanted = "share" if name == "per" else name
        values = self.columns[wanted]
        if name == "per":
            values = values[[each is variant for each, _, _ in self.rows]]
        if not len(values):
            return bounds
        most = float(np.unique(values)[:few][-1])
        if wanted == "energy_uj":
            return replace(bounds, energy=min(bounds.energy, most))
        if wanted == "latency_us":
            return replace(bounds, latency=min(bounds.latency, most * setting.clock_mhz))
        there = [getattr(self.device.resources, each) or np.inf for each in RESOURCES]
        limits = [most * each for each in there] if wanted == "share" else [np.inf] * len(there)
        if wanted in RESOURCES:
            limits[RESOURCES.index(wanted)] = most
        lut, ff, dsp, bram = (min(a, b) for a, b in zip(bounds.resources, limits, strict=True))
        return replace(bounds, resources=(lut, ff, dsp, bram), multipliers=(lut, ff, dsp, bram))

    def front(self) -> tuple[Estimated, ...]:
        """The least share, and the least of each resource, for a latency and an energy."""
        columns, numbers = self.columns, set[int]()
        for name in ("share", *RESOURCES):
            quantities = np.stack([columns[each] for each in (name, "latency_us", "energy_uj")], axis=1)
            numbers |= set(front(quantities, slack=SLACK).tolist())
        order = sorted(numbers, key=lambda number: (columns["share"][number], columns["latency_us"][number]))
        return tuple(self.candidate(number) for number in order)

    def nearest(self) -> Estimated | None:
        """The one whose worst quantity is least above what is allowed."""
        if not self.rows:
            return None
        worst = np.max([ratio for _, ratio in ratios(self.columns, self.requirement, self.device)], axis=0)
        return whole(self.candidate(int(worst.argmin())))

    def candidate(self, number: int) -> Estimated:
        """One of them."""
        variant, found, place = self.rows[number]
        row = found.rows[place]
        made = Pace(int(row[INTERVAL]), int(row[LATENCY]))
        needed = Resources(*(float(each) for each in row[LUT : BRAM + 1]))
        microjoules = float(self.columns["energy_uj"][number])
        return Estimated(variant, found.setting, found.arrays[place], needed, made, microjoules)


def _energies(setting: Setting) -> tuple[float, float]:
    """Microjoules of a cycle: of the device, and of a flip-flop with its toggles."""
    static = energy.estimate(Work({}), 1, setting.clock_mhz, 0, 0, setting.device).total.value
    one = energy.estimate(Work({}), 1, setting.clock_mhz, 1, energy.toggles_estimate(1, 1), setting.device).total.value
    return static, one - static


def _verified(table: _Table, few: int) -> tuple[Estimated, ...]:
    """The best by the whole accelerator, in the order of their parts; a slower one than its parts makes way."""
    found: list[Estimated] = []
    for number in table.ordered():
        candidate = whole(table.candidate(number))
        same = (each.needed == candidate.needed and each.pace == candidate.pace for each in found)
        if not any(same) and not binding(candidate, table.requirement):
            found.append(candidate)
        if len(found) == few:
            break
    return tuple(found)
