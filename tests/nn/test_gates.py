"""What the cells share."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.nn import gates


def test_tanh_by_way_of_the_sigmoid():
    a = torch.linspace(-20, 20, 4001)
    torch.testing.assert_close(gates.tanh_of_sigmoid_(torch.sigmoid(2 * a)), torch.tanh(a), atol=3e-7, rtol=0)


def test_double_copies():
    weight = torch.ones(4, 2)
    assert gates.double(weight, 1, 3).tolist() == [[1, 1], [2, 2], [2, 2], [1, 1]]
    assert weight.eq(1).all()


def test_tanh_near_zero_keeps_its_absolute_precision_only():
    a = torch.tensor([1e-9])
    assert gates.tanh_of_sigmoid_(torch.sigmoid(2 * a)).item() == 0
    assert torch.tanh(a).item() == pytest.approx(1e-9)


@given(steps=st.integers(1, 50), values=st.integers(0, 1 << 18))
def test_chunks_go_back_over_every_step_once(steps, values):
    parts = list(gates.chunks(steps, values))
    assert [step for part in reversed(parts) for step in range(part.start, part.stop)] == list(range(steps))
    assert all(part.stop - part.start == 1 or (part.stop - part.start) * values <= 1 << 16 for part in parts)
