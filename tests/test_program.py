"""Programs whose parts do not fit each other are refused, and the message names the part."""

from dataclasses import replace

import numpy as np
import pytest

from ernn.dataflow.formats import Format
from ernn.program import Program
from ernn.program_matrices import Circulant, Numbers, Pruned, shares_sums
from tests import programs

LSTM = programs.build(**programs.STRUCTURES["lstm projected"])
FOURIER = programs.build(**programs.STRUCTURES["lstm fourier"])
GRU = programs.build(**programs.STRUCTURES["gru"])
AFTER = programs.build(**programs.STRUCTURES["gru reset after"])
PRUNED = programs.build(**programs.STRUCTURES["gru pruned"])
WIDE = Format(24, 0)


def zeros(*shape: int) -> Numbers:
    return Numbers(WIDE, np.zeros(shape, np.int64))


def sparse(**changes: object) -> Pruned:
    return replace(PRUNED.layers[0].weight_ih, **changes)


def circulant(**changes: object) -> Circulant:
    return replace(FOURIER.layers[0].weight_ih, **changes)


def spec(**changes: object) -> Circulant:
    matrix = FOURIER.layers[0].weight_ih
    return replace(matrix, transform=replace(matrix.transform, **changes))


def program(source: Program, **changes: object) -> Program:
    return replace(source, **changes)


def layer(source: Program, **changes: object):
    return replace(source.layers[0], **changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Numbers(Format(4, 0), np.array([8])), "integers of 0..8 do not fit in 4 bits"),
        (lambda: Numbers(Format(4, 0), np.array([1.0])), "numbers are int64, got float64"),
        (lambda: circulant(block_size=3), "block_size=3 must be one of 1, 2, 4, 8, 16, 32, 64"),
        (
            lambda: circulant(words=zeros(4, 1, 1, 4)),
            r"words of a 8x6 matrix in blocks of 8 have shape \(gates, 1, 1, 8",
        ),
        (lambda: spec(forward_shifts=(1,)), "a transform of 8 has 3 shifts forward, 3 back and 1 twiddle factors"),
        (lambda: spec(inverse_shifts=(0, 0, -1)), "shifts of a transform's stages lie in 0..48"),
        (lambda: spec(twiddle_fraction=-1), "twiddle_fraction lies in 0..48, got -1"),
        (lambda: sparse(starts=np.zeros(3, np.int64)), "starts of 3 gates of 8 rows has one entry a row and one more"),
        (lambda: sparse(columns=sparse().columns[::-1].copy()), r"columns must rise within a row and lie in 0..5"),
        (lambda: sparse(values=zeros(3)), "a pruned matrix has one column for each of its 3 values"),
        (lambda: layer(LSTM, bias=zeros(4, 7)), r"bias has shape \(4, 8\), got \(4, 7\)"),
        (lambda: layer(LSTM, peephole=zeros(4, 8)), r"peephole has shape \(3, 8\), got \(4, 8\)"),
        (lambda: layer(LSTM, hidden=None), "hidden is the format of what weight_ym multiplies: give both or neither"),
        (lambda: layer(LSTM, weight_hh=layer(GRU).weight_hh), "weight_hh is 4 matrices of 8x4, got 3 of 8x8"),
        (lambda: layer(GRU, reset="after"), "bias_hn belongs to reset=after and only there"),
        (lambda: layer(AFTER, bias_hn=zeros(7)), r"bias_hn has shape \(8,\), got \(7,\)"),
        (lambda: program(GRU, layers=()), "layers: a program has one at least"),
        (
            lambda: program(GRU, layers=(*GRU.layers, GRU.layers[0])),
            "layers.2.input: takes 6 elements of .*, layer 1 gives",
        ),
        (lambda: program(GRU, layers=LSTM.layers), "output.weight: takes 8 elements, the last layer gives 4"),
        (lambda: program(GRU, decoder=PRUNED.decoder), "output.weight: gives 3 classes, the decoder knows 4"),
        (lambda: replace(GRU.frontend, normalise="global"), "normalise=global: mean and deviation belong to global"),
        (lambda: replace(GRU.frontend, window_ms=-1.0), "window_ms must be above 0 and finite, got -1.0"),
        (
            lambda: replace(GRU.decoder, bigram=GRU.decoder.bigram[:2]),
            r"bigram of 3 phones is finite float32 of shape \(4, 3",
        ),
        (
            lambda: replace(GRU.decoder, log_priors=np.full(3, np.nan, np.float32)),
            "log_priors of 3 phones is finite float32",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_sums_are_shared_by_equal_arithmetic_alone():
    a = circulant()
    assert shares_sums(a, circulant(words=a.words))
    assert not shares_sums(a, spec(inverse_shifts=(0, 0, 1)))
    assert not shares_sums(a, sparse())
    assert shares_sums(sparse(), sparse())
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
