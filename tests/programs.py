"""Small programs of every structure with random integers, built by hand."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ernn.dataflow.activation import Activations, Table
from ernn.dataflow.formats import Format, nearest
from ernn.dataflow.transforms import Exact, Fourier, Transform
from ernn.program.initial import Initial
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned, Sparse
from ernn.program.network import Decoder, Dense, Frontend, Gru, Layer, Lstm, Output, Program, Rnn

WEIGHTS, ACTIVATIONS, CELL, SUMS = Format(8, 6), Format(10, 7), Format(12, 8), Format(14, 7)
PREACTIVATION, GATE, LOGITS = Format(9, 5), Format(8, 6), Format(12, 6)
INPUTS, CELLS, PHONES = 6, 8, 3
HIDDEN = 5  # outputs of a layer of the head
BOUNDS = {"none": (None, None), "relu": (0, None), "hard": (-64, 96)}  # of clip, in `ACTIVATIONS`
STRUCTURES = {
    "lstm": {"cell": "lstm"},
    "lstm projected": {"cell": "lstm", "block_sizes": (4, 2), "peepholes": True, "projection": 4},
    "lstm fourier": {"cell": "lstm", "block_sizes": (8, 8), "transform": "fourier", "peepholes": True},
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
    "gru reset after": {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "products": 3, "reset": "after"},
    "gru pruned": {"cell": "gru", "block_sizes": (0, 0), "shared": True, "criterion": "ctc"},
    "gru head": {"cell": "gru", "block_sizes": (4, 4), "head": (("tanh", 4), ("relu", 1))},
    "lstm head, fourier": {
        "cell": "lstm",
        "block_sizes": (8, 8),
        "transform": "fourier",
        "head": (("none", 8), ("hard", 8), ("sigmoid", 2)),
        "output": False,
    },
    "lstm sparse": {"cell": "lstm", "block_sizes": (-2, -2), "projection": 4},
    "lstm sparse, cells": {"cell": "lstm", "block_sizes": (-2, -2), "alike": True},
    "gru sparse": {"cell": "gru", "block_sizes": (-4, -4), "transform": "fourier"},
    "global": {"cell": "gru", "block_sizes": (0, 2), "normalise": "global"},
}


def build(
    cell: str = "lstm",
    block_sizes: Sequence[int] = (1, 1),
    transform: str = "exact",
    products: int = 4,
    layers: int = 1,
    inputs: int = INPUTS,
    peepholes: bool = False,
    projection: int | None = None,
    projection_block: int | None = None,
    reset: str = "before",
    shared: bool = False,
    criterion: str = "frames",
    normalise: str = "speaker",
    head: Sequence[tuple[str, int]] = (),
    output: bool = True,
    seed: int = 0,
    alike: bool = False,
) -> Program:
    """A program; block sizes are those of input and recurrent matrices, and of the projection if it is another.

    A block size of 0 prunes; with one of -k, about half of the blocks of k are kept, by all gates the same if `alike`.

    Args:
        head: functions of its layers, or one of `BOUNDS`, with the block sizes of their matrices.
        output: whether there are an output layer and a decoder.
    """
    random = np.random.default_rng(seed)
    projection_k = block_sizes[1] if projection_block is None else projection_block

    def make(gates: int, rows: int, cols: int, k: int) -> Matrix:
        if k == 0:
            return pruned(random, gates, rows, cols)
        if k < 0:
            spec = fourier(-k, products) if transform == "fourier" else Exact()
            return sparse(random, gates, rows, cols, -k, spec, alike)
        spec = fourier(k, products) if transform == "fourier" else Exact()
        words = numbers(random, WEIGHTS, gates, math.ceil(rows / k), math.ceil(cols / k), k)
        return Circulant(rows, cols, k, spec, words)

    def layer(inputs: int, input: Format) -> Layer:
        outputs, gates = projection or CELLS, {"lstm": 4, "gru": 3, "rnn": 1}[cell]
        weight_ih = make(gates, CELLS, inputs, block_sizes[0])
        weight_hh = make(gates, CELLS, outputs, block_sizes[1])
        bias = numbers(random, Format(10, 7), gates, CELLS)
        if cell == "rnn":
            return Rnn(input, ACTIVATIONS, weight_ih, weight_hh, bias)
        if cell == "gru":
            extra = ("after", numbers(random, Format(9, 6), CELLS)) if reset == "after" else ()
            return Gru(input, ACTIVATIONS, CELL, weight_ih, weight_hh, bias, *extra)
        hidden = Format(9, 7) if projection else None
        weight_ym = make(1, projection, CELLS, projection_k) if projection else None
        peephole = numbers(random, Format(7, 5), 3, CELLS) if peepholes else None
        return Lstm(input, ACTIVATIONS, hidden, CELL, weight_ih, weight_hh, weight_ym, bias, peephole)

    stack = [layer(inputs, Format(9, 5))]
    for _ in range(layers - 1):
        stack.append(layer(stack[-1].outputs, ACTIVATIONS))
    dense: list[Dense] = []
    for function, k in head:
        weight, bias = make(1, HIDDEN, (dense or stack)[-1].outputs, k), numbers(random, WEIGHTS, HIDDEN)
        kind, bounds = ("clip", BOUNDS[function]) if function in BOUNDS else (function, ())
        dense.append(Dense(ACTIVATIONS, ACTIVATIONS, weight, bias, kind, *bounds))  # type: ignore[arg-type]
    parts = frontend(normalise), activations(shared), tuple(stack)
    if not output:
        return Program("small", *parts, None, None, head=tuple(dense))
    classes = PHONES + (criterion == "ctc")
    logits = Output(make(1, classes, (dense or stack)[-1].outputs, 1), numbers(random, WEIGHTS, classes), LOGITS)
    return Program("small", *parts, logits, decoder(criterion), head=tuple(dense))


def numbers(random: np.random.Generator, format: Format, *shape: int) -> Numbers:
    """Integers of half the format's range, so that few sums saturate."""
    return Numbers(format, random.integers(format.low // 2, format.high // 2, shape))


def fourier(k: int, products: int = 4) -> Transform:
    """Transforms of length k that lose a bit after each forward stage."""
    stages = k.bit_length() - 1
    cosines = tuple(round(128 * math.cos(2 * math.pi * j / k)) for j in range(1, k // 4))
    return Fourier(products, cosines, 7, (1,) * stages, (0,) * stages, SUMS)  # type: ignore[arg-type]


def pruned(random: np.random.Generator, gates: int, rows: int, cols: int) -> Pruned:
    """About half of the entries of each row."""
    kept = random.random((gates * rows, cols)) < 0.5
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    return Pruned(rows, cols, gates, numbers(random, WEIGHTS, int(kept.sum())), np.nonzero(kept)[1], starts)


def sparse(
    random: np.random.Generator, gates: int, rows: int, cols: int, k: int, transform: Transform, alike: bool = False
) -> Sparse:
    """About half of the blocks of each block row; now and then one with zeros in it."""
    lines, blocks = math.ceil(rows / k), math.ceil(cols / k)
    kept = (
        np.tile(random.random((lines, blocks)) < 0.5, (gates, 1))
        if alike
        else random.random((gates * lines, blocks)) < 0.5
    )
    starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
    words = numbers(random, WEIGHTS, int(kept.sum()), k)
    words.integers[random.random(len(words.integers)) < 0.1] = 0
    return Sparse(rows, cols, gates, k, transform, words, np.nonzero(kept)[1], starts)


def table(function: str, input: Format) -> Table:
    """Three segments."""
    lines = {"sigmoid": ((16, 8, 0), (32, 45, 63)), "tanh": ((60, 20, 0), (0, 40, 64))}[function]
    return Table(function, input, GATE, (32, 96), lines[0], 6, lines[1], 6)  # type: ignore[arg-type]


def activations(shared: bool = False) -> Activations:
    """Tables of both functions, or sigma's for both."""
    if shared:
        return Activations(
            PREACTIVATION, table("sigmoid", Format(PREACTIVATION.bits + 1, PREACTIVATION.fraction)), None
        )
    return Activations(PREACTIVATION, table("sigmoid", PREACTIVATION), table("tanh", PREACTIVATION))


def frontend(normalise: str = "speaker") -> Frontend:
    """Of three filters, two frames in a vector."""
    moments = [np.arange(1, INPUTS + 1, dtype=np.float32)] * 2 if normalise == "global" else []
    return Frontend("logmel", 3, 25.0, 10.0, 2, 2, normalise, *moments)  # type: ignore[arg-type]


def decoder(criterion: str = "frames") -> Decoder:
    """Uniform priors, and a bigram that is no symmetric table."""
    bigram = np.log(np.arange(1, PHONES * (PHONES + 1) + 1, dtype=np.float32)).reshape(PHONES + 1, PHONES) - 3
    phones = tuple("abc"[:PHONES])
    return Decoder(criterion, phones, np.full(PHONES, -1.5, np.float32), bigram)  # type: ignore[arg-type]


def features(frames: int = 12, seed: int = 1) -> np.ndarray:
    """Integers of the programs' input format, (frames, utterances, inputs)."""
    return np.random.default_rng(seed).integers(-200, 200, (frames, 2, INPUTS))


def other_words(value: Any) -> Any:
    """A program, or a part of one, with other weights.

    Zeros of pruned matrices stay in their places, blocks of sparse ones change theirs.
    """
    if isinstance(value, Circulant):
        return replace(value, words=_turned(value.words))
    if isinstance(value, Sparse):
        return replace(value, words=_turned(value.words), columns=_mirrored(value))
    if isinstance(value, Pruned):
        return replace(value, values=_turned(value.values))
    if isinstance(value, tuple):
        return tuple(other_words(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: other_words(getattr(value, each.name)) for each in fields(value)})
    return value


def _mirrored(matrix: Sparse) -> np.ndarray:
    """Columns of another pattern: the last of a row is the first."""
    columns, last = matrix.columns.copy(), -(-matrix.cols // matrix.block_size) - 1
    for first, end in itertools.pairwise(matrix.starts):
        columns[first:end] = last - columns[first:end][::-1]
    return columns


def _turned(numbers: Numbers) -> Numbers:
    """The lowest bit of all integers is another, but of those that are 0 or would become 0."""
    integers = numbers.integers
    return Numbers(numbers.format, np.where((integers | 1) == 1, integers, integers ^ 1))


def begun(program: Program, seed: int = 0, layers: Sequence[int] | None = None) -> Program:
    """The same with initial states that are no zeros, from all of their formats.

    Args:
        layers: numbers of those that have some; None: all.
    """
    random = np.random.default_rng(seed)
    changed = []
    for number, layer in enumerate(program.layers):
        y = random.integers(layer.output.low, layer.output.high, layer.outputs, endpoint=True)
        c = None
        if not isinstance(layer, Rnn):
            c = random.integers(layer.cell.low, layer.cell.high, layer.cells, endpoint=True)
            y = nearest(c * layer.cell.resolution, layer.output) if isinstance(layer, Gru) else y
        chosen = layers is None or number in layers
        changed.append(replace(layer, initial=Initial(y, c)) if chosen else layer)
    return replace(program, layers=tuple(changed))
