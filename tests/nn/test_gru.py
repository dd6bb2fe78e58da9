"""The GRU against its equations, one step after another, and against torch's where both say the same."""

import functools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ernn.nn import gates
from ernn.nn.gru import gru, gru_reset_after
from ernn.nn.sequences import last
from tests.nn.cell_laws import SIZES, CellLaws, drawn, gradients
from tests.nn.shapes import misfits


def case_after(**size) -> list[Tensor]:
    """Arguments of `gru_reset_after`, in its order, the state if wanted."""
    x, weight_ih, weight_hh, bias, *state = case(**size)
    bias_hn = torch.linspace(-1, 1, weight_hh.shape[1], dtype=x.dtype).requires_grad_()
    return [x, weight_ih, weight_hh, bias, bias_hn, *state]


def lengths_of(steps: int, batch: int, seed: int) -> Tensor:
    return torch.randint(1, steps + 1, (batch,), generator=torch.Generator().manual_seed(seed))


case = functools.partial(drawn, 3)


def reference(x, weight_ih, weight_hh, bias, state=None, lengths=None) -> tuple[Tensor, Tensor]:
    """The equations as they stand in the module, step by step, differentiated by autograd."""
    cells = weight_hh.shape[1]
    c = x.new_zeros(x.shape[1], cells) if state is None else state
    (w_zx, w_rx, w_nx), (w_zc, w_rc, w_nc), (b_z, b_r, b_n) = (w.split(cells) for w in (weight_ih, weight_hh, bias))
    cs = []
    for x_t in x:
        z = torch.sigmoid(x_t @ w_zx.T + c @ w_zc.T + b_z)
        r = torch.sigmoid(x_t @ w_rx.T + c @ w_rc.T + b_r)
        n = torch.tanh(x_t @ w_nx.T + (r * c) @ w_nc.T + b_n)
        c = (1 - z) * c + z * n
        cs.append(c)
    return torch.stack(cs), last(torch.stack(cs), lengths)


def reference_after(x, weight_ih, weight_hh, bias, bias_hn, state=None) -> Tensor:
    """Likewise for the cell that resets after the product."""
    cells = weight_hh.shape[1]
    c = x.new_zeros(x.shape[1], cells) if state is None else state
    (w_zx, w_rx, w_nx), (w_zc, w_rc, w_nc), (b_z, b_r, b_n) = (w.split(cells) for w in (weight_ih, weight_hh, bias))
    cs = []
    for x_t in x:
        z = torch.sigmoid(x_t @ w_zx.T + c @ w_zc.T + b_z)
        r = torch.sigmoid(x_t @ w_rx.T + c @ w_rc.T + b_r)
        n = torch.tanh(x_t @ w_nx.T + b_n + r * (c @ w_nc.T + bias_hn))
        c = (1 - z) * c + z * n
        cs.append(c)
    return torch.stack(cs)


@given(SIZES, st.booleans(), st.sampled_from([(1, 0), (0, 1), (1, 1)]))
def test_outputs_and_gradients_are_those_of_the_equations(size, padded, used):
    drawn = case(**size)
    lengths = lengths_of(size["steps"], size["batch"], size["seed"]) if padded else None
    ours, theirs = gru(*drawn, lengths=lengths), reference(*drawn, lengths=lengths)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, drawn, used), gradients(theirs, drawn, used))


def test_gradcheck():
    drawn = case(steps=3, batch=2, inputs=2, cells=3)
    assert torch.autograd.gradcheck(lambda *leaves: gru(*leaves, lengths=torch.tensor([2, 3])), drawn)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("saturation", [-60, 60])  # r = 0 or 1: it matters no more whether it comes before the product
def test_with_a_saturated_reset_it_is_that_of_torch(saturation, dtype):
    cells = 8
    x, weight_ih, weight_hh, bias, state = case(9, 4, 7, cells, dtype=dtype)
    with torch.no_grad():
        bias[cells : 2 * cells] = saturation
    network = torch.nn.GRU(7, cells, dtype=dtype)
    theirs = list(network.parameters())[:3]
    with torch.no_grad():
        for theirs_, ours in zip(network.parameters(), (weight_ih, weight_hh, bias, bias * 0), strict=True):
            z, r, n = ours.split(cells)
            theirs_.copy_(torch.cat([r, -z, n]))  # torch's z keeps what ours lets in
    found = gru(x, weight_ih, weight_hh, bias, state)
    c, c_last = network(x, state.unsqueeze(0))
    torch.testing.assert_close(found, (c, c_last[0]), atol=1e-5, rtol=1e-5)
    d_x, *d_weights, d_state = gradients(found, [x, weight_ih, weight_hh, bias, state])
    e_x, *e_weights, e_state = gradients((c, c_last[0]), [x, *theirs, state])
    torch.testing.assert_close((d_x, d_state), (e_x, e_state), atol=1e-5, rtol=1e-4)
    for ours, expected in zip(d_weights, e_weights, strict=True):
        r, z, n = expected.split(cells)
        torch.testing.assert_close(ours, torch.cat([-z, r, n]), atol=1e-5, rtol=1e-4)


