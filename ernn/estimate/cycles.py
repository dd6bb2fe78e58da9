"""Cycles of a generated accelerator, computed from its description as its Verilog would take them.

A model of what the threads of all arrays wait for, not of what they compute: `ernn.estimate.steps` issues steps,
`ernn.estimate.ways` moves words between modules, `ernn.estimate.layer_cycles` is one module, and this one puts them
together as `ernn.hw.verilog` does. Delays come from the generator. Cycles are those of RTL simulation, one by one,
while the ports never pause.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ernn.estimate.layer_cycles import LayerCycles, way
from ernn.estimate.steps import UNKNOWN, Steps
from ernn.estimate.ways import Frames, Way
from ernn.hw.verilog.network import NetworkHardware

_LONGEST = 32  # frames in which a design is expected to repeat itself


@dataclass(frozen=True)
class Cycles:
    """How long frames take while the ports never pause.

    Attributes:
        interval: cycles from a frame to the next when frames follow each other, those of several streams in turns: the
            mean over a period, once everything repeats itself. Buffers that fill by a cycle a frame put that off for
            thousands of frames; then it is the mean over the 16 frames behind the first 16.
        latency: cycles of an utterance's first frame alone, from its first feature to its last logit, both counted.
    """

    interval: float
    latency: int


def cycles(network: NetworkHardware) -> Cycles:
    """Initiation interval and latency, equal to those of RTL simulation."""
    begun, ended = frames(network, [(True, 0)])
    return Cycles(_Model(network, None).interval(), ended[0] - begun[0] + 1)


def bound(network: NetworkHardware) -> Cycles:
    """Cycles that no simulation falls below: steps of the busiest array, and pipelines that a frame goes through."""
    model = _Model(network, None)
    beats = network.input.words.words
    interval = max(beats, network.output.words.words, *(module.busy() for module in model.modules))
    return Cycles(interval, beats + sum(module.through() for module in model.chain))


def frames(network: NetworkHardware, order: Sequence[tuple[bool, int]]) -> tuple[list[int], list[int]]:
    """Cycles in which frames come in, and in which their last logits go out, as the test bench prints them.

    Args:
        order: of each frame, whether it opens an utterance, and its stream.
    """
    model = _Model(network, order)
    model.finish()
    return model.frames.begun, list(model.frames.ended)


def _alone(order: Sequence[tuple[bool, int]] | None, streams: int) -> Callable[[int], bool]:
    """Whether a frame needs no y of the frame before it."""
    if order is None:
        return lambda _: streams > 1
    found, seen, before = list[bool](), set[int](), -1
    for opens, stream in order:
        found.append(opens or stream not in seen or stream != before)
        seen.add(stream)
        before = stream
    return lambda frame: frame >= len(found) or found[frame]


class _Model:
    """All modules of a network.

    Args:
        order: of frames, as `frames` has it; None: they never end, and streams take turns.
    """

    def __init__(self, network: NetworkHardware, order: Sequence[tuple[bool, int]] | None) -> None:
        streams = network.architecture.streams
        alone = _alone(order, streams)
        self.frames = Frames((1 << network.frame_bits) - 3, network.control.flush_cycles)
        projections = [layer.projection.layer for layer in network.layers if layer.projection]
        chain = [layer for layer in network.layers if layer not in projections]
        recurrent = iter(reversed(network.program.layers))
        self.modules: list[LayerCycles] = []
        self.chain: list[LayerCycles] = []  # without projections
        self.ways: list[Way] = []
        after = network.output.words
        out = way(chain[-1].sink, after, None, self._logits(after.words))
        self.ways.append(out)
        for number, layer in reversed(list(enumerate(chain))):
            vectors = {thread.vector for thread in layer.array.layout.threads}
            module = LayerCycles(layer, next(recurrent) if "y" in vectors else None, out, alone)
            before = chain[number - 1].sink if number else network.input.words
            if number:
                out = way(before, layer.source, module.released, module.take)
            else:
                sizes = (before.elements, layer.source.elements), (before.words, layer.source.words)
                limit = UNKNOWN if order is None else len(order)
                out = Way(*sizes, module.released, module.take, self.frames, limit)
            self.chain.append(module)
            self.modules += [module, *(each for each in module.inner if isinstance(each, LayerCycles))]
            self.ways += [out, *(each for each in module.inner if isinstance(each, Way))]
        self.arrays = [module.steps for module in self.modules]
        for array in self.arrays:
            for walk in array.walks:
                walk.look()
            array.plan()
        self.last = self.modules[0].walks[0]
        out.refresh()

    def _logits(self, words: int) -> Callable[[int, int], None]:
        def given(cycle: int, word: int) -> None:
            if word == words - 1:
                self.frames.ended.add(cycle)

        return given

    def _next(self) -> Steps | None:
        """The array in which something happens next; None if nothing does any more."""
        for each in self.ways:
            if each.stale:
                each.refresh()
        wake, found = UNKNOWN, None
        for array in self.arrays:
            if array.stale:
                array.refresh()
            if array.wake < wake:
                wake, found = array.wake, array
        return found

    def finish(self) -> None:
        """Go on until nothing happens."""
        while (array := self._next()) is not None:
            array.tick()

    def interval(self) -> float:
        """Mean cycles of a frame, as `Cycles` has it."""
        seen: dict[object, tuple[int, int]] = {}
        frames = cycle = 0
        while (array := self._next()) is not None:
            if frames < self.last.head_frame and array.wake > cycle:
                frames = self.last.head_frame
                before = seen.setdefault(self._state(cycle + 1, frames), (frames, cycle))
                if before[0] < frames:
                    return (cycle - before[1]) / (frames - before[0])
                if frames > _LONGEST:
                    ended, half, last = self.frames.ended, _LONGEST // 2, len(self.frames.ended) - 1
                    return (ended[last] - ended[half]) / (last - half)
            cycle = array.wake
            array.tick()
        raise AssertionError("frames never end, but nothing happens")

    def _state(self, now: int, frames: int) -> object:
        """All that the future depends on, relative to a cycle before which all is done, and to frames that are over."""
        for array in self.arrays:
            array.settle(now)
            array.plan()
        arrays = [array.state(now, frames) for array in self.arrays]
        ways = [each.state(now, frames) for each in self.ways]
        times = [
            (len(times) - frames * each, times.future(now))
            for module in self.modules
            for times, each in module.all_times()
            if times
        ]
        return tuple(arrays), tuple(ways), tuple(times), self.frames.state(now, frames)
