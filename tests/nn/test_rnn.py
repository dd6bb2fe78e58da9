"""The plain recurrent network against its equation, one step after another, and against torch's."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ernn.nn.rnn import rnn
from ernn.nn.sequences import last
from tests.nn.shapes import misfits


def case(steps=5, batch=3, inputs=4, cells=6, state=True, dtype=torch.float64, seed=0) -> list[Tensor]:
    """x, weight_ih, weight_hh, bias and, if wanted, the state."""
    draw = torch.Generator().manual_seed(seed)
    scale = cells**-0.5
    shapes = [(steps, batch, inputs), (cells, inputs), (cells, cells), (cells,), (batch, cells)]
    values = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in shapes[: 4 + state]]
    return [(v * s).to(dtype).requires_grad_() for v, s in zip(values, (1, scale, scale, 1, 1), strict=False)]


def reference(x, weight_ih, weight_hh, bias, state=None, lengths=None) -> tuple[Tensor, Tensor]:
    """The equation as it stands in the module, step by step, differentiated by autograd."""
    y, ys = x.new_zeros(x.shape[1], len(bias)) if state is None else state, []
    for x_t in x:
        y = torch.tanh(x_t @ weight_ih.T + y @ weight_hh.T + bias)
        ys.append(y)
    return torch.stack(ys), last(torch.stack(ys), lengths)


def gradients(outputs: tuple[Tensor, ...], leaves: list[Tensor], used=(1, 1)) -> list[Tensor]:
    """Gradients of a sum of the outputs that are used, each of its values weighted differently."""
    weighted = [(out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum() for out in outputs]
    return list(torch.autograd.grad(sum(v for v, flag in zip(weighted, used, strict=True) if flag), leaves))


@given(
    st.fixed_dictionaries(
        {
            "steps": st.integers(1, 6),
            "batch": st.integers(1, 3),
            "inputs": st.integers(1, 4),
            "cells": st.integers(1, 5),
            "state": st.booleans(),
            "seed": st.integers(0, 1000),
        }
    ),
    st.booleans(),
    st.sampled_from([(1, 0), (0, 1), (1, 1)]),
)
def test_outputs_and_gradients_are_those_of_the_equation(size, padded, used):
    drawn = case(**size)
    draw = torch.Generator().manual_seed(size["seed"])
    lengths = torch.randint(1, size["steps"] + 1, (size["batch"],), generator=draw) if padded else None
    ours, theirs = rnn(*drawn, lengths=lengths), reference(*drawn, lengths=lengths)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, drawn, used), gradients(theirs, drawn, used))


def test_gradcheck():
    drawn = case(steps=3, batch=2, inputs=2, cells=3)
    assert torch.autograd.gradcheck(lambda *leaves: rnn(*leaves, lengths=torch.tensor([2, 3])), drawn)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_is_that_of_torch(dtype):
    x, weight_ih, weight_hh, bias, state = drawn = case(9, 4, 7, 8, dtype=dtype)
    network = torch.nn.RNN(7, 8, dtype=dtype)
    theirs = list(network.parameters())
    with torch.no_grad():
        for parameter, ours in zip(theirs, (weight_ih, weight_hh, bias, bias * 0), strict=True):
            parameter.copy_(ours)
    y, y_last = network(x, state.unsqueeze(0))
    found, expected = rnn(*drawn), (y, y_last[0])
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    d_x, *d_weights, d_state = gradients(found, drawn)
    e_x, *e_weights, _, e_state = gradients(expected, [x, *theirs, state])
    torch.testing.assert_close([d_x, *d_weights, d_state], [e_x, *e_weights, e_state], atol=1e-5, rtol=1e-4)


def test_large_weights_in_float32():
    size = {"steps": 3, "batch": 4, "inputs": 5, "cells": 512}  # 2^18 weights: the products that are packed once
    single, double = case(**size, dtype=torch.float32), case(**size)
    ours, theirs = rnn(*single), reference(*double)
    torch.testing.assert_close(ours, theirs, check_dtype=False, atol=1e-5, rtol=1e-4)
    for found, expected in zip(gradients(ours, single), gradients(theirs, double), strict=True):
        assert (found - expected).norm() < 1e-5 * expected.norm()


def test_padding_reaches_neither_state_nor_gradient():
    drawn = case(steps=6)
    lengths = torch.tensor([2, 6, 4])
    _, y_last = rnn(*drawn, lengths=lengths)
    noisy = drawn[0].detach().clone()
    noisy[2:, 0] = 1e3
    noisy[4:, 2] = -1e3
    torch.testing.assert_close(rnn(noisy, *drawn[1:], lengths=lengths)[1], y_last)
    (grad,) = torch.autograd.grad(y_last.sum(), drawn[0])
    assert not grad[2:, 0].any()
    assert not grad[4:, 2].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_empty_batch_has_gradients_of_zero(dtype):
    drawn = case(batch=0, dtype=dtype)
    outputs = rnn(*drawn)
    assert outputs[0].shape == (5, 0, 6)
    assert not any(found.any() for found in gradients(outputs, drawn))


def test_no_steps_and_lengths_outside_of_them_are_refused():
    with pytest.raises(ValueError, match="x has 0 steps; a sequence needs one at least"):
        rnn(*case(steps=0))
    with pytest.raises(ValueError, match=r"lengths must lie in 1 to 5, the steps of x; got \[0, 5, 2\]"):
        rnn(*case(), lengths=torch.tensor([0, 5, 2]))


def test_shapes_that_do_not_fit_are_refused_before_a_kernel_sees_them():
    for leaves in misfits(case(dtype=torch.float32)):
        with pytest.raises(ValueError, match=r"has shape .*, the other tensors of the cell call for"):
            rnn(*leaves)


def test_a_sequence_in_two_halves_is_the_whole():
    x, *weights, state = case(steps=8)
    whole, end = rnn(x, *weights, state)
    first, between = rnn(x[:3], *weights, state)
    second, last_ = rnn(x[3:], *weights, between)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(last_, end)


def test_without_gradients_the_values_are_the_same():
    drawn = case()
    expected, _ = rnn(*drawn)
    with torch.no_grad():
        y, _ = rnn(*drawn)
    assert y.grad_fn is None
    assert torch.equal(y, expected)


def test_same_bits_every_time():
    drawn = case(40, 4, 40, 512, dtype=torch.float32)
    once, again = (gradients(rnn(*drawn), drawn) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
