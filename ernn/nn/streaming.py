"""Inference frame by frame on one core: one utterance, no delay, weights of block-circulant matrices as spectra.

A block-circulant product is a transform of the vector's blocks, a small dense product for each frequency and a
transform back (`ernn.nn.circulant`). In packed real spectra a block costs 2k - 2 multiplications in place of k^2, and a
product with one vector is bound by reading the weights, of which there are k times fewer.
"""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ernn.nn.head import HeadLayer
from ernn.nn.matrices import CirculantWeight, RelaxedWeight, Weight
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel

Vector = Float[np.ndarray, " elements"]


def packed_transform(block_size: int) -> Float[np.ndarray, "k k"]:
    """F, so that `x @ F` is the packed spectrum of x: bins 0 and k/2, then real and imaginary parts of the others."""
    spectrum = np.fft.rfft(np.eye(block_size))
    ends = [spectrum[:, 0].real] + ([spectrum[:, -1].real] if block_size > 1 else [])
    inner = [part for bin in spectrum[:, 1 : (block_size + 1) // 2].T for part in (bin.real, bin.imag)]
    return np.stack(ends + inner, axis=1)


class CirculantProduct:
    """y = W x for one vector, by spectra: k words a block, as many as its first column has.

    Args:
        first_columns: first columns of the blocks, (p, q, k); k = 1 is a dense matrix.
    """

    def __init__(self, first_columns: Float[np.ndarray, "p q k"]) -> None:
        self._shape = p, q, k = first_columns.shape
        forward = packed_transform(k)
        spectra = np.moveaxis(first_columns.astype(np.float64) @ forward, 2, 0)  # (k, p, q)
        self._ends = np.ascontiguousarray(spectra[:2], np.float32)  # bins 0 and k/2 are real
        self._inner = np.ascontiguousarray(spectra[2::2] + 1j * spectra[3::2], np.complex64)
        self._forward = forward.astype(np.float32)
        self._inverse = np.linalg.inv(forward).astype(np.float32)
        self._x = np.zeros(q * k, np.float32)  # with its padding
        self._bins = np.empty((max(k // 2, 1), p), np.complex64)  # of y; the first one holds both ends

    def __call__(self, *parts: Vector) -> Vector:
        """All p k rows of the product with the parts of x, each of which begins a block and is padded to whole ones.

        Raises:
            ValueError: fewer or more blocks than the matrix has columns of them.
        """
        _, q, k = self._shape
        if sum(-(-len(part) // k) for part in parts) != q:
            raise ValueError(f"{q} blocks of {k} elements are multiplied, got parts of {[len(part) for part in parts]}")
        start = 0
        for part in parts:
            end = start + len(part)
            self._x[start:end] = part
            start = -(-end // k) * k
            self._x[end:start] = 0  # what a longer part has left
        if k == 1:
            return self._ends[0] @ self._x
        x, y = (self._x.reshape(q, k) @ self._forward).view(np.complex64).T, self._bins
        y.real[0], y.imag[0] = self._ends[0] @ x[0].real, self._ends[1] @ x[0].imag
        if k > 2:
            np.matmul(self._inner, np.ascontiguousarray(x[1:])[..., None], out=y[1:, :, None])
        return (np.ascontiguousarray(y.T).view(np.float32) @ self._inverse).reshape(-1)

    @property
    def stored_words(self) -> int:
        """Floats that a product reads."""
        return self._ends.size + 2 * self._inner.size


class Stream:
    """The state of one utterance in a network, and the network's weights laid out for single frames."""

    def __init__(self, model: RecurrentModel) -> None:
        self._layers: list[_Layer] = [
            _LAYERS[layer.cell](layer) for layer in cast(list[RecurrentLayer], list(model.layers))
        ]
        self._inputs = model.dimension
        self._layers += [_Head(cast(HeadLayer, layer)) for layer in model.head]
        self._output = None if model.output is None else (_numbers(model.output.weight), _numbers(model.output.bias))
        self.reset()

    def reset(self) -> None:
        """Begin an utterance."""
        for layer in self._layers:
            layer.reset()

    def __call__(self, x: Vector) -> Vector:
        """Outputs of the next frame.

        Raises:
            ValueError: a vector of another size.
        """
        if x.shape != (self._inputs,):
            raise ValueError(f"x has shape {x.shape}, the network takes vectors of {self._inputs} elements")
        for layer in self._layers:
            x = layer(x)
        if self._output is None:
            return x
        weight, bias = self._output
        return weight @ x + bias

    @property
    def stored_words(self) -> int:
        """Floats that a frame reads of the recurrent layers' and the head's matrices."""
        return sum(product.stored_words for layer in self._layers for product in layer.products)


class _Layer:
    products: list[CirculantProduct]

    def reset(self) -> None:
        """The states before the first frame."""
        raise TypeError(f"{type(self).__name__} is no cell")

    def __call__(self, x: Vector) -> Vector:
        """Output of the next frame."""
        raise TypeError(f"{type(self).__name__} is no cell")


class _Lstm(_Layer):
    """`ernn.nn.lstm`, its gates i, f, g, o in one product."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self._cells = layer.weight_ih.rows
        self._start_c, self._start_y = _initial(layer, "c", self._cells), _initial(layer, "y", layer.outputs)
        self._gates = _Sum([layer.weight_ih, layer.weight_hh], range(4))
        self._bias = _numbers(layer.bias)
        self._peephole = None if layer.peephole is None else _numbers(layer.peephole)
        self._project = None if layer.weight_ym is None else _Sum([layer.weight_ym], range(1))
        self.products = self._gates.products + ([] if self._project is None else self._project.products)
        self.reset()

    def reset(self) -> None:
        self._c, self._y = self._start_c, self._start_y

    def __call__(self, x: Vector) -> Vector:
        a, n, w = self._gates(x, self._y), self._cells, self._peephole
        a += self._bias
        if w is not None:
            a[:n] += w[0] * self._c
            a[n : 2 * n] += w[1] * self._c
        i_f = _sigmoid(a[: 2 * n])
        self._c = i_f[n:] * self._c + i_f[:n] * np.tanh(a[2 * n : 3 * n])
        o = a[3 * n :] if w is None else a[3 * n :] + w[2] * self._c
        m = _sigmoid(o) * np.tanh(self._c)
        self._y = m if self._project is None else self._project(m)
        return self._y


class _Gru(_Layer):
    """`ernn.nn.gru`, with the reset before or after the candidate's recurrent product."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self._cells, matrices = layer.weight_ih.rows, [layer.weight_ih, layer.weight_hh]
        self._start = _initial(layer, "c", self._cells)
        self._z_r = _Sum(matrices, range(2))
        self._bias, self._bias_hn = _numbers(layer.bias), None
        if layer.bias_hn is None:
            self._candidate = [_Sum(matrices, range(2, 3))]
        else:
            self._candidate = [_Sum([matrix], range(2, 3)) for matrix in matrices]
            self._bias_hn = _numbers(layer.bias_hn)
        self.products = [product for part in (self._z_r, *self._candidate) for product in part.products]
        self.reset()

    def reset(self) -> None:
        self._c = self._start

    def __call__(self, x: Vector) -> Vector:
        n, c = self._cells, self._c
        z_r = _sigmoid(self._z_r(x, c) + self._bias[: 2 * n])
        z, r = z_r[:n], z_r[n:]
        if self._bias_hn is None:
            a = self._candidate[0](x, r * c)
        else:
            a = self._candidate[0](x) + r * (self._candidate[1](c) + self._bias_hn)
        self._c = c + z * (np.tanh(a + self._bias[2 * n :]) - c)
        return self._c


class _Rnn(_Layer):
    """`ernn.nn.rnn`."""

    def __init__(self, layer: RecurrentLayer) -> None:
        self._start, self._bias = _initial(layer, "y", layer.outputs), _numbers(layer.bias)
        self._sum = _Sum([layer.weight_ih, layer.weight_hh], range(1))
        self.products = self._sum.products
        self.reset()

    def reset(self) -> None:
        self._y = self._start

    def __call__(self, x: Vector) -> Vector:
        self._y = np.tanh(self._sum(x, self._y) + self._bias)
        return self._y


class _Sum:
    """Rows of some gates: products of several matrices with a vector each, in one product where blocks are equal.

    Each vector is padded to whole blocks, and so are the rows of each gate.
    """

    def __init__(self, matrices: Sequence[Weight], gates: Sequence[int]) -> None:
        blocks = [_first_columns(matrix, gates) for matrix in matrices]
        if len({block.shape[-1] for block in blocks}) == 1:
            blocks = [np.concatenate(blocks, axis=2)]
        self.products = [CirculantProduct(np.concatenate(list(block))) for block in blocks]
        self._gates, self._rows = len(gates), matrices[0].rows

    def __call__(self, *vectors: Vector) -> Vector:
        if len(self.products) == 1:
            return self._cut(self.products[0](*vectors))
        parts = [self._cut(product(vector)) for product, vector in zip(self.products, vectors, strict=True)]
        return np.add.reduce(parts)

    def _cut(self, rows: Vector) -> Vector:
        """Without the rows that pad the gates."""
        return rows.reshape(self._gates, -1)[:, : self._rows].reshape(-1)


class _Head(_Layer):
    """`ernn.nn.head`."""

    def __init__(self, layer: HeadLayer) -> None:
        self._product, self._bias, self._spec = _Sum([layer.weight], range(1)), _numbers(layer.bias), layer.spec
        self.products = self._product.products

    def reset(self) -> None:
        """It has no state."""

    def __call__(self, x: Vector) -> Vector:
        a, spec = self._product(x) + self._bias, self._spec
        if spec.function == "clip":
            return a if spec.low is spec.high is None else a.clip(spec.low, spec.high)
        return _sigmoid(a) if spec.function == "sigmoid" else np.tanh(a)


def _first_columns(matrix: Weight, gates: Sequence[int]) -> Float[np.ndarray, "gates p q k"]:
    """First columns of the blocks of some gates; those of a dense or pruned matrix are its elements."""
    if isinstance(matrix, CirculantWeight) and not isinstance(matrix, RelaxedWeight):
        return matrix.first_columns.detach().numpy()[list(gates)]
    return matrix().detach().numpy().reshape(matrix.gates, matrix.rows, matrix.cols, 1)[list(gates)]


def _initial(layer: RecurrentLayer, state: str, elements: int) -> Vector:
    """A state before the first frame."""
    given = layer.initial(state)
    return np.zeros(elements, np.float32) if given is None else _numbers(given)


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy().astype(np.float32)


def _sigmoid(a: Vector) -> Vector:
    """1 / (1 + exp(-a)) without overflow."""
    return 0.5 * np.tanh(0.5 * a) + 0.5


_LAYERS: dict[str, Callable[[RecurrentLayer], _Layer]] = {"lstm": _Lstm, "gru": _Gru, "rnn": _Rnn}
