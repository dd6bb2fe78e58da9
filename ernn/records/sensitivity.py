"""`sensitivities/NAME.json`: what each matrix of a network alone costs when its blocks get coarser."""

from dataclasses import dataclass

from ernn.artifacts import Part, Record


@dataclass(frozen=True)
class SensitivityRow(Part):
    """One matrix projected to larger blocks, all others as they were trained.

    Args:
        kind: input, recurrent or projection; the head's matrices are with the last layer's input.
        block_size: that it was projected to.
        dev_per: phone error rate on the dev split, percent.
    """

    layer: int
    kind: str
    block_size: int
    dev_per: float


@dataclass(frozen=True)
class SensitivityRecord(Record):
    """A network and all of its matrices, one at a time; `dev_per` is that of the network as it was trained."""

    dev_per: float
    rows: tuple[SensitivityRow, ...]
