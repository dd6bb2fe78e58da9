"""Tensors with values too large for integers: for a format of their width, or for the sums of the integer model."""

from collections.abc import Mapping

import numpy as np

from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.program.network import Program
from ernn.quantization import rules, simulated

_GIVEN = {"x", "weight_ih", "weight_hh", "weight_ym", "weight", "peephole", "bias", "bias_hn"}  # the others follow


def check_values(values: Mapping[str, np.ndarray], bits: Mapping[str, int]) -> None:
    """Refuse tensors with a value beyond every format of their width.

    Args:
        values: of tensors, by their names in the integer model.
        bits: of their formats, by the same names.

    Raises:
        UserError: one is; named is the largest of those that the user gave, else the largest that follows from them.
    """
    sizes = {name: _largest(values[name]) for name in bits}
    beyond = {name: size for name, size in sizes.items() if not size <= rules.widest(bits[name]).limit}
    if beyond:
        name = _first(beyond)
        raise UserError(
            f"{name} reaches {sizes[name]:.3g}, and {bits[name]} bits hold at most "
            f"{rules.widest(bits[name]).limit:.3g}; make its values smaller"
        )


def check_sums(program: Program, values: Mapping[str, np.ndarray]) -> None:
    """Refuse a program with sums that the integer model has no room for.

    Args:
        values: that its formats were chosen for, by their names in the integer model.

    Raises:
        UserError: a sum needs more than 64 bits; named is the tensor with the largest values of those that were given.
    """
    frame = np.zeros((1, 1, program.inputs), np.int64)
    try:
        Golden(program).run(frame)  # whose sums are as wide as those of any other
    except ValueError:
        name = _first({name: _largest(each) for name, each in values.items()})
        raise UserError(
            f"{name} reaches {_largest(values[name]):.3g}, and its sums with others exceed the limit of 64 bits; "
            "make its values smaller"
        ) from None


def _first(sizes: Mapping[str, float]) -> str:
    """The largest of the tensors that a user gives, if any is there; else the largest."""
    return max(sizes, key=lambda name: (_is_given(name), sizes[name]))


def _is_given(name: str) -> bool:
    kind = name.rpartition(".")[2]
    return kind in _GIVEN or kind.startswith(simulated.INITIAL)


def _largest(values: np.ndarray) -> float:
    """The largest absolute value, infinite where one is no number."""
    return float(np.nan_to_num(np.abs(values), nan=np.inf, posinf=np.inf).max(initial=0.0))
