"""An ONNX graph of LSTM, GRU or RNN operators in a row, and of linear layers behind them, as a network of ours.

The graph runs with the numbers of elements in place of their values. So reshapes and transposes may stand anywhere:
where a recurrent operator or a linear layer reads, the numbers say whether every element is at its place, and at the
end whether the outputs are those of every step or of the last one. What else is computed on the way from input to
output is refused, by the node's name and its operator.

ONNX has the gates of an LSTM in the order i, o, f, c, and those of a GRU in the order z, r, h, with torch's z, which is
1 - z of ours.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ernn.errors import UserError
from ernn.nn import assembly
from ernn.nn.elements import OPEN_SIZES, Stream
from ernn.nn.onnx_graph import (
    DOMAINS,
    OPERATORS,
    READ,
    Constant,
    Layer,
    line_of,
    name_of,
    operator_of,
    refuse,
    tensor_of,
)
from ernn.nn.onnx_head import Head
from ernn.nn.onnx_values import PICKS

if TYPE_CHECKING:  # imported where they are used: neither may be there, and --help need not wait for them
    from onnx import ModelProto, NodeProto
    from torch import Tensor

    from ernn.nn.recurrent import RecurrentModel

_OPSET = 7  # since then LSTM, GRU, Gemm and Add are what they are now
_MOVES = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze", *PICKS)
_FUNCTIONS = ("Clip", "HardSigmoid", "Relu", "Sigmoid", "Tanh")
_COMPUTED = (  # what of constants, and of sizes, is one again
    *_MOVES, "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Expand", "Mul", "Shape", "Size", "Split",
    "Sub", "Tile",
)  # fmt: skip


def read(file: Path, phones: Path | None = None, blank: int | None = None) -> "RecurrentModel":
    """The network of an ONNX file, its weights in the file or in files next to it.

    Args:
        phones: a text with the labels of the classes.
        blank: as in `ernn.nn.torch_import.from_weights`.

    Raises:
        UserError: a file is missing or another one, onnx is not installed, or the graph computes something else.
    """
    labels = assembly.labels(phones, blank)
    return from_graph(_loaded(file), labels, blank)


def from_graph(model: "ModelProto", phones: Sequence[str] | None = None, blank: int | None = None) -> "RecurrentModel":
    """The network of a model that is loaded; `phones` and `blank` as in `ernn.nn.torch_import.from_weights`.

    Raises:
        UserError: the graph computes something else than such a network does; the node is named.
    """
    opset = max((each.version for each in model.opset_import if each.domain in DOMAINS), default=1)
    if opset < _OPSET:
        raise UserError(f"opset {opset}: must be at least {_OPSET}; convert it by onnx.version_converter")
    reader = _Reader(model.graph, opset, OPEN_SIZES[0])
    last = reader.run()
    picked = any(isinstance(each, Stream) and each.picked for each in reader.values.values())
    other = reader
    if reader.open and (picked or any(layer.initial is not None for layer in reader.layers)):
        other = _Reader(model.graph, opset, OPEN_SIZES[1])
        last &= other.run()
    first = reader.layers[0]
    peepholes = any(layer.peephole is not None for layer in reader.layers)
    cells = tuple(layer.cells for layer in reader.layers)
    sizes = {
        "cell": first.node.op_type.lower(),
        "layers": len(cells),
        "cells": cells if len({*cells}) > 1 else cells[0],
    }
    network = assembly.network_of(**sizes, peepholes=peepholes, reset=first.reset)
    state: dict[str, Tensor] = {}
    for number, layer in enumerate(reader.layers):
        arrays = (("W", layer.weight_ih), ("R", layer.weight_hh), ("B", layer.bias_ih), ("B", layer.bias_hh))
        ours = assembly.layer_tensors(network, *(tensor_of(layer.node, *named) for named in arrays))
        if peepholes:
            given = np.zeros((3, layer.cells), np.float32) if layer.peephole is None else layer.peephole
            ours["peephole"] = tensor_of(layer.node, "P", given)
        state |= {f"layers.{number}.{name}": tensor for name, tensor in ours.items()}
    linears = [
        (tensor_of(each.node, "the matrix", each.weight.T), tensor_of(each.node, "the bias", each.bias), function)
        for each, function in zip(reader.linears, reader.row.functions, strict=True)
    ]
    head = assembly.with_head(state, linears)
    made = assembly.assembled(network, state, phones, blank, last, head)
    for number, layers in enumerate(zip(reader.layers, other.layers, strict=True)):
        _begin(made, number, *layers)
    return made


def _begin(model: "RecurrentModel", number: int, layer: Layer, again: Layer) -> None:
    """Begin a layer with its node's initial states.

    Args:
        again: the same layer, read with other sizes in place of those that the graph leaves open.
    """
    from ernn.nn import initial_states

    if layer.initial is again.initial is None:
        return
    lstm, names = layer.node.op_type == "LSTM", ("initial_h", "initial_c")
    zeros = (np.zeros((1, 1, layer.cells), np.float32),) * (1 + lstm)
    pairs = [zeros if each.initial is None else each.initial for each in (layer, again)]
    given = [pair if lstm else pair[0] for pair in pairs]
    where = f"{name_of(layer.node)}:"
    found, same = (initial_states.states(model, number, 1, each, where, names) for each in given)
    if not initial_states.equal(found, same):
        refuse(layer.node, "initial states follow from how many steps or sequences there are, must be constants")
    initial_states.begin(model, number, found)


def _loaded(file: Path) -> "ModelProto":
    try:
        import onnx
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise UserError("onnx is not installed: pip install 'ernn[onnx]'") from None
    if not file.is_file():
        what = "a folder, not an ONNX file" if file.is_dir() else "no such file"
        raise UserError(f"{file}: {what}; write it by torch.onnx.export")
    try:
        model = onnx.load(file)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf, onnx and NumPy have each their own
        raise UserError(
            f"{file}: not a whole ONNX file ({line_of(error)}); write it again, by torch.onnx.export"
        ) from None
    return model


class _Reader(Head):
    """A run of a graph, node by node."""

    def run(self) -> bool:
        """Follow the graph from its input to its outputs; whether they are those of the last step alone."""
        outputs = [each.name for each in self.graph.output]
        needed = self.needed(*outputs)
        self.open_inputs(needed)
        for node in self.graph.node:
            if not needed.isdisjoint(each for each in node.output if each):
                self._node(node, needed)
        found = {self._is_last(output) for output in outputs}
        return found == {True}

    def _is_last(self, output: str) -> bool:
        """Whether an output is that of the last step, or those of every step.

        Raises:
            UserError: neither.
        """
        found = self.values.get(output)
        if not isinstance(found, Stream) or not self.layers or found.layer != self.row.made:
            raise UserError(f"output {output}: not that of the last layer, recurrent or linear; {READ}")
        return found.is_last(f"output {output}")

    def _node(self, node: "NodeProto", needed: set[str]) -> None:
        """Run one."""
        operator = operator_of(node)
        handlers: dict[str, Callable[[NodeProto], Stream]] = {
            **dict.fromkeys(OPERATORS, self.recurrent),
            **dict.fromkeys(_FUNCTIONS, self.function),
            "MatMul": self.matmul,
            "Gemm": self.gemm,
            "Add": self.add,
            "Dropout": self.dropout,
        }
        constant = operator not in OPERATORS and all(
            isinstance(self.value(node, place), Constant) for place, name in enumerate(node.input) if name
        )
        if operator in _COMPUTED and (constant or operator in ("Shape", "Size")):
            self.compute(node)
        elif operator in _MOVES:
            self.values[node.output[0]] = self.moved(node)
        elif operator in handlers:
            found = handlers[operator](node)
            self._check_outputs(node, needed)
            self.values |= {node.output[0]: found} if node.output[0] else {}
        else:
            refuse(node, f"not read; {READ}")

    def _check_outputs(self, node: "NodeProto", needed: set[str]) -> None:
        """Refuse outputs that are no results of ours."""
        names = ("Y", "Y_h", "Y_c") if node.op_type in OPERATORS else ("output", "mask")
        taken = names[: len(names) - 1]
        for name, output in zip(names, node.output, strict=False):
            if output and output in needed and name not in taken:
                refuse(node, f"{name} goes on ({output}), must be {' or '.join(taken)}; export a module without it")
