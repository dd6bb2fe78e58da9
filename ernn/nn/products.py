"""Products with one weight: by oneDNN for float32 on a CPU where it beats torch's default BLAS, else by the default.

Measured on Zen 4 (AVX-512): with all steps at once oneDNN is 10 to 40 % faster. Within a recurrence weights packed once
pay from about 2^18 of them on and four rows or more; below that the 10 us that a call costs do not.
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

_PACKED_WEIGHTS = 1 << 18
_PACKED_ROWS = 4

AddProduct = Callable[[Tensor | None, Tensor, Tensor], Tensor]


def linear(x: Float[Tensor, "N I"], weight: Float[Tensor, "O I"], bias: Tensor | None = None) -> Float[Tensor, "N O"]:
    """x W^T + b."""
    if onednn(x, weight):
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return torch.nn.functional.linear(x, weight, bias)


def weight_gradient(delta: Float[Tensor, "N O"], x: Float[Tensor, "N I"]) -> Float[Tensor, "O I"]:
    """Gradient of W where delta is that of x W^T: delta^T x."""
    return linear(x.t(), delta.t()).t() if onednn(x, delta) else delta.t() @ x


def add_product(weight: Float[Tensor, "O I"], rows: int) -> AddProduct:
    """f(addend, v, out): out = addend + v W^T for many v of so many rows; None adds nothing, `out` may be `addend`."""
    if weight.numel() < _PACKED_WEIGHTS or rows < _PACKED_ROWS or not onednn(weight):
        return partial(_add_default, weight.t())
    return partial(_add_packed, torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), rows))


def _add_default(transposed: Tensor, addend: Tensor | None, v: Tensor, out: Tensor) -> Tensor:
    if addend is None:
        return torch.mm(v, transposed, out=out)
    return torch.addmm(addend, v, transposed, out=out)


def _add_packed(packed: Tensor, addend: Tensor | None, v: Tensor, out: Tensor) -> Tensor:
    product = torch.ops.mkldnn._linear_pointwise(v.contiguous(), packed, None, "none", [], "")
    return out.copy_(product) if addend is None else torch.add(addend, product, out=out)


def onednn(*tensors: Float[Tensor, "rows columns"]) -> bool:
    """Whether oneDNN multiplies such matrices well: gaps between rows take it minutes, empty ones it refuses."""
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
        and all(t.numel() > 0 for t in tensors)
        and all(t.is_contiguous() or t.t().is_contiguous() for t in tensors)
    )
