"""LSTM with optional peepholes and projection (Sak et al. 2014, arXiv:1402.1128; the cell of ESE, C-LSTM and E-RNN).

    i = sigma(W_ix x_t + W_ir y_{t-1} + w_ic . c_{t-1} + b_i)
    f = sigma(W_fx x_t + W_fr y_{t-1} + w_fc . c_{t-1} + b_f)
    g = tanh (W_gx x_t + W_gr y_{t-1} + b_g)
    c_t = f . c_{t-1} + i . g
    o = sigma(W_ox x_t + W_or y_{t-1} + w_oc . c_t + b_o)
    y_t = W_ym m_t,  m_t = o . tanh(c_t)

Backpropagation through time is written by hand: everything that is not recurrent is done for many steps at once, so
that a step costs its one recurrent product and a few operations in place.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ernn.nn import lstm_steps
from ernn.nn.gates import double
from ernn.nn.products import linear, onednn, weight_gradient
from ernn.nn.sequences import check, check_shapes, last


def lstm(
    x: Float[Tensor, "T B I"],
    lengths: Int[Tensor, " B"] | None,
    weight_ih: Float[Tensor, "4H I"],
    weight_hh: Float[Tensor, "4H R"],
    bias: Float[Tensor, "4H"],
    peephole: Float[Tensor, "3 H"] | None = None,
    weight_ym: Float[Tensor, "P H"] | None = None,
    state: tuple[Float[Tensor, "B R"], Float[Tensor, "B H"]] | None = None,
) -> tuple[Float[Tensor, "T B R"], tuple[Float[Tensor, "B R"], Float[Tensor, "B H"]]]:
    """One layer over a time-major batch, padded on the right.

    Args:
        x: inputs; values in the padding change no result of the steps before it.
        lengths: steps of each sequence, 1 to T; None means T for all.
        weight_ih: input weights; the gates' rows in the order i, f, g, o.
        weight_hh: recurrent weights, likewise.
        bias: likewise.
        peephole: rows i, f, o; None means none.
        weight_ym: projection of the output, R = P; None means the identity, R = H.
        state: y and c before the first step; None means zeros.

    Returns:
        The outputs of every step (those in the padding mean nothing), and each sequence's own last y and c.

    Raises:
        ValueError: shapes that do not fit each other, no steps, or lengths that do not fit them.
    """
    _check_shapes(x, weight_ih, weight_hh, bias, peephole, weight_ym, *(state or (None, None)))
    check(x, lengths)
    if state is None:
        state = x.new_zeros(x.shape[1], weight_hh.shape[1]), x.new_zeros(x.shape[1], weight_hh.shape[0] // 4)
    if peephole is None and weight_ym is None and lengths is None and onednn(x.flatten(0, 1), weight_ih, weight_hh):
        return _onednn_lstm(x, weight_ih, weight_hh, bias, *state)
    arguments = (x, weight_ih, weight_hh, bias, peephole, weight_ym, *state)
    training = torch.is_grad_enabled() and any(a is not None and a.requires_grad for a in arguments)
    y, c = _LSTM.apply(training, *arguments)
    return y, (last(y, lengths), last(c, lengths))


def _check_shapes(
    x: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias: Tensor,
    peephole: Tensor | None,
    weight_ym: Tensor | None,
    y_0: Tensor | None,
    c_0: Tensor | None,
) -> None:
    """All shapes follow from x, the columns of `weight_ih`, the rows of `weight_hh` and those of `weight_ym`."""
    batch, inputs, cells = x.shape[1:2], weight_ih.shape[-1], weight_hh.shape[0] // 4
    outputs = cells if weight_ym is None else weight_ym.shape[0]
    check_shapes(
        x=(x, (*x.shape[:2], inputs)),
        weight_ih=(weight_ih, (4 * cells, inputs)),
        weight_hh=(weight_hh, (4 * cells, outputs)),
        bias=(bias, (4 * cells,)),
        peephole=(peephole, (3, cells)),
        weight_ym=(weight_ym, (outputs, cells)),
        y_0=(y_0, (*batch, outputs)),
        c_0=(c_0, (*batch, cells)),
    )


def _onednn_lstm(
    x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, y_0: Tensor, c_0: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The plain cell by oneDNN's own kernel: nothing above it beats that where it can express the cell."""
    weights, state = [weight_ih, weight_hh, bias, torch.zeros_like(bias)], (y_0.unsqueeze(0), c_0.unsqueeze(0))
    y, y_last, c_last = torch.lstm(x, state, weights, True, 1, 0.0, True, False, False)
    return y, (y_last[0], c_last[0])


class _LSTM(torch.autograd.Function):
    """y and c of every step."""

    @staticmethod
    def forward(
        ctx: Any,
        training: bool,
        x: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        peephole: Tensor | None,
        weight_ym: Tensor | None,
        y_0: Tensor,
        c_0: Tensor,
    ) -> tuple[Tensor, Tensor]:
        steps, batch, cells = *x.shape[:2], c_0.shape[1]
        g = 2 * cells, 3 * cells
        gates = linear(x.flatten(0, 1), double(weight_ih, *g), double(bias, *g)).unflatten(0, (steps, batch))
        y, c = x.new_empty(steps + 1, *y_0.shape), x.new_empty(steps + 1, *c_0.shape)
        y[0], c[0] = y_0, c_0
        kept = steps if training else 1  # without gradients one buffer serves all steps
        tanh_c = x.new_empty(kept, *c_0.shape)
        m = y[1:] if weight_ym is None else x.new_empty(kept, *c_0.shape)
        lstm_steps.forward(gates, y, c, tanh_c, m, double(weight_hh, *g), peephole, weight_ym)
        if training:
            ctx.save_for_backward(x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m)
            ctx.set_materialize_grads(False)
        return y[1:], c[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor | None, grad_c: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m = ctx.saved_tensors
        grad_y = torch.zeros_like(y[1:]) if grad_y is None else grad_y
        delta, d_y, d_c, d_peephole = lstm_steps.backward(
            grad_y, grad_c, gates, c, tanh_c, weight_hh, peephole, weight_ym
        )
        need_x, need_ih, need_hh, need_bias, _, need_ym = ctx.needs_input_grad[1:7]
        rows = delta.flatten(0, 1)
        return (
            None,
            linear(rows, weight_ih.t()).view_as(x) if need_x else None,
            weight_gradient(rows, x.flatten(0, 1)) if need_ih else None,
            weight_gradient(rows, y[:-1].flatten(0, 1)) if need_hh else None,
            rows.sum(0) if need_bias else None,
            d_peephole,
            weight_gradient(d_y[1:].flatten(0, 1), m.flatten(0, 1)) if need_ym else None,
            d_y[0],
            d_c,
        )
