"""GRU that resets before the recurrent product of the candidate (Cho et al. 2014, arXiv:1406.1078; the one of E-RNN).

    z = sigma(W_zx x_t + W_zc c_{t-1} + b_z)
    r = sigma(W_rx x_t + W_rc c_{t-1} + b_r)
    n = tanh (W_nx x_t + W_nc (r . c_{t-1}) + b_n)
    c_t = (1 - z) . c_{t-1} + z . n

`torch.nn.GRU` and cuDNN reset after the product, n = tanh(W_nx x_t + b_n + r . (W_nc c_{t-1} + b_hn)), and call 1 - z
what is z here; `gru_reset_after` is that cell with the z of this module.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from ernn.nn.gates import chunks, double, sigmoid_backward, step_views, tanh_backward, tanh_of_sigmoid_
from ernn.nn.products import add_product, linear, weight_gradient
from ernn.nn.sequences import check, check_shapes, last


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
        x: inputs; values in the padding change no result of the steps before it.
        weight_ih: input weights; the gates' rows in the order z, r, n.
        weight_hh: recurrent weights, likewise.
        bias: likewise.
        state: c before the first step; None means zeros.
        lengths: steps of each sequence, 1 to T; None means T for all.

    Returns:
        c of every step (that in the padding means nothing), and each sequence's own last c.

    Raises:
        ValueError: shapes that do not fit each other, no steps, or lengths that do not fit them.
    """
    _check_shapes(x, weight_ih, weight_hh, bias, state)
    check(x, lengths)
    if state is None:
        state = x.new_zeros(x.shape[1], weight_hh.shape[1])
    arguments = (x, weight_ih, weight_hh, bias, state)
    training = torch.is_grad_enabled() and any(a.requires_grad for a in arguments)
    c = _GRU.apply(training, *arguments)
    return c, last(c, lengths)


def gru_reset_after(
    x: Float[Tensor, "T B I"],
    weight_ih: Float[Tensor, "3H I"],
    weight_hh: Float[Tensor, "3H H"],
    bias: Float[Tensor, "3H"],
    bias_hn: Float[Tensor, " H"],
    state: Float[Tensor, "B H"] | None = None,
) -> Float[Tensor, "T B H"]:
    """c of every step of the cell that resets after the product, by torch's own kernel.

    Args:
        x: inputs.
        weight_ih: input weights; the gates' rows in the order z, r, n.
        weight_hh: recurrent weights, likewise.
        bias: likewise.
        bias_hn: bias of the candidate's recurrent product.
        state: c before the first step; None means zeros.

    Raises:
        ValueError: shapes that do not fit each other, or no steps.
    """
    _check_shapes(x, weight_ih, weight_hh, bias, state, bias_hn)
    check(x, None)
    state = x.new_zeros(x.shape[1], weight_hh.shape[1]) if state is None else state
    recurrent_bias = torch.cat((torch.zeros_like(bias_hn), torch.zeros_like(bias_hn), bias_hn))
    weights = [*(_torch_order(w) for w in (weight_ih, weight_hh, bias)), recurrent_bias]
    return torch.gru(x, state.unsqueeze(0), weights, True, 1, 0.0, torch.is_grad_enabled(), False, False)[0]


def _check_shapes(
    x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, state: Tensor | None, bias_hn: Tensor | None = None
) -> None:
    """All shapes follow from x and the columns of both matrices."""
    inputs, cells = weight_ih.shape[-1], weight_hh.shape[-1]
    check_shapes(
        x=(x, (*x.shape[:2], inputs)),
        weight_ih=(weight_ih, (3 * cells, inputs)),
        weight_hh=(weight_hh, (3 * cells, cells)),
        bias=(bias, (3 * cells,)),
        bias_hn=(bias_hn, (cells,)),
        state=(state, (*x.shape[1:2], cells)),
    )


def _torch_order(rows: Float[Tensor, "3H ..."]) -> Float[Tensor, "3H ..."]:
    """From z, r, n to r, 1 - z, n: sigma(-a) = 1 - sigma(a)."""
    z, r, n = rows.chunk(3)
    return torch.cat((r, -z, n))


