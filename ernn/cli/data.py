"""A user's sequences in files: what `np.save` and `np.savez` write."""

from pathlib import Path
from typing import Any

import numpy as np

from ernn.data import arrays
from ernn.errors import UserError

FORMS = (
    "a .npy file of (sequences, time, inputs) or (time, inputs), or a .npz file with `x` of this form, or with `x` of "
    "(all steps, inputs) and `lengths`, steps of each sequence; `y` has the targets"
)


def read(file: Path) -> dict[str, Any]:
    """x, and y if the file has it, as `ernn.compress` takes them.

    Raises:
        UserError: no such file, another one, or lengths that do not fit.
    """
    held = _arrays(file)
    if "x" not in held:
        raise UserError(f"{file}: no array `x`, it has {', '.join(held) or 'none'}; write {FORMS}")
    unknown = sorted(held.keys() - {"x", "y", "lengths"})
    if unknown:
        raise UserError(f"{file}: arrays are x, y and lengths, got {', '.join(unknown)}; leave out the others")
    found: dict[str, Any] = {name: held[name] for name in ("x", "y") if name in held}
    if "lengths" not in held:
        return found
    lengths = held["lengths"]
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or (lengths < 1).any() or lengths.sum() != len(found["x"]):
        raise UserError(
            f"{file}: lengths must be whole numbers above 0 whose sum is that of x's {len(found['x'])} steps"
        )
    ends = np.cumsum(lengths)
    stepwise = {name: array for name, array in found.items() if len(array) == ends[-1]}
    return found | {name: np.split(array, ends[:-1]) for name, array in stepwise.items()}


def _arrays(file: Path) -> dict[str, np.ndarray]:
    if not file.is_file():
        raise UserError(f"{file}: {'a folder' if file.is_dir() else 'no such file'}; name {FORMS}")
    if file.suffix == ".csv":
        cure = f"numpy.save('{file.stem}.npy', numpy.loadtxt('{file.name}', delimiter=',')) makes one"
        raise UserError(f"{file}: a .csv file; {cure}; data are {FORMS}")
    with arrays.refused(f"{file}: not what NumPy writes", f"name {FORMS}"):
        loaded = arrays.opened(file)
        return (
            {"x": loaded} if isinstance(loaded, np.ndarray) else {name: arrays.member(loaded, name) for name in loaded}
        )
