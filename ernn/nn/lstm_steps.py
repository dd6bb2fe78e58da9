"""The recurrence of `ernn.nn.lstm`, forward and backward, step by step in place."""

import torch
from jaxtyping import Float
from torch import Tensor

from ernn.nn.gates import chunks, sigmoid_backward, step_views, tanh_backward, tanh_of_sigmoid_
from ernn.nn.products import add_product


def forward(
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
    i_f, i_f_g = gates.unflatten(2, (4, cells))[:, :, :2].unbind(0), gates[..., : 3 * cells].unbind(0)
    all_gates, ys, cs, c_twice = gates.unbind(0), y.unbind(0), c.unbind(0), c.unsqueeze(2).unbind(0)
    tanh_cs, ms = step_views(tanh_c, steps), ys[1:] if weight_ym is None else step_views(m, steps)
    add_recurrent = add_product(weight_hh, batch)
    add_projection = None if weight_ym is None else add_product(weight_ym, batch)
    if peephole is not None:
        w_i_f, w_o = peephole[:2], peephole[2]
    for t in range(steps):
        add_recurrent(all_gates[t], ys[t], all_gates[t])
        if peephole is not None:
            i_f[t].addcmul_(c_twice[t], w_i_f)
        i_f_g[t].sigmoid_()
        tanh_of_sigmoid_(g[t])
        torch.mul(f[t], cs[t], out=cs[t + 1]).addcmul_(i[t], g[t])
        if peephole is not None:
            o[t].addcmul_(cs[t + 1], w_o)
        tanh_of_sigmoid_(torch.mul(cs[t + 1], 2, out=tanh_cs[t]).sigmoid_())
        torch.mul(o[t].sigmoid_(), tanh_cs[t], out=ms[t])
        if add_projection is not None:
            add_projection(None, ms[t], ys[t + 1])


def backward(
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
    d_y = grad_y.new_empty(1 if weight_ym is None else steps + 1, *grad_y.shape[1:])
    d_ys, grads, deltas = step_views(d_y, steps + 1), (None, *grad_y.unbind(0)), delta.unbind(0)
    d_ys[steps].copy_(grad_y[-1])
    by_gate = delta.unflatten(2, (4, cells))
    d_i_f_g, d_o = by_gate[:, :, :3].unbind(0), by_gate[:, :, 3].unbind(0)
    d_i_f, cs, c_twice, d_c_thrice = (
        by_gate[:, :, :2].unbind(0),
        c.unbind(0),
        c.unsqueeze(2).unbind(0),
        d_c.unsqueeze(1),
    )
    d_peephole = d_c.new_zeros(batch, 3, cells)
    d_peep_i_f, d_peep_o = d_peephole[:, :2], d_peephole[:, 2]
    add_recurrent = add_product(weight_hh.t(), batch)
    add_projection = None if weight_ym is None else add_product(weight_ym.t(), batch)
    for part in chunks(steps, batch * cells):
        m_to_c, c_to_c = _local_gradients(gates[part], c[:-1][part], tanh_c[part], peephole, delta[part])
        for t in reversed(range(part.start, part.stop)):
            d_m = d_ys[t + 1] if add_projection is None else add_projection(None, d_ys[t + 1], d_m)
            if grad_c is not None:
                d_c.add_(grad_c[t])
            d_c.addcmul_(d_m, m_to_c[t - part.start])
            d_o[t].mul_(d_m)
            d_i_f_g[t].mul_(d_c_thrice)
            d_c.mul_(c_to_c[t - part.start])
            add_recurrent(grads[t], deltas[t], d_ys[t])
            if peephole is not None:
                d_peep_i_f.addcmul_(d_i_f[t], c_twice[t])
                d_peep_o.addcmul_(d_o[t], cs[t + 1])
    return delta, d_y, d_c, None if peephole is None else d_peephole.sum(0)


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
