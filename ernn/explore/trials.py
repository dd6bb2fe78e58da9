"""What a search asks of those who run its trials: `workflow.trials` by DVC here, or on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from ernn.params import AcceleratorSpec, Design, ProgramSpec
from ernn.records.benchmark import BenchmarkRow

# Of the curve of a training so far: the least error that it can still reach, if that is too much; else None.
Hopeless = Callable[[Sequence[Mapping[str, Any]]], float | None]


@dataclass(frozen=True)
class Trained:
    """A training that has ended: the dev split's phone error rate in percent, or the least that was to be expected."""

    per: float
    stopped: bool
    seconds: float


class Trials(Protocol):
    """Stages of the pipeline, by what a search needs of them; all that was made once is found again.

    Every method raises UserError where a stage refuses.
    """

    def prepare(self) -> tuple[int, int]:
        """Make the features; elements of a vector, and classes."""

    def dense(self) -> dict[str, float]:
        """Train the dense networks; their phone error rates on the dev split, percent, by name."""

    def train(
        self, name: str, design: Design, hopeless: Hopeless, ahead: Mapping[str, Design] = MappingProxyType({})
    ) -> Trained:
        """Compress a network, and stop when its curve is hopeless.

        Args:
            ahead: designs by name that are trained at its side, for later.
        """

    def sensitivities(self, name: str) -> dict[tuple[int, str], float]:
        """Points of phone errors on the dev split that twice the block size costs, of each matrix of a design alone."""

    def quantize(self, programs: Mapping[str, ProgramSpec]) -> dict[str, float]:
        """Make integer networks; their phone error rates on the dev split, percent."""

    def program_file(self, name: str) -> Path:
        """The file of an integer network."""

    def benchmark(self, accelerators: Mapping[str, AcceleratorSpec]) -> dict[str, BenchmarkRow]:
        """Generate, simulate and synthesize accelerators."""

    def scores(self, place: str) -> Path:
        """Errors of every utterance of the test split, of dense/NETWORK or integer/PROGRAM."""
