"""Tensors of other shapes than a cell takes."""

from collections.abc import Iterator, Sequence

from torch import Tensor


def misfits(leaves: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """The arguments of a cell, x first, with one of them a row shorter or longer in one dimension, or a dimension more.

    All numbers of steps fit.
    """
    for place, leaf in enumerate(leaves):
        for shape in _others(leaf, first=0 if place else 1):
            yield [leaf.new_zeros(shape) if at == place else each for at, each in enumerate(leaves)]


def _others(tensor: Tensor, first: int) -> Iterator[list[int]]:
    for axis in range(first, tensor.ndim):
        for step in (-1, 1):
            yield [size + step * (axis == at) for at, size in enumerate(tensor.shape)]
    yield [*tensor.shape, 1]
