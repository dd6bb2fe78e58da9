"""States of a layer before the first frame of a sequence, where they are no zeros."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ernn.dataflow.formats import Format
from ernn.program.matrices import CONFIG


@dataclass(frozen=True, eq=False)
class Initial:
    """States of a layer before the first frame of a sequence, as integers of their formats, int64.

    A host writes them; the sources of an accelerator do not depend on them.
    """

    y: np.ndarray  # (outputs,)
    c: np.ndarray | None = None  # (cells,); None: the cells have no c

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG


def check_initial(initial: Initial | None, **states: tuple[Format, int]) -> None:
    """Refuse initial states that do not fit; `states` are the format and the elements of each that there is."""
    if initial is None:
        return
    for name, array in (("y", initial.y), ("c", initial.c)):
        if (name in states) != (array is not None):
            raise ValueError(f"initial.{name} {'is missing' if array is None else 'belongs to cells that have it'}")
        if array is None:
            continue
        format, elements = states[name]
        if array.dtype != np.int64 or array.shape != (elements,):
            raise ValueError(f"initial.{name} is int64 of shape ({elements},), got {array.dtype} of {array.shape}")
        low, high = int(array.min()), int(array.max())
        if low < format.low or high > format.high:
            raise ValueError(f"initial.{name}: integers of {low}..{high} do not fit in {format.bits} bits")
