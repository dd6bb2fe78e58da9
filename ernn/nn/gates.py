"""Element-wise parts that the recurrent cells share.

On a CPU torch's tanh takes four times as long as its sigmoid, so the cells compute tanh(a) = 2 sigma(2a) - 1, with the
factor inside the sigmoid folded into weights and biases (`double`). The absolute error stays near the rounding of 1
(2e-7 in float32); near 0, where torch's tanh keeps its relative precision, this one does not.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

_MINUS_ONE = torch.tensor(-1.0)
_CHUNK = 1 << 16

sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input  # d . s . (1 - s)
tanh_backward = torch.ops.aten.tanh_backward.grad_input  # d . (1 - t^2)


def double(weight: Float[Tensor, "rows ..."], start: int, stop: int) -> Float[Tensor, "rows ..."]:
    """A copy with the rows from `start` to `stop` doubled."""
    copy = weight.clone()
    copy[start:stop] *= 2
    return copy


def tanh_of_sigmoid_(s: Tensor) -> Tensor:
    """From sigma(2a) to tanh(a), in place."""
    return torch.add(_MINUS_ONE, s, alpha=2, out=s)


def step_views(buffer: Float[Tensor, "kept ..."], steps: int) -> tuple[Tensor, ...]:
    """One view a step: of its own row, or of the only one."""
    return buffer.expand(steps, *buffer.shape[1:]).unbind(0)


def chunks(steps: int, values: int) -> Iterator[slice]:
    """The steps in order from the last to the first, by chunks whose `values` a step stay in the processor's cache."""
    chunk = max(1, _CHUNK // max(values, 1))  # an empty batch has no values
    for start in reversed(range(0, steps, chunk)):
        yield slice(start, min(start + chunk, steps))
