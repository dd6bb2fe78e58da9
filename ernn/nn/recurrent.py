"""Stacked recurrent layers, with a linear layer behind them or not: a network for any sequences of vectors."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ernn.nn import gru as gru_cell
from ernn.nn import lstm as lstm_cell
from ernn.nn import rnn as rnn_cell
from ernn.nn.head import HeadLayer
from ernn.nn.matrices import CirculantWeight, DenseWeight, Weight
from ernn.params import BlockSizes, Densities, HeadSpec, Network

Kind = Literal["input", "recurrent", "projection", "head"]
_ATTRIBUTES: dict[Kind, str] = {"input": "weight_ih", "recurrent": "weight_hh", "projection": "weight_ym"}


@dataclass(frozen=True)
class Place:
    """Where a compressible matrix sits: its layer, recurrent or of the head, its kind and its attribute there."""

    layer: int
    kind: Kind

    @property
    def attribute(self) -> str:
        """The attribute of the layer, as in torch."""
        return _ATTRIBUTES.get(self.kind, "weight")

    @property
    def scope(self) -> str:
        """The name of its layer."""
        return f"head.{self.layer}" if self.kind == "head" else f"layers.{self.layer}"

    def __str__(self) -> str:
        return f"{self.scope}.{self.attribute}"


class RecurrentLayer(nn.Module):
    """One layer of LSTM, GRU or plain cells; see `ernn.nn.lstm`, `ernn.nn.gru` and `ernn.nn.rnn` for the equations.

    Args:
        network: whose layer it is.
        inputs: elements of x.
        number: of the layer, from 0.
    """

    def __init__(self, network: Network, inputs: int, number: int = 0) -> None:
        super().__init__()
        self.cell = network.cell
        self.outputs = network.widths[number]
        gates, cells = network.gates, network.sizes[number]
        self.weight_ih: Weight = DenseWeight(gates, cells, inputs)
        self.weight_hh: Weight = DenseWeight(gates, cells, self.outputs)
        self.bias = nn.Parameter(torch.empty(gates * cells))
        self.peephole = nn.Parameter(torch.empty(3, cells)) if network.peepholes else None
        self.weight_ym: Weight | None = DenseWeight(1, network.projection, cells) if network.projection else None
        self.bias_hn = nn.Parameter(torch.empty(cells)) if network.reset == "after" else None
        self.initial_y: Tensor | None
        self.initial_c: Tensor | None
        for name in ("initial_y", "initial_c"):  # constants: no parameters, so that training leaves them as they are
            self.register_buffer(name, None)
        self.reset()

    def begin_with(self, y: Float[Tensor, " outputs"], c: Float[Tensor, " cells"] | None = None) -> None:
        """Begin every sequence with these states; without it, they are zeros.

        Args:
            c: of an LSTM; that of a GRU is its y.

        Raises:
            ValueError: other shapes, or c where none belongs.
        """
        wanted = (self.outputs,), (self.weight_ih.rows,) if self.cell == "lstm" else None
        found = y.shape, None if c is None else c.shape
        if found != wanted:
            raise ValueError(f"initial y and c of this layer have shapes {wanted}, got {found}")
        self.initial_y, self.initial_c = y, c

    def initial(self, state: str) -> Tensor | None:
        """A state before the first step by its name in the plan, y or c; None: zeros."""
        return self.initial_c if state == "c" and self.cell == "lstm" else self.initial_y

    def reset(self) -> None:
        """torch's initialisation, with the forget gate opened."""
        cells = self.weight_ih.rows
        bound = 1 / math.sqrt(cells)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)
        if self.cell == "lstm":
            self.bias.data[cells : 2 * cells] += 1

    def forward(self, x: Float[Tensor, "time batch inputs"]) -> Float[Tensor, "time batch outputs"]:
        """Outputs of every step from the initial states."""
        y, c = (
            None if each is None else each.expand(x.shape[1], -1).contiguous()
            for each in (self.initial_y, self.initial_c)
        )
        if self.bias_hn is not None:
            return gru_cell.gru_reset_after(x, self.weight_ih(), self.weight_hh(), self.bias, self.bias_hn, y)
        if self.cell == "gru":
            return gru_cell.gru(x, self.weight_ih(), self.weight_hh(), self.bias, y)[0]
        if self.cell == "rnn":
            return rnn_cell.rnn(x, self.weight_ih(), self.weight_hh(), self.bias, y)[0]
        weight_ym = None if self.weight_ym is None else self.weight_ym()
        state = None if y is None or c is None else (y, c)
        return lstm_cell.lstm(x, None, self.weight_ih(), self.weight_hh(), self.bias, self.peephole, weight_ym, state)[
            0
        ]


