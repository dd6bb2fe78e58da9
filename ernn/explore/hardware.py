"""The search for the best accelerators of a program on a device, by the cost model.

It is exhaustive over its space (`ernn.explore.space`): every accelerator is made of parts that are estimated, or is
beaten by one that is, or exceeds what it may take (`ernn.explore.combine` says why nothing is lost). Cycles are those
of `ernn.explore.pace`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from ernn.devices.catalogue import Device, Resources
from ernn.estimate import cost, energy
from ernn.explore import pace
from ernn.explore.combine import BRAM, INTERVAL, LATENCY, LUT, WORK, Bounds, Combined, Compared, combined
from ernn.explore.pace import Pace
from ernn.explore.pareto import front
from ernn.explore.parts import Parts
from ernn.explore.space import Setting, Space
from ernn.hw.design import Work
from ernn.hw.layout.array import Array
from ernn.hw.layout.sizing import Size
from ernn.hw.verilog import chain
from ernn.hw.verilog.network import Architecture, NetworkHardware
from ernn.hw.work import work
from ernn.params.requirement import Requirement
from ernn.program.network import Program
from ernn.records.exploration import HardwareRow

_FOLLOWED = 500  # ways to build the first modules, in a rough search
SLACK = 0.05  # of modules together, and of whole accelerators
_RESOURCES = tuple(each.name for each in fields(Resources))


@dataclass(frozen=True)
class Variant:
    """A program that may be built.

    Args:
        label: its name in answers.
        error: on the dev split, percent; None: it is not known, or all are alike.
    """

    label: str
    program: Program
    error: float | None = None


@dataclass(frozen=True)
class Candidate:
    """An accelerator by estimates.

    Args:
        needed: of the device.
        pace: cycles of a frame.
        energy_uj: of a frame, with the toggles of a typical accelerator.
    """

    variant: Variant
    setting: Setting
    arrays: tuple[Array, ...]
    needed: Resources
    pace: Pace
    energy_uj: float

    @property
    def architecture(self) -> Architecture:
        """What the generator takes."""
        return self.setting.architecture(self.arrays)

    @property
    def share(self) -> float:
        """Of the scarcest resource, 0..1."""
        return max(self.setting.device.shares(self.needed).values())

    @property
    def latency_us(self) -> float:
        """Of a frame alone, microseconds."""
        return self.pace.latency / self.setting.clock_mhz

    @property
    def frames_per_s(self) -> float:
        """All streams together."""
        return 1e6 * self.setting.clock_mhz / self.pace.interval

    def value(self, quantity: str) -> float:
        """What is minimised, by its name in a requirement; phone errors do not depend on hardware: its share."""
        if quantity in _RESOURCES:
            return float(getattr(self.needed, quantity))
        return float(getattr(self, "share" if quantity == "per" else quantity))

    @property
    def sizes(self) -> tuple[Size, ...]:
        """Of its arrays in the order of the data, as `ernn.hw.layout.sizing.arrays` takes them for `each`."""
        links = chain.links(self.variant.program, self.setting.logits)
        needs = [required for link in links for required in link.arrays]
        return tuple(
            (
                array.lanes,
                array.columns,
                0 if required.side_by_side else array.heads,
                required.cells // array.beats if required.cells > 1 else 0,
            )
            for array, required in zip(self.arrays, needs, strict=True)
        )

    def __str__(self) -> str:
        names = [f"array {number}" for number in range(len(self.arrays) - 1)]
        names = ["array", "output"] if len(names) == 1 else [*names, "output"]
        arrays = ", ".join(f"{name} {_size(size)}" for name, size in zip(names, self.sizes, strict=True))
        stored = "transformed" if self.setting.transformed else "words"
        memory = "" if self.setting.memory == "auto" else f", memory={self.setting.memory}"
        return f"{arrays}, weights={stored}{memory}"

    def row(self, binds: Sequence[str] = ()) -> HardwareRow:
        """As a record has it."""
        return HardwareRow(
            design=self.variant.label,
            device=self.setting.device.name,
            sizes=str(self),
            used=self.needed,
            share=self.share,
            cycles=self.pace.interval,
            latency_cycles=self.pace.latency,
            clock_mhz=self.setting.clock_mhz,
            clock_kind="assumed",
            energy_uj=self.energy_uj,
            verified=False,
            binds=tuple(binds),
        )


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

    best: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    nearest: Candidate | None
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
    there = (getattr(device.resources, name) for name in _RESOURCES)
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
        there = np.array([getattr(self.device.resources, name) or np.inf for name in _RESOURCES])
        share = (rows[:, LUT : BRAM + 1] / there).max(axis=1)
        error = np.full(len(rows), 0.0 if variant.error is None else variant.error)
        columns = [rows[:, LUT : BRAM + 1], share[:, None], rows[:, LATENCY, None] / clock, energies[:, None]]
        self._columns.append(np.concatenate([*columns, (interval / clock)[:, None], error[:, None]], axis=1))

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """Quantities of all candidates, by the names of a requirement."""
        table = np.concatenate(self._columns) if self._columns else np.zeros((0, 9))
        names = (*_RESOURCES, "share", "latency_us", "energy_uj", "frame_us", "per")
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
        there = [getattr(self.device.resources, each) or np.inf for each in _RESOURCES]
        limits = [most * each for each in there] if wanted == "share" else [np.inf] * len(there)
        if wanted in _RESOURCES:
            limits[_RESOURCES.index(wanted)] = most
        lut, ff, dsp, bram = (min(a, b) for a, b in zip(bounds.resources, limits, strict=True))
        return replace(bounds, resources=(lut, ff, dsp, bram), multipliers=(lut, ff, dsp, bram))

    def front(self) -> tuple[Candidate, ...]:
        """The least share, and the least of each resource, for a latency and an energy."""
        columns, numbers = self.columns, set[int]()
        for name in ("share", *_RESOURCES):
            quantities = np.stack([columns[each] for each in (name, "latency_us", "energy_uj")], axis=1)
            numbers |= set(front(quantities, slack=SLACK).tolist())
        order = sorted(numbers, key=lambda number: (columns["share"][number], columns["latency_us"][number]))
        return tuple(self.candidate(number) for number in order)

    def nearest(self) -> Candidate | None:
        """The one whose worst quantity is least above what is allowed."""
        if not self.rows:
            return None
        ratios = np.max([ratio for _, ratio in _ratios(self.columns, self.requirement, self.device)], axis=0)
        return whole(self.candidate(int(ratios.argmin())))

    def candidate(self, number: int) -> Candidate:
        """One of them."""
        variant, found, place = self.rows[number]
        row = found.rows[place]
        made = Pace(int(row[INTERVAL]), int(row[LATENCY]))
        needed = Resources(*(float(each) for each in row[LUT : BRAM + 1]))
        microjoules = float(self.columns["energy_uj"][number])
        return Candidate(variant, found.setting, found.arrays[place], needed, made, microjoules)


def _energies(setting: Setting) -> tuple[float, float]:
    """Microjoules of a cycle: of the device, and of a flip-flop with its toggles."""
    static = energy.estimate(Work({}), 1, setting.clock_mhz, 0, 0, setting.device).total.value
    one = energy.estimate(Work({}), 1, setting.clock_mhz, 1, energy.toggles_estimate(1, 1), setting.device).total.value
    return static, one - static


def _verified(table: _Table, few: int) -> tuple[Candidate, ...]:
    """The best by the whole accelerator, in the order of their parts; a slower one than its parts makes way."""
    found: list[Candidate] = []
    for number in table.ordered():
        candidate = whole(table.candidate(number))
        same = (each.needed == candidate.needed and each.pace == candidate.pace for each in found)
        if not any(same) and not binding(candidate, table.requirement):
            found.append(candidate)
        if len(found) == few:
            break
    return tuple(found)


def whole(candidate: Candidate) -> Candidate:
    """The same accelerator, estimated as a whole."""
    setting = candidate.setting
    network = NetworkHardware(candidate.variant.program, candidate.architecture)
    needed, made = cost.estimate(network, setting.device).total, pace.of_network(network)
    done = sum((work(layer) for layer in network.layers), Work({}))
    toggles = energy.toggles_estimate(needed.ff, made.interval)
    found = energy.estimate(done, made.interval, setting.clock_mhz, needed.ff, toggles, setting.device)
    return replace(candidate, needed=needed, pace=made, energy_uj=found.total.value)


def binding(candidate: Candidate, requirement: Requirement) -> tuple[str, ...]:
    """What of a candidate does not keep a requirement, in words, the worst first; empty: it keeps all."""
    device = candidate.setting.device
    values = {name: getattr(candidate.needed, name) for name in _RESOURCES}
    values |= {"latency_us": candidate.latency_us, "energy_uj": candidate.energy_uj}
    values["frame_us"] = 1e6 / candidate.frames_per_s
    columns = {name: np.array([value]) for name, value in values.items()}
    found = sorted(((float(ratio[0]), text) for text, ratio in _ratios(columns, requirement, device)), reverse=True)
    words = {name: f"{value:.1f}".removesuffix(".0") for name, value in values.items()}
    words["frame_us"] = f"{candidate.frames_per_s:.0f}"
    return tuple(text.format(**words) for ratio, text in found if ratio > 1 + 1e-9)


def _ratios(
    columns: Mapping[str, np.ndarray], requirement: Requirement, device: Device
) -> Iterator[tuple[str, np.ndarray]]:
    """Each quantity as a share of what is allowed, and how it is said."""
    for name in _RESOURCES:
        if most := getattr(device.resources, name):
            text = f"{name}: {{{name}}} of {most * requirement.share:.0f} ({requirement.share:.0%} of {most})"
            yield text, columns[name] / (most * requirement.share)
    if requirement.latency_us is not None:
        yield (
            f"latency: {{latency_us}} us of the allowed {requirement.latency_us:g}",
            (columns["latency_us"] / requirement.latency_us),
        )
    if requirement.frames_per_s is not None:
        yield (
            f"frames a second: {{frame_us}} of the required {requirement.frames_per_s:g}",
            (columns["frame_us"] * requirement.frames_per_s / 1e6),
        )
    if requirement.energy_uj is not None:
        yield (
            f"energy: {{energy_uj}} uJ of the allowed {requirement.energy_uj:g}",
            (columns["energy_uj"] / requirement.energy_uj),
        )


def _size(size: Size) -> str:
    lanes, columns, heads, pointwise = (*size, 0)[:4]
    text = f"{lanes}x{columns}" + (f" with {heads} heads" if heads > 1 else "")
    return text + (f" and {pointwise} cells a cycle" if pointwise > 1 else "")
