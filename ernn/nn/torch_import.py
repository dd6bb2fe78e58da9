"""A `torch.nn.LSTM` or `torch.nn.GRU` and the `torch.nn.Linear` after it, as an acoustic model.

    python -m ernn.nn.torch_import --weights FILE.safetensors --prefix rnn. --output-prefix fc. --phones FILE --model OUT

The logits are torch's within float error; what an `AcousticModel` cannot express is refused. The model reads
(time, batch, inputs), whatever `batch_first` was: no weight depends on it. torch's two biases act as their sum, except
in the candidate of a GRU, where r scales one of them; torch's z is 1 - z here, so those rows change sign. float64 is
rounded to float32. Class priors and phone bigram, which torch does not have, are uniform.
"""

import argparse
import math
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ernn.errors import UserError

if TYPE_CHECKING:  # imported where it is used: --help need not wait for torch
    from torch import Tensor, nn

    from ernn.nn.acoustic import AcousticModel
    from ernn.params import Network


def from_modules(
    recurrent: "nn.LSTM | nn.GRU", output: "nn.Linear", phones: Sequence[str], blank: int | None = None
) -> "AcousticModel":
    """The acoustic model that computes `output(recurrent(x)[0])`; `phones` and `blank` as in `from_weights`.

    >>> from torch import nn
    >>> from_modules(nn.GRU(40, 128, num_layers=2), nn.Linear(128, 3), ["sil", "aa", "n"]).network.reset
    'after'

    Raises:
        UserError: other kinds of module, dropout that is active, or what `from_weights` refuses.
    """
    from torch import nn

    if type(recurrent) not in (nn.LSTM, nn.GRU) or type(output) is not nn.Linear:  # a subclass may compute anything
        got = f"{type(recurrent).__name__} and {type(output).__name__}"
        raise UserError(f"modules must be a torch.nn.LSTM or torch.nn.GRU and a torch.nn.Linear, got {got}; use those")
    if recurrent.dropout and recurrent.training:
        raise UserError(f"dropout={recurrent.dropout:g} is active, but an imported model has none; call .eval() first")
    parts = (("recurrent.", recurrent), ("output.", output))
    weights = {before + name: tensor for before, part in parts for name, tensor in part.state_dict().items()}
    return from_weights(weights, phones, prefix="recurrent.", output_prefix="output.", blank=blank)


def from_weights(
    weights: "Mapping[str, Tensor]",
    phones: Sequence[str],
    *,
    output_prefix: str,
    prefix: str = "",
    blank: int | None = None,
) -> "AcousticModel":
    """The acoustic model of a state dict: cell and sizes follow from the shapes, biases that are not there are zeros.

    Args:
        weights: every tensor of the recurrent layers and of the output layer, and nothing else.
        phones: labels of the classes, in their order, without the blank.
        output_prefix: what stands before `weight` in the name of the output layer's weight.
        prefix: what stands before `weight_ih_l0`.
        blank: class of CTC's blank, which becomes the last one; None means a class a phone, trained on frames.

    Raises:
        UserError: names, shapes, kinds of number or values that no such model has, or phones that are not its classes.
    """
    import torch

    from ernn.nn.acoustic import AcousticModel

    for name, tensor in weights.items():
        if not isinstance(tensor, torch.Tensor):
            raise UserError(f"{name} is a {type(tensor).__name__}, not a tensor; give the state dict itself")
        if name.endswith("_reverse"):
            raise UserError(f"{name}: layers here run forward in time only; train with bidirectional=False")
    left = dict(weights)
    network = _network(left, prefix)
    inputs, classes = _sides(left, f"{prefix}weight_ih_l0")[1], _sides(left, f"{output_prefix}weight")[0]
    order = _order(classes, phones, blank)
    model = AcousticModel(network, inputs, phones, "frames" if blank is None else "ctc")
    uniform = torch.full_like(model.bigram, -math.log(len(phones)))
    state = {"log_priors": uniform[0], "bigram": uniform}
    biased = any(name.startswith((f"{prefix}bias_ih_l", f"{prefix}bias_hh_l")) for name in left)
    for layer in range(network.layers):
        for name, tensor in _layer(left, network, prefix, layer, inputs, biased).items():
            state[f"layers.{layer}.{name}"] = tensor
        inputs = network.projection or network.cells
    left.setdefault(f"{output_prefix}bias", torch.zeros(classes))
    state["output.weight"] = _take(left, f"{output_prefix}weight", classes, inputs)[order]
    state["output.bias"] = _take(left, f"{output_prefix}bias", classes)[order]
    if left:
        raise _unexpected(left, min(left), "no such tensor")
    model.load_state_dict(state)
    return model


