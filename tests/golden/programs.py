"""Random small programs of every structure."""

from functools import cache

import numpy as np

from ernn.dataflow.activation import Activations
from ernn.dataflow.formats import Format
from ernn.dataflow.transforms import Exact
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned, Sparse
from ernn.program.network import Decoder, Dense, Frontend, Gru, Layer, Lstm, Output, Program, Rnn
from ernn.quantization import tables
from tests.dataflow.values import fourier_of

FRONTEND = Frontend("logmel", 40, 25.0, 10.0, 1, 1, "speaker")


class RandomPrograms:
    """Draws the parts of a program; one seed gives one program."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def program(self, plain: bool = False, head: bool = True, hidden: bool = False) -> Program:
        """One or two layers of LSTM or GRU cells, or of plain ones, and an output layer and a decoder, or neither.

        Args:
            hidden: whether there are one or two linear layers with functions before the output layer.
        """
        functions = self._functions()
        inputs, format = self._int(1, 7), self._format()
        layers: list[Layer] = []
        for _ in range(self._int(1, 2)):
            layers.append(self._layer(inputs, format, plain))
            inputs, format = layers[-1].outputs, layers[-1].output
        dense: list[Dense] = []
        for _ in range(self._int(1, 2) if hidden else 0):
            dense.append(self._dense(inputs, format))
            inputs, format = dense[-1].outputs, dense[-1].output
        if not head:
            return Program("random", None, functions, tuple(layers), None, None, head=tuple(dense))
        phones = self._int(2, 5)
        output = Output(self._matrix(1, phones, inputs, 1), self._numbers(phones), self._format())
        zeros = [np.zeros(shape, np.float32) for shape in ((phones,), (phones + 1, phones))]
        decoder = Decoder("frames", tuple(f"p{n}" for n in range(phones)), *zeros)
        return Program("random", FRONTEND, functions, tuple(layers), output, decoder, head=tuple(dense))

    def features(self, program: Program, frames: int, utterances: int) -> np.ndarray:
        """Integers of the input format, now and then only its ends."""
        shape = (frames, utterances, program.inputs)
        if self._int(0, 3) == 0:
            return self._random.choice([program.input.low, program.input.high], shape)
        return self._random.integers(program.input.low, program.input.high + 1, shape)

    def _dense(self, inputs: int, input: Format) -> Dense:
        outputs, k, format = self._int(1, 9), int(2 ** self._int(0, 3)), self._format()
        matrix, bias = self._matrix(1, outputs, inputs, k, self._transform(k)), self._numbers(outputs)
        function = str(self._random.choice(["sigmoid", "tanh", "clip"]))
        bounds = sorted(self._int(format.low, format.high) for _ in range(2)) if function == "clip" else [None, None]
        kept = [bound if self._int(0, 1) else None for bound in bounds]
        return Dense(input, format, matrix, bias, function, *kept)  # type: ignore[arg-type]

    def _layer(self, inputs: int, input: Format, plain: bool) -> Layer:
        cells, sizes = self._int(1, 9), [int(2 ** self._int(0, 4)) for _ in range(2)]
        if self._int(0, 1):
            sizes[1] = sizes[0]
        transforms = [self._transform(size) for size in sizes]
        if sizes[0] == sizes[1] and self._int(0, 3):
            transforms[1] = transforms[0]
        ih, hh = zip(sizes, transforms, strict=True)
        if plain:
            matrices = self._matrix(1, cells, inputs, *ih), self._matrix(1, cells, cells, *hh)
            return Rnn(input, self._format(), *matrices, self._numbers(1, cells))
        if self._int(0, 1):
            after = bool(self._int(0, 1))
            matrices = self._matrix(3, cells, inputs, *ih), self._matrix(3, cells, cells, *hh)
            extra = ("after", self._numbers(cells)) if after else ("before", None)
            return Gru(input, self._format(), self._format(), *matrices, self._numbers(3, cells), *extra)
        projection = self._int(1, cells) if self._int(0, 1) else 0
        return Lstm(
            input,
            self._format(),
            self._format() if projection else None,
            self._format(),
            self._matrix(4, cells, inputs, *ih),
            self._matrix(4, cells, projection or cells, *hh),
            self._matrix(1, projection, cells, 4, self._transform(4)) if projection else None,
            self._numbers(4, cells),
            self._numbers(3, cells) if self._int(0, 1) else None,
        )

    def _matrix(self, gates: int, rows: int, cols: int, block_size: int, transform=None) -> Matrix:
        kind = self._int(0, 5)
        if kind == 0:
            return self._pruned(gates, rows, cols)
        if kind == 1:
            return self._sparse(gates, rows, cols, block_size, transform or Exact())
        shape = (gates, -(-rows // block_size), -(-cols // block_size), block_size)
        return Circulant(rows, cols, block_size, transform or Exact(), self._numbers(*shape))

    def _pruned(self, gates: int, rows: int, cols: int) -> Pruned:
        columns, starts = self._places(gates * rows, cols)
        return Pruned(rows, cols, gates, self._numbers(len(columns)), columns, starts)

    def _sparse(self, gates: int, rows: int, cols: int, k: int, transform) -> Sparse:
        columns, starts = self._places(gates * -(-rows // k), -(-cols // k))
        return Sparse(rows, cols, gates, k, transform, self._numbers(len(columns), k), columns, starts)

    def _places(self, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
        row, columns = np.nonzero(self._random.random((rows, cols)) < 0.5)
        return columns.astype(np.int64), np.searchsorted(row, np.arange(rows + 1)).astype(np.int64)

    def _transform(self, block_size: int):
        if block_size == 1 or self._int(0, 1):
            return Exact()
        shifts = [tuple(self._int(0, 2) for _ in range(block_size.bit_length() - 1)) for _ in range(2)]
        return fourier_of(block_size, self._int(3, 12), *shifts, self._format(), int(self._random.choice([3, 4])))

    def _numbers(self, *shape: int) -> Numbers:
        format = self._format()
        return Numbers(format, self._random.integers(format.low, format.high + 1, shape))

    def _functions(self) -> Activations:
        bits, gate = self._int(4, 8), self._int(4, 10)
        return functions(Format(bits, bits - self._int(1, 4)), Format(gate, gate - 1), bool(self._int(0, 1)))

    def _format(self) -> Format:
        bits = self._int(4, 14)
        return Format(bits, bits - self._int(0, 4))

    def _int(self, low: int, high: int) -> int:
        return int(self._random.integers(low, high + 1))


@cache
def functions(preactivation: Format, gate: Format, shared: bool) -> Activations:
    """Tables, searched once."""
    return tables.activations(preactivation, gate, 6, shared)
