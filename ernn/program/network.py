"""The integer network: every integer that the hardware holds, and what the host needs to feed and decode it.

`docs/program.md` describes the arithmetic and the files for whoever writes another reader. No reader computes a
constant: formats, weights, tables, twiddle factors, shifts and priors all stand here.
"""

import dataclasses
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import numpy as np

from ernn.dataflow.activation import Activations
from ernn.dataflow.cells import GRU_GATES, LSTM_GATES, PEEPHOLES, RNN_GATES
from ernn.dataflow.formats import Format, nearest
from ernn.program.initial import Initial, check_initial
from ernn.program.matrices import BY_KIND, CONFIG, Matrix, Numbers, Pruned
from ernn.program.structure import LEFT_OUT

VERSION = 3


class _Recurrent:
    """Sizes and matrices of a layer without a projection."""

    weight_ih: Matrix
    weight_hh: Matrix
    initial: Initial | None

    @property
    def inputs(self) -> int:
        """Elements of the input x."""
        return self.weight_ih.cols

    @property
    def cells(self) -> int:
        """Cells, the elements of c."""
        return self.weight_ih.rows

    @property
    def outputs(self) -> int:
        """Elements of the output y."""
        return self.cells

    @property
    def matrices(self) -> dict[str, Matrix]:
        """The matrices by field name."""
        return {"weight_ih": self.weight_ih, "weight_hh": self.weight_hh}


@dataclass(frozen=True, eq=False)
class Lstm(_Recurrent):
    """One LSTM layer; equations in `ernn.nn.lstm`, arithmetic in `ernn.dataflow.cells`.

    Raises:
        ValueError: parts that do not fit each other.
    """

    input: Format  # of x
    output: Format  # of y
    hidden: Format | None  # of m = o . tanh(c) before a projection
    cell: Format  # of c
    weight_ih: Matrix
    weight_hh: Matrix
    weight_ym: Matrix | None
    bias: Numbers  # (4, cells)
    peephole: Numbers | None  # (3, cells): i, f, o
    kind: Literal["lstm"] = "lstm"
    initial: Initial | None = dataclasses.field(default=None, metadata=LEFT_OUT)  # None: zeros

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        _check_shape("bias", self.bias, (len(LSTM_GATES), self.cells))
        if self.peephole is not None:
            _check_shape("peephole", self.peephole, (len(PEEPHOLES), self.cells))
        if (self.hidden is None) != (self.weight_ym is None):
            raise ValueError("hidden is the format of what weight_ym multiplies: give both or neither")
        if self.weight_ym is not None:
            _check_matrix("weight_ym", self.weight_ym, 1, self.outputs, self.cells)
        _check_matrix("weight_ih", self.weight_ih, len(LSTM_GATES), self.cells, self.inputs)
        _check_matrix("weight_hh", self.weight_hh, len(LSTM_GATES), self.cells, self.outputs)
        check_initial(self.initial, y=(self.output, self.outputs), c=(self.cell, self.cells))

    @property
    def outputs(self) -> int:
        """Elements of the output y."""
        return self.cells if self.weight_ym is None else self.weight_ym.rows

    @property
    def matrices(self) -> dict[str, Matrix]:
        """The matrices by field name."""
        found = super().matrices
        return found if self.weight_ym is None else found | {"weight_ym": self.weight_ym}


@dataclass(frozen=True, eq=False)
class Gru(_Recurrent):
    """One GRU layer; equations in `ernn.nn.gru`, arithmetic in `ernn.dataflow.cells`.

    With `reset` after, n = tanh(W_nx x + b_n + r . (W_nc c + bias_hn)).

    Raises:
        ValueError: parts that do not fit each other.
    """

    input: Format  # of x
    output: Format  # of y = c, and of r . c, as matrices take them
    cell: Format  # of c
    weight_ih: Matrix
    weight_hh: Matrix
    bias: Numbers  # (3, cells)
    reset: Literal["before", "after"] = "before"
    bias_hn: Numbers | None = None  # (cells,)
    kind: Literal["gru"] = "gru"
    initial: Initial | None = dataclasses.field(default=None, metadata=LEFT_OUT)  # None: zeros

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        _check_shape("bias", self.bias, (len(GRU_GATES), self.cells))
        if (self.reset == "after") != (self.bias_hn is not None):
            raise ValueError("bias_hn belongs to reset=after and only there")
        if self.bias_hn is not None:
            _check_shape("bias_hn", self.bias_hn, (self.cells,))
        _check_matrix("weight_ih", self.weight_ih, len(GRU_GATES), self.cells, self.inputs)
        _check_matrix("weight_hh", self.weight_hh, len(GRU_GATES), self.cells, self.cells)
        check_initial(self.initial, y=(self.output, self.cells), c=(self.cell, self.cells))
        if self.initial is not None and self.initial.c is not None:
            wanted = nearest(self.initial.c * self.cell.resolution, self.output)
            if not np.array_equal(self.initial.y, wanted):
                raise ValueError("initial.y of a GRU is initial.c, requantized to output: change either")


