"""Cycles of one layer's module: what its threads wait for, and what its units hand on (`ernn.estimate.cycles`)."""

import re
from collections.abc import Callable, Iterator

from ernn.estimate.steps import Starts, Steps, Times, Walk
from ernn.estimate.ways import FIFO, Way
from ernn.hw.graph import kernels
from ernn.hw.layout.array import Thread
from ernn.hw.layout.words import Words
from ernn.hw.verilog.layer import LayerHardware
from ernn.hw.verilog.unit import Unit
from ernn.program.network import Layer
from ernn.program.plans import plan_of

_TO_LANES = 4  # cycles from a step that is taken to its sums at the heads, beside those in the lane
_SEEN = 3  # cycles from a block's factors to a step that may use them
_WHOLE = 2  # cycles from the last of them to a step that waits for all
_READ = 4  # cycles from a step that is taken to the vector that it needs no more, beside those to its operands

Done = Callable[[int, int], None]  # a step of a unit: cycle, number in its vector


class _Vector:
    """Blocks that a module's threads multiply.

    Args:
        blocks: of a frame.
        writes: that come at a time.
        latency: of the kernel that makes their factors.
    """

    def __init__(self, blocks: int, writes: int, latency: int) -> None:
        self.blocks, self.writes, self.latency = blocks, writes, latency
        self.words = -(-blocks // writes)
        self.seen, self.whole = Times(), Times()
        self._word = 0

    def write(self, cycle: int) -> None:
        """A word of blocks comes to the kernel."""
        self.seen.add(cycle + self.latency + _SEEN)
        self._word += 1
        if self._word == self.words:
            self._word = 0
            self.whole.add(cycle + self.latency + _WHOLE)

    def written(self, cycle: int, _: int) -> None:
        """The same, as a unit calls it."""
        self.write(cycle)

    def need(self, frame: int, blocks: int) -> int:
        """Cycle from which the first blocks of a frame may be used; none of a frame before the first."""
        return self.seen.at(frame * self.words + (blocks - 1) // self.writes) if frame >= 0 else 0


def _later(times: Times) -> Done:
    """What counts two cycles after it happened."""
    return lambda cycle, _: times.add(cycle + 2)


class LayerCycles:
    """One layer's module.

    Args:
        hardware: its description.
        layer: of the program, if it is recurrent.
        out: what its vector goes to.
        alone: whether a frame needs no y of the one before.
    """

    def __init__(self, hardware: LayerHardware, layer: Layer | None, out: Way, alone: Callable[[int], bool]) -> None:
        self.hardware, self.out, self.alone = hardware, out, alone
        self.array, self.layout = hardware.array, hardware.array.layout
        self.threads = self.layout.threads
        self.units = {unit.drain: unit for unit in hardware.units}
        self.of_name = {unit.name: unit for unit in hardware.units}
        self.latencies = {kernel.name: kernel.latency for kernel in hardware.kernels}
        self.vectors: dict[str, _Vector] = {}
        self.released = Times()
        self.rows = Times()  # frames of rows of x that are whole
        self.done: dict[str, list[Done]] = {unit.name: [] for unit in hardware.units}
        self.there: dict[str, Times] = {}  # steps of units that others read
        self.kept: dict[str, Times] = {}  # frames of rows that are needed no more
        self.made: dict[str, Times] = {}  # groups of sums of x, by the thread that goes on with them
        self.used: dict[str, Times] = {}  # those that it has gone on with
        self.inner: list[LayerCycles | Way] = []
        self.rooms = {"room": out.rooms}
        for thread in self.threads:
            if thread.vector not in self.vectors:
                self.vectors[thread.vector] = self._vector(thread)
        if layer is None:
            self.done[hardware.units[-1].name].append(self._send)
        else:
            self._recurrent(layer)
        self.walks = [self._walk(thread) for thread in self.threads]
        holds = [self._hold(thread) if thread.drains else 1 for thread in self.threads]
        self.steps = Steps(self.walks, holds)
        for times in self._times():
            times.readers.append(self.steps)

    def _times(self) -> Iterator[Times]:
        yield from (times for vector in self.vectors.values() for times in (vector.seen, vector.whole))
        yield self.rows
        for each in (self.there, self.kept, self.made, self.used, self.rooms):
            yield from each.values()

    def _vector(self, thread: Thread) -> _Vector:
        hardware = self.hardware
        writes = {"x": hardware.source, "m": None}.get(thread.vector, hardware.sink)
        return _Vector(
            thread.block_columns,
            hardware.units[0].width if writes is None else writes.elements // hardware.block_size,
            self.latencies[f"{hardware.name}_points_{thread.vector}"],
        )

    def _send(self, cycle: int, _: int) -> None:
        self.out.push(cycle)

    def take(self, cycle: int, word: int) -> None:
        """A word of x comes in."""
        if "x" in self.vectors:
            self.vectors["x"].write(cycle)
        elif word == self.hardware.source.words - 1:
            self.rows.add(cycle + _WHOLE)

    def _whole(self, unit: Unit, then: Done) -> Done:
        """The same for whole blocks of a unit that takes a block in beats."""
        if unit.beats == 1:
            return then
        last = unit.beats - 1

        def block(cycle: int, step: int) -> None:
            if step % unit.beats == last:
                then(cycle + 1, step // unit.beats)

        return block

    def _recurrent(self, layer: Layer) -> None:
        """Units that hand their results to vectors, to other threads and to the next module."""
        plan, hardware = plan_of(layer.kind, layer), self.hardware
        updates = plan.recurrent
        last = self.of_name[updates[-1].name]
        for update in updates:
            if update.result in self.vectors and update.result not in plan.states:
                vector, unit = self.vectors[update.result], self.of_name[update.name]
                self.done[unit.name].append(self._whole(unit, vector.written))
        if plan.projection is None:
            self.done[last.name].append(self._whole(last, self._y))
        elif hardware.projection is None:
            self.done[plan.projection.name].append(self._y)
        else:
            self._projection(hardware.projection.layer, hardware.projection.words, last)
        if "x" not in self.vectors:
            self.done[last.name].append(self._frame_of(last, self.released))
        for condition in hardware.conditions.values():
            for name in re.findall(r"(\w+)_there", condition.finishes):
                self.there[name] = Times()
                self.done[name].append(_later(self.there[name]))
            for name in re.findall(r"(\w+)_frames", condition.starts):
                self.kept[name] = Times()
                self.done[last.name].append(self._frame_of(last, self.kept[name]))
            for name in re.findall(r"(\w+)_full", condition.starts):
                self.made[name], self.used[name] = Times(), Times()

    @staticmethod
    def _frame_of(unit: Unit, times: Times) -> Done:
        """A frame is over with the unit's last step."""
        last = unit.real_steps - 1

        def done(cycle: int, step: int) -> None:
            if step == last:
                times.add(cycle + 1)

        return done

    def _y(self, cycle: int, _: int) -> None:
        self.out.push(cycle)
        self.vectors["y"].write(cycle + 1)

    def _projection(self, made: LayerHardware, words: Words, last: Unit) -> None:
        """m goes to a module of its own, and y comes back."""
        back = way(made.sink, self.hardware.sink, None, self._y)
        module = LayerCycles(made, None, back, self.alone)
        forth = way(words, made.source, module.released, module.take)
        self.inner += [back, module, forth]
        self.rooms["m_room"] = forth.rooms

        def push(cycle: int, step: int) -> None:
            if step < last.blocks:
                forth.push(cycle)

        self.done[last.name].append(push)

    def _hold(self, thread: Thread) -> int:
        """Cycles for which a group's sums are at the heads."""
        return self.layout.array.chain * self.array.drains[self._drain(thread)].hold

    def _drain(self, thread: Thread) -> int:
        return next(n for n, drain in enumerate(self.array.drains) if drain.name == thread.drains)

    def _walk(self, thread: Thread) -> Walk:
        condition = self.hardware.conditions[thread.name]
        finishes = [self._there(thread, name) for name in re.findall(r"(\w+)_there", condition.finishes)]
        walk = Walk(
            thread.steps_of_groups,
            thread.by_step,
            self._always(thread, condition.always),
            [self.rooms[name] for name in re.findall(r"\w*room", condition.opens)],
            list(self._starts(thread, condition.starts)),
            finishes,
            3 if finishes else 0,
            thread.drains_from if thread.drains else thread.groups,
        )
        if thread.drains:
            walk.taken.append(self._drained(thread))
        if thread.name in self.used:
            walk.taken.append(_later(self.used[thread.name]))
        if thread.vector == "x":
            walk.taken.append(self._x_taken(thread))
        return walk

    def _x_taken(self, thread: Thread) -> Callable[[int, int], None]:
        """What follows when sums of x are made, and when a frame of x is read."""
        columns = self.layout.array.columns
        cycles, last = _READ + self.array.operands.operand_delay + kernels.skew(columns - 1) + 1, thread.groups - 1
        parts = {
            group: self.made[each.name]
            for each in self.threads
            if each.name in self.made
            for group in range(each.base, each.base + each.groups)
        }

        def taken(cycle: int, group: int) -> None:
            if group in parts:
                parts[group].add(cycle + 2)
            if group == last:
                self.released.add(cycle + cycles)

        return taken

    def _drained(self, thread: Thread) -> Callable[[int, int], None]:
        """Steps of the unit behind the heads."""
        unit, hold, first = self.units[self._drain(thread)], self._hold(thread), thread.drains_from
        delay = self._behind(unit)
        real, done = unit.real_steps, self.done[unit.name]

        def taken(cycle: int, group: int) -> None:
            if group >= first:
                begin = (group - first) * hold
                for step in range(begin, min(begin + hold, real)):
                    for each in done:
                        each(cycle + delay + step - begin, step)

        return taken

    def _always(self, thread: Thread, expression: str) -> Callable[[int, int], int]:
        """What every step waits for."""
        kind, vector, total = (
            expression.removeprefix(f"{thread.name}_"),
            self.vectors[thread.vector],
            thread.block_columns,
        )
        banks = self.array.operands.columns_at_once(thread)
        needs = [min((step + 1) * banks, total) for step in range(thread.steps)]
        if kind == "x":
            return lambda frame, _: vector.whole.at(frame)
        if kind == "has":
            return lambda frame, step: vector.need(frame, needs[step])
        assert kind == "fed", expression

        def fed(frame: int, step: int) -> int:
            if frame and self.alone(frame):
                return vector.need(frame - 2, total)
            return vector.need(frame - 1, needs[step])

        return fed

    def _starts(self, thread: Thread, expression: str) -> Iterator[Starts]:
        """What the first step of a group waits for."""
        if expression == f"{thread.name}_x":
            whole = self.vectors["x"].whole if "x" in self.vectors else self.rows
            yield lambda frame, _: whole.at(frame)
        elif expression == f"{thread.name}_any":
            made = self.made[thread.name]
            yield lambda frame, group: made.at(frame * thread.groups + group)
        else:
            for name in re.findall(r"(\w+)_full", expression):
                yield self._not_full(self.hardware.thread(name), self.used[name])
            for first, name in re.findall(r"ih_group >= 16'd(\d+) && (\w+)_frames", expression):
                yield self._frames_left(int(first), self.kept[name])

    @staticmethod
    def _not_full(ahead: Thread, used: Times) -> Starts:
        """Sums of one more group have a place: a frame's are kept for a thread."""
        first, groups = ahead.base, ahead.groups

        def room(frame: int, group: int) -> int:
            if first <= group < first + groups:
                return used.at((frame - 1) * groups + group - first)
            return 0

        return room

    @staticmethod
    def _frames_left(first: int, kept: Times) -> Starts:
        return lambda frame, group: kept.at(frame - 2) if group >= first else 0

    def _there(self, thread: Thread, name: str) -> Starts:
        """What a unit must have written before a group may end."""
        unit, times = self.of_name[name], self.there[name]
        each = self.layout.array.chain * self.layout.array.beats

        def there(frame: int, group: int) -> int:
            return times.at(frame * unit.real_steps + min((group + 1) * each, unit.real_steps) - 1)

        return there

    def busy(self) -> int:
        """Cycles that a frame keeps the array, a thread or the heads busy, at least."""
        drained = sum(
            (thread.groups - thread.drains_from) * self._hold(thread) for thread in self.threads if thread.drains
        )
        each = [thread.length for thread in self.threads]
        return max(sum(each), max(each) + 1, drained)

    def through(self) -> int:
        """Cycles from the last word of x to the last word at the next module, at least."""
        after = FIFO + self._behind(self.hardware.units[-1])
        last = self.threads[-1]
        if last.vector == "x":
            steps = last.length if self.hardware.conditions[last.name].always == f"{last.name}_x" else 1
            after += self.latencies[f"{self.hardware.name}_points_x"] + _WHOLE + steps
        return after + sum(each.through() for each in self.inner if isinstance(each, LayerCycles))

    def _behind(self, unit: Unit) -> int:
        """Cycles from a group's last step to the unit's first."""
        return _TO_LANES + self.array.lane_cycles + unit.ahead + unit.kernel.latency

    def all_times(self) -> Iterator[tuple[Times, int]]:
        """Everything that is counted, with its number in a frame."""
        for vector in self.vectors.values():
            yield vector.seen, vector.words
            yield vector.whole, 1
        yield self.rows, 1
        yield self.released, 1
        yield from ((times, self.of_name[name].real_steps) for name, times in self.there.items())
        yield from ((times, 1) for times in self.kept.values())
        for name in self.made:
            groups = self.hardware.thread(name).groups
            yield from ((times, groups) for times in (self.made[name], self.used[name]))


def way(before: Words, after: Words, released: Times | None, given: Callable[[int, int], None]) -> Way:
    """Words of one module to the next."""
    return Way((before.elements, after.elements), (before.words, after.words), released, given)
