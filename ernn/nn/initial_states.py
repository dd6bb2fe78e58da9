"""States with which modules of torch or nodes of ONNX begin a sequence, for the layers of a network of ours."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from ernn.errors import UserError
from ernn.nn.assembly import finite
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel

States = tuple[Tensor, ...]  # y of a layer and, of an LSTM, c


def states(
    model: RecurrentModel,
    first: int,
    layers: int,
    given: Any,
    where: str = "initial",
    names: tuple[str, str] = ("h_0", "c_0"),
) -> list[States]:
    """What a module of some layers is called with, layer by layer.

    Args:
        first: number of the module's first layer in `model`.
        given: h_0, or of an LSTM (h_0, c_0): float32 or float64, (layers, sequences, elements) with the same numbers
            for every sequence, or (layers, elements). Elements of h_0 are the layer's outputs, of c_0 its cells.
        where: they are, for messages.
        names: of h_0 and c_0, for messages.

    Raises:
        UserError: c_0 that is missing or where none belongs, other shapes or kinds of number, numbers that are not
            finite, or other ones for another sequence.
    """
    network = model.network
    wanted = {names[0]: network.widths[first]}
    if network.cell == "lstm":
        wanted[names[1]] = network.sizes[first]
        if not isinstance(given, list | tuple) or len(given) != len(wanted):
            raise UserError(f"{where}: an LSTM begins with both ({', '.join(names)}), got {_kind(given)}; give a pair")
    parts = given if network.cell == "lstm" else [given]
    found = [
        _rows(f"{where} {name}", part, layers, elements)
        for (name, elements), part in zip(wanted.items(), parts, strict=True)
    ]
    return list(zip(*found, strict=True))


def begin(model: RecurrentModel, first: int, found: Sequence[States]) -> None:
    """Begin layers of a model, from `first` on, with these states; zeros are what they begin with anyway."""
    for number, each in enumerate(found, first):
        if any(state.any() for state in each):
            cast(RecurrentLayer, model.layers[number]).begin_with(*each)


def equal(one: Sequence[States], other: Sequence[States]) -> bool:
    """Whether two are the same."""
    return all(
        torch.equal(a, b) for ours, theirs in zip(one, other, strict=True) for a, b in zip(ours, theirs, strict=True)
    )


def _rows(name: str, given: Any, layers: int, elements: int) -> list[Tensor]:
    """The state of each layer."""
    try:
        tensor = torch.from_numpy(np.array(given)) if isinstance(given, np.ndarray) else torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"{name}: an array of numbers, got {_kind(given)}; give a tensor") from None
    if tensor.dtype not in (torch.float32, torch.float64):
        raise UserError(f"{name} holds {tensor.dtype}, must be float32 or float64; convert it")
    if tensor.is_nested or tensor.is_meta or tensor.layout != torch.strided:
        kind = "nested" if tensor.is_nested else str(tensor.layout)
        raise UserError(f"{name} is {kind} on {tensor.device}, must be dense with values; give such a tensor")
    whole = tensor[:, None] if tensor.ndim == 2 else tensor
    if whole.ndim != 3 or (whole.shape[0], whole.shape[2]) != (layers, elements) or not whole.shape[1]:
        raise UserError(
            f"{name}: expected shape ({layers}, sequences, {elements}) or ({layers}, {elements}), "
            f"got {tuple(tensor.shape)}; give the states of this network"
        )
    numbers = finite(name, whole, "give finite states")
    if not torch.equal(numbers, numbers[:, :1].expand_as(numbers)):
        raise UserError(
            f"{name} differs between sequences, and a network begins all of them alike; make a model for each state"
        )
    return [row.clone() for row in numbers[:, 0]]


def _kind(given: Any) -> str:
    return f"{len(given)} values" if isinstance(given, list | tuple) else type(given).__name__
