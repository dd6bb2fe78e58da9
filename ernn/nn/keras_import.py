"""Keras 3 layers as a network of ours, by their weights and settings alone; Keras is not imported.

Keras has the gates of an LSTM in the order i, f, c, o, those of a GRU in the order z, r, h with z as torch's, and its
matrices as (inputs, gates * cells).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ernn.errors import UserError
from ernn.nn import assembly, keras_graph
from ernn.nn.functions import FUNCTIONS, Function
from ernn.nn.recurrent import RecurrentModel

_CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
_PARAMETERS = {"lstm": 4, "gru": 3, "rnn": 1}
_FUNCTIONS = {
    "linear": "none", "relu": "relu", "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh",
    "hard_sigmoid": "hardsigmoid", "hard_tanh": "hardtanh",
}  # fmt: skip
_AT_REST = ("Dropout", "SpatialDropout1D", "InputLayer", "GaussianNoise", "Identity")  # without training
_EQUATIONS: dict[str, Any] = {
    "activation": "tanh", "recurrent_activation": "sigmoid", "go_backwards": False, "return_state": False,
    "stateful": False,
}  # fmt: skip
_READ = "read are LSTM, GRU or SimpleRNN layers in a row, then Dense ones with their activations"


@dataclass(frozen=True, eq=False)
class _Layer:
    kind: str
    settings: Mapping[str, Any]
    weights: Sequence[np.ndarray]

    @property
    def name(self) -> str:
        """As a message names it."""
        return f"{self.settings.get('name', 'a layer')} ({self.kind})"

    def refuse(self, why: str) -> UserError:
        """What a user reads of it."""
        return UserError(f"{self.name}: {why}")

    def setting(self, name: str) -> Any:
        """One that each layer of its kind has."""
        if name not in self.settings:
            raise self.refuse(f"no setting {name}; give the whole dictionary of get_config()")
        return self.settings[name]

    def tensor(self, place: int, name: str, *shape: int) -> Tensor:
        """Weights of a shape, as float32."""
        array = np.asarray(self.weights[place])
        if array.shape != shape:
            raise self.refuse(f"{name}: expected shape {shape}, got {array.shape}; give the arrays of get_weights()")
        if array.dtype not in (np.float32, np.float64):
            raise self.refuse(f"{name} holds {array.dtype}, must be float32 or float64; load the model in float32")
        return assembly.finite(f"{self.name}: {name}", torch.from_numpy(np.array(array)))


def from_layers(given: Any) -> RecurrentModel:
    """The network of layers, or of a model that has them; see `ernn.from_keras`.

    Raises:
        UserError: they compute something else than such a network does; the layer is named.
    """
    found = getattr(given, "layers", given)
    if found is not given:
        keras_graph.check_row(given)
    layers = [_layer(each) for each in (found if isinstance(found, Iterable) else [found])]
    recurrent = [each for each in layers if each.kind in _CELLS]
    if not recurrent:
        raise UserError(f"no recurrent layer among {', '.join(each.name for each in layers) or 'none'}; {_READ}")
    behind = layers[1 + max(place for place, each in enumerate(layers) if each.kind in _CELLS) :]
    for each in layers:
        if each.kind not in (*_CELLS, *_AT_REST) and each not in behind:
            raise each.refuse(f"stands before a recurrent layer; {_READ}")
    network, state = _recurrent(recurrent)
    linears = _linears(behind, network.outputs)
    head = assembly.with_head(state, linears)
    last = not recurrent[-1].settings.get("return_sequences", False)
    return assembly.assembled(network, state, last=last, head=head)


def _layer(given: Any) -> _Layer:
    """A layer of Keras, or its parts."""
    if isinstance(given, tuple) and [*map(isinstance, given, (str, Mapping, Sequence))] == [True] * 3:
        return _unwrapped(_Layer(*given))
    if hasattr(given, "get_config") and hasattr(given, "get_weights"):
        return _unwrapped(_Layer(type(given).__name__, given.get_config(), given.get_weights()))
    raise UserError(
        f"layers: a {type(given).__name__}; give layers of Keras, or tuples of the class's name, get_config() and "
        "get_weights()"
    )


def _unwrapped(layer: _Layer) -> _Layer:
    """The layer that is applied at every step."""
    inner = layer.settings.get("layer")
    if layer.kind != "TimeDistributed" or not isinstance(inner, Mapping):
        return layer
    return _Layer(inner["class_name"], inner["config"], layer.weights)


def _recurrent(layers: Sequence[_Layer]) -> tuple[Any, dict[str, Tensor]]:
    """Network and tensors of recurrent layers."""
    first, cells = layers[0], list[int]()
    reset = "after" if first.kind == "GRU" and first.settings.get("reset_after", True) else "before"
    for place, each in enumerate(layers):
        if each.kind != first.kind:
            raise each.refuse(f"must be a {first.kind} as {first.name}; make all recurrent layers of one kind")
        for name, wanted in _EQUATIONS.items():
            if (found := each.settings.get(name, wanted)) != wanted:
                raise each.refuse(f"{name}={found}: must be {wanted}; cells here have no other equations")
        if each.kind == "GRU" and each.settings.get("reset_after", True) != (reset == "after"):
            raise each.refuse(f"reset_after must be that of {first.name}; make all recurrent layers alike")
        if place + 1 < len(layers) and not each.settings.get("return_sequences", False):
            raise each.refuse("return_sequences=False before another recurrent layer; it must be True")
        cells.append(int(each.setting("units")))
    sizes = {"layers": len(cells), "cells": cells[0] if len({*cells}) == 1 else cells}
    network = assembly.network_of(cell=_CELLS[first.kind], **sizes, reset=reset)
    inputs, state = _inputs(first), dict[str, Tensor]()
    for number, each in enumerate(layers):
        tensors = assembly.layer_tensors(network, *_tensors(each, inputs, cells[number], reset))
        state |= {f"layers.{number}.{name}": tensor for name, tensor in tensors.items()}
        inputs = cells[number]
    return network, state


def _inputs(layer: _Layer) -> int:
    if not layer.weights or np.asarray(layer.weights[0]).ndim != 2:
        raise layer.refuse("no weights; build the model first, by a call or by an Input of a fixed number of inputs")
    return int(np.asarray(layer.weights[0]).shape[0])


def _tensors(layer: _Layer, inputs: int, cells: int, reset: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Matrices and both biases, their rows in torch's order of gates."""
    rows, biased = _PARAMETERS[_CELLS[layer.kind]] * cells, layer.settings.get("use_bias", True)
    if len(layer.weights) != 2 + bool(biased):
        raise layer.refuse(f"{2 + bool(biased)} arrays with use_bias={biased}, got {len(layer.weights)}")
    kernel, recurrent = layer.tensor(0, "kernel", inputs, rows), layer.tensor(1, "recurrent_kernel", cells, rows)
    biases = torch.zeros(2, rows)
    if biased and layer.kind == "GRU" and reset == "after":
        biases = layer.tensor(2, "bias", 2, rows)
    elif biased:
        biases[0] = layer.tensor(2, "bias", rows)
    order = torch.arange(rows)
    if layer.kind == "GRU":  # z, r, h to r, z, n
        order = torch.cat([order[cells : 2 * cells], order[:cells], order[2 * cells :]])
    return kernel.t()[order], recurrent.t()[order], biases[0][order], biases[1][order]


