"""LSTM with optional peepholes and projection (Sak et al. 2014, arXiv:1402.1128; the cell of ESE, C-LSTM and E-RNN).

    i = sigma(W_ix x_t + W_ir y_{t-1} + w_ic . c_{t-1} + b_i)
    f = sigma(W_fx x_t + W_fr y_{t-1} + w_fc . c_{t-1} + b_f)
    g = tanh (W_gx x_t + W_gr y_{t-1} + b_g)
    c_t = f . c_{t-1} + i . g
    o = sigma(W_ox x_t + W_or y_{t-1} + w_oc . c_t + b_o)
    y_t = W_ym m_t,  m_t = o . tanh(c_t)

Backpropagation through time is written by hand: everything that is not recurrent is done for all steps at once, so that
a step costs its one recurrent product and a few operations in place.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ernn.nn.sequences import last

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input  # d . s . (1 - s)
tanh_backward = torch.ops.aten.tanh_backward.grad_input  # d . (1 - t^2)


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
        x: inputs; what stands in the padding changes no result of the steps before it.
        lengths: steps of each sequence, 1 to T; None means T for all.
        weight_ih: input weights; the gates' rows in the order i, f, g, o.
        weight_hh: recurrent weights, likewise.
        bias: likewise.
        peephole: rows i, f, o; None means none.
        weight_ym: projection of the output, R = P; None means the identity, R = H.
        state: y and c before the first step; None means zeros.

    Returns:
        The outputs of every step (those in the padding mean nothing), and each sequence's own last y and c.
    """
    if state is None:
        state = x.new_zeros(x.shape[1], weight_hh.shape[1]), x.new_zeros(x.shape[1], weight_hh.shape[0] // 4)
    arguments = (x, weight_ih, weight_hh, bias, peephole, weight_ym, *state)
    training = torch.is_grad_enabled() and any(a is not None and a.requires_grad for a in arguments)
    y, c = _LSTM.apply(training, *arguments)
    return y, (last(y, lengths), last(c, lengths))


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
        steps, batch = x.shape[:2]
        gates = torch.addmm(bias, x.flatten(0, 1), weight_ih.t()).unflatten(0, (steps, batch))
        y, c = x.new_empty(steps + 1, *y_0.shape), x.new_empty(steps + 1, *c_0.shape)
        y[0], c[0] = y_0, c_0
        kept = steps if training else 1  # without gradients one buffer serves all steps
        tanh_c = x.new_empty(kept, *c_0.shape)
        m = y[1:] if weight_ym is None else x.new_empty(kept, *c_0.shape)
        _forward_steps(gates, y, c, tanh_c, m, weight_hh, peephole, weight_ym)
        if training:
            ctx.save_for_backward(x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m)
            ctx.set_materialize_grads(False)
        return y[1:], c[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor | None, grad_c: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m = ctx.saved_tensors
        grad_y = torch.zeros_like(y[1:]) if grad_y is None else grad_y
        delta, m_to_c, c_to_c = _local_gradients(gates, c, tanh_c, peephole)
        d_y, d_c = _backward_steps(grad_y, grad_c, delta, m_to_c, c_to_c, weight_hh, weight_ym)
        need_x, need_ih, need_hh, need_bias, need_peephole, need_ym = ctx.needs_input_grad[1:7]
        rows = delta.flatten(0, 1)
        return (
            None,
            (rows @ weight_ih).view_as(x) if need_x else None,
            rows.t() @ x.flatten(0, 1) if need_ih else None,
            rows.t() @ y[:-1].flatten(0, 1) if need_hh else None,
            rows.sum(0) if need_bias else None,
            _peephole_gradient(delta, c) if need_peephole else None,
            d_y[1:].flatten(0, 1).t() @ m.flatten(0, 1) if need_ym else None,
            d_y[0],
            d_c,
        )


def _forward_steps(
    gates: Float[Tensor, "T B 4H"],
    y: Float[Tensor, "T+1 B R"],
    c: Float[Tensor, "T+1 B H"],
    tanh_c: Float[Tensor, "kept B H"],
    m: Float[Tensor, "kept B H"],
    weight_hh: Tensor,
    peephole: Tensor | None,
    weight_ym: Tensor | None,
) -> None:
    """Run the recurrence in place: `gates` holds the input products and becomes i, f, g, o."""
    i_f, g, o = _gate_views(gates)
    i, f = i_f.unbind(2)
    recurrent = weight_hh.t()
    project = None if weight_ym is None else weight_ym.t()
    views = [v.unbind(0) for v in (gates, i_f, i, f, g, o, y[:-1], c[:-1], y[1:], c[1:])]
    views += [_steps(buffer, len(gates)) for buffer in (tanh_c, m)]
    for gates_t, i_f_t, i_t, f_t, g_t, o_t, y_prev, c_prev, y_t, c_t, tanh_t, m_t in zip(*views, strict=True):
        gates_t.addmm_(y_prev, recurrent)
        if peephole is not None:
            i_f_t.addcmul_(c_prev.unsqueeze(1), peephole[:2])
        i_f_t.sigmoid_()
        g_t.tanh_()
        torch.mul(f_t, c_prev, out=c_t).addcmul_(i_t, g_t)
        if peephole is not None:
            o_t.addcmul_(c_t, peephole[2])
        torch.tanh(c_t, out=tanh_t)
        torch.mul(o_t.sigmoid_(), tanh_t, out=m_t)
        if project is not None:
            torch.mm(m_t, project, out=y_t)


def _local_gradients(
    gates: Tensor, c: Tensor, tanh_c: Tensor, peephole: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """What the gradients of one step are multiplied by, for all steps at once.

    Returns:
        delta (T, B, 4H): d c / d pre-activation of i, f, g, and d m / d pre-activation of o;
        d m_t / d c_t and d c_t / d c_{t-1}, (T, B, H), with the paths through the peepholes.
    """
    delta = torch.empty_like(gates)
    (i_f, g, o), (d_i_f, d_g, d_o) = _gate_views(gates), _gate_views(delta)
    (i, f), (d_i, d_f) = i_f.unbind(2), d_i_f.unbind(2)
    sigmoid_backward(g, i, grad_input=d_i)
    sigmoid_backward(c[:-1], f, grad_input=d_f)
    sigmoid_backward(tanh_c, o, grad_input=d_o)
    tanh_backward(i, g, grad_input=d_g)
    m_to_c = tanh_backward(o, tanh_c, grad_input=torch.empty_like(tanh_c))
    if peephole is None:
        return delta, m_to_c, f
    m_to_c.addcmul_(d_o, peephole[2])
    return delta, m_to_c, torch.addcmul(f, d_i, peephole[0]).addcmul_(d_f, peephole[1])


def _backward_steps(
    grad_y: Float[Tensor, "T B R"],
    grad_c: Float[Tensor, "T B H"] | None,
    delta: Float[Tensor, "T B 4H"],
    m_to_c: Float[Tensor, "T B H"],
    c_to_c: Float[Tensor, "T B H"],
    weight_hh: Tensor,
    weight_ym: Tensor | None,
) -> tuple[Float[Tensor, "T+1 B R"], Float[Tensor, "B H"]]:
    """Gradients of y before and after every step, and of c before the first; `delta` becomes the pre-activations'."""
    steps, batch, cells = m_to_c.shape
    d_y = torch.cat((torch.zeros_like(grad_y[:1]), grad_y))
    d_c = m_to_c.new_zeros(batch, cells)
    d_c_gates = d_c.unsqueeze(1)
    d_m = torch.empty_like(d_c)
    d_ifg, d_o = delta.unflatten(2, (4, cells)).split((3, 1), 2)
    views = [v.unbind(0) for v in (delta, d_ifg, d_o.squeeze(2), m_to_c, c_to_c, d_y[1:], d_y[:-1])]
    views.append((None,) * steps if grad_c is None else grad_c.unbind(0))
    for delta_t, d_ifg_t, d_o_t, m_to_c_t, c_to_c_t, d_y_t, d_y_prev, grad_c_t in reversed(
        list(zip(*views, strict=True))
    ):
        d_m = d_y_t if weight_ym is None else torch.mm(d_y_t, weight_ym, out=d_m)
        if grad_c_t is not None:
            d_c.add_(grad_c_t)
        d_c.addcmul_(d_m, m_to_c_t)
        d_o_t.mul_(d_m)
        d_ifg_t.mul_(d_c_gates)
        d_c.mul_(c_to_c_t)
        d_y_prev.addmm_(delta_t, weight_hh)
    return d_y, d_c


def _peephole_gradient(delta: Float[Tensor, "T B 4H"], c: Float[Tensor, "T+1 B H"]) -> Float[Tensor, "3 H"]:
    """Sums over steps and sequences of delta . c: the old c for i and f, the new one for o."""
    d_i_f, _, d_o = _gate_views(delta)
    i_f = (d_i_f * c[:-1].unsqueeze(2)).sum((0, 1))
    return torch.cat((i_f, (d_o * c[1:]).sum((0, 1)).unsqueeze(0)))


def _gate_views(gates: Float[Tensor, "T B 4H"]) -> tuple[Tensor, Tensor, Tensor]:
    """(i and f (T, B, 2, H), g (T, B, H), o (T, B, H))."""
    i_f, g, o = gates.unflatten(2, (4, -1)).split((2, 1, 1), 2)
    return i_f, g.squeeze(2), o.squeeze(2)


def _steps(buffer: Float[Tensor, "kept B H"], steps: int) -> tuple[Tensor, ...]:
    """One view a step: of its own row, or of the only one."""
    return buffer.expand(steps, *buffer.shape[1:]).unbind(0)
