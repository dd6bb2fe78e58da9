"""All accelerators of one setting from the parts of their modules, without those that another one beats.

What an accelerator takes is a sum over the modules of its chain and what is around them. So is its latency, and the
energy of its work; its interval is that of the slowest module. All that a requirement asks for, or minimises, grows
with these quantities. Let two ways to build the first modules of a chain give words of the same sizes. If one is not
above the other in any quantity, it stays so with every way to build the rest, since sums and largest ones keep the
order. So dropping the other loses no value that a search could find. The same holds for what is around the chain: it
grows with the number of registers, the widest words that are loaded and shown, and the bits of their number, which are
quantities too. A
quantity that nothing asks for need not be compared.

With a slack, one also makes way for another that is not above 1 + slack times it. Sums and largest ones keep that, too:
after n modules the one that is left is not above (1 + slack) ** n times any that went.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ernn.devices.catalogue import Resources
from ernn.estimate import cost
from ernn.explore import pace
from ernn.explore.pareto import front
from ernn.explore.parts import Part, Parts, alike, least, least_steps
from ernn.explore.space import Setting, Space
from ernn.hw.layout.array import Array
from ernn.hw.layout.registers import part_count
from ernn.hw.layout.words import Words
from ernn.hw.verilog import chain
from ernn.hw.verilog.chain import Link
from ernn.program.network import Program

LUT, FF, DSP, BRAM, WORK, LATENCY, READS, INTERVAL, LOADED, SHOWN, COUNTED = range(11)
_SUMS = 7  # quantities that are added, before those of which the largest counts
_ROUNDED = 1 + 1e-9  # sums of floats
_AT_ONCE = 1_000_000  # rows that are joined before those that others beat are dropped


@dataclass(frozen=True)
class Bounds:
    """What an accelerator may take at most; infinite: anything.

    Args:
        resources: in the order of `Resources`.
        interval, latency: cycles.
        multipliers: what a module's multipliers alone may take; where none has so few, the smallest arrays do.
        energy: microjoules.
        rates: microjoules of a cycle: of the device, and of a flip-flop.
    """

    resources: tuple[float, float, float, float]
    interval: float
    latency: float
    multipliers: tuple[float, float, float, float]
    energy: float
    rates: tuple[float, float]

    def opened(self) -> "Bounds":
        """Anything that has no more multipliers."""
        return replace(self, resources=(np.inf,) * 4, interval=np.inf, latency=np.inf, energy=np.inf)

    def allow(self, rows: np.ndarray) -> np.ndarray:
        """Which rows of quantities keep them."""
        within = np.asarray(rows[:, : BRAM + 1] <= np.array(self.resources) * _ROUNDED).all(axis=1)
        within &= (rows[:, LATENCY] <= self.latency * _ROUNDED) & (rows[:, INTERVAL] <= self.interval * _ROUNDED)
        good: np.ndarray = within & (self.energies(rows) <= self.energy * _ROUNDED)
        return good

    def energies(self, rows: np.ndarray) -> np.ndarray:
        """Microjoules of a frame."""
        device, register = self.rates
        found: np.ndarray = rows[:, WORK] + rows[:, INTERVAL] * (device + register * rows[:, FF])
        return found


@dataclass(frozen=True)
class Combined:
    """Accelerators of one setting.

    Args:
        rows: (accelerators, quantities), in the order of the constants of this module.
        arrays: of each of them.
        covered: accelerators of the space that are among them, are beaten by one of them, or keep no bound.
        space: all of them.
    """

    setting: Setting
    rows: np.ndarray
    arrays: list[tuple[Array, ...]]
    covered: int
    space: int


def _ties(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = (rows / np.maximum(rows.max(axis=0, initial=0), 1e-9)).sum(axis=1)
    return found


_Best = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class _Ways:
    """Ways to build the first modules: their quantities, and the parts of each."""

    rows: np.ndarray
    parts: list[tuple[Part, ...]]

    def only(self, numbers: np.ndarray) -> "_Ways":
        return _Ways(self.rows[numbers], [self.parts[number] for number in numbers])


@dataclass(frozen=True)
class Compared:
    """How accelerators are compared.

    Args:
        quantities: of which one must be less; what an accelerator takes is always among them.
        slack: in all modules together.
        most: ways to build the first modules that are followed.
        apart: whether whole accelerators are compared by one resource at a time, their latency and energy: those with
            the least of each resource, and of the scarcest, are left.
    """

    quantities: tuple[int, ...]
    slack: float = 0.0
    most: int = 20_000
    apart: bool = False

    def best(self, rows: np.ndarray, modules: int) -> np.ndarray:
        """Numbers of the rows that are left."""
        own = [LUT, FF, DSP, BRAM, READS, LOADED, SHOWN, COUNTED, *self.quantities]
        return front(rows[:, sorted({*own})], _ties(rows), self._each(modules))

    def whole(self, rows: np.ndarray, modules: int, bounds: Bounds) -> np.ndarray:
        """The same of accelerators, but for what is around their chains."""
        if not self.apart:
            return self.best(rows, modules)
        scarcest = (rows[:, : BRAM + 1] / np.array(bounds.resources)).max(axis=1)
        others = [rows[:, LATENCY], bounds.energies(rows), *rows[:, [READS, LOADED, SHOWN, COUNTED]].T]
        left = set[int]()
        for resource in (scarcest, *rows[:, : BRAM + 1].T):
            left |= set(front(np.stack([resource, *others], axis=1), _ties(rows), self._each(modules)).tolist())
        return np.array(sorted(left), int)

    def _each(self, modules: int) -> float:
        """Slack of each time that rows are dropped."""
        return float((1 + self.slack) ** (1 / modules) - 1)


def combined(
    program: Program, setting: Setting, space: Space, parts: Parts, bounds: Bounds, compared: Compared
) -> Combined:
    """Accelerators within bounds that no other one beats in every quantity that is compared."""
    links = chain.links(program, setting.logits)
    architecture = setting.architecture()
    input, output = architecture.input(program), architecture.output(program)
    runs = _runs(links, space.alone)
    choices = [list(space.arrays(run[0])) for run in runs]
    whole = math.prod(map(len, choices))
    options, sinks = list[dict[Words, list[tuple[Part, ...]]]](), {input.words}
    for run, choice in zip(runs, choices, strict=True):
        good = _affordable(run, choice, setting, bounds)
        options.append({sink: [_in_row(run, each, sink, setting, parts) for each in good] for sink in sinks})
        sinks = {made[-1].sink for found in options[-1].values() for made in found}
    options, rest = _within_all(options, bounds)
    streams = pace.of_streams(input, output)
    first = np.zeros((1, COUNTED + 1))
    first[0, [LATENCY, INTERVAL]] = streams.latency, streams.interval
    ways, lost = {input.words: _Ways(first, [()])}, False
    joins = 3 * len(runs)  # each drops some of its parts, of what it is joined with, and of what gives equal words

    def best(rows: np.ndarray) -> np.ndarray:
        return compared.best(rows, joins)

    def whole_best(rows: np.ndarray) -> np.ndarray:
        return compared.whole(rows, joins, bounds)

    for found, after in zip(options, rest, strict=True):
        last = found is options[-1]
        left = whole_best if last else best
        joined = dict[Words, list[_Ways]]()
        for sink, before in ways.items():
            if not before.parts:
                continue
            for words, own in _by_sink(found.get(sink, []), best).items():
                joined.setdefault(words, []).append(_join(before, own, after, bounds, left))
        ways = {words: _best(several, left) for words, several in joined.items()}
        if not last:
            lost |= any(len(each.parts) > compared.most for each in ways.values())
            ways = {words: _cut(each, compared.most) for words, each in ways.items()}
    rows, built = [], list[tuple[Part, ...]]()
    for sink, each in ways.items():
        if len(each.parts):
            rows.append(_around(program, setting, sink, each))
            built += each.parts
    total = np.concatenate(rows) if rows else np.zeros((0, COUNTED + 1))
    allowed = np.flatnonzero(bounds.allow(total))
    arrays = [tuple(array for part in built[number] for array in part.arrays) for number in allowed.tolist()]
    return Combined(setting, total[allowed], arrays, len(arrays) if lost else whole, whole)


def quantities(parts: Sequence[Part]) -> list[float]:
    """Those of modules in a row, in the order of this module's constants."""
    needed = sum((part.needed for part in parts), Resources())
    known = [each for part in parts for each in part.controlled]
    reads = sum(1 + len(each.overflows) for each in known)
    loaded = max(part_count(each.load_bits) for each in known)
    shown = max(part_count(each.state_bits) for each in known)
    cycles = pace.joined(part.pace for part in parts)
    energy = sum(part.work_uj for part in parts)
    sums = [needed.lut, needed.ff, needed.dsp, needed.bram, energy, cycles.latency, reads]
    return [*sums, cycles.interval, loaded, shown, max(each.word_bits for each in known)]