def _linears(layers: Sequence[_Layer], inputs: int) -> list[tuple[Tensor, Tensor, Function]]:
    """Weights of linear layers, and the function behind each."""
    found: list[tuple[Tensor, Tensor, Function]] = []
    for each in layers:
        if each.kind == "Dense":
            units, biased = int(each.setting("units")), each.settings.get("use_bias", True)
            if len(each.weights) != 1 + bool(biased):
                raise each.refuse(f"{1 + bool(biased)} arrays with use_bias={biased}, got {len(each.weights)}")
            kernel = each.tensor(0, "kernel", inputs, units)
            bias = each.tensor(1, "bias", units) if biased else torch.zeros(units)
            found.append((kernel.t().contiguous(), bias, _function(each, each.settings.get("activation", "linear"))))
            inputs = units
        elif each.kind in ("Activation", "ReLU"):
            if not found or found[-1][2] != Function():
                raise each.refuse("follows no linear layer; put a Dense one before it")
            function = _relu(each) if each.kind == "ReLU" else _function(each, each.setting("activation"))
            found[-1] = (*found[-1][:2], function)
        elif each.kind not in _AT_REST:
            raise each.refuse(f"not read; {_READ}")
    return found


def _function(layer: _Layer, name: Any) -> Function:
    if name is None or (isinstance(name, str) and name in _FUNCTIONS):
        return FUNCTIONS[_FUNCTIONS[name or "linear"]]
    raise layer.refuse(f"activation={name}: must be one of {', '.join(_FUNCTIONS)}; compute it behind the network")


def _relu(layer: _Layer) -> Function:
    for name in ("negative_slope", "threshold"):
        if layer.settings.get(name):
            raise layer.refuse(f"{name}={layer.settings[name]}: must be 0; use another function")
    most = layer.settings.get("max_value")
    return Function("clip", 0.0, None if most is None else float(most))