class _GRU(torch.autograd.Function):
    """c of every step."""

    @staticmethod
    def forward(
        ctx: Any, training: bool, x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor, c_0: Tensor
    ) -> Tensor:
        steps, batch, cells = *x.shape[:2], c_0.shape[1]
        n = 2 * cells, 3 * cells
        gates = linear(x.flatten(0, 1), double(weight_ih, *n), double(bias, *n)).unflatten(0, (steps, batch))
        c = x.new_empty(steps + 1, *c_0.shape)
        c[0] = c_0
        reset_c = x.new_empty(steps if training else 1, *c_0.shape)  # without gradients one buffer serves all steps
        _forward_steps(gates, c, reset_c, double(weight_hh, *n))
        if training:
            ctx.save_for_backward(x, weight_ih, weight_hh, gates, c, reset_c)
        return c[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_c: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, weight_hh, gates, c, reset_c = ctx.saved_tensors
        delta, d_c = _backward_steps(grad_c, gates, c, weight_hh)
        need_x, need_ih, need_hh, need_bias = ctx.needs_input_grad[1:5]
        rows = delta.flatten(0, 1)
        return (
            None,
            linear(rows, weight_ih.t()).view_as(x) if need_x else None,
            weight_gradient(rows, x.flatten(0, 1)) if need_ih else None,
            _recurrent_gradient(rows, c[:-1].flatten(0, 1), reset_c.flatten(0, 1)) if need_hh else None,
            rows.sum(0) if need_bias else None,
            d_c,
        )


def _forward_steps(
    gates: Float[Tensor, "T B 3H"], c: Float[Tensor, "T+1 B H"], reset_c: Float[Tensor, "kept B H"], weight_hh: Tensor
) -> None:
    """Run the recurrence in place: `gates` holds the input products (that of n doubled) and becomes z, r, n."""
    steps, batch, cells = len(gates), *c.shape[1:]
    z, r, n = (gate.unbind(0) for gate in gates.split(cells, 2))
    z_r, cs, resets = gates[..., : 2 * cells].unbind(0), c.unbind(0), step_views(reset_c, steps)
    add_z_r, add_n = (add_product(w, batch) for w in weight_hh.split((2 * cells, cells)))
    for t in range(steps):
        add_z_r(z_r[t], cs[t], z_r[t]).sigmoid_()
        torch.mul(r[t], cs[t], out=resets[t])
        tanh_of_sigmoid_(add_n(n[t], resets[t], n[t]).sigmoid_())
        torch.lerp(cs[t], n[t], z[t], out=cs[t + 1])


def _backward_steps(
    grad_c: Float[Tensor, "T B H"], gates: Float[Tensor, "T B 3H"], c: Float[Tensor, "T+1 B H"], weight_hh: Tensor
) -> tuple[Float[Tensor, "T B 3H"], Float[Tensor, "B H"]]:
    """Gradients of the pre-activations and of c before the first step."""
    steps, batch, cells = grad_c.shape
    delta, d_c, d_reset = torch.empty_like(gates), torch.zeros_like(c[0]), torch.empty_like(c[0])
    d_z_r, d_n = (part.unbind(0) for part in delta.split((2 * cells, cells), 2))
    d_r, d_z_n = delta[..., cells : 2 * cells].unbind(0), delta.unflatten(2, (3, cells))[:, :, ::2].unbind(0)
    grads, r, d_c_twice = grad_c.unbind(0), gates[..., cells : 2 * cells].unbind(0), d_c.unsqueeze(1)
    add_z_r, add_n = (add_product(w.t(), batch) for w in weight_hh.split((2 * cells, cells)))
    for part in chunks(steps, batch * cells):
        keep = _local_gradients(gates[part], c[:-1][part], delta[part])
        for t in reversed(range(part.start, part.stop)):
            d_c.add_(grads[t])
            d_z_n[t].mul_(d_c_twice)
            add_n(None, d_n[t], d_reset)
            d_r[t].mul_(d_reset)
            add_z_r(d_c.mul_(keep[t - part.start]).addcmul_(d_reset, r[t]), d_z_r[t], d_c)
    return delta, d_c


def _local_gradients(
    gates: Float[Tensor, "t B 3H"], c: Float[Tensor, "t B H"], delta: Float[Tensor, "t B 3H"]
) -> tuple[Tensor, ...]:
    """What the gradients within a step are multiplied by; c is that before each step.

    Into `delta` go d c_t / d pre-activation of z and n, and d (r . c_{t-1}) / d pre-activation of r.

    Returns:
        1 - z of every step: what of c goes straight to the next.
    """
    (z, r, n), (d_z, d_r, d_n) = (whole.split(c.shape[2], 2) for whole in (gates, delta))
    sigmoid_backward(n - c, z, grad_input=d_z)
    sigmoid_backward(c, r, grad_input=d_r)
    tanh_backward(z, n, grad_input=d_n)
    return (1 - z).unbind(0)


def _recurrent_gradient(
    rows: Float[Tensor, "N 3H"], c: Float[Tensor, "N H"], reset_c: Float[Tensor, "N H"]
) -> Float[Tensor, "3H H"]:
    """Rows z and r saw c_{t-1}, rows n saw r . c_{t-1}."""
    cells = c.shape[1]
    d_z_r, d_n = rows.split((2 * cells, cells), 1)
    return torch.cat((weight_gradient(d_z_r, c), weight_gradient(d_n, reset_c)))
