"""The float network step by step, with a hook on every value that has a format in the integer one.

The names are those of the integer model (`layers.0.a_i`, `layers.0.c`, ...), and of the weights. A hook that gives back
what it got leaves the network as it is: calibration listens so. One that rounds, with the gradient passed straight
through (Bengio et al. 2013, arXiv:1308.3432), makes the network learn with its rounding.
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from ernn.dataflow.cells import LSTM_GATES, PEEPHOLES
from ernn.nn import circulant
from ernn.nn.acoustic import AcousticModel, RecurrentLayer
from ernn.nn.matrices import Circulant, Matrix, Pruned

Hook = Callable[[str, Tensor], Tensor]


def logits(
    model: AcousticModel, x: Float[Tensor, "time batch dimension"], hook: Hook
) -> Float[Tensor, "time batch classes"]:
    """What the model gives for x, through the hook."""
    y = hook("x", x)
    for number, module in enumerate(model.layers):
        layer = cast(RecurrentLayer, module)
        steps = _lstm if layer.cell == "lstm" else _gru
        y = steps(layer, y, _scoped(hook, f"layers.{number}"))
    weight, bias = hook("output.weight", model.output.weight), hook("output.bias", model.output.bias)
    return hook("output.logits", y @ weight.t() + bias)


def stored(matrix: Matrix) -> Tensor:
    """What is stored of a matrix: the tensor that its hook sees."""
    if isinstance(matrix, Circulant):
        return matrix.columns
    return matrix.weight * matrix.mask if isinstance(matrix, Pruned) else matrix()


def _weight(matrix: Matrix, name: str, hook: Hook) -> Tensor:
    """The dense tensor of a matrix whose stored words went through the hook."""
    words = hook(name, stored(matrix))
    if isinstance(matrix, Circulant):
        return circulant.expand(words, matrix.rows, matrix.cols).flatten(0, 1)
    return words * matrix.mask if isinstance(matrix, Pruned) else words


def _lstm(layer: RecurrentLayer, x: Tensor, hook: Hook) -> Tensor:
    weight_ih, weight_hh = _weight(layer.weight_ih, "weight_ih", hook), _weight(layer.weight_hh, "weight_hh", hook)
    weight_ym = None if layer.weight_ym is None else _weight(layer.weight_ym, "weight_ym", hook)
    peephole = None if layer.peephole is None else hook("peephole", layer.peephole)
    inputs, bias = hook("sums_ih", x @ weight_ih.t()), hook("bias", layer.bias)
    c, y = x.new_zeros(x.shape[1], layer.weight_ih.rows), x.new_zeros(x.shape[1], layer.outputs)
    outputs = []
    for total in inputs:
        total = hook("sums", total + hook("sums_hh", y @ weight_hh.t())) + bias
        sums = dict(zip(LSTM_GATES, total.chunk(4, 1), strict=True))
        seen = _peepholes(sums, peephole, c, "if")
        i, f = (hook(gate, torch.sigmoid(hook(f"a_{gate}", seen[gate]))) for gate in "if")
        g = hook("g", torch.tanh(hook("a_g", seen["g"])))
        c = hook("c", f * c + i * g)
        o = hook("o", torch.sigmoid(hook("a_o", _peepholes(seen, peephole, c, "o")["o"])))
        m = hook("m", o * hook("tanh_c", torch.tanh(hook("a_c", c))))
        y = hook("y", m if weight_ym is None else hook("sums_ym", m @ weight_ym.t()))
        outputs.append(y)
    return torch.stack(outputs)


def _peepholes(sums: Mapping[str, Tensor], peephole: Tensor | None, c: Tensor, gates: str) -> dict[str, Tensor]:
    """The sums, those of `gates` with what they see of c."""
    if peephole is None:
        return dict(sums)
    return {gate: v + peephole[PEEPHOLES.index(gate)] * c if gate in gates else v for gate, v in sums.items()}


def _gru(layer: RecurrentLayer, x: Tensor, hook: Hook) -> Tensor:
    weight_ih, weight_hh = _weight(layer.weight_ih, "weight_ih", hook), _weight(layer.weight_hh, "weight_hh", hook)
    inputs, bias = hook("sums_ih", x @ weight_ih.t()), hook("bias", layer.bias)
    bias_hn = None if layer.bias_hn is None else hook("bias_hn", layer.bias_hn)
    cells = layer.weight_ih.rows
    weight_zr, weight_n = weight_hh.split((2 * cells, cells))
    c = y = x.new_zeros(x.shape[1], cells)
    outputs = []
    for total in inputs:
        of_x, b = total.split((2 * cells, cells), 1), bias.split((2 * cells, cells))
        a_zr = hook("sums", of_x[0] + hook("sums_hh", y @ weight_zr.t())) + b[0]
        z, r = (hook(gate, torch.sigmoid(hook(f"a_{gate}", a))) for gate, a in zip("zr", a_zr.chunk(2, 1), strict=True))
        if bias_hn is None:
            recurrent = hook("sums_hh", hook("rc", r * c) @ weight_n.t())
            a_n = hook("sums", of_x[1] + recurrent) + b[1]
        else:
            recurrent = hook("sums_hh", y @ weight_n.t())
            a_n = of_x[1] + b[1] + r * hook("a_hn", recurrent + bias_hn)
        n = hook("n", torch.tanh(hook("a_n", a_n)))
        c = hook("c", c + z * (n - c))
        y = hook("y", c)
        outputs.append(y)
    return torch.stack(outputs)


def _scoped(hook: Hook, scope: str) -> Hook:
    return lambda name, value: hook(f"{scope}.{name}", value)