def test_large_weights_in_float32():
    size = {"steps": 3, "batch": 4, "inputs": 5, "cells": 512}  # 2^18 weights of n: the products that are packed once
    single, double = case(**size, dtype=torch.float32), case(**size)
    ours, theirs = gru(*single), reference(*double)
    torch.testing.assert_close(ours, theirs, check_dtype=False, atol=1e-5, rtol=1e-4)
    for found, expected in zip(gradients(ours, single), gradients(theirs, double), strict=True):
        assert (found - expected).norm() < 1e-5 * expected.norm()


def test_the_size_of_the_chunks_changes_nothing(monkeypatch):
    drawn = case(steps=11)
    whole = gradients(gru(*drawn), drawn)
    monkeypatch.setattr(gates, "_CHUNK", 4 * 3 * 6)  # chunks of 4, 4 and 3 steps
    torch.testing.assert_close(gradients(gru(*drawn), drawn), whole)


def test_reset_after_refuses_shapes_that_do_not_fit_before_a_kernel_sees_them():
    for leaves in misfits(case_after(dtype=torch.float32)):
        with pytest.raises(ValueError, match=r"has shape .*, the other tensors of the cell call for"):
            gru_reset_after(*leaves)


@given(SIZES)
def test_reset_after_outputs_and_gradients_are_those_of_the_equations(size):
    drawn = case_after(**size)
    ours, theirs = gru_reset_after(*drawn), reference_after(*drawn)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients((ours,), drawn), gradients((theirs,), drawn))


@pytest.mark.parametrize("state", [True, False])
def test_reset_after_gradcheck(state):
    assert torch.autograd.gradcheck(gru_reset_after, case_after(steps=3, batch=2, inputs=2, cells=3, state=state))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reset_after_is_that_of_torch(dtype):
    x, weight_ih, weight_hh, bias, bias_hn, state = drawn = case_after(steps=9, batch=4, inputs=7, cells=8, dtype=dtype)
    network = torch.nn.GRU(7, 8, dtype=dtype)
    theirs = list(network.parameters())
    bias_hh = torch.cat((bias_hn.new_zeros(16), bias_hn))
    with torch.no_grad():
        for parameter, ours in zip(theirs[:3], (weight_ih, weight_hh, bias), strict=True):
            z, r, n = ours.split(8)
            parameter.copy_(torch.cat((r, -z, n)))
        theirs[3].copy_(bias_hh)
    found, expected = gru_reset_after(*drawn), network(x, state.unsqueeze(0))[0]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    d_x, *d_weights, d_bias_hn, d_state = gradients((found,), drawn)
    e_x, *e_weights, e_bias_hh, e_state = gradients((expected,), [x, *theirs, state])
    torch.testing.assert_close((d_x, d_bias_hn, d_state), (e_x, e_bias_hh[16:], e_state), atol=1e-5, rtol=1e-4)
    for ours, gradient in zip(d_weights, e_weights, strict=True):
        r, z, n = gradient.split(8)
        torch.testing.assert_close(ours, torch.cat((-z, r, n)), atol=1e-5, rtol=1e-4)


def test_both_cells_are_one_where_the_reset_lets_everything_pass():
    x, weight_ih, weight_hh, bias, state = drawn = case(steps=9)
    with torch.no_grad():
        bias[6:12] = 60
    after = gru_reset_after(x, weight_ih, weight_hh, bias, torch.zeros(6, dtype=x.dtype), state)
    torch.testing.assert_close(after, gru(*drawn)[0])


def test_reset_after_in_two_halves_is_the_whole():
    x, *weights, state = case_after(steps=8)
    first = gru_reset_after(x[:3], *weights, state)
    second = gru_reset_after(x[3:], *weights, first[-1])
    torch.testing.assert_close(torch.cat([first, second]), gru_reset_after(x, *weights, state))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reset_after_without_gradients_the_values_are_the_same(dtype):
    drawn = case_after(dtype=dtype)
    expected = gru_reset_after(*drawn)
    with torch.no_grad():
        c = gru_reset_after(*drawn)
    assert c.grad_fn is None
    torch.testing.assert_close(c, expected)


def test_reset_after_refuses_no_steps():
    with pytest.raises(ValueError, match="x has 0 steps; a sequence needs one at least"):
        gru_reset_after(*case_after(steps=0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reset_after_an_empty_batch_has_gradients_of_zero(dtype):
    drawn = case_after(batch=0, dtype=dtype)
    c = gru_reset_after(*drawn)
    assert c.shape == (5, 0, 6)
    assert not any(found.any() for found in gradients((c,), drawn))


def test_reset_after_same_bits_every_time():
    drawn = case_after(steps=40, batch=4, inputs=40, cells=512, dtype=torch.float32)
    once, again = (gradients((gru_reset_after(*drawn),), drawn) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


class TestGru(CellLaws):
    """All laws."""

    cell = staticmethod(gru)
    case = staticmethod(case)
