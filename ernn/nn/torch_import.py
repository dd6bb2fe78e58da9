"""A `torch.nn.LSTM` or `torch.nn.GRU` and the `torch.nn.Linear` after it as an acoustic model; also a command (--help).

The logits are torch's within float error; what an `AcousticModel` cannot express is refused. The model reads
(time, batch, inputs), whatever `batch_first` was. torch's two biases act as their sum, except in the candidate of a
GRU, where r scales one of them. float64 is rounded to float32. Class priors and phone bigram are uniform.
"""

import argparse
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    weights = nn.ModuleDict({"recurrent": recurrent, "output": output}).state_dict()
    return from_weights(weights, phones, prefix="recurrent.", output_prefix="output.", blank=blank)


def from_weights(
    weights: "dict[str, Tensor]", phones: Sequence[str], *, prefix: str, output_prefix: str, blank: int | None = None
) -> "AcousticModel":
    """The acoustic model of a state dict: cell and sizes follow from the shapes, biases that are not there are zeros.

    Args:
        weights: every tensor of the recurrent layers and of the output layer, and nothing else.
        phones: labels of the classes, in their order, without the blank.
        prefix: the part of its name before `weight_ih_l0`.
        output_prefix: the part of its name before the output layer's `weight`.
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
    left, weight, bias = dict(weights), f"{output_prefix}weight", f"{output_prefix}bias"
    network, state = _recurrent(left, prefix)
    order = _order(_sides(left, weight)[0], phones, blank)
    state["output.weight"] = _take(left, weight, len(order), network.outputs)[order]
    state["output.bias"] = _take(left, bias, len(order))[order] if bias in left else torch.zeros(len(order))
    if left:
        raise _unexpected(left, min(left), "no such tensor")
    inputs = state["layers.0.weight_ih.weight"].shape[1]
    model = AcousticModel(network, inputs, phones, "frames" if blank is None else "ctc")
    state["bigram"] = torch.full_like(model.bigram, -math.log(len(phones)))
    model.load_state_dict(state | {"log_priors": state["bigram"][0]})
    return model


def _recurrent(left: "dict[str, Tensor]", prefix: str) -> "tuple[Network, dict[str, Tensor]]":
    """Network and tensors, by the names of `ernn.nn.acoustic`, of the recurrent layers, which are taken."""
    import torch

    network, inputs = _network(left, prefix), _sides(left, f"{prefix}weight_ih_l0")[1]
    cells, outputs = network.cells, network.outputs
    rows = (3 if network.cell == "gru" else 4) * cells
    state: dict[str, Tensor] = {}
    biased = any(name.startswith((f"{prefix}bias_ih_l", f"{prefix}bias_hh_l")) for name in left)
    for layer in range(network.layers):
        weight_ih = _take(left, f"{prefix}weight_ih_l{layer}", rows, outputs if layer else inputs)
        weight_hh = _take(left, f"{prefix}weight_hh_l{layer}", rows, outputs)
        bias_ih = bias_hh = torch.zeros(rows)
        if biased:
            bias_ih, bias_hh = (_take(left, f"{prefix}bias_{part}_l{layer}", rows) for part in ("ih", "hh"))
        ours = {"weight_ih.weight": weight_ih, "weight_hh.weight": weight_hh, "bias": bias_ih + bias_hh}
        if network.cell == "gru":
            ours["bias"][2 * cells :] = bias_ih[2 * cells :]  # r scales the other one of n
            parts = {name: gates.chunk(3) for name, gates in ours.items()}  # r, 1 - z, n: sigma(-a) = 1 - sigma(a)
            ours = {name: torch.cat((-z, r, n)) for name, (r, z, n) in parts.items()}
            ours["bias_hn"] = bias_hh[2 * cells :]
        if network.projection:
            ours["weight_ym.weight"] = _take(left, f"{prefix}weight_hr_l{layer}", outputs, cells)
        state |= {f"layers.{layer}.{name}": tensor for name, tensor in ours.items()}
    return network, state


def _network(left: "dict[str, Tensor]", prefix: str) -> "Network":
    from ernn.params import Network

    weight_hh, weight_hr = f"{prefix}weight_hh_l0", f"{prefix}weight_hr_l0"
    rows, cells = _sides(left, weight_hh)
    projection, cells = _sides(left, weight_hr) if weight_hr in left else (0, cells)
    if projection >= cells:
        raise _unexpected(left, weight_hr, f"fewer than {cells} rows")
    if not projection and rows not in (3 * cells, 4 * cells):
        raise _unexpected(left, weight_hh, f"{4 * cells} rows (LSTM) or {3 * cells} (GRU; no nn.RNN)")
    pattern = re.compile(re.escape(prefix) + r"(?:weight|bias)_(?:ih|hh|hr)_l([0-9]+)")
    layers = len({match[1] for match in map(pattern.fullmatch, left) if match})  # l0 and l2 are two: l1 will be missed
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


def _take(left: "dict[str, Tensor]", name: str, *shape: int) -> "Tensor":
    if name not in left or left[name].shape != shape:
        raise _unexpected(left, name, f"shape {shape}")
    tensor = left.pop(name)
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise UserError(f"{name} holds {tensor.dtype}, must be float32 or float64; call .float() on the module first")
    if tensor.is_meta or str(tensor.layout) != "torch.strided":
        raise UserError(f"{name} is {tensor.layout} on {tensor.device}, must be dense with values; load them first")
    values = tensor.detach().cpu().float()
    if not (values.abs() <= 1e38).all():  # the sum of two biases has to be finite as well
        raise UserError(f"{name} holds values that are not finite or beyond 1e38; train it again")
    return values


def _sides(left: "dict[str, Tensor]", name: str) -> tuple[int, int]:
    if name not in left or left[name].ndim != 2 or not left[name].numel():
        raise _unexpected(left, name, "a matrix")
    return left[name].shape[0], left[name].shape[1]


def _unexpected(left: "dict[str, Tensor]", name: str, expected: str) -> UserError:
    got = f"shape {tuple(left[name].shape)}" if name in left else "no such tensor"
    return UserError(f"{name}: expected {expected}, got {got}; give one LSTM or GRU, one Linear and their prefixes")


def _convert(weights: Path, phones: Path, model: Path, **options: Any) -> None:
    import safetensors.torch

    from ernn import artifacts
    from ernn.nn import model_file

    file = weights
    try:
        tensors, file = safetensors.torch.load_file(weights), phones
        labels, file = artifacts.read_text(phones, "see --help for the kind of file wanted").split(), model
        model_file.save(from_weights(tensors, labels, **options), model)
    except UserError:
        raise
    except (OSError, ValueError, safetensors.SafetensorError) as error:
        raise UserError(f"{file}: {error}; see --help for the kind of file wanted") from None


def main(arguments: list[str] | None = None) -> None:
    """Write the model file that the command line asks for."""
    parser = argparse.ArgumentParser("python -m ernn.nn.torch_import", description="torch's layers as a model file.")
    parser.add_argument("--weights", type=Path, required=True, help="state dict, by safetensors.torch.save_file")
    parser.add_argument("--prefix", default="", help="the part of its names before weight_ih_l0")
    parser.add_argument("--output-prefix", default="output.", help="the part before weight and bias of the linear")
    parser.add_argument("--phones", type=Path, required=True, help="text: labels of the classes, without CTC's blank")
    parser.add_argument("--blank", type=int, help="class of CTC's blank; leave it out if trained on frames")
    parser.add_argument("--model", type=Path, required=True, help="the model file to write")
    try:
        _convert(**vars(parser.parse_args(arguments)))
    except UserError as error:
        print(f"torch_import: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