def _runs(links: Sequence[Link], alone: int) -> list[list[Link]]:
    """Modules of the chain that have the same sizes: one by one, or in a row where there are many equal ones."""
    runs: list[list[Link]] = []
    for link in links:
        if runs and alike(runs[-1][0]) == alike(link):
            runs[-1].append(link)
        else:
            runs.append([link])
    return [part for run in runs for part in ([run] if len(run) > alone else [[link] for link in run])]


def _in_row(
    run: Sequence[Link], arrays: tuple[Array, ...], before: Words, setting: Setting, parts: Parts
) -> tuple[Part, ...]:
    """Parts of modules in a row with arrays of the same sizes."""
    found: list[Part] = []
    for link in run:
        found.append(parts.part(link, arrays, before, setting))
        before = found[-1].sink
    return tuple(found)


def _affordable(
    run: Sequence[Link], choice: Sequence[tuple[Array, ...]], setting: Setting, bounds: Bounds
) -> list[tuple[Array, ...]]:
    """Sizes whose multipliers and steps are within the bounds; the fewest multipliers, where all else is open."""
    slowest = min(bounds.interval, bounds.latency / len(run))
    fast = [arrays for arrays in choice if least_steps(run[0], arrays) <= slowest]
    found = [(least(run[0], arrays, setting) * len(run), arrays) for arrays in fast]
    good = [arrays for needed, arrays in found if _within(needed, bounds.multipliers)]
    if not good and np.isinf(bounds.resources).all():
        fewest = min((needed.dsp, needed.lut) for needed, _ in found)
        return [arrays for needed, arrays in found if (needed.dsp, needed.lut) == fewest]
    return good


