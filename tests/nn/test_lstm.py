"""The LSTM against its equations, one step after another, and against torch's where torch can express it."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ernn.nn import gates
from ernn.nn.lstm import lstm
from ernn.nn.sequences import last
from tests.nn.shapes import misfits


class Case(NamedTuple):
    """Arguments of `lstm`, in its order."""

    x: Tensor
    lengths: Tensor | None
    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor
    peephole: Tensor | None = None
    weight_ym: Tensor | None = None
    state: tuple[Tensor, Tensor] | None = None

    def leaves(self) -> list[Tensor]:
        """Every tensor that has a gradient."""
        found = [*self[2:7], *(self.state or ())]
        return [self.x, *(leaf for leaf in found if leaf is not None)]


def case(
    steps=5,
    batch=3,
    inputs=4,
    cells=6,
    projection=0,
    peepholes=True,
    state=True,
    padded=True,
    dtype=torch.float64,
    seed=0,
) -> Case:
    draw = torch.Generator().manual_seed(seed)
    outputs = projection or cells

    def leaf(*shape, scale=1.0):
        values = torch.randn(*shape, generator=draw, dtype=torch.float64) * scale
        return values.to(dtype).requires_grad_()

    scale = cells**-0.5
    return Case(
        leaf(steps, batch, inputs),
        torch.randint(1, steps + 1, (batch,), generator=draw) if padded else None,
        leaf(4 * cells, inputs, scale=scale),
        leaf(4 * cells, outputs, scale=scale),
        leaf(4 * cells),
        leaf(3, cells) if peepholes else None,
        leaf(projection, cells, scale=scale) if projection else None,
        (leaf(batch, outputs), leaf(batch, cells)) if state else None,
    )


def reference(case: Case) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """The equations as they stand in the module, step by step, differentiated by autograd."""
    cells = len(case.bias) // 4
    batch = case.x.shape[1]
    y, c = case.state or (case.x.new_zeros(batch, case.weight_hh.shape[1]), case.x.new_zeros(batch, cells))
    w_i, w_f, w_o = case.x.new_zeros(3, cells) if case.peephole is None else case.peephole
    ys, cs = [], []
    for x in case.x:
        i, f, g, o = (x @ case.weight_ih.T + y @ case.weight_hh.T + case.bias).chunk(4, dim=1)
        i, f, g = torch.sigmoid(i + w_i * c), torch.sigmoid(f + w_f * c), torch.tanh(g)
        c = f * c + i * g
        y = torch.sigmoid(o + w_o * c) * torch.tanh(c)
        y = y if case.weight_ym is None else y @ case.weight_ym.T
        ys, cs = [*ys, y], [*cs, c]
    return torch.stack(ys), (last(torch.stack(ys), case.lengths), last(torch.stack(cs), case.lengths))


def gradients(outputs: tuple[Tensor, tuple[Tensor, Tensor]], leaves: list[Tensor], used=(1, 1, 1)) -> list[Tensor]:
    """Gradients of a sum of the outputs that are used, each of its values weighted differently."""
    y, (y_last, c_last) = outputs
    weighted = [
        (out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum() for out in (y, y_last, c_last)
    ]
    total = sum(value for value, flag in zip(weighted, used, strict=True) if flag)
    return list(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))


sizes = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 6),
        "batch": st.integers(1, 3),
        "inputs": st.integers(1, 4),
        "cells": st.integers(1, 5),
        "projection": st.integers(0, 4),
        "peepholes": st.booleans(),
        "state": st.booleans(),
        "padded": st.booleans(),
        "seed": st.integers(0, 1000),
    }
)


@given(sizes, st.sampled_from([(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]))
def test_outputs_and_gradients_are_those_of_the_equations(size, used):
    drawn = case(**size)
    ours, theirs = lstm(*drawn), reference(drawn)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(ours, drawn.leaves(), used), gradients(theirs, drawn.leaves(), used))


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("projection", [0, 2])
def test_gradcheck(projection, peepholes):
    drawn = case(steps=3, batch=2, inputs=2, cells=3, projection=projection, peepholes=peepholes)

    def outputs(*leaves):
        rest = iter(leaves[1:])
        replaced = [None if value is None else next(rest) for value in drawn[2:7]]
        y, state = lstm(leaves[0], drawn.lengths, *replaced, state=tuple(rest))
        return y, *state

    assert torch.autograd.gradcheck(outputs, drawn.leaves())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("projection", [0, 5])
@pytest.mark.parametrize("padded", [False, True])  # unpadded, unprojected float32 is oneDNN's kernel, the rest is ours
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_the_plain_cell_is_that_of_torch(projection, dtype, padded):
    drawn = case(9, 4, 7, 8, projection, peepholes=False, padded=False, dtype=dtype)
    network = torch.nn.LSTM(7, 8, proj_size=projection, dtype=dtype)
    with torch.no_grad():
        for theirs, ours in zip(network.parameters(), [*drawn[2:5], drawn.bias * 0, drawn.weight_ym], strict=False):
            theirs.copy_(ours)
    lengths = torch.full((4,), 9) if padded else None
    ours = lstm(*drawn._replace(lengths=lengths))
    y, (y_last, c_last) = network(drawn.x, tuple(part.unsqueeze(0) for part in drawn.state))
    theirs = y, (y_last[0], c_last[0])
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    weight_ih, weight_hh, bias, _, *weight_ym = network.parameters()
    expected = gradients(theirs, [drawn.x, weight_ih, weight_hh, bias, *weight_ym, *drawn.state])
    torch.testing.assert_close(gradients(ours, drawn.leaves()), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("projection", [0, 256])
def test_large_weights_in_float32(projection):
    cells = 1024 if projection else 256  # 2^18 recurrent or projection weights: the products that are packed once
    size = {"steps": 3, "batch": 4, "inputs": 5, "cells": cells, "projection": projection}
    single, double = case(**size, dtype=torch.float32), case(**size)
    ours, theirs = lstm(*single), reference(double)
    torch.testing.assert_close(ours, theirs, check_dtype=False, atol=1e-5, rtol=1e-4)
    for found, expected in zip(gradients(ours, single.leaves()), gradients(theirs, double.leaves()), strict=True):
        assert (found - expected).norm() < 1e-5 * expected.norm()


def test_the_size_of_the_chunks_changes_nothing_but_the_order_of_sums(monkeypatch):
    drawn = case(steps=11)
    whole = gradients(lstm(*drawn), drawn.leaves())
    monkeypatch.setattr(gates, "_CHUNK", 4 * 3 * 6)  # chunks of 4, 4 and 3 steps
    torch.testing.assert_close(gradients(lstm(*drawn), drawn.leaves()), whole)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("peepholes", [False, True])
def test_padding_reaches_neither_state_nor_gradient(peepholes, dtype):
    drawn = case(steps=6, peepholes=peepholes, dtype=dtype)._replace(lengths=torch.tensor([2, 6, 4]))
    _, state = lstm(*drawn)
    noisy = drawn.x.detach().clone()
    noisy[2:, 0] = 1e3
    noisy[4:, 2] = -1e3
    torch.testing.assert_close(lstm(*drawn._replace(x=noisy))[1], state)
    (grad,) = torch.autograd.grad(state[0].sum() + state[1].sum(), drawn.x)
    assert not grad[2:, 0].any()
    assert not grad[4:, 2].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("peepholes", [False, True])
def test_an_empty_batch_has_gradients_of_zero(peepholes, dtype):
    drawn = case(batch=0, peepholes=peepholes, dtype=dtype)
    y, state = lstm(*drawn)
    assert y.shape == (5, 0, 6)
    assert not any(found.any() for found in gradients((y, state), drawn.leaves()))


def test_no_steps_and_lengths_outside_of_them_are_refused():
    with pytest.raises(ValueError, match="x has 0 steps; a sequence needs one at least"):
        lstm(*case(steps=0, padded=False))
    with pytest.raises(ValueError, match=r"lengths must lie in 1 to 5, the steps of x; got \[0, 5, 2\]"):
        lstm(*case()._replace(lengths=torch.tensor([0, 5, 2])))


@pytest.mark.parametrize(("projection", "peepholes"), [(0, False), (0, True), (2, True)])  # the first is oneDNN's
def test_shapes_that_do_not_fit_are_refused_before_a_kernel_sees_them(projection, peepholes):
    drawn = case(projection=projection, peepholes=peepholes, padded=False, dtype=torch.float32)
    for x, *others in misfits(drawn.leaves()):
        *weights, y_0, c_0 = others
        rest = iter(weights)
        replaced = [None if value is None else next(rest) for value in drawn[2:7]]
        with pytest.raises(ValueError, match=r"has shape .*, the other tensors of the cell call for"):
            lstm(x, None, *replaced, state=(y_0, c_0))


@pytest.mark.parametrize("width", [20, 39, 41, 80])
def test_vectors_of_another_width_are_refused(width):
    drawn = case(inputs=40, peepholes=False, padded=False, dtype=torch.float32)
    with pytest.raises(ValueError, match=rf"x has shape \(5, 3, {width}\), .* call for \(5, 3, 40\)"):
        lstm(*drawn._replace(x=torch.zeros(5, 3, width)))


@pytest.mark.parametrize("peepholes", [False, True])
def test_a_sequence_in_two_halves_is_the_whole(peepholes):
    drawn = case(steps=8, peepholes=peepholes, padded=False, dtype=torch.float32)
    whole, state = lstm(*drawn)
    first, between = lstm(*drawn._replace(x=drawn.x[:3]))
    second, end = lstm(*drawn._replace(x=drawn.x[3:], state=between))
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, state)


@pytest.mark.parametrize("projection", [0, 2])
@pytest.mark.parametrize("peepholes", [False, True])
def test_without_gradients_the_values_are_the_same(peepholes, projection):
    drawn = case(peepholes=peepholes, projection=projection)
    expected = lstm(*drawn)[0]
    with torch.no_grad():
        y, _ = lstm(*drawn)
    assert y.grad_fn is None
    assert torch.equal(y, expected)


@pytest.mark.parametrize("peepholes", [False, True])
def test_same_bits_every_time(peepholes):
    drawn = case(40, 4, 40, 256, peepholes=peepholes, padded=False, dtype=torch.float32)
    once, again = (gradients(lstm(*drawn), drawn.leaves()) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))


def test_a_kept_graph_gives_the_same_gradients_again():
    drawn = case()
    y, _ = lstm(*drawn)
    leaves = drawn.leaves()
    once = torch.autograd.grad(y.square().sum(), leaves, retain_graph=True)
    again = torch.autograd.grad(y.square().sum(), leaves)
    assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
