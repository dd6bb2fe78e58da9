"""A float network: from torch or a file, compressed with a user's data, and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ernn.api.sequences import Given, Sequences, table
from ernn.errors import UserError

if TYPE_CHECKING:  # `import ernn` loads no torch
    from torch import Tensor, nn
    from torch.export import ExportedProgram

    from ernn.api.programs import Program
    from ernn.nn.recurrent import RecurrentModel
    from ernn.nn.streaming import Stream

    Recurrent = nn.LSTM | nn.GRU | nn.RNN


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A float network: recurrent layers, and perhaps a linear layer behind them.

    Args:
        network: as torch has it; it is not to be changed.
    """

    network: RecurrentModel

    @property
    def inputs(self) -> int:
        """Elements of a vector that goes in."""
        return self.network.dimension

    @property
    def outputs(self) -> int:
        """Elements of a vector that comes out."""
        return self.network.outputs

    @property
    def last(self) -> bool:
        """Whether the output of a sequence's last step is the result, and not those of every step."""
        return self.network.last

    @property
    def stored_words(self) -> int:
        """Weights as they are stored: of a block-circulant matrix, one of k."""
        return self.network.stored_words

    def predict(self, x: Given) -> Any:
        """Outputs of every step, float32, in the form of x; or of the last step alone (`last`).

        Every sequence begins with the initial states of the network, which are zeros unless it was given others.

        Args:
            x: (time, inputs), (sequences, time, inputs), or a list of (time, inputs).

        Raises:
            UserError: another form, or numbers that are not finite.
        """
        import torch

        given = Sequences.of(x, self.inputs)
        self.network.eval()
        with torch.no_grad():
            found = [self.network(torch.from_numpy(each)[:, None])[:, 0].numpy() for each in given.each]
        return given.like(found, self.last)

    def stream(self) -> Stream:
        """The network step by step: call it with a vector of `inputs` elements; `reset()` begins a sequence."""
        from ernn.nn.streaming import Stream

        return Stream(self.network.eval())

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all; `ernn.load` reads it."""
        from ernn.nn import model_file

        model_file.save(self.network, Path(path))

    def __repr__(self) -> str:
        from ernn.params import cells_text

        sizes = self.network.network
        title = f"Model: {self.inputs} inputs, {sizes.layers} x {sizes.cell} of {cells_text(sizes.cells)} cells, "
        title += "".join(f"linear layer of {each.outputs} ({each}), " for each in self.network.specs)
        rows = [
            (
                str(place),
                f"{matrix.gates} x {matrix.rows} x {matrix.cols}",
                _structure(matrix),
                f"{matrix.stored_words:,}",
            )
            for place, matrix in self.network.matrices()
        ]
        if self.network.output is not None:
            weight = self.network.output.weight
            rows.append(("output.weight", " x ".join(map(str, weight.shape)), "dense", f"{weight.numel():,}"))
        elif len(self.network.head):
            number = len(self.network.head) - 1
            weight = self.network.get_parameter(f"head.{number}.weight.weight")
            rows.append((f"head.{number}.weight", " x ".join(map(str, weight.shape)), "dense", f"{weight.numel():,}"))
        text = table(("matrix", "gates x rows x columns", "structure", "stored words"), rows)
        outputs = f"{self.outputs} outputs{' of the last step' * self.last}"
        outputs += ", given initial states" * bool(self.network.initial)
        return f"{title}{outputs}, {self.stored_words:,} stored words\n{text}"


def _structure(matrix: Any) -> str:
    if matrix.kind == "sparse":
        return f"sparse, k = {matrix.block_size}, {100 * float(matrix.mask.float().mean()):.3g} % of the blocks"
    return f"circulant, k = {matrix.block_size}" if matrix.kind == "circulant" else str(matrix.kind)


def from_torch(
    recurrent: Recurrent | Sequence[Recurrent] | ExportedProgram,
    head: nn.Linear | nn.Sequential | None = None,
    *,
    last: bool = False,
    initial: Any = None,
) -> Model:
    """The network that computes `head(recurrent(x, initial)[0])`, equal to torch's within float error.

    Args:
        recurrent: any number of layers, with bias or without; an LSTM may have a projection, an RNN is one of tanh.
            Several modules of one kind, each of which takes the outputs of the one before it, make layers of different
            sizes. Active dropout, hooks and both directions are refused. A module that `torch.export.export` wrote down
            says the rest itself: head, last and initial are left out.
        head: the linear layer over the outputs of the last recurrent one, or a `Sequential` of linear layers and ReLU,
            ReLU6, Sigmoid, Tanh, Hardsigmoid or Hardtanh behind each; None: these outputs are the network's.
        last: the result is the output of a sequence's last step alone, `head(recurrent(x)[0])[-1]`.
        initial: states with which every sequence begins, constants that training leaves as they are: h_0, or of an LSTM
            (h_0, c_0), each (layers, elements), or (layers, sequences, elements) with equal numbers for all sequences;
            of several modules a list with an entry for each. None: zeros.

    Raises:
        UserError: what a network of ours cannot express, with its name.
    """
    from torch.export import ExportedProgram

    from ernn.nn.torch_import import from_modules

    if isinstance(recurrent, ExportedProgram):
        from ernn.nn.export_import import from_exported

        if head is not None or last or initial is not None:
            raise UserError("head, last and initial are of modules, an exported one says them itself; leave them out")
        return Model(from_exported(recurrent))
    return Model(from_modules(recurrent, head, last=last, initial=initial))


def from_onnx(path: str | Path) -> Model:
    """The network of an ONNX file, equal to it within float error.

    Args:
        path: of a graph of LSTM, GRU or RNN nodes in a row, forward in time and from constant initial states, and of
            linear layers (Gemm, or MatMul and Add) with Relu, Sigmoid, Tanh, HardSigmoid or Clip behind each, or none;
            reshapes and transposes may stand between them. Its outputs are those of every step, or of the last one
            (`Model.last`), by Y_h or by a Gather or Slice.

    Raises:
        UserError: no such file, onnx is not installed, or what a network of ours cannot express, with the node's name.
    """
    from ernn.nn import onnx_import

    return Model(onnx_import.read(Path(path)))


def from_keras(layers: Any) -> Model:
    """The network of Keras 3 layers, by their weights; Keras itself is not needed.

    Args:
        layers: a model whose layers run in a row, or these: LSTM, GRU or SimpleRNN, then Dense with its activation.
            Each is a layer of Keras, or a tuple of its class's name, the dictionary of `get_config()` and the arrays of
            `get_weights()`. The last recurrent one's `return_sequences` says whether every step's is a result.

    Raises:
        UserError: what a network of ours cannot express, with the layer's name.
    """
    from ernn.nn import keras_import

    return Model(keras_import.from_layers(layers))


def load(path: str | Path) -> Model | Program:
    """What a file holds: a float network, or an integer one.

    Raises:
        UserError: no such file, or another one.
    """
    from ernn.artifacts import network_kind

    file = Path(path)
    if network_kind(file) == "program":
        from ernn.api.programs import Program
        from ernn.program import files

        return Program(files.load(file))
    from ernn.nn import model_file

    return Model(model_file.load_any(file))


def compress(
    model: Model,
    train: tuple[Given, Any],
    block_size: int = 8,
    *,
    density: float = 1.0,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    epochs: int = 10,
    batch: int = 32,
    learning_rate: float = 2e-3,
    seed: int = 1,
    distillation: float = 0.0,
    progress: bool = True,
) -> Model:
    """A network whose matrices are block-circulant, by ADMM with a user's loss and data (arXiv:1812.07106).

    Half of the epochs pull the weights, in the other half the compressed network learns on.

    Args:
        model: a trained network; it stays as it is.
        train: x, in a form that `predict` takes, and y: a target for every step, (.., time, ..), or one for each
            sequence, which the last step's output is compared with; of a network with `last` one for each sequence.
        block_size: k of every matrix but the output layer's, a power of two: one of k weights is stored.
        density: share of its blocks that each block row keeps, the largest ones; with a block size of 1, weights.
        loss: of outputs and targets of a batch, a mean. If nothing is said: cross-entropy for integers, the mean
            squared error for other numbers.
        epochs: over `train`, at least 2.
        batch: sequences of a step.
        learning_rate: of Adam, at its greatest.
        seed: of the order of sequences.
        distillation: share of the loss that is the distance from the outputs of `model` (arXiv:1503.02531): where
            targets are integers, the divergence from its softmax, else the mean squared difference. Above 0, a step
            takes a forward pass of `model` more.
        progress: show a bar with the loss.

    Raises:
        UserError: data that do not fit the network, a block size that is no power of two, a density that leaves rows
            without blocks, or a loss that is not finite.
    """
    from ernn.compression import with_data

    if not isinstance(train, tuple | list) or len(train) != 2:
        raise UserError(f"train: a pair (x, y) of data and targets, got {type(train).__name__}")
    x, y = train
    given = Sequences.of(x, model.inputs, "train x")
    lengths, outputs = [len(each) for each in given.each], model.outputs if loss is None else None
    targets = with_data.targets(y, lengths, given.alone, outputs, model.last)
    options = with_data.Options(epochs, batch, learning_rate, seed, distillation, progress)
    return Model(with_data.compress(model.network, block_size, density, given.each, targets, loss, options))
