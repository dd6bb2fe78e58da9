"""How often the registers of an accelerator toggle: counted in a simulation of its RTL, by a dump of a few frames."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from ernn.errors import UserError
from ernn.hw.design import REGISTERS, TEST_BENCH, ModuleContents, modules
from ernn.simulate.bench import Bench, Outcome
from ernn.simulate.vectors import Vectors
from ernn.tools import vcd
from ernn.tools.process import Optimize

CYCLES = 2000  # about as many are dumped: enough to average over data, and read in a second
_TOP, _INSTANCE = "ernn", "dut"
_NEVER = f"+from={2**31 - 1}"  # a cycle that no run reaches


@dataclass(frozen=True)
class Toggles:
    """Bits of registers that changed in a part of a run.

    Args:
        frames: that the part lasted, from the last logit of one to the last logit of another.
        registers: toggles by path, as `layer0.lane_0.total`; an element of an array counts by itself.
    """

    frames: int
    registers: Mapping[str, int]

    @property
    def per_frame(self) -> float:
        """Toggles of all registers together in a frame."""
        return sum(self.registers.values()) / self.frames


class ToggleBench(Bench):
    """A test bench that can also dump the registers of a part of a run; other runs are those of `Bench`.

    One build serves both: it traces registers alone, since tracing every wire doubles the time of compilation.
    """

    def __init__(self, project: Path, work: Path, registers: Sequence[str], optimize: Optimize = "-O1") -> None:
        self._modules, control = modules(project), project / REGISTERS
        every = ["--no-trace-params", "--trace-max-width", "0", "--trace-max-array", "0"]  # without limits
        super().__init__(project, work, registers, ["ERNN_WAVES"], optimize, [str(control.resolve()), *every])

    def printed(
        self,
        vectors: Vectors,
        gaps: int = 0,
        stalls: int = 0,
        writes: Sequence[tuple[int, int]] = (),
        arguments: Sequence[str] = (_NEVER,),
    ) -> str:
        """What the test bench prints; nothing is dumped unless `arguments` say so."""
        return super().printed(vectors, gaps, stalls, writes, arguments)

    def toggles(self, vectors: Vectors, outcome: Outcome) -> Toggles:
        """Toggles of a few frames of an undisturbed run, chosen by `window`.

        Args:
            outcome: of that run of the same vectors; the same cycles are simulated again.

        Raises:
            UserError: fewer than two frames, so none follows another.
        """
        first, last = window(outcome.ended, vectors.first)
        found = self.between(vectors, int(outcome.ended[first]), int(outcome.ended[last]))
        return Toggles(last - first, found)

    def between(self, vectors: Vectors, begin: int, end: int) -> dict[str, int]:
        """Toggles of each register at the clock edges behind cycle `begin`, up to that behind cycle `end`."""
        self.printed(vectors, arguments=[f"+from={begin}", f"+to={end - 1}"])
        found: dict[str, int] = {}
        for signal in vcd.signals(self._work / "ernn.vcd"):
            if signal.scopes[:2] == (TEST_BENCH, _INSTANCE):
                module = module_of(signal.scopes[2:], _TOP, self._modules)
                if signal.name.partition("[")[0] in self._modules[module].registers:
                    found[".".join((*signal.scopes[2:], signal.name))] = signal.toggles
        return found


def module_of(scopes: Iterable[str], top: str, known: Mapping[str, ModuleContents]) -> str:
    """Name of the module in which a scope lies; generate blocks belong to the module around them.

    Args:
        scopes: names of instances and generate blocks below an instance of `top`.
        top: the module of that instance.
        known: modules by their names.
    """
    found = top
    for scope in scopes:
        found = known[found].instances.get(scope, found)
    return found


def window(ended: Int[np.ndarray, " frames"], first: Bool[np.ndarray, " frames"]) -> tuple[int, int]:
    """The frames whose ends bound what is dumped: about `CYCLES` cycles, one frame at least.

    They lie in the middle of each stream's first utterance, since an utterance is silent where it begins and ends.

    Args:
        ended: cycle of each frame's last logit.
        first: whether it opens an utterance.

    Raises:
        UserError: fewer than two frames.
    """
    second = np.flatnonzero(first[1:] & ~first[:-1]) + 1
    ended = ended[: second[0]] if len(second) else ended
    intervals = len(ended) - 1
    if intervals < 1:
        raise UserError(f"toggles are counted between frames: at least two are needed, got {len(ended)}")
    frames = min(intervals, max(1, int(CYCLES * intervals // (ended[-1] - ended[0]))))
    begin = (intervals - frames) // 2
    return begin, begin + frames
