"""The integer network on numpy: what everything below it must equal bit for bit.

Utterances run side by side, and a run may be cut anywhere: the state that comes out goes into the next call, and the
integers are the same however an utterance was cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ernn.dataflow.formats import Format, nearest
from ernn.errors import UserError
from ernn.golden.integers import Array, Log
from ernn.golden.layers import LayerModel, Lookup, State, typed
from ernn.program.network import Program
from ernn.program.plans import OUTPUT, plan_of


@dataclass(frozen=True)
class Overflow:
    """How many of the values called `name` were saturated."""

    name: str
    saturated: int
    seen: int

    @property
    def share(self) -> float:
        """Saturated values over all values of this name."""
        return self.saturated / max(self.seen, 1)


class Golden:
    """An interpreter of one program; it counts what it saturates."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._log = Log()
        lookup = Lookup(program.activations, self._log)
        self._layers = [LayerModel(layer, plan_of(layer.kind, layer), lookup, self._log) for layer in program.layers]
        self._head = [LayerModel(layer, plan_of(layer.kind, layer), lookup, self._log) for layer in program.head]
        output = program.output
        self._output = None if output is None else LayerModel(output, OUTPUT, lookup, self._log)

    def initial(self, utterances: int) -> list[State]:
        """The state before the first frame."""
        return [layer.initial(utterances) for layer in self._layers]

    def quantize(
        self, x: Float[np.ndarray, "*frames inputs"], name: str = "features"
    ) -> Int[np.ndarray, "*frames inputs"]:
        """Features as integers of the input format, halves upwards, saturated.

        Raises:
            UserError: a feature is not finite, or vectors of another size.
        """
        if x.shape[-1] != self.program.inputs:
            raise UserError(f"{name}: vectors of {x.shape[-1]} elements, the program takes {self.program.inputs}")
        if not np.isfinite(x).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise UserError(
                f"{name}: features must be finite, got {x[place]} at {place}; correct the audio or leave it out"
            )
        return nearest(x, self.program.input)

    def run(
        self,
        x: Int[np.ndarray, "frames utterances inputs"],
        state: Sequence[State] | None = None,
        lengths: Int[np.ndarray, " utterances"] | None = None,
    ) -> tuple[Int[np.ndarray, "frames utterances classes"], list[State]]:
        """Logits of every frame and the state behind the last one.

        Args:
            x: features as integers of the input format.
            state: before the first frame; None means the program's initial states.
            lengths: frames of each utterance; what follows them is padding, whose logits mean nothing. None means that
                none is padded.

        Raises:
            ValueError: vectors or a state of another shape than the program's.
        """
        frames, utterances, _ = x.shape
        logits = np.empty((frames, utterances, self.program.outputs), np.int64)
        now = list(state) if state is not None else self.initial(utterances)
        for t, (row, state_behind) in enumerate(self._frames(x, now, lengths)):
            logits[t], now = row.T, state_behind
        return logits, now

    def trace(
        self, x: Int[np.ndarray, "frames inputs"], state: Sequence[State] | None = None
    ) -> dict[str, Int[np.ndarray, "frames elements"]]:
        """Every named value of one utterance, frame by frame: `layers.0.a_i`, `layers.0.c`, `output.logits`, ...

        Raises:
            ValueError: vectors or a state of another shape than the program's.
        """
        rows: dict[str, list[Array]] = {}
        self._log.trace = {}
        try:
            for _ in self._frames(x[:, None], list(state) if state is not None else self.initial(1), None):
                for name, array in self._log.trace.items():
                    rows.setdefault(name, []).append(array.reshape(-1))
        finally:
            self._log.trace = None
        return {name: np.stack(found) for name, found in rows.items()}

    @property
    def formats(self) -> dict[str, Format]:
        """Format of every value that was traced, by its name."""
        return dict(self._log.formats)

    def overflows(self) -> list[Overflow]:
        """Every saturating value of all runs so far, the most frequent first."""
        found = [Overflow(name, count, self._log.seen[name]) for name, count in self._log.saturated.items() if count]
        return sorted(found, key=lambda each: (-each.share, each.name))

    def _check(self, x: Array, state: list[State]) -> None:
        """Refuse shapes that NumPy would broadcast, or take for more utterances of fewer elements."""
        if x.ndim != 3 or x.shape[2] != self.program.inputs:
            raise ValueError(f"x has shape {x.shape}, the program takes vectors of {self.program.inputs} elements")
        found, wanted = _shapes(state), _shapes(self.initial(x.shape[1]))
        if found != wanted:
            raise ValueError(f"the state has shapes {found}, the program and x call for {wanted}")

    def _frames(
        self, x: Array, state: list[State], lengths: Array | None
    ) -> Iterator[tuple[Int[np.ndarray, "classes utterances"], list[State]]]:
        """Frame by frame: logits and the state behind them."""
        self._check(x, state)
        integers = np.ascontiguousarray(np.moveaxis(x, 2, 1), np.int64)  # (frames, inputs, utterances)
        for t, frame in enumerate(integers):
            running = None if lengths is None or t < lengths.min(initial=t + 1) else t < lengths
            self._log.frames = running
            y, after = typed(frame, self.program.input, self._log), []
            for number, layer in enumerate(self._layers):
                self._log.scope = f"layers.{number}"
                y, new = layer.step(y, state[number])
                after.append(new if running is None else _kept(running, new, state[number]))
            for number, layer in enumerate(self._head):
                self._log.scope = f"head.{number}"
                y, _ = layer.step(y, {})
            self._log.scope = "output"
            state = after
            yield (y if self._output is None else self._output.step(y, {})[0]).array, state


def _shapes(state: Sequence[State]) -> list[dict[str, tuple[int, ...]]]:
    return [{name: array.shape for name, array in layer.items()} for layer in state]


def _kept(running: Array, new: State, old: State) -> State:
    """The new state where an utterance goes on, else its last one."""
    return {name: np.where(running, array, old[name]) for name, array in new.items()}