class RecurrentModel(nn.Module):
    """Recurrent layers, a head of linear layers with functions or none, and a linear layer behind them or none.

    Args:
        network: sizes and kind of the recurrent layers.
        dimension: elements of a vector.
        outputs: of the linear layer; None: there is no such layer.
        last: whether of a sequence only the last output is a result, which the caller takes.
        head: linear layers with a function each, between the recurrent layers and the linear one; what the network
            gives, if there is no such one.
    """

    def __init__(
        self,
        network: Network,
        dimension: int,
        outputs: int | None,
        last: bool = False,
        head: Sequence[HeadSpec] = (),
    ) -> None:
        super().__init__()
        self.network, self.dimension, self.last = network, dimension, last
        self.dropout = 0.0
        inputs = (dimension, *network.widths)
        self.layers = nn.ModuleList(RecurrentLayer(network, inputs[index], index) for index in range(network.layers))
        widths = (network.outputs, *(each.outputs for each in head))
        self.head = nn.ModuleList(HeadLayer(inputs, spec) for inputs, spec in zip(widths, head, strict=False))
        self.output = None if outputs is None else nn.Linear(widths[-1], outputs)

    @property
    def outputs(self) -> int:
        """Elements of an output."""
        if self.output is not None:
            return self.output.out_features
        return self.specs[-1].outputs if self.specs else self.network.outputs

    @property
    def specs(self) -> tuple[HeadSpec, ...]:
        """Those of the head's layers."""
        return tuple(cast(HeadLayer, each).spec for each in self.head)

    @property
    def initial(self) -> tuple[int, ...]:
        """Numbers of the layers that begin a sequence with states that are no zeros."""
        layers = (cast(RecurrentLayer, each) for each in self.layers)
        return tuple(number for number, layer in enumerate(layers) if layer.initial_y is not None)

    def forward(self, x: Float[Tensor, "time batch dimension"]) -> Float[Tensor, "time batch outputs"]:
        """Outputs of every step; padded steps at the end of a sequence give values that mean nothing."""
        for layer in self.layers:
            x = F.dropout(layer(x), self.dropout, self.training)
        for layer in self.head:
            x = layer(x)
        return x if self.output is None else self.output(x)

    def matrices(self) -> Iterator[tuple[Place, Weight]]:
        """The matrices of the recurrent layers, in order, and the head's, but for that of the layer behind all."""
        for index, layer in enumerate(self.layers):
            for kind in _ATTRIBUTES:
                place = Place(index, kind)
                matrix = getattr(layer, place.attribute)
                if matrix is not None:
                    yield place, matrix
        for index, layer in enumerate(self.head):
            if self.output is not None or index + 1 < len(self.head):
                yield Place(index, "head"), cast(HeadLayer, layer).weight

    def replace(self, place: Place, matrix: Weight) -> None:
        """Put `matrix` into `place`."""
        setattr((self.head if place.kind == "head" else self.layers)[place.layer], place.attribute, matrix)

    def parameter_groups(self, columns_exponent: float) -> list[dict[str, Any]]:
        """Parameters by the `scale` of their learning rate, as an optimizer takes them.

        First columns of blocks of size k have k ** `columns_exponent`, in wide matrices less.
        """
        groups: dict[float, list[nn.Parameter]] = defaultdict(list)
        for module in self.modules():
            for name, parameter in module.named_parameters(recurse=False):
                scale = module.learning_rate_scale(name, columns_exponent) if isinstance(module, Weight) else 1.0
                groups[scale].append(parameter)
        return [{"params": parameters, "scale": scale} for scale, parameters in groups.items()]

    @property
    def stored_words(self) -> int:
        """Words of the whole network: matrices as stored, peepholes, biases and the output layer."""
        matrices = sum(matrix.stored_words for _, matrix in self.matrices())
        inside = {id(parameter) for _, matrix in self.matrices() for parameter in matrix.parameters()}
        return matrices + sum(parameter.numel() for parameter in self.parameters() if id(parameter) not in inside)


def owner(place: Place) -> tuple[int, str]:
    """Layer and kind whose block size and density the matrix at `place` has; the head's are those of the last input."""
    return (-1, "input") if place.kind == "head" else (place.layer, place.kind)


def block_size_at(blocks: Sequence[BlockSizes], place: Place) -> int:
    """The block size that a design gives the matrix at `place`."""
    layer, kind = owner(place)
    return int(getattr(blocks[layer], kind))


def density_at(densities: Sequence[Densities], place: Place) -> float:
    """The density that a design gives the matrix at `place`; without densities all blocks stay."""
    layer, kind = owner(place)
    return float(getattr(densities[layer], kind)) if densities else 1.0


def make_circulant(model: RecurrentModel, blocks: Sequence[BlockSizes]) -> None:
    """Replace, in place, every matrix with a block size above 1 by its projection."""
    for place, matrix in list(model.matrices()):
        block_size = block_size_at(blocks, place)
        if block_size > 1:
            model.replace(place, CirculantWeight.nearest(matrix, block_size))


def randomise(model: RecurrentModel, seed: int) -> None:
    """Fresh weights, first columns spread as dense weights are: the start of training from scratch."""
    torch.manual_seed(seed)
    for layer in model.layers:
        cast(RecurrentLayer, layer).reset()
    for layer in model.head:
        cast(HeadLayer, layer).reset()
    if model.output is not None:
        model.output.reset_parameters()
