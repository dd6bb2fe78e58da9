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

from ernn.nn.gates import chunks, double, sigmoid_backward, step_views, tanh_backward, tanh_of_sigmoid_
from ernn.nn.products import add_product, linear, onednn, weight_gradient
from ernn.nn.sequences import check, last


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

    Raises:
        ValueError: no steps, or lengths that do not fit them.
    """
    check(x, lengths)
    if state is None:
        state = x.new_zeros(x.shape[1], weight_hh.shape[1]), x.new_zeros(x.shape[1], weight_hh.shape[0] // 4)
    if peephole is None and weight_ym is None and lengths is None and onednn(x.flatten(0, 1), weight_ih, weight_hh):
        return _onednn_lstm(x, weight_ih, weight_hh, bias, *state)
    arguments = (x, weight_ih, weight_hh, bias, peephole, weight_ym, *state)
    training = torch.is_grad_enabled() and any(a is not None and a.requires_grad for a in arguments)
    y, c = _LSTM.apply(training, *arguments)
    return y, (last(y, lengths), last(c, lengths))


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
        _forward_steps(gates, y, c, tanh_c, m, double(weight_hh, *g), peephole, weight_ym)
        if training:
            ctx.save_for_backward(x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m)
            ctx.set_materialize_grads(False)
        return y[1:], c[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor | None, grad_c: Tensor | None) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, peephole, weight_ym, gates, y, c, tanh_c, m = ctx.saved_tensors
        grad_y = torch.zeros_like(y[1:]) if grad_y is None else grad_y
        delta, d_y, d_c, d_peephole = _backward_steps(grad_y, grad_c, gates, c, tanh_c, weight_hh, peephole, weight_ym)
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
    """Run the recurrence in place: `gates` holds the input products (that of g doubled) and becomes i, f, g, o."""
    steps, batch, cells = len(gates), *c.shape[1:]
    i, f, g, o = (gate.unbind(0) for gate in gates.split(cells, 2))
    i_f_g, all_gates, ys, cs = gates[..., : 3 * cells].unbind(0), gates.unbind(0), y.unbind(0), c.unbind(0)
    tanh_cs, ms = step_views(tanh_c, steps), ys[1:] if weight_ym is None else step_views(m, steps)
    add_recurrent = add_product(weight_hh, batch)
    add_projection = None if weight_ym is None else add_product(weight_ym, batch)
    nothing = torch.zeros_like(ys[0])
    w_i, w_f, w_o = (None, None, None) if peephole is None else peephole.unbind(0)
    for t in range(steps):
        add_recurrent(all_gates[t], ys[t], all_gates[t])
        if w_i is not None:
            i[t].addcmul_(cs[t], w_i)
            f[t].addcmul_(cs[t], w_f)
        i_f_g[t].sigmoid_()
        tanh_of_sigmoid_(g[t])
        torch.mul(f[t], cs[t], out=cs[t + 1]).addcmul_(i[t], g[t])
        if w_o is not None:
            o[t].addcmul_(cs[t + 1], w_o)
        tanh_of_sigmoid_(torch.mul(cs[t + 1], 2, out=tanh_cs[t]).sigmoid_())
        torch.mul(o[t].sigmoid_(), tanh_cs[t], out=ms[t])
        if add_projection is not None:
            add_projection(nothing, ms[t], ys[t + 1])


def _backward_steps(
    grad_y: Float[Tensor, "T B R"],
    grad_c: Float[Tensor, "T B H"] | None,
    gates: Float[Tensor, "T B 4H"],
    c: Float[Tensor, "T+1 B H"],
    tanh_c: Float[Tensor, "T B H"],
    weight_hh: Tensor,
    peephole: Tensor | None,
    weight_ym: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Gradients of the pre-activations (T, B, 4H), of y (from before the first step on; the first only without a
    projection), of c before the first step and of the peepholes."""
    steps, batch, cells = tanh_c.shape
    delta, d_c, d_m = torch.empty_like(gates), torch.zeros_like(c[0]), torch.empty_like(c[0])
    d_peephole = None if peephole is None else torch.zeros_like(peephole)
    d_y = grad_y.new_empty(1 if weight_ym is None else steps + 1, *grad_y.shape[1:])
    d_ys, grads, deltas = step_views(d_y, steps + 1), (torch.zeros_like(d_y[0]), *grad_y.unbind(0)), delta.unbind(0)
    d_ys[steps].copy_(grads[steps])
    d_ifg, d_o = (part.unbind(0) for part in delta.split((3 * cells, cells), 2))
    d_ifg = [part.unflatten(1, (3, cells)) for part in d_ifg]
    d_c_thrice = d_c.unsqueeze(1)
    add_recurrent = add_product(weight_hh.t(), batch)
    add_projection = None if weight_ym is None else add_product(weight_ym.t(), batch)
    nothing = torch.zeros_like(d_m)
    for part in chunks(steps, batch * cells):
        m_to_c, c_to_c = _local_gradients(gates[part], c[:-1][part], tanh_c[part], peephole, delta[part])
        for t in reversed(range(part.start, part.stop)):
            d_m = d_ys[t + 1] if add_projection is None else add_projection(nothing, d_ys[t + 1], d_m)
            if grad_c is not None:
                d_c.add_(grad_c[t])
            d_c.addcmul_(d_m, m_to_c[t - part.start])
            d_o[t].mul_(d_m)
            d_ifg[t].mul_(d_c_thrice)
            d_c.mul_(c_to_c[t - part.start])
            add_recurrent(grads[t], deltas[t], d_ys[t])
        if d_peephole is not None:
            _add_peephole_gradient(delta[part], c[part.start : part.stop + 1], d_peephole)
    return delta, d_y, d_c, d_peephole


def _local_gradients(
    gates: Tensor, c: Float[Tensor, "t B H"], tanh_c: Tensor, peephole: Tensor | None, delta: Float[Tensor, "t B 4H"]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What the gradients within a step are multiplied by; c is that before each step.

    Into `delta` go d c_t / d pre-activation of i, f and g, and d m_t / d pre-activation of o.

    Returns:
        d m_t / d c_t and d c_t / d c_{t-1} of every step, with the paths through the peepholes.
    """
    cells = c.shape[2]
    (i, f, g, o), (d_i, d_f, d_g, d_o) = gates.split(cells, 2), delta.split(cells, 2)
    sigmoid_backward(g, i, grad_input=d_i)
    sigmoid_backward(c, f, grad_input=d_f)
    sigmoid_backward(tanh_c, o, grad_input=d_o)
    tanh_backward(i, g, grad_input=d_g)
    m_to_c = tanh_backward(o, tanh_c, grad_input=torch.empty_like(tanh_c))
    if peephole is None:
        return m_to_c.unbind(0), f.unbind(0)
    m_to_c.addcmul_(d_o, peephole[2])
    return m_to_c.unbind(0), torch.addcmul(f, d_i, peephole[0]).addcmul_(d_f, peephole[1]).unbind(0)


def _add_peephole_gradient(
    delta: Float[Tensor, "t B 4H"], c: Float[Tensor, "t+1 B H"], d_peephole: Float[Tensor, "3 H"]
) -> None:
    """Add the sums over steps and sequences of delta . c: the old c for i and f, the new one for o."""
    d_i_f, _, d_o = delta.unflatten(2, (4, -1)).split((2, 1, 1), 2)
    d_peephole[:2] += (d_i_f * c[:-1].unsqueeze(2)).sum((0, 1))
    d_peephole[2:] += (d_o * c[1:].unsqueeze(2)).sum((0, 1))