@dataclass(frozen=True, eq=False)
class Rnn(_Recurrent):
    """One layer of a plain recurrent network, y_t = tanh(W_x x_t + W_y y_{t-1} + b); see `ernn.dataflow.cells`.

    Raises:
        ValueError: parts that do not fit each other.
    """

    input: Format  # of x
    output: Format  # of y
    weight_ih: Matrix
    weight_hh: Matrix
    bias: Numbers  # (1, cells)
    kind: Literal["rnn"] = "rnn"
    initial: Initial | None = dataclasses.field(default=None, metadata=LEFT_OUT)  # None: zeros

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        _check_shape("bias", self.bias, (len(RNN_GATES), self.cells))
        _check_matrix("weight_ih", self.weight_ih, len(RNN_GATES), self.cells, self.inputs)
        _check_matrix("weight_hh", self.weight_hh, len(RNN_GATES), self.cells, self.cells)
        check_initial(self.initial, y=(self.output, self.cells))


Layer = Annotated[Lstm | Gru | Rnn, BY_KIND]


@dataclass(frozen=True, eq=False)
class Output:
    """Logits over the classes: W y + b, in `logits`.

    Raises:
        ValueError: parts that do not fit each other.
    """

    weight: Matrix
    bias: Numbers  # (classes,)
    logits: Format

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        _check_shape("bias", self.bias, (self.weight.rows,))
        _check_matrix("weight", self.weight, 1, self.weight.rows, self.weight.cols)


@dataclass(frozen=True, eq=False)
class Dense:
    """A linear layer with a function, y = f(W x + b); sigma and tanh by the tables, clip between two bounds.

    Raises:
        ValueError: parts that do not fit each other.
    """

    input: Format  # of x
    output: Format  # of y
    weight: Matrix
    bias: Numbers  # (outputs,)
    function: Literal["sigmoid", "tanh", "clip"]
    low: int | None = None  # of clip: the least y, an integer of `output`; None: there is no such bound
    high: int | None = None
    kind: Literal["dense"] = "dense"

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        _check_shape("bias", self.bias, (self.outputs,))
        _check_matrix("weight", self.weight, 1, self.outputs, self.inputs)
        bounds = [each for each in (self.low, self.high) if each is not None]
        if bounds and self.function != "clip":
            raise ValueError(f"low and high are bounds of clip, not of {self.function}")
        if [*sorted(bounds)] != bounds or not all(self.output.low <= each <= self.output.high for each in bounds):
            raise ValueError(f"low and high are rising integers of output, got {self.low} and {self.high}")

    @property
    def inputs(self) -> int:
        """Elements of the input x."""
        return self.weight.cols

    @property
    def outputs(self) -> int:
        """Elements of the output y."""
        return self.weight.rows


@dataclass(frozen=True, eq=False)
class Frontend:
    """What the host does to speech before the first layer; see `ernn.data.features`.

    `normalise` speaker means mean 0 and deviation 1 over the speaker's own speech; for global the moments stand here.

    Raises:
        ValueError: moments missing or where none belong.
    """

    kind: Literal["logmel", "ernn153", "given"]
    mels: int  # of given vectors, their numbers
    window_ms: float
    shift_ms: float
    stack: int
    skip: int
    normalise: Literal["speaker", "global"]
    mean: np.ndarray | None = None  # of the stacked vectors, float32
    deviation: np.ndarray | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        for field in ("window_ms", "shift_ms"):
            if not 0 < getattr(self, field) < math.inf:
                raise ValueError(f"{field} must be above 0 and finite, got {getattr(self, field)}")
            object.__setattr__(self, field, float(getattr(self, field)))  # 25 and 25.0 have one digest
        if min(self.mels, self.stack, self.skip) < 1:
            raise ValueError(f"mels, stack and skip are 1 or more, got {self.mels}, {self.stack} and {self.skip}")
        moments = [moment for moment in (self.mean, self.deviation) if moment is not None]
        if len(moments) != (2 if self.normalise == "global" else 0):
            raise ValueError(f"normalise={self.normalise}: mean and deviation belong to global and only there")
        if not all(_finite(moment, (moments[0].size,)) for moment in moments):
            raise ValueError("mean and deviation are finite float32 vectors of one length")
        if self.deviation is not None and (self.deviation <= 0).any():
            raise ValueError(f"deviation must be above 0, got {self.deviation.min()}")


