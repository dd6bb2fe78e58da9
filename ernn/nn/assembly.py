"""A network of ours from weights of another library: sizes, tensors in our order of gates, labels of its classes."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ernn.errors import UserError, complaints

if TYPE_CHECKING:  # imported where it is used: --help need not wait for torch
    from torch import Tensor

    from ernn.nn.functions import Function
    from ernn.nn.recurrent import RecurrentModel
    from ernn.params import HeadSpec, Network


def network_of(**sizes: Any) -> "Network":
    """The sizes of a network.

    Raises:
        UserError: they are larger than a network may be.
    """
    from ernn.params import Network

    try:
        return Network(**sizes)
    except ValidationError as error:
        raise UserError(f"the network is larger than an acoustic model may be: {complaints(error)}") from None


def layer_tensors(
    network: "Network", weight_ih: "Tensor", weight_hh: "Tensor", bias_ih: "Tensor", bias_hh: "Tensor"
) -> "dict[str, Tensor]":
    """A layer's matrices and biases by our names, from those whose rows stand in torch's order of gates."""
    import torch

    ours = {"weight_ih.weight": weight_ih, "weight_hh.weight": weight_hh, "bias": bias_ih + bias_hh}
    if network.cell == "gru":
        candidate = slice(len(bias_ih) // 3 * 2, None)
        if network.reset == "after":
            ours["bias"][candidate] = bias_ih[candidate]  # r scales the other one of n
        parts = {name: gates.chunk(3) for name, gates in ours.items()}  # r, 1 - z, n: sigma(-a) = 1 - sigma(a)
        ours = {name: torch.cat((-z, r, n)) for name, (r, z, n) in parts.items()}
        if network.reset == "after":
            ours["bias_hn"] = bias_hh[candidate]
    return ours


def with_head(
    state: "dict[str, Tensor]", layers: "Sequence[tuple[Tensor, Tensor, Function]]"
) -> "tuple[HeadSpec, ...]":
    """What a network has of linear layers in a row, whose tensors go to `state`; the last one without function is last.

    Args:
        layers: weight (outputs, inputs), bias and function of each.

    Raises:
        UserError: a layer with more outputs than a network may have, or with bounds that are none.
    """
    from ernn.nn.functions import Function
    from ernn.params import HeadSpec

    specs = []
    for number, (weight, bias, function) in enumerate(layers):
        if number == len(layers) - 1 and function == Function():
            state |= {"output.weight": weight, "output.bias": bias}
            continue
        state[f"head.{number}.weight.weight"] = weight * function.slope
        state[f"head.{number}.bias"] = bias * function.slope + function.offset
        try:
            specs.append(HeadSpec(outputs=len(bias), function=function.kind, low=function.low, high=function.high))
        except ValidationError as error:
            raise UserError(f"linear layer {number} cannot be expressed: {complaints(error)}") from None
    return tuple(specs)


def assembled(
    network: "Network",
    state: "dict[str, Tensor]",
    phones: Sequence[str] | None = None,
    blank: int | None = None,
    last: bool = False,
    head: "Sequence[HeadSpec]" = (),
) -> "RecurrentModel":
    """The network with the tensors of `state`, by its own names, and with a linear layer if they are there.

    `phones`, `blank` and `last` are those of `ernn.nn.torch_import.from_weights`, `head` is what `with_head` gave.

    Raises:
        UserError: phones that are not its classes, or of a network that gives the last output alone, or whose last
            layer is none of logits.
    """
    import torch

    from ernn.nn.acoustic import AcousticModel
    from ernn.nn.recurrent import RecurrentModel

    outputs = len(state["output.bias"]) if "output.bias" in state else None
    inputs = state["layers.0.weight_ih.weight"].shape[1]
    if phones is None:
        model = RecurrentModel(network, inputs, outputs, last, head)
        model.load_state_dict(state)
        return model
    if outputs is None:
        raise UserError(
            "phones are the classes of a linear layer without a function behind it, and the network ends with none; "
            "leave them out"
        )
    if last:
        raise UserError("phones are of every step, and the network gives the last output alone; leave one of them out")
    order = _order(outputs, phones, blank)
    state |= {name: state[name][order] for name in ("output.weight", "output.bias")}
    speech = AcousticModel(network, inputs, phones, "frames" if blank is None else "ctc", head)
    state["bigram"] = torch.full_like(speech.bigram, -math.log(len(phones)))
    speech.load_state_dict(state | {"log_priors": state["bigram"][0]})
    return speech


def _order(classes: int, phones: Sequence[str], blank: int | None) -> list[int]:
    """The classes of the phones, then that of the blank."""
    order = [each for each in range(classes) if each != blank]
    if blank not in (None, *range(classes)) or not 0 < len(order) == len(phones) == len(set(phones)):
        raise UserError(
            f"the output layer has {classes} classes, each for another phone, with CTC one for the blank; "
            f"got {len(phones)} phones ({len(set(phones))} different) and blank={blank}: correct phones or blank"
        )
    return order if blank is None else [*order, blank]


def finite(name: str, tensor: "Tensor", cure: str = "train it again") -> "Tensor":
    """Its values in float32.

    Args:
        cure: what to change, for the message.

    Raises:
        UserError: some are not finite, or beyond what two of them may sum to.
    """
    values = tensor.detach().cpu().float()
    if not (values.abs() <= 1e38).all():  # the sum of two biases has to be finite as well
        raise UserError(f"{name} holds values that are not finite or beyond 1e38; {cure}")
    return values


def labels(phones: Path | None, blank: int | None) -> list[str] | None:
    """The labels of the classes in a text file, if one is given.

    Raises:
        UserError: the file is missing or no text, or a blank without labels.
    """
    from ernn import artifacts

    if phones is not None:
        return artifacts.read_text(phones, "write the labels of the classes there, one a line").split()
    if blank is not None:
        raise UserError("blank is CTC's among phones: name their labels with --phones, or leave --blank out")
    return None
