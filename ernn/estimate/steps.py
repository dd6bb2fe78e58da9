"""Steps of an array's threads, cycle by cycle: when each goes into its queue, and when it is taken out of it.

Everything that a thread waits for is a number of things that have come by then, and nothing that came goes away. So a
source of conditions is a list of cycles (`Times`), and a step may go from the latest of some of their entries on. Who
makes a thing appends its cycle as soon as it is known, which is before anybody can see it.

`ernn.hw.verilog.issue` has the rules in Verilog: a queue of two steps for each thread, the first thread with a step at
its queue's head is taken, and heads that are in use hold back steps that end a group.
"""

from collections.abc import Callable, Sequence

UNKNOWN = 1 << 60  # later than any cycle


class Times(list[int]):
    """Cycles from which the first, second, .. of some things count, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[Waiting] = []

    def add(self, cycle: int) -> None:
        """One more."""
        self.append(cycle)
        for each in self.readers:
            each.stale = True

    def at(self, number: int) -> int:
        """Cycle from which that many and one more count; UNKNOWN if it is not known yet."""
        if number < 0:
            return 0
        return self[number] if number < len(self) else UNKNOWN

    def future(self, now: int) -> tuple[int, ...]:
        """Those behind a cycle, counted from there."""
        found = []
        for cycle in reversed(self):
            if cycle <= now:
                break
            found.append(cycle - now)
        return tuple(found)


class Waiting:
    """Whoever reads `Times`."""

    stale = False  # there is more to read

    def refresh(self) -> None:
        """Read it."""


Always = Callable[[int, int], int]  # frame and step of a group: the cycle from which the step may go
Starts = Callable[[int, int], int]  # frame and group
Taken = Callable[[int, int], None]  # what a group's last step does when it is taken: cycle, group


class Walk:
    """A thread on its way through its matrix, twice: steps that go into the queue, and those that are taken.

    Args:
        steps: of each group.
        by_step: all groups with one step before the next.
        always: of each step of a frame.
        opens, starts, finishes: of frames' first steps, groups' first and last steps.
        gap: cycles from a group's end to that of the next, at least.
        drains_from: the first group whose sums go to the heads; none do, if it is not below their number.
    """

    def __init__(
        self,
        steps: Sequence[int],
        by_step: bool,
        always: Always,
        opens: Sequence[Times],
        starts: Sequence[Starts],
        finishes: Sequence[Starts],
        gap: int,
        drains_from: int,
    ) -> None:
        self.steps, self.by_step, self.groups, self.last_group = tuple(steps), by_step, len(steps), len(steps) - 1
        self.always, self.opens, self.starts, self.finishes = always, opens, starts, finishes
        self.gap, self.drains_from = gap, drains_from
        self.last_steps = tuple(each - 1 for each in steps)
        self.taken: list[Taken] = []
        self.frame = self.group = self.step = 0  # that goes next
        self.head_frame = self.head_group = self.head_step = 0  # that is taken next
        self.queued = 0
        self.after = 0  # the next step may go from this cycle on, for what is in the thread
        self.finished = -gap
        self.drains = self._head_drains()
        self.when = UNKNOWN  # the next step may go from this cycle on

    def look(self) -> None:
        """Find out when the next step may go."""
        frame, group, step = self.frame, self.group, self.step
        cycle = max(self.after, self.always(frame, step))
        if not step and cycle < UNKNOWN:
            if not group:
                for room in self.opens:  # for two frames
                    cycle = max(cycle, room.at(frame - 2))
            for each in self.starts:
                cycle = max(cycle, each(frame, group))
        if self.gap and step == self.last_steps[group]:
            cycle = max(cycle, self.finished + self.gap)
            for each in self.finishes:
                cycle = max(cycle, each(frame, group))
        self.when = cycle

    def go(self, cycle: int) -> None:
        """A step goes into the queue."""
        self.queued += 1
        self.after = cycle + 1
        group, step = self.group, self.step
        if step == self.last_steps[group]:
            self.finished = cycle
        if self.by_step:
            if group == self.last_group:
                self.group = 0
                if step == self.last_steps[0]:
                    self._end(cycle)
                else:
                    self.step = step + 1
            else:
                self.group = group + 1
        elif step == self.last_steps[group]:
            self.step = 0
            if group == self.last_group:
                self._end(cycle)
            else:
                self.group = group + 1
        else:
            self.step = step + 1
        self.look()

    def _end(self, cycle: int) -> None:
        """What the ring says of the next frame comes a cycle late."""
        self.group = self.step = 0
        self.frame += 1
        self.after = cycle + 2

    def take(self, cycle: int) -> bool:
        """The step at the queue's head is taken; whether it goes to the heads."""
        self.queued -= 1
        group, step, drains = self.head_group, self.head_step, self.drains
        last = step == self.last_steps[group]
        if last:
            for each in self.taken:
                each(cycle, group)
        if self.by_step:
            self.head_group = group + 1 if group < self.last_group else 0
            if group == self.last_group:
                self.head_step = 0 if last else step + 1
                self.head_frame += last
        elif last:
            self.head_step = 0
            self.head_group = group + 1 if group < self.last_group else 0
            self.head_frame += group == self.last_group
        else:
            self.head_step = step + 1
        self.drains = self._head_drains()
        return drains

    def _head_drains(self) -> bool:
        return self.head_step == self.last_steps[self.head_group] and self.head_group >= self.drains_from

    def plain(self, now: int) -> int:
        """Steps that go one a cycle from now on, by what is known, and concern nobody else."""
        first, last, groups = self.step, self.last_steps[self.group], self.groups if self.by_step else 1
        if first >= last or (not first and (not self.by_step or not self.group)):
            return 0
        begin = self.group if self.by_step else 0  # of this step's groups
        if self.always(self.frame, last) <= now:
            return (last - first) * groups - begin
        step = first + 1
        while step < last and self.always(self.frame, step) <= now + (step - first) * groups - begin:
            step += 1
        return (step - first) * groups - begin

    def run(self, count: int, cycle: int) -> None:
        """So many steps have gone and as many were taken, until this cycle; one stays in the queue."""
        if not count:
            return
        if self.by_step:
            self.step, self.group = divmod(self.step * self.groups + self.group + count, self.groups)
            self.head_step, self.head_group = divmod(
                self.head_step * self.groups + self.head_group + count, self.groups
            )
        else:
            self.step += count
            self.head_step += count
        self.drains = self._head_drains()
        self.after = cycle
        self.look()

    def state(self, now: int, frames: int) -> tuple[int, ...]:
        """All that the future depends on, relative to a cycle and a frame."""
        place = self.frame - frames, self.group, self.step, self.head_frame - frames, self.head_group, self.head_step
        return (*place, self.queued, max(0, self.after - now), max(-self.gap, self.finished - now))


