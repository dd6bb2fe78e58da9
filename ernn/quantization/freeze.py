"""From a float network and formats to the integer program: the one place where the hardware's constants are made."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format, nearest
from ernn.dataflow.transforms import Exact, Fourier, Transform
from ernn.nn.acoustic import AcousticModel
from ernn.nn.head import HeadLayer
from ernn.nn.matrices import CirculantWeight, PrunedWeight, SparseWeight, Weight
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel
from ernn.params import ProgramSpec
from ernn.program.initial import Initial
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned, Sparse
from ernn.program.network import Decoder, Dense, Frontend, Gru, Layer, Lstm, Output, Program, Rnn
from ernn.program.plan import JOINED, sums_of
from ernn.quantization.calibrate import Formats, packed_spectrum


@torch.no_grad()
def freeze(
    name: str,
    model: RecurrentModel,
    formats: Formats,
    spec: ProgramSpec,
    functions: Activations,
    frontend: Frontend | None,
) -> Program:
    """The program of `model` in `formats`, with tables made for them; an acoustic model's has a decoder."""
    count = len(model.layers)
    inputs = [formats["x"], *(formats[f"layers.{n}.y"] for n in range(count - 1))]
    layers = [
        _layer(cast(RecurrentLayer, layer), f"layers.{n}", formats, spec, inputs[n])
        for n, layer in enumerate(model.layers)
    ]
    head, input = [], formats[f"layers.{count - 1}.y"]
    for n, layer in enumerate(model.head):
        head.append(_dense(cast(HeadLayer, layer), f"head.{n}", formats, spec, input))
        input = head[-1].output
    output = None if model.output is None else _output(model.output, formats)
    decoder = _decoder(model) if isinstance(model, AcousticModel) else None
    return Program(name, frontend, functions, tuple(layers), output, decoder, last=model.last, head=tuple(head))


def _output(head: nn.Linear, formats: Formats) -> Output:
    rows, cols = head.weight.shape
    words = _numbers(head.weight[None, :, :, None], formats["output.weight"])
    weight = Circulant(rows, cols, 1, Exact(), words)
    return Output(weight, _numbers(head.bias, formats["output.bias"]), formats["output.logits"])


def _dense(layer: HeadLayer, scope: str, formats: Formats, spec: ProgramSpec, input: Format) -> Dense:
    output = formats[f"{scope}.y"]
    weight = _matrix(layer.weight, formats[f"{scope}.weight"], formats[f"{scope}.{sums_of('weight')}"], spec)
    low, high = (None if each is None else int(nearest(np.array(each), output)) for each in layer.spec.bounds)
    bias = _numbers(layer.bias, formats[f"{scope}.bias"])
    return Dense(input, output, weight, bias, layer.spec.function, low, high)


def _decoder(model: AcousticModel) -> Decoder:
    return Decoder(
        model.criterion,
        model.phones,
        model.log_priors.cpu().numpy().astype(np.float32),
        model.bigram.cpu().numpy().astype(np.float32),
        **(asdict(model.decoding) if model.decoding else {}),
    )


def frontend_of(manifest: Mapping[str, Any]) -> Frontend:
    """What a feature folder's manifest says of the features."""
    settings = manifest["features"]
    moments: dict[str, Any] = {
        name: np.array(values, np.float32) for name, values in manifest.get("moments", {}).items()
    }
    settings = settings | {"mels": settings.get("dimension") or settings["mels"]}
    names = ("kind", "mels", "window_ms", "shift_ms", "stack", "skip", "normalise")
    return Frontend(**{name: settings[name] for name in names}, **moments)


