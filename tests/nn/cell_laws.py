"""Laws of a recurrent cell's kernel that do not depend on its equations, for cells of one state."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.nn.shapes import misfits

SIZES = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 6),
        "batch": st.integers(1, 3),
        "inputs": st.integers(1, 4),
        "cells": st.integers(1, 5),
        "state": st.booleans(),
        "seed": st.integers(0, 1000),
    }
)


def drawn(gates: int, steps=5, batch=3, inputs=4, cells=6, state=True, dtype=torch.float64, seed=0) -> list[Tensor]:
    """x, weight_ih, weight_hh, bias and, if wanted, the state."""
    draw = torch.Generator().manual_seed(seed)
    scale, rows = cells**-0.5, gates * cells
    shapes = [(steps, batch, inputs), (rows, inputs), (rows, cells), (rows,), (batch, cells)]
    values = [torch.randn(*shape, generator=draw, dtype=torch.float64) for shape in shapes[: 4 + state]]
    return [(v * s).to(dtype).requires_grad_() for v, s in zip(values, (1, scale, scale, 1, 1), strict=False)]


def gradients(outputs: tuple[Tensor, ...], leaves: list[Tensor], used=None) -> list[Tensor]:
    """Gradients of a sum of the outputs that are used, each of its values weighted differently."""
    weighted = [(out * torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)).sum() for out in outputs]
    total = sum(value for value, flag in zip(weighted, used or [1] * len(weighted), strict=True) if flag)
    return list(torch.autograd.grad(total, leaves))


class CellLaws:
    """Laws of `cell(x, weight_ih, weight_hh, bias, state, lengths)`; `case` draws its tensors."""

    cell: Callable[..., Any]
    case: Callable[..., list[Tensor]]

    def test_padding_reaches_neither_state_nor_gradient(self) -> None:
        leaves, lengths = self.case(steps=6), torch.tensor([2, 6, 4])
        _, state = self.cell(*leaves, lengths=lengths)
        noisy = leaves[0].detach().clone()
        noisy[2:, 0] = 1e3
        noisy[4:, 2] = -1e3
        torch.testing.assert_close(self.cell(noisy, *leaves[1:], lengths=lengths)[1], state)
        (grad,) = torch.autograd.grad(state.sum(), leaves[0])
        assert not grad[2:, 0].any()
        assert not grad[4:, 2].any()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_an_empty_batch_has_gradients_of_zero(self, dtype) -> None:
        leaves = self.case(batch=0, dtype=dtype)
        outputs = self.cell(*leaves)
        assert outputs[0].shape == (5, 0, 6)
        assert not any(found.any() for found in gradients(outputs, leaves))

    def test_no_steps_and_lengths_outside_of_them_are_refused(self) -> None:
        with pytest.raises(ValueError, match="x has 0 steps; a sequence needs one at least"):
            self.cell(*self.case(steps=0))
        with pytest.raises(ValueError, match=r"lengths must lie in 1 to 5, the steps of x; got \[0, 5, 2\]"):
            self.cell(*self.case(), lengths=torch.tensor([0, 5, 2]))

    def test_shapes_that_do_not_fit_are_refused_before_a_kernel_sees_them(self) -> None:
        for leaves in misfits(self.case(dtype=torch.float32)):
            with pytest.raises(ValueError, match=r"has shape .*, the other tensors of the cell call for"):
                self.cell(*leaves)

    def test_a_sequence_in_two_halves_is_the_whole(self) -> None:
        x, *weights, state = self.case(steps=8)
        whole, end = self.cell(x, *weights, state)
        first, between = self.cell(x[:3], *weights, state)
        second, last = self.cell(x[3:], *weights, between)
        torch.testing.assert_close(torch.cat([first, second]), whole)
        torch.testing.assert_close(last, end)

    def test_without_gradients_the_values_are_the_same(self) -> None:
        leaves = self.case()
        expected, _ = self.cell(*leaves)
        with torch.no_grad():
            found, _ = self.cell(*leaves)
        assert found.grad_fn is None
        assert torch.equal(found, expected)

    def test_same_bits_every_time(self) -> None:
        leaves = self.case(steps=40, batch=4, inputs=40, cells=512, dtype=torch.float32)
        once, again = (gradients(self.cell(*leaves), leaves) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(once, again, strict=True))