@dataclass(frozen=True, eq=False)
class Decoder:
    """What the host needs to make phones of logits; float32.

    Raises:
        ValueError: tables that do not fit the phones.
    """

    criterion: Literal["frames", "ctc"]
    phones: tuple[str, ...]
    log_priors: np.ndarray  # (phones,)
    bigram: np.ndarray  # (phones + 1, phones), the last row for the first phone
    bigram_scale: float | None = None  # of CTC: chosen on the dev split; None: decoded greedily
    insertion_penalty: float | None = None

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        count = len(self.phones)
        for field, wanted in (("log_priors", (count,)), ("bigram", (count + 1, count))):
            found = getattr(self, field)
            if not _finite(found, wanted):
                raise ValueError(
                    f"{field} of {count} phones is finite float32 of shape {wanted}, got {found.dtype} of {found.shape}"
                )

    @property
    def classes(self) -> int:
        """Classes of the logits: phones, and CTC's blank."""
        return len(self.phones) + (self.criterion == "ctc")


@dataclass(frozen=True, eq=False)
class Program:
    """A whole integer network: activations, layers, head, output layer; of speech also front end and decoder.

    Without a front end the inputs are plain vectors, without a decoder the outputs plain numbers, and without an output
    layer they are those of the last layer of the head, or of the last recurrent one.

    Raises:
        ValueError: layers that do not fit each other.
    """

    name: str
    frontend: Frontend | None
    activations: Activations
    layers: tuple[Layer, ...]
    output: Output | None
    decoder: Decoder | None
    version: int = VERSION
    # whether of a sequence only the last output is a result
    last: bool = dataclasses.field(default=False, metadata=LEFT_OUT)
    # linear layers with functions, between the recurrent layers and the output layer
    head: tuple[Dense, ...] = dataclasses.field(default=(), metadata=LEFT_OUT)

    __pydantic_config__: ClassVar[dict[str, object]] = CONFIG

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers: a program has one at least")
        if self.last and self.decoder is not None:
            raise ValueError("last: a decoder needs the outputs of every frame")
        names = [f"layers.{n}" for n in range(len(self.layers))] + [f"head.{n}" for n in range(len(self.head))]
        for (before, _), (after, name) in pairwise(zip(self.stack, names, strict=True)):
            if (before.outputs, before.output) != (after.inputs, after.input):
                raise ValueError(
                    f"{name}.input: takes {after.inputs} elements of {after.input}, "
                    f"the layer before it gives {before.outputs} of {before.output}"
                )
        if self.frontend is not None and self.frontend.mean is not None and self.frontend.mean.size != self.inputs:
            raise ValueError(f"frontend.mean: {self.frontend.mean.size} elements, layer 0 takes {self.inputs}")
        if self.output is not None and self.output.weight.cols != self.stack[-1].outputs:
            raise ValueError(
                f"output.weight: takes {self.output.weight.cols} elements, the last layer gives "
                f"{self.stack[-1].outputs}"
            )
        if self.decoder is not None and self.outputs != self.decoder.classes:
            raise ValueError(f"output.weight: gives {self.outputs} classes, the decoder knows {self.decoder.classes}")

    @property
    def stack(self) -> tuple[Layer | Dense, ...]:
        """All layers but the output layer, in the order of the data."""
        return *self.layers, *self.head

    @property
    def inputs(self) -> int:
        """Elements of a feature vector."""
        return self.layers[0].inputs

    @property
    def input(self) -> Format:
        """Format of the features."""
        return self.layers[0].input

    @property
    def outputs(self) -> int:
        """Elements of an output: classes of the logits, where they are phones."""
        return self.stack[-1].outputs if self.output is None else self.output.weight.rows

    @property
    def logits(self) -> Format:
        """Format of the outputs."""
        return self.stack[-1].output if self.output is None else self.output.logits

    @property
    def matrices(self) -> dict[str, Matrix]:
        """All matrices by their full names."""
        inner = {f"layers.{n}.{name}": m for n, layer in enumerate(self.layers) for name, m in layer.matrices.items()}
        inner |= {f"head.{n}.weight": layer.weight for n, layer in enumerate(self.head)}
        return inner if self.output is None else inner | {"output.weight": self.output.weight}

    @property
    def weight_bits(self) -> int:
        """Bits of all stored words of the matrices; the columns of pruned and sparse ones are not counted."""
        return sum(
            matrix.stored_words * (matrix.values if isinstance(matrix, Pruned) else matrix.words).format.bits
            for matrix in self.matrices.values()
        )


def _check_shape(field: str, numbers: Numbers, wanted: tuple[int, ...]) -> None:
    if numbers.integers.shape != wanted:
        raise ValueError(f"{field} has shape {wanted}, got {numbers.integers.shape}")


def _check_matrix(field: str, matrix: Matrix, gates: int, rows: int, cols: int) -> None:
    if (matrix.gates, matrix.rows, matrix.cols) != (gates, rows, cols):
        raise ValueError(
            f"{field} is {gates} matrices of {rows}x{cols}, got {matrix.gates} of {matrix.rows}x{matrix.cols}"
        )


def _finite(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """Whether `array` is finite float32 of this shape."""
    return array.shape == shape and array.dtype == np.float32 and bool(np.isfinite(array).all())
