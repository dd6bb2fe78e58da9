"""Networks without weights: their sizes alone, for estimates before anything is trained.

Formats are those that calibration typically chooses for 12 bits, with other widths alike. Weights are zeros: they can
be loaded, so nothing depends on them. Biases and peepholes are constants of the hardware and take all values of a
format in turn, or a synthesizer would leave their memories out.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import PEEPHOLES
from ernn.dataflow.formats import Format, nearest
from ernn.dataflow.transforms import Exact, Fourier, Transform
from ernn.devices import limits
from ernn.devices.limits import BLOCK_SIZES
from ernn.errors import UserError
from ernn.params import (
    GATES,
    BlockSizes,
    Cell,
    Densities,
    Design,
    HeadSpec,
    Network,
    ProgramSpec,
    Sizes,
    head_of,
)
from ernn.params.compression import kept_blocks
from ernn.params.methods import METHODS
from ernn.program.matrices import Circulant, Matrix, Numbers, Pruned, Sparse
from ernn.program.network import Decoder, Dense, Frontend, Gru, Layer, Lstm, Output, Program, Rnn
from ernn.quantization import tables


@dataclass(frozen=True)
class Shape(Sizes):
    """Sizes of a network; elements and bits.

    Args:
        cells: of every layer, or of each.
        projection: outputs of an LSTM's projection; 0 means none.
        reset: of a GRU, before or after the product.
        head: linear layers between the recurrent ones and the output layer.
        block_size: k of the recurrent layers' and the head's matrices; the output layer is dense.
        blocks: block sizes of each layer, instead of `block_size`.
        pruning_ratio: weights over those that are left in every row of those matrices; 1: not pruned.
        density: share of the blocks that every block row of those matrices keeps; 1: all.
        densities: of each layer, instead of `density`.
        together: the gates of a cell keep the same blocks.

    Raises:
        UserError: sizes that describe no network.
    """

    cell: Cell = "lstm"
    layers: int = 1
    cells: int | tuple[int, ...] = 1024
    projection: int = 0
    peepholes: bool = False
    inputs: int = 153
    classes: int = 48
    block_size: int = 8
    bits: int = 12
    transform: Literal["exact", "fourier"] = "exact"
    complex_products: Literal[3, 4] = 4
    segments: int = 32
    reset: Literal["before", "after"] = "before"
    blocks: tuple[BlockSizes, ...] = ()
    pruning_ratio: float = 1.0
    density: float = 1.0
    densities: tuple[Densities, ...] = ()
    together: bool = False
    head: tuple[HeadSpec, ...] = ()

    def __post_init__(self) -> None:
        for name in ("layers", "inputs", "classes", "segments"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} must be 1 or more")
        if len(self.sizes) != self.layers:
            raise UserError(
                f"cells has {len(self.sizes)} entries, layers={self.layers}: give one a layer, or one for all"
            )
        if min(self.sizes) < 1:
            raise UserError(f"cells={min(self.sizes)} must be 1 or more")
        if self.projection < 0:
            raise UserError(f"projection={self.projection} must be 0 (none) or more")
        if self.block_size not in BLOCK_SIZES:
            raise UserError(f"block_size={self.block_size} must be one of {', '.join(map(str, BLOCK_SIZES))}")
        limits.check("bits", self.bits, limits.BITS)
        if not 0 < self.density <= 1:
            raise UserError(f"density={self.density:g} must be above 0 and at most 1")
        if self.cell != "lstm" and (self.projection or self.peepholes):
            raise UserError(f"projection and peepholes are an LSTM's; leave them out for cell={self.cell}")
        if self.transform == "fourier" and self.block_size < 2:
            raise UserError("transform=fourier needs block_size=2 or more; use exact for dense matrices")

    @classmethod
    def of(cls, network: Network, design: Design, spec: ProgramSpec, inputs: int, classes: int = 48) -> "Shape":
        """The sizes of the integer network that a design will be frozen into, with 12 bits and the smallest tables.

        Args:
            network: its sizes; an entry of `networks` has those of its head, too.
            inputs: elements of a feature vector.
            classes: of the output layer.

        Raises:
            UserError: block sizes of another number of layers.
        """
        return cls(
            cell=network.cell,
            layers=network.layers,
            cells=network.cells,
            projection=network.projection,
            peepholes=network.peepholes,
            inputs=inputs,
            classes=classes,
            transform=spec.transform,
            complex_products=spec.complex_products,
            segments=1,
            reset=network.reset,
            blocks=design.blocks(network.layers),
            pruning_ratio=1.0 if METHODS[design.method].blocks else design.pruning_ratio,
            densities=design.densities(network.layers) if design.sparse else (),
            together=design.pattern == "cell",
            head=head_of(network),
        )

    @property
    def matrix_words(self) -> int:
        """Words of all matrices as stored, the output layer's too, padding included."""
        gates, total, inputs = GATES[self.cell], self.classes * self._read, self.inputs
        for number, (cells, outputs) in enumerate(zip(self.sizes, self.widths, strict=True)):
            k, d = self._blocks(number), self._kept(number)
            total += gates * self._words_of(cells, inputs, k.input, d.input)
            total += gates * self._words_of(cells, outputs, k.recurrent, d.recurrent)
            total += self._words_of(outputs, cells, k.projection, d.projection) if self.projection else 0
            inputs = outputs
        for spec in self.head:
            total += self._words_of(spec.outputs, inputs, k.input, d.input)
            inputs = spec.outputs
        return total

    @property
    def _read(self) -> int:
        """Elements that the output layer reads."""
        return self.head[-1].outputs if self.head else self.outputs

    @property
    def stored_words(self) -> int:
        """Words of the whole network as stored: matrices, peepholes and biases."""
        cell = GATES[self.cell] + len(PEEPHOLES) * self.peepholes + (self.reset == "after")
        biases = self.classes + sum(each.outputs for each in self.head)
        return self.matrix_words + biases + sum(self.sizes) * cell

    def _words_of(self, rows: int, cols: int, k: int, density: float) -> int:
        if self.pruning_ratio > 1:
            return rows * max(1, round(cols / self.pruning_ratio))
        return -(-rows // k) * kept_blocks(-(-cols // k), density) * k

    def __str__(self) -> str:
        equal = len(set(self.sizes)) == 1
        shown = self.sizes[:1] if equal else self.sizes
        sizes = "-".join(f"{size}/{self.projection}" if self.projection else str(size) for size in shown)
        layers = f"{self.layers}x" if self.layers > 1 and equal else ""
        kept = f" d={self.density:g}" if self.density < 1 else ""
        head = "".join(f" + {each.outputs} ({each})" for each in self.head)
        stack = f"{self.cell} {self.inputs}-{layers}{sizes}{head}"
        return f"{stack} k={self.block_size}{kept} {self.bits} bits {self.transform}"

    def program(self) -> Program:
        """The network without weights of its own."""
        bits = self.bits
        inputs = (self.inputs, *self.widths)
        formats = (Format(bits, bits - 3), *[Format(bits, bits - 1)] * (self.layers - 1))
        layers = [self._layer(number, inputs[number], format) for number, format in enumerate(formats)]
        weight = Circulant(self.classes, self._read, 1, Exact(), self._words(1, self.classes, self._read, 1))
        output = Output(weight, _all_values(Format(bits, bits - 2), self.classes), Format(bits, bits - 4))
        priors, bigram = np.zeros(self.classes, np.float32), np.zeros((self.classes + 1, self.classes), np.float32)
        decoder = Decoder("frames", tuple(f"p{n}" for n in range(self.classes)), priors, bigram)
        frontend = Frontend("logmel", self.inputs, 25.0, 10.0, 1, 1, "speaker")
        functions = activations(bits, self.segments)
        head = tuple(self._head(layers[-1].output))
        return Program(str(self), frontend, functions, tuple(layers), output, decoder, head=head)

    def _head(self, input: Format) -> Iterator[Dense]:
        """Linear layers with their functions, which read the last recurrent layer."""
        bits, cols = self.bits, self.outputs
        k, d = self._blocks(self.layers - 1).input, self._kept(self.layers - 1).input
        for spec in self.head:
            output = Format(bits, bits - (3 if spec.function == "clip" else 1))
            low, high = (None if each is None else int(nearest(np.array(each), output)) for each in spec.bounds)
            bias = _all_values(Format(bits, bits - 2), spec.outputs)
            weight = self._matrix(1, spec.outputs, cols, k, d)
            yield Dense(input, output, weight, bias, spec.function, low, high)
            input, cols = output, spec.outputs

    def _layer(self, number: int, inputs: int, input: Format) -> Layer:
        bits, cells, outputs = self.bits, self.sizes[number], self.widths[number]
        gates, k, d = GATES[self.cell], self._blocks(number), self._kept(number)
        weight_ih = self._matrix(gates, cells, inputs, k.input, d.input)
        weight_hh = self._matrix(gates, cells, outputs, k.recurrent, d.recurrent)
        output, cell, bias = (
            Format(bits, bits - 1),
            Format(bits, bits - 3),
            _all_values(Format(bits, bits - 2), gates, cells),
        )
        if self.cell == "gru":
            after = _all_values(Format(bits, bits - 2), cells) if self.reset == "after" else None
            return Gru(input, output, output, weight_ih, weight_hh, bias, self.reset, after)
        if self.cell == "rnn":
            return Rnn(input, output, weight_ih, weight_hh, bias)
        peephole = _all_values(Format(bits, bits - 1), len(PEEPHOLES), cells) if self.peepholes else None
        weight_ym = self._matrix(1, outputs, cells, k.projection, d.projection) if self.projection else None
        hidden = output if self.projection else None
        return Lstm(input, output, hidden, cell, weight_ih, weight_hh, weight_ym, bias, peephole)

    def _blocks(self, number: int) -> BlockSizes:
        k = self.block_size
        return self.blocks[number] if self.blocks else BlockSizes(input=k, recurrent=k, projection=k)

    def _kept(self, number: int) -> Densities:
        d = self.density
        return self.densities[number] if self.densities else Densities(input=d, recurrent=d, projection=d)

    def _matrix(self, gates: int, rows: int, cols: int, k: int, density: float) -> Matrix:
        if self.pruning_ratio > 1:
            kept = max(1, round(cols / self.pruning_ratio))
            columns = np.tile(np.arange(kept, dtype=np.int64) * cols // kept, gates * rows)
            values = Numbers(Format(self.bits, self.bits + 1), np.ones(columns.shape, np.int64))  # a 0 takes no step
            return Pruned(rows, cols, gates, values, columns, np.arange(gates * rows + 1, dtype=np.int64) * kept)
        transform: Transform = Exact()
        if self.transform == "fourier" and k > 1:
            fraction, stages = self.bits - 1, k.bit_length() - 1
            twiddles = tuple(round(2**fraction * math.cos(2 * math.pi * j / k)) for j in range(1, k // 4))
            sums = Format(self.bits, self.bits - 3)
            transform = Fourier(self.complex_products, twiddles, fraction, (1,) * stages, (0,) * stages, sums)
        if density < 1:
            return self._sparse(gates, rows, cols, k, transform, density)
        return Circulant(rows, cols, k, transform, self._words(gates, rows, cols, k))

    def _sparse(self, gates: int, rows: int, cols: int, k: int, transform: Transform, density: float) -> Sparse:
        """Blocks at places that differ from row to row, and from gate to gate unless they are chosen together."""
        lines, blocks = -(-rows // k), -(-cols // k)
        kept = kept_blocks(blocks, density)
        gate = np.repeat(np.arange(gates), lines) * (not self.together)
        row = np.tile(np.arange(lines), gates) * 5 + gate
        spread = np.arange(kept, dtype=np.int64) * blocks // kept
        columns = np.sort((spread + row[:, None]) % blocks, axis=1).ravel()
        words = Numbers(Format(self.bits, self.bits + 1), np.broadcast_to(np.int64(0), (len(columns), k)))
        starts = np.arange(gates * lines + 1, dtype=np.int64) * kept
        return Sparse(rows, cols, gates, k, transform, words, columns.astype(np.int64), starts)

    def _words(self, gates: int, rows: int, cols: int, k: int) -> Numbers:
        shape = gates, -(-rows // k), -(-cols // k), k
        zeros = np.broadcast_to(np.int64(0), shape)  # one word: networks may be larger than this machine's memory
        return Numbers(Format(self.bits, self.bits + 1), zeros)


@functools.cache
def activations(bits: int, segments: int) -> Activations:
    """Tables of sigma and tanh for words of so many bits."""
    return tables.activations(Format(bits, bits - 2), Format(bits, bits - 1), segments, False)


def _all_values(format: Format, *shape: int) -> Numbers:
    """A permutation of the values of a format, repeated."""
    steps = np.arange(math.prod(shape), dtype=np.int64) * 2_654_435_761  # odd, so prime to a power of two
    return Numbers(format, (steps % (format.high - format.low + 1) + format.low).reshape(shape))