def fourier(block_size: int, sums: Format, twiddle_bits: int, products: int) -> Fourier:
    """Transforms of `block_size` with one bit dropped after each forward stage, as C-LSTM and E-RNN shift theirs.

    The forward transform is so scaled by 1/k, and the inverse needs no shift.
    """
    stages, fraction = block_size.bit_length() - 1, twiddle_bits - 1
    cosines = [math.cos(2 * math.pi * j / block_size) for j in range(1, block_size // 4)]
    return Fourier(
        products=cast(Any, products),
        twiddles=tuple(min(round(c * 2**fraction), 2**fraction - 1) for c in cosines),
        twiddle_fraction=fraction,
        forward_shifts=(1,) * stages,
        inverse_shifts=(0,) * stages,
        sums=sums,
    )


def _layer(layer: RecurrentLayer, scope: str, formats: Formats, spec: ProgramSpec, input: Format) -> Layer:
    blocks = [(matrix.kind, getattr(matrix, "block_size", None)) for matrix in (layer.weight_ih, layer.weight_hh)]
    joined = {"weight_ih", "weight_hh"} if blocks[0] == blocks[1] else set()  # one inverse transform for both

    def matrix(name: str) -> Matrix:
        sums = JOINED if name in joined else sums_of(name)
        return _matrix(getattr(layer, name), formats[f"{scope}.{name}"], formats[f"{scope}.{sums}"], spec)

    cells, of = layer.weight_ih.rows, lambda name: formats[f"{scope}.{name}"]
    bias = _numbers(layer.bias.unflatten(0, (-1, cells)), of("bias"))
    initial = _initial(layer, of("y"), None if layer.cell == "rnn" else of("c"))
    if layer.cell == "gru":
        matrices = matrix("weight_ih"), matrix("weight_hh")
        if layer.bias_hn is None:
            return Gru(input, of("y"), of("c"), *matrices, bias, initial=initial)
        bias_hn = _numbers(layer.bias_hn, of("bias_hn"))
        return Gru(input, of("y"), of("c"), *matrices, bias, "after", bias_hn, initial=initial)
    if layer.cell == "rnn":
        return Rnn(input, of("y"), matrix("weight_ih"), matrix("weight_hh"), bias, initial=initial)
    projected = layer.weight_ym is not None
    return Lstm(
        input,
        of("y"),
        of("m") if projected else None,
        of("c"),
        matrix("weight_ih"),
        matrix("weight_hh"),
        matrix("weight_ym") if projected else None,
        bias,
        None if layer.peephole is None else _numbers(layer.peephole, of("peephole")),
        initial=initial,
    )


def _initial(layer: RecurrentLayer, output: Format, cell: Format | None) -> Initial | None:
    """The initial states as integers; None where all are zero."""
    given = (layer.initial(name) for name in ("y", "c"))
    y, state = (None if each is None else each.double().cpu().numpy() for each in given)
    if y is None:
        return None
    c = None if cell is None or state is None else nearest(state, cell)
    if layer.cell == "gru" and cell is not None and c is not None:
        y = c * cell.resolution  # y is c, rounded once more
    initial = Initial(nearest(y, output), c)
    return initial if initial.y.any() or (c is not None and c.any()) else None


def _matrix(matrix: Weight, format: Format, sums: Format, spec: ProgramSpec) -> Matrix:
    if isinstance(matrix, PrunedWeight):
        return _pruned(matrix, format)
    if isinstance(matrix, CirculantWeight):
        words, k = matrix.first_columns, matrix.block_size
        transform: Transform = Exact()
        if spec.transform == "fourier" and k > 1:
            transform = fourier(k, sums, spec.bits.weights, spec.complex_products)
            words = packed_spectrum(words)
        if isinstance(matrix, SparseWeight):
            return _sparse(matrix, transform, _numbers(words[matrix.mask], format))
        return Circulant(matrix.rows, matrix.cols, k, transform, _numbers(words, format))
    dense = matrix().unflatten(0, (matrix.gates, matrix.rows)).unsqueeze(-1)
    return Circulant(matrix.rows, matrix.cols, 1, Exact(), _numbers(dense, format))


def _sparse(matrix: SparseWeight, transform: Transform, words: Numbers) -> Sparse:
    """Compressed block rows of the pattern; blocks that round to zeros stay, so that rows keep their balance."""
    columns, starts = _compressed(matrix.mask.flatten(0, 1))
    return Sparse(matrix.rows, matrix.cols, matrix.gates, matrix.block_size, transform, words, columns, starts)


def _compressed(mask: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Columns of the entries that are kept, row by row, and where each row starts."""
    rows, columns = np.nonzero(mask.cpu().numpy())
    return columns.astype(np.int64), np.searchsorted(rows, np.arange(len(mask) + 1)).astype(np.int64)


def _pruned(matrix: PrunedWeight, format: Format) -> Pruned:
    """Compressed rows of the pattern; weights that round to zero stay, so that rows keep their balance."""
    columns, starts = _compressed(matrix.mask)
    values = _numbers(matrix.weight[matrix.mask], format)
    return Pruned(matrix.rows, matrix.cols, matrix.gates, values, columns, starts)


def _numbers(values: Tensor, format: Format) -> Numbers:
    return Numbers(format, nearest(values.detach().double().cpu().numpy(), format))
