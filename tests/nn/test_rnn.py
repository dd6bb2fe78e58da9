"""The plain recurrent network against its equation, one step after another, and against torch's."""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ernn.nn.rnn import rnn
from ernn.nn.sequences import last
from tests.nn.cell_laws import SIZES, CellLaws, drawn, gradients

case = functools.partial(drawn, 1)


def reference(x, weight_ih, weight_hh, bias, state=None, lengths=None) -> tuple[Tensor, Tensor]:
    """The equation as it stands in the module, step by step, differentiated by autograd."""
    y, ys = x.new_zeros(x.shape[1], len(bias)) if state is None else state, []
    for x_t in x:
        y = torch.tanh(x_t @ weight_ih.T + y @ weight_hh.T + bias)
        ys.append(y)
    return torch.stack(ys), last(torch.stack(ys), lengths)


@given(
    SIZES,
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


class TestRnn(CellLaws):
    """All laws."""

    cell = staticmethod(rnn)
    case = staticmethod(case)
