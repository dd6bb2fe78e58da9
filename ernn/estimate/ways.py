"""Words of vectors on their way between modules, cycle by cycle.

A way is a FIFO (`ernn_link`), which always takes what comes, and behind it words of another size (`ernn_gearbox`). They
are taken while a layer has room for the frame that they belong to.
"""

from collections.abc import Callable

from ernn.estimate.steps import UNKNOWN, Times, Waiting

FIFO = 3  # cycles from a word that comes in to where it is at the FIFO's output
_OPEN = 3  # cycles from the last beat of a frame, in or out, to a change of what the top module takes

Given = Callable[[int, int], None]  # a word that goes out: cycle, number in its vector


class Frames:
    """Frames under way: the top module takes no more than there are contexts for."""

    def __init__(self, most: int, start: int) -> None:
        self.most, self.start = most, start
        self.begun: list[int] = []  # cycles of first beats
        self.entered: list[int] = []  # of last beats
        self.ended = Times()  # of the last logits

    def open(self, cycle: int) -> int:
        """The first cycle from this one on in which a beat is taken."""
        cycle = max(cycle, self.start)
        while True:
            inside = len(self.entered)
            while inside and self.entered[inside - 1] + _OPEN > cycle:
                inside -= 1
            if inside < self.most:
                return cycle
            ended = self.ended.at(inside - self.most)
            if ended == UNKNOWN:
                return UNKNOWN
            if ended + _OPEN <= cycle:
                return cycle
            cycle = ended + _OPEN

    def state(self, now: int, frames: int) -> tuple[object, ...]:
        """All that the future depends on."""
        late = [each - now for each in self.entered[-self.most :] if each + _OPEN > now]
        return len(self.entered) - frames, tuple(late), len(self.ended) - frames, self.ended.future(now - _OPEN)


class Way(Waiting):
    """Words from one module to the next.

    Args:
        sizes: elements of a word, before and after; both are powers of two.
        words: of a vector, before and after.
        released: cycles in which frames make room: a frame comes in once the one two before it has; none, if there
            always is room.
        given: called with every word that goes out.
        frames: none, but for the first way: words come in as fast as they can go, and so many frames.
    """

    def __init__(
        self,
        sizes: tuple[int, int],
        words: tuple[int, int],
        released: Times | None,
        given: Given,
        frames: Frames | None = None,
        count: int = 0,
    ) -> None:
        (before, after), (self.in_words, self.out_words) = sizes, words
        self.split = before >= after
        self.ratio = before // after if self.split else after // before
        self.released, self.given, self.frames = released, given, frames
        self.left = count * self.in_words if frames else 0  # words that may come in at the front
        self.coming: list[int] = []  # cycles in which words are there, in order, at the FIFO's output
        self.place = 0  # of the next of them
        self.rooms = Times()  # for the way's frames, behind those that are there at the beginning
        self.frame = self.in_word = self.out_word = self.part = 0
        self.full = False  # a collected word waits
        self.taken = -1  # cycle in which the last word came out of the FIFO
        self.gave = -1  # in which the last word went out
        for each in (released, frames.ended if frames else None):
            if each is not None:
                each.readers.append(self)

    def push(self, cycle: int) -> None:
        """A word comes in."""
        self.coming.append(cycle + FIFO)
        self.refresh()

    def refresh(self) -> None:
        """All that is known by now."""
        self.stale = False
        step = self._split if self.split else self._collect
        while step():
            pass

    def _there(self) -> int:
        """Cycle from which the next word is at the FIFO's output."""
        if self.frames is None:
            return max(self.coming[self.place], self.taken + 1) if self.place < len(self.coming) else UNKNOWN
        return self.taken + 1 if self.left else UNKNOWN

    def _room(self) -> int:
        """Cycle from which the words of this frame may go out."""
        return 0 if self.released is None else self.released.at(self.frame - 2)

    def _opened(self, cycle: int) -> int:
        return cycle if self.frames is None or cycle == UNKNOWN else self.frames.open(cycle)

    def _split(self) -> bool:
        """One part of a word goes out, and the word is taken with its last."""
        cycle = self._opened(max(self._there(), self.gave + 1, self._room()))
        if cycle >= UNKNOWN:
            return False
        last = self.out_word == self.out_words - 1
        if self.part == self.ratio - 1 or last:
            self.part = 0
            self._take(cycle)
        else:
            self.part += 1
        self._give(cycle)
        return True

    def _collect(self) -> bool:
        """A collected word goes out, or one comes in."""
        if self.full:
            cycle = max(self.taken + 1, self.gave + 1, self._room())
            if cycle >= UNKNOWN:
                return False
            self.full = False
            self._give(cycle)
            return True
        cycle = self._opened(max(self._there(), self.gave))
        if cycle >= UNKNOWN:
            return False
        self.full = self.part == self.ratio - 1 or self.in_word == self.in_words - 1
        self.part = 0 if self.full else self.part + 1
        self._take(cycle)
        return True

    def _take(self, cycle: int) -> None:
        """A word comes out of the FIFO, or into the network."""
        self.taken = cycle
        if self.frames is None:
            self.place += 1
        else:
            self.left -= 1
            if self.in_word == 0:
                self.frames.begun.append(cycle)
        self.in_word += 1
        if self.in_word == self.in_words:
            self.in_word = 0
            self.rooms.add(cycle + 2)
            if self.frames is not None:
                self.frames.entered.append(cycle)

    def _give(self, cycle: int) -> None:
        """A word goes out."""
        self.gave = cycle
        word = self.out_word
        self.out_word += 1
        if self.out_word == self.out_words:
            self.out_word = 0
            self.frame += 1
        self.given(cycle, word)

    def state(self, now: int, frames: int) -> tuple[object, ...]:
        """All that the future depends on."""
        places = self.frame - frames, self.in_word, self.out_word, self.part, self.full
        cycles = max(-1, self.taken - now), max(-1, self.gave - now)
        waiting = tuple(max(0, each - now) for each in self.coming[self.place :])
        return *places, *cycles, waiting, self.rooms.future(now), len(self.rooms) - frames
