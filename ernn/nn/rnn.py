"""The plain recurrent network (Elman 1990), y_t = tanh(W_x x_t + W_y y_{t-1} + b): `torch.nn.RNN` with tanh.

The gradient of all steps is written out, as for the other cells; torch's own kernel leaves it to autograd.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ernn.nn.gates import tanh_backward, tanh_of_sigmoid_
from ernn.nn.products import add_product, linear, weight_gradient
from ernn.nn.sequences import check, check_shapes, last


def rnn(
    x: Float[Tensor, "T B I"],
    weight_ih: Float[Tensor, "H I"],
    weight_hh: Float[Tensor, "H H"],
    bias: Float[Tensor, " H"],
    state: Float[Tensor, "B H"] | None = None,
    lengths: Int[Tensor, " B"] | None = None,
) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "B H"]]:
    """One layer over a time-major batch, padded on the right.

    Args:
        x: inputs; values in the padding change no result of the steps before it.
        weight_ih: input weights.
        weight_hh: recurrent weights.
        bias: one for both products.
        state: y before the first step; None means zeros.
        lengths: steps of each sequence, 1 to T; None means T for all.

    Returns:
        y of every step (that in the padding means nothing), and each sequence's own last y.

    Raises:
        ValueError: shapes that do not fit each other, no steps, or lengths that do not fit them.
    """
    inputs, cells = weight_ih.shape[-1], weight_hh.shape[-1]
    check_shapes(
        x=(x, (*x.shape[:2], inputs)),
        weight_ih=(weight_ih, (cells, inputs)),
        weight_hh=(weight_hh, (cells, cells)),
        bias=(bias, (cells,)),
        state=(state, (*x.shape[1:2], cells)),
    )
    check(x, lengths)
    y = _RNN.apply(x, weight_ih, weight_hh, bias, x.new_zeros(x.shape[1], cells) if state is None else state)
    return y, last(y, lengths)


class _RNN(torch.autograd.Function):
    """y of every step."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, y_0: Tensor) -> Tensor:
        steps, batch = x.shape[:2]
        sums = linear(x.flatten(0, 1), 2 * weight_ih, 2 * bias).unflatten(0, (steps, batch))
        y = x.new_empty(steps + 1, *y_0.shape)
        y[0] = y_0
        ys, add_recurrent = y.unbind(0), add_product(2 * weight_hh, batch)
        for t, sums_of_x in enumerate(sums.unbind(0)):
            tanh_of_sigmoid_(add_recurrent(sums_of_x, ys[t], ys[t + 1]).sigmoid_())
        ctx.save_for_backward(x, weight_ih, weight_hh, y)
        return y[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, y = ctx.saved_tensors
        delta, d_y = torch.empty_like(y[1:]), grad_y[-1].clone()
        grads, deltas, ys = (None, *grad_y.unbind(0)), delta.unbind(0), y.unbind(0)
        add_recurrent = add_product(weight_hh.t(), x.shape[1])
        for t in reversed(range(len(x))):
            tanh_backward(d_y, ys[t + 1], grad_input=deltas[t])
            add_recurrent(grads[t], deltas[t], d_y)
        need_x, need_ih, need_hh, need_bias = ctx.needs_input_grad[:4]
        rows = delta.flatten(0, 1)
        return (
            linear(rows, weight_ih.t()).view_as(x) if need_x else None,
            weight_gradient(rows, x.flatten(0, 1)) if need_ih else None,
            weight_gradient(rows, y[:-1].flatten(0, 1)) if need_hh else None,
            rows.sum(0) if need_bias else None,
            d_y,
        )