def _within(needed: Resources, most: Sequence[float]) -> bool:
    given = (needed.lut, needed.ff, needed.dsp, needed.bram)
    return all(each <= limit for each, limit in zip(given, most, strict=True))


_Options = list[dict[Words, list[tuple[Part, ...]]]]


def _within_all(options: _Options, bounds: Bounds) -> tuple[_Options, list[np.ndarray]]:
    """Parts that keep the bounds with the least of all others; and what the modules behind each one add at least."""
    least = []
    for each in options:
        rows = [quantities(made)[:_SUMS] for several in each.values() for made in several]
        least.append(np.min(rows, axis=0) if rows else np.zeros(_SUMS))
    kept: _Options = []
    for number, each in enumerate(options):
        others = sum(least[:number] + least[number + 1 :], np.zeros(_SUMS))
        kept.append({sink: _allowed(several, others, bounds) for sink, several in each.items()})
    return kept, [sum(least[number + 1 :], np.zeros(_SUMS)) for number in range(len(least))]


def _allowed(several: list[tuple[Part, ...]], others: np.ndarray, bounds: Bounds) -> list[tuple[Part, ...]]:
    if not several:
        return several
    rows = np.array([quantities(made) for made in several])
    rows[:, :_SUMS] += others
    return [several[number] for number in np.flatnonzero(bounds.allow(rows)).tolist()]


def _by_sink(made: Sequence[tuple[Part, ...]], best: _Best) -> dict[Words, _Ways]:
    """Parts that no other ones beat which give the same words."""
    groups = dict[Words, list[tuple[Part, ...]]]()
    for parts in made:
        groups.setdefault(parts[-1].sink, []).append(parts)
    ways = {}
    for sink, found in groups.items():
        rows = np.array([quantities(parts) for parts in found])
        ways[sink] = _Ways(rows, found).only(best(rows))
    return ways


def _join(before: _Ways, own: _Ways, after: np.ndarray, bounds: Bounds, best: _Best) -> _Ways:
    """All of the first with all of the others, those that keep the bounds with the least behind them."""
    several, at_once = list[_Ways](), max(1, _AT_ONCE // len(own.parts))
    for start in range(0, len(before.parts), at_once):
        rows = before.rows[start : start + at_once]
        sums = (rows[:, None, :_SUMS] + own.rows[None, :, :_SUMS]).reshape(-1, _SUMS)
        most = np.maximum(rows[:, None, _SUMS:], own.rows[None, :, _SUMS:]).reshape(-1, COUNTED + 1 - _SUMS)
        made = np.concatenate([sums, most], axis=1)
        least = made.copy()
        least[:, :_SUMS] += after
        good = np.flatnonzero(bounds.allow(least))
        good = good[best(made[good])]
        pairs = [(start + number // len(own.parts), number % len(own.parts)) for number in good.tolist()]
        several.append(_Ways(made[good], [before.parts[a] + own.parts[b] for a, b in pairs]))
    return _best(several, best) if len(several) > 1 else several[0]


def _best(several: Sequence[_Ways], best: _Best) -> _Ways:
    if len(several) == 1:
        return several[0]
    rows = np.concatenate([each.rows for each in several])
    return _Ways(rows, [parts for each in several for parts in each.parts]).only(best(rows))


def _cut(ways: _Ways, most: int) -> _Ways:
    """At most so many of them: those with the least of what they take most of."""
    if len(ways.parts) <= most:
        return ways
    scaled = ways.rows / np.maximum(ways.rows.max(axis=0), 1e-9)
    return ways.only(np.argsort(scaled[:, : INTERVAL + 1].max(axis=1), kind="stable")[:most])


def _around(program: Program, setting: Setting, sink: Words, ways: _Ways) -> np.ndarray:
    """Quantities with what is around the chain."""
    rows, found = ways.rows.copy(), dict[tuple[float, ...], Resources]()
    for number, parts in enumerate(ways.parts):
        key = tuple(rows[number, [READS, LOADED, SHOWN, COUNTED]])
        if key not in found:
            layers = [each for part in parts for each in part.controlled]
            found[key] = cost.around_cost(program, setting.architecture(), layers, sink, setting.device.family)
        more = found[key]
        rows[number, : BRAM + 1] += (more.lut, more.ff, more.dsp, more.bram)
    return rows