def _network(left: "Mapping[str, Tensor]", prefix: str) -> "Network":
    """Cell and sizes by the first layer, layers by their number."""
    from ernn.params import Network

    weight_hh, weight_hr = f"{prefix}weight_hh_l0", f"{prefix}weight_hr_l0"
    rows, cells = _sides(left, weight_hh)
    projection, cells = _sides(left, weight_hr) if weight_hr in left else (0, cells)
    if projection >= cells:
        raise _unexpected(left, weight_hr, f"fewer than {cells} rows")
    if not projection and rows not in (3 * cells, 4 * cells):
        raise UserError(
            f"{weight_hh} has {rows} rows for {cells} cells; a torch.nn.LSTM has 4 a cell, a torch.nn.GRU 3: "
            "train one of those (torch.nn.RNN, with 1, cannot be expressed)"
        )
    pattern = re.compile(re.escape(prefix) + r"(?:weight|bias)_(?:ih|hh|hr)_l([0-9]+)")
    layers = len({match[1] for match in map(pattern.fullmatch, left) if match})
    if not projection and rows == 3 * cells:
        return Network(cell="gru", layers=layers, cells=cells, reset="after")
    return Network(layers=layers, cells=cells, projection=projection)


def _order(classes: int, phones: Sequence[str], blank: int | None) -> list[int]:
    """The classes of the phones, then that of the blank."""
    order = [each for each in range(classes) if each != blank]
    if blank not in (None, *range(classes)) or not 0 < len(order) == len(phones) == len(set(phones)):
        raise UserError(
            f"the output layer has {classes} classes, each for another phone, with CTC one for the blank; "
            f"got {len(phones)} phones ({len(set(phones))} different) and blank={blank}: correct phones or blank"
        )
    return order if blank is None else [*order, blank]


def _layer(
    left: "dict[str, Tensor]", network: "Network", prefix: str, layer: int, inputs: int, biased: bool
) -> "dict[str, Tensor]":
    """One layer by the names of `ernn.nn.acoustic`."""
    ...


def _z_first(rows: "Tensor") -> "Tensor":
    """From the order r, 1 - z, n to z, r, n: sigma(-a) = 1 - sigma(a)."""
    gates = rows.unflatten(0, (3, -1))[[1, 0, 2]]
    gates[0].neg_()
    return gates.flatten(0, 1)


def _take(left: "dict[str, Tensor]", name: str, *shape: int) -> "Tensor":
    """The values of a tensor that leaves `left`."""
    if name not in left or left[name].shape != shape:
        raise _unexpected(left, name, f"shape {shape}")
    tensor = left.pop(name)
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise UserError(f"{name} holds {tensor.dtype}, must be float32 or float64; call .float() on the module first")
    values = tensor.detach().cpu().float()
    if not values.isfinite().all():
        raise UserError(f"{name} holds values that are not finite in float32; train it again")
    return values


def _sides(left: "Mapping[str, Tensor]", name: str) -> tuple[int, int]:
    if name not in left or left[name].ndim != 2 or not left[name].numel():
        raise _unexpected(left, name, "a matrix")
    return left[name].shape[0], left[name].shape[1]


def _unexpected(left: "Mapping[str, Tensor]", name: str, expected: str) -> UserError:
    got = f"shape {tuple(left[name].shape)}" if name in left else "no such tensor"
    return UserError(
        f"{name}: expected {expected}, got {got}; give the state dict of a torch.nn.LSTM or torch.nn.GRU and the "
        "torch.nn.Linear after it, nothing else in it, and what stands before their names"
    )
