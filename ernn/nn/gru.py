"""GRU that resets before the recurrent product of the candidate (Cho et al. 2014, arXiv:1406.1078; the one of E-RNN).

    z = sigma(W_zx x_t + W_zc c_{t-1} + b_z)
    r = sigma(W_rx x_t + W_rc c_{t-1} + b_r)
    n = tanh (W_nx x_t + W_nc (r . c_{t-1}) + b_n)
    c_t = (1 - z) . c_{t-1} + z . n

`torch.nn.GRU` resets after the product, r . (W_nc c_{t-1}), and calls 1 - z what is z here.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ernn.nn.sequences import last

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input  # d . s . (1 - s)
tanh_backward = torch.ops.aten.tanh_backward.grad_input  # d . (1 - t^2)


def gru(
    x: Float[Tensor, "T B I"],
    weight_ih: Float[Tensor, "3H I"],
    weight_hh: Float[Tensor, "3H H"],
    bias: Float[Tensor, "3H"],
    state: Float[Tensor, "B H"] | None = None,
    lengths: Int[Tensor, " B"] | None = None,
) -> tuple[Float[Tensor, "T B H"], Float[Tensor, "B H"]]:
    """One layer over a time-major batch, padded on the right.

    Args:
        x: inputs; what stands in the padding changes no result of the steps before it.
        weight_ih: input weights; the gates' rows in the order z, r, n.
        weight_hh: recurrent weights, likewise.
        bias: likewise.
        state: c before the first step; None means zeros.
        lengths: steps of each sequence, 1 to T; None means T for all.

    Returns:
        c of every step (that in the padding means nothing), and each sequence's own last c.
    """
    if state is None:
        state = x.new_zeros(x.shape[1], weight_hh.shape[1])
    arguments = (x, weight_ih, weight_hh, bias, state)
    training = torch.is_grad_enabled() and any(a.requires_grad for a in arguments)
    c = _GRU.apply(training, *arguments)
    return c, last(c, lengths)


class _GRU(torch.autograd.Function):
    """c of every step."""

    @staticmethod
    def forward(
        ctx: Any, training: bool, x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, c_0: Tensor
    ) -> Tensor:
        steps, batch = x.shape[:2]
        gates = torch.addmm(bias, x.flatten(0, 1), weight_ih.t()).unflatten(0, (steps, batch))
        c = x.new_empty(steps + 1, *c_0.shape)
        c[0] = c_0
        reset_c = x.new_empty(steps if training else 1, *c_0.shape)  # without gradients one buffer serves all steps
        _forward_steps(gates, c, reset_c, weight_hh)
        if training:
            ctx.save_for_backward(x, weight_ih, weight_hh, gates, c, reset_c)
        return c[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_c: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, gates, c, reset_c = ctx.saved_tensors
        delta, keep = _local_gradients(gates, c)
        d_c = _backward_steps(grad_c, gates, delta, keep, weight_hh)
        need_x, need_ih, need_hh, need_bias = ctx.needs_input_grad[1:5]
        rows = delta.flatten(0, 1)
        return (
            None,
            (rows @ weight_ih).view_as(x) if need_x else None,
            rows.t() @ x.flatten(0, 1) if need_ih else None,
            _recurrent_gradient(rows, c, reset_c) if need_hh else None,
            rows.sum(0) if need_bias else None,
            d_c,
        )


def _forward_steps(
    gates: Float[Tensor, "T B 3H"], c: Float[Tensor, "T+1 B H"], reset_c: Float[Tensor, "kept B H"], weight_hh: Tensor
) -> None:
    """Run the recurrence in place: `gates` holds the input products and becomes z, r, n."""
    cells = c.shape[2]
    z_r, n = gates.split((2 * cells, cells), 2)
    z, r = z_r.split(cells, 2)
    weight_zr, weight_n = (w.t() for w in weight_hh.split((2 * cells, cells)))
    cs = c.unbind(0)
    resets = reset_c.expand(len(gates), -1, -1).unbind(0)
    views = (v.unbind(0) for v in (z_r, z, r, n))
    for z_r_t, z_t, r_t, n_t, c_prev, c_t, reset_t in zip(*views, cs[:-1], cs[1:], resets, strict=True):
        z_r_t.addmm_(c_prev, weight_zr).sigmoid_()
        torch.mul(r_t, c_prev, out=reset_t)
        n_t.addmm_(reset_t, weight_n).tanh_()
        torch.lerp(c_prev, n_t, z_t, out=c_t)


def _local_gradients(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """What the gradients of one step are multiplied by, for all steps at once.

    Returns:
        delta (T, B, 3H): d c / d pre-activation of z and n, and d (r . c) / d pre-activation of r; and 1 - z (T, B, H).
    """
    cells = c.shape[2]
    delta = torch.empty_like(gates)
    (z, r, n), (d_z, d_r, d_n) = gates.split(cells, 2), delta.split(cells, 2)
    sigmoid_backward(n - c[:-1], z, grad_input=d_z)
    sigmoid_backward(c[:-1], r, grad_input=d_r)
    tanh_backward(z, n, grad_input=d_n)
    return delta, 1 - z


def _backward_steps(
    grad_c: Float[Tensor, "T B H"],
    gates: Float[Tensor, "T B 3H"],
    delta: Float[Tensor, "T B 3H"],
    keep: Float[Tensor, "T B H"],
    weight_hh: Tensor,
) -> Float[Tensor, "B H"]:
    """Gradient of c before the first step; `delta` becomes that of the pre-activations."""
    cells = keep.shape[2]
    weight_zr, weight_n = weight_hh.split((2 * cells, cells))
    d_z_r, d_n = delta.split((2 * cells, cells), 2)
    d_z, d_r = d_z_r.split(cells, 2)
    d_c = torch.zeros_like(keep[0])
    d_reset = torch.empty_like(d_c)
    views = (v.unbind(0) for v in (grad_c, gates[..., cells : 2 * cells], d_z_r, d_z, d_r, d_n, keep))
    for grad_t, r_t, d_z_r_t, d_z_t, d_r_t, d_n_t, keep_t in reversed(list(zip(*views, strict=True))):
        d_c.add_(grad_t)
        d_z_t.mul_(d_c)
        d_n_t.mul_(d_c)
        torch.mm(d_n_t, weight_n, out=d_reset)
        d_r_t.mul_(d_reset)
        d_c.mul_(keep_t).addcmul_(d_reset, r_t).addmm_(d_z_r_t, weight_zr)
    return d_c


def _recurrent_gradient(rows: Float[Tensor, "TB 3H"], c: Tensor, reset_c: Tensor) -> Float[Tensor, "3H H"]:
    """Rows z and r saw c_{t-1}, rows n saw r . c_{t-1}."""
    cells = c.shape[2]
    d_z_r, d_n = rows.split((2 * cells, cells), 1)
    return torch.cat((d_z_r.t() @ c[:-1].flatten(0, 1), d_n.t() @ reset_c.flatten(0, 1)))
