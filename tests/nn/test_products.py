"""Products by oneDNN and by torch's default against the plain product."""

import pytest
import torch

from ernn.nn.products import add_product, linear, onednn, weight_gradient

ROWS, INPUTS, OUTPUTS = 5, 48, 96


def matrix(rows: int, columns: int, layout: str, dtype: torch.dtype) -> torch.Tensor:
    """Contiguous, transposed, or with gaps between the rows."""
    if layout == "transposed":
        return torch.randn(columns, rows, dtype=dtype).t()
    return torch.randn(rows, columns + (3 if layout == "gaps" else 0), dtype=dtype)[:, :columns]


layouts = pytest.mark.parametrize("layout", ["contiguous", "transposed", "gaps"])
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@layouts
@dtypes
def test_linear(layout, dtype):
    x, weight, bias = matrix(ROWS, INPUTS, layout, dtype), matrix(OUTPUTS, INPUTS, layout, dtype), torch.randn(OUTPUTS)
    bias = bias.to(dtype)
    torch.testing.assert_close(linear(x, weight, bias), x @ weight.T + bias, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(linear(x, weight), x @ weight.T, atol=1e-4, rtol=1e-5)


@layouts
@dtypes
def test_weight_gradient(layout, dtype):
    delta, x = matrix(ROWS, OUTPUTS, layout, dtype), matrix(ROWS, INPUTS, layout, dtype)
    torch.testing.assert_close(weight_gradient(delta, x), delta.T @ x, atol=1e-4, rtol=1e-5)


@layouts
@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("outputs", [16, 1024])  # 2^12 and 2^18 weights: below and above where packing pays
def test_add_product(layout, rows, outputs):
    weight, v = matrix(outputs, 256, layout, torch.float32), matrix(rows, 256, layout, torch.float32)
    addend = torch.randn(rows, outputs)
    expected = addend + v @ weight.T
    out = torch.empty_like(addend)
    torch.testing.assert_close(add_product(weight, rows)(addend, v, out), expected, atol=1e-4, rtol=1e-5)
    add_product(weight, rows)(addend, v, addend)
    for found in (out, addend):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)


def test_onednn_never_sees_rows_with_gaps():
    assert not onednn(torch.randn(4, 8)[:, :5])
    assert not onednn(torch.randn(4, 8, dtype=torch.float64))