class Steps(Waiting):
    """An array: in each cycle the first thread that has a step at its queue's head issues it.

    Args:
        walks: of its threads, in their order.
        hold: cycles for which sums of a drained group are at the heads, of each thread.
    """

    def __init__(self, walks: Sequence[Walk], hold: Sequence[int]) -> None:
        self.walks, self.holds = tuple(walks), dict(zip(walks, hold, strict=True))
        self.now = 0  # what is known of the threads is known of this cycle's beginning
        self.free = 0  # the heads are
        self.wake = 0  # the next cycle in which something happens
        self.running: Walk | None = None  # until then, this thread goes and is taken in every cycle

    def refresh(self) -> None:
        """Something came that threads wait for."""
        self.stale = False
        for walk in self.walks:
            if walk.when == UNKNOWN:
                walk.look()
                if walk.queued < 2 and walk.when < self.wake:
                    self.wake = max(walk.when, self.now)

    def settle(self, cycle: int) -> None:
        """Go on to the beginning of a cycle before which nothing happens."""
        if self.running is not None:
            self.running.run(cycle - self.now, cycle)
            self.running = None
        self.now = cycle

    def tick(self) -> None:
        """The cycle `wake`."""
        cycle = self.wake
        self.settle(cycle)
        winner = None
        for walk in self.walks:
            if walk.queued and (cycle >= self.free or not walk.drains):
                winner = walk
                break
        for walk in self.walks:
            if walk.queued < 2 and walk.when <= cycle:
                walk.go(cycle)
        if winner is not None and winner.take(cycle):
            self.free = cycle + self.holds[winner]
        self.now = cycle + 1
        self.plan()

    def plan(self) -> None:
        """When the next thing happens, and whether one thread runs until then."""
        now, free, wake = self.now, self.free, UNKNOWN
        winner: Walk | None = None
        for walk in self.walks:
            if walk.queued:
                if free > now and walk.drains:
                    wake = min(wake, free)
                elif winner is None:
                    winner, wake = walk, now
            if walk.queued < 2 and walk.when < wake:
                wake = max(walk.when, now)
        if winner is not None and winner.queued == 1 and winner.when <= now:
            count = winner.plain(now)
            before = True
            for walk in self.walks:
                if walk is winner:
                    before = False
                    continue
                if walk.queued < 2 and walk.when - now < count:
                    count = walk.when - now
                if before and walk.queued and free - now < count:
                    count = free - now
            if count > 1:
                self.running, wake = winner, now + count
        self.wake = wake

    def state(self, now: int, frames: int) -> tuple[object, ...]:
        """All that the future depends on."""
        return max(0, self.free - now), *(walk.state(now, frames) for walk in self.walks)
