"""Programs whose parts do not fit each other are refused, and the message names the part."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from ernn.dataflow.formats import Format
from ernn.program.initial import Initial
from ernn.program.matrices import Circulant, Numbers, Pruned, Sparse, shares_sums
from ernn.program.network import Frontend, Layer, Program
from tests import programs

LSTM = programs.build(**programs.STRUCTURES["lstm projected"])
FOURIER = programs.build(**programs.STRUCTURES["lstm fourier"])
GRU = programs.build(**programs.STRUCTURES["gru"])
AFTER = programs.build(**programs.STRUCTURES["gru reset after"])
PRUNED = programs.build(**programs.STRUCTURES["gru pruned"])
SPARSE = programs.build(**programs.STRUCTURES["lstm sparse"])
GLOBAL = programs.build(**programs.STRUCTURES["global"])
RNN = programs.build(cell="rnn")
WIDE = Format(24, 0)
ZEROS = np.zeros(8, np.int64)


def zeros(*shape: int) -> Numbers:
    return Numbers(WIDE, np.zeros(shape, np.int64))


def blocks(**changes: object) -> Sparse:
    return replace(SPARSE.layers[0].weight_ih, **changes)


def sparse(**changes: object) -> Pruned:
    return replace(PRUNED.layers[0].weight_ih, **changes)


def circulant(**changes: object) -> Circulant:
    return replace(FOURIER.layers[0].weight_ih, **changes)


def spec(**changes: object) -> Circulant:
    matrix = FOURIER.layers[0].weight_ih
    return replace(matrix, transform=replace(matrix.transform, **changes))


def layer(source: Program, **changes: object) -> Layer:
    return replace(source.layers[0], **changes)


def wrapping(starts: np.ndarray) -> np.ndarray:
    """Starts that fall by more than int64 holds, so that their difference wraps to a positive one."""
    return np.concatenate([[0, 2**63 - 1, -2], starts[3:]])


def moments(normalise: str, mean: np.ndarray, deviation: np.ndarray | None) -> Frontend:
    return replace(GRU.frontend, normalise=normalise, mean=mean, deviation=deviation)


MATRICES = [
    (lambda: Numbers(Format(4, 0), np.array([8])), "integers of 0..8 do not fit in 4 bits"),
    (lambda: Numbers(Format(4, 0), np.array([-9])), "integers of -9..0 do not fit in 4 bits"),
    (lambda: Numbers(Format(4, 0), np.array([1.0])), "numbers are int64, got float64"),
    (lambda: circulant(block_size=3), "block_size=3 must be one of 1, 2, 4, 8, 16, 32, 64"),
    (
        lambda: circulant(words=zeros(4, 1, 1, 4)),
        "words of a 8x6 matrix in blocks of 8 have shape (gates, 1, 1, 8), got (4, 1, 1, 4)",
    ),
    (
        lambda: circulant(words=zeros(1, 1, 8)),
        "words of a 8x6 matrix in blocks of 8 have shape (gates, 1, 1, 8), got (1, 1, 8)",
    ),
    (
        lambda: circulant(rows=0, words=zeros(4, 0, 1, 8)),
        "words of a 0x6 matrix in blocks of 8 have shape (gates, 0, 1, 8), got (4, 0, 1, 8)",
    ),
    (lambda: circulant(cols=10**400), f"have shape (gates, 1, {10**400 // 8}, 8), got (4, 1, 1, 8)"),
    (
        lambda: spec(forward_shifts=(1,)),
        "a transform of 8 has 3 shifts forward, 3 back and 1 twiddle factors, got (1, 3, 1)",
    ),
    (lambda: spec(twiddles=()), "a transform of 8 has 3 shifts forward, 3 back and 1 twiddle factors, got (3, 3, 0)"),
    (lambda: spec(inverse_shifts=(0, 0, -1)), "shifts of a transform's stages lie in 0..48, got [1, 1, 1, 0, 0, -1]"),
    (lambda: spec(forward_shifts=(49, 1, 1)), "shifts of a transform's stages lie in 0..48, got [49, 1, 1, 0, 0, 0]"),
    (lambda: spec(twiddle_fraction=-1), "twiddle_fraction lies in 0..48, got -1"),
    (lambda: spec(twiddles=(129,)), "twiddles are cosines times 2^7, got [129]"),
    (lambda: sparse(columns=sparse().columns.astype(np.int32)), "columns and starts are int64, got int32 and int64"),
    (lambda: sparse(values=zeros(3)), "a pruned matrix has one column for each of its 3 values"),
    (lambda: sparse(starts=np.zeros(3, np.int64)), "starts of 3 gates of 8 rows has one entry a row and one more"),
    (lambda: sparse(starts=sparse().starts[::-1].copy()), "starts must rise from 0 to"),
    (lambda: sparse(starts=wrapping(sparse().starts)), "starts must rise from 0 to"),
    (lambda: sparse(columns=sparse().columns[::-1].copy()), "columns must rise within a row and lie in 0..5"),
    (
        lambda: sparse(cols=2**63, columns=sparse().columns[::-1].copy()),
        "columns must rise within a row and lie in 0..",
    ),
    (lambda: blocks(block_size=3), "block_size=3 must be one of 1, 2, 4, 8, 16, 32, 64"),
    (lambda: blocks(words=zeros(3, 4)), "words of blocks of 2 have shape (count, 2), got (3, 4)"),
    (lambda: blocks(words=zeros(3, 2)), "a sparse matrix has one column for each of its 3 blocks"),
    (
        lambda: blocks(starts=np.zeros(3, np.int64)),
        "starts of 4 gates of 4 block rows has one entry a row and",
    ),
    (lambda: blocks(starts=blocks().starts[::-1].copy()), "starts must rise from 0 to"),
    (lambda: blocks(columns=blocks().columns[::-1].copy()), "columns must rise within a row and lie in 0..2"),
    (lambda: blocks(columns=blocks().columns.astype(np.int32)), "columns and starts are int64, got int32 and int64"),
    (lambda: blocks(transform=programs.fourier(4)), "a transform of 2 has 1 shifts forward"),
    (lambda: sparse(cols=3), "columns must rise within a row and lie in 0..2"),
]
LAYERS = [
    (lambda: layer(LSTM, bias=zeros(4, 7)), "bias has shape (4, 8), got (4, 7)"),
    (lambda: layer(GRU, bias=zeros(4, 8)), "bias has shape (3, 8), got (4, 8)"),
    (lambda: layer(LSTM, peephole=zeros(4, 8)), "peephole has shape (3, 8), got (4, 8)"),
    (lambda: layer(LSTM, hidden=None), "hidden is the format of what weight_ym multiplies: give both or neither"),
    (lambda: layer(FOURIER, hidden=WIDE), "hidden is the format of what weight_ym multiplies: give both or neither"),
    (lambda: layer(LSTM, weight_ym=layer(LSTM).weight_ih), "weight_ym is 1 matrices of 8x8, got 4 of 8x6"),
    (lambda: layer(LSTM, weight_ih=layer(GRU).weight_ih), "weight_ih is 4 matrices of 8x6, got 3 of 8x6"),
    (lambda: layer(LSTM, weight_hh=layer(GRU).weight_hh), "weight_hh is 4 matrices of 8x4, got 3 of 8x8"),
    (lambda: layer(GRU, weight_ih=layer(LSTM).weight_ih), "weight_ih is 3 matrices of 8x6, got 4 of 8x6"),
    (lambda: layer(GRU, weight_hh=layer(LSTM).weight_hh), "weight_hh is 3 matrices of 8x8, got 4 of 8x4"),
    (lambda: layer(GRU, reset="after"), "bias_hn belongs to reset=after and only there"),
    (lambda: layer(GRU, bias_hn=zeros(8)), "bias_hn belongs to reset=after and only there"),
    (lambda: layer(AFTER, bias_hn=zeros(7)), "bias_hn has shape (8,), got (7,)"),
    (lambda: layer(LSTM, initial=Initial(ZEROS[:4], None)), "initial.c is missing"),
    (lambda: layer(RNN, initial=Initial(ZEROS, ZEROS)), "initial.c belongs to cells that have it"),
    (
        lambda: layer(RNN, initial=Initial(ZEROS[:7], None)),
        "initial.y is int64 of shape (8,), got int64 of (7,)",
    ),
    (
        lambda: layer(LSTM, initial=Initial(ZEROS, ZEROS)),
        "initial.y is int64 of shape (4,), got int64 of (8,)",
    ),
    (
        lambda: layer(RNN, initial=Initial(ZEROS.astype(np.int32), None)),
        "initial.y is int64 of shape (8,), got int32 of (8,)",
    ),
    (
        lambda: layer(GRU, initial=Initial(ZEROS, ZEROS + 2048)),
        "initial.c: integers of 2048..2048 do not fit in 12 bits",
    ),
    (
        lambda: layer(GRU, initial=Initial(ZEROS, ZEROS + 2)),
        "initial.y of a GRU is initial.c, requantized to output: change either",
    ),
    (lambda: replace(GRU.output, bias=zeros(4)), "bias has shape (3,), got (4,)"),
    (
        lambda: replace(GRU.output, weight=layer(GRU).weight_ih, bias=zeros(8)),
        "weight is 1 matrices of 8x6, got 3 of 8x6",
    ),
]
NETWORKS = [
    (lambda: replace(GRU, layers=()), "layers: a program has one at least"),
    (
        lambda: replace(GRU, layers=(*GRU.layers, GRU.layers[0])),
        "layers.2.input: takes 6 elements of 9 bits, 5 of them fraction, the layer before it gives 8 of 10 bits, 7 of",
    ),
    (
        lambda: replace(GRU, layers=(GRU.layers[0], replace(GRU.layers[1], input=WIDE))),
        "layers.1.input: takes 8 elements of 24 bits, 0 of them fraction, the layer before it gives 8 of 10 bits, 7 of",
    ),
    (lambda: replace(GLOBAL, layers=GRU.layers[1:]), "frontend.mean: 6 elements, layer 0 takes 8"),
    (lambda: replace(GRU, layers=LSTM.layers), "output.weight: takes 8 elements, the last layer gives 4"),
    (lambda: replace(GRU, decoder=PRUNED.decoder), "output.weight: gives 3 classes, the decoder knows 4"),
]
MOMENT = np.ones(6, np.float32)
HOST = [
    (lambda: replace(GRU.frontend, window_ms=-1.0), "window_ms must be above 0 and finite, got -1.0"),
    (lambda: replace(GRU.frontend, shift_ms=math.inf), "shift_ms must be above 0 and finite, got inf"),
    (lambda: replace(GRU.frontend, mels=0), "mels, stack and skip are 1 or more, got 0, 2 and 2"),
    (lambda: replace(GRU.frontend, stack=0), "mels, stack and skip are 1 or more, got 3, 0 and 2"),
    (lambda: replace(GRU.frontend, skip=-1), "mels, stack and skip are 1 or more, got 3, 2 and -1"),
    (lambda: moments("global", MOMENT, None), "normalise=global: mean and deviation belong to global and only there"),
    (
        lambda: moments("speaker", MOMENT, MOMENT),
        "normalise=speaker: mean and deviation belong to global and only there",
    ),
    (lambda: moments("global", MOMENT, MOMENT[:5]), "mean and deviation are finite float32 vectors of one length"),
    (
        lambda: moments("global", MOMENT.astype(float), MOMENT),
        "mean and deviation are finite float32 vectors of one length",
    ),
    (
        lambda: moments("global", MOMENT * np.float32(np.nan), MOMENT),
        "mean and deviation are finite float32 vectors of one length",
    ),
    (lambda: moments("global", MOMENT, MOMENT * 0), "deviation must be above 0, got 0.0"),
    (
        lambda: replace(GRU.decoder, log_priors=np.zeros(2, np.float32)),
        "log_priors of 3 phones is finite float32 of shape (3,), got float32 of (2,)",
    ),
    (
        lambda: replace(GRU.decoder, log_priors=np.full(3, np.nan, np.float32)),
        "log_priors of 3 phones is finite float32 of shape (3,), got float32 of (3,)",
    ),
    (
        lambda: replace(GRU.decoder, bigram=GRU.decoder.bigram[:2]),
        "bigram of 3 phones is finite float32 of shape (4, 3), got float32 of (2, 3)",
    ),
    (
        lambda: replace(GRU.decoder, bigram=GRU.decoder.bigram.astype(float)),
        "bigram of 3 phones is finite float32 of shape (4, 3), got float64 of (4, 3)",
    ),
]


@pytest.mark.parametrize(("make", "message"), [*MATRICES, *LAYERS, *NETWORKS, *HOST])
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_sums_are_shared_by_equal_arithmetic_alone():
    a = circulant()
    assert shares_sums(a, circulant(words=a.words))
    assert not shares_sums(a, spec(inverse_shifts=(0, 0, 1)))
    assert not shares_sums(a, sparse())
    assert shares_sums(sparse(), sparse())
    assert shares_sums(blocks(), blocks())
    assert not shares_sums(blocks(), programs.build(block_sizes=(2, 2)).layers[0].weight_ih)
    assert not shares_sums(LSTM.layers[0].weight_ih, LSTM.layers[0].weight_hh)  # block sizes 4 and 2


def test_a_pruned_matrix_gives_its_entries_back():
    matrix = sparse()
    dense = matrix.dense()
    assert dense.shape == (24, 6)
    assert np.count_nonzero(dense) <= matrix.stored_words
    for row in range(24):
        part = slice(matrix.starts[row], matrix.starts[row + 1])
        assert (dense[row, matrix.columns[part]] == matrix.values.integers[part]).all()


def test_bits_of_the_stored_words():
    words = sum(matrix.stored_words for matrix in LSTM.matrices.values())
    assert LSTM.weight_bits == words * programs.WEIGHTS.bits
