"""An ONNX graph of LSTM or GRU operators in a row and a linear layer at every step as a network of ours.

The graph runs with the numbers of elements in place of their values. So reshapes and transposes may stand anywhere:
where a recurrent operator or the linear layer reads, the numbers say whether every element is at its place. What else
is computed on the way from input to output is refused, by the node's name and its operator.

ONNX has the gates of an LSTM in the order i, o, f, c, and those of a GRU in the order z, r, h, with torch's z, which is
1 - z of ours.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ernn.errors import UserError
from ernn.nn import assembly
from ernn.nn.onnx_graph import (
    DOMAINS,
    OPERATORS,
    Constant,
    Layer,
    Linear,
    Operator,
    Stream,
    array_of,
    attributes_of,
    check_attributes,
    line_of,
    name_of,
    numbered,
    operator_of,
    refuse,
    tensor_of,
    transposed,
)

if TYPE_CHECKING:  # imported where they are used: neither may be there, and --help need not wait for them
    from onnx import GraphProto, ModelProto, NodeProto
    from torch import Tensor

    from ernn.nn.recurrent import RecurrentModel

_OPSET = 7  # since then LSTM, GRU, Gemm and Add are what they are now
_MOVES = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_COMPUTED = (  # what of constants, and of sizes, is one again
    *_MOVES, "Add", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Expand", "Gather", "Mul", "Shape", "Size",
    "Slice", "Split", "Sub", "Tile",
)  # fmt: skip
_OUTPUTS = {"LSTM": "Y_h or Y_c", "GRU": "Y_h", "Dropout": "mask"}
_READ = (
    "read are LSTM or GRU nodes in a row and one linear layer at every step (Gemm, or MatMul and Add), with reshapes "
    "and transposes between them; export a module of these alone"
)


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
    reader = _Reader(model.graph, opset)
    linear = reader.run()
    first = reader.layers[0]
    peepholes = any(layer.peephole is not None for layer in reader.layers)
    sizes = {"cell": first.node.op_type.lower(), "layers": len(reader.layers), "cells": first.cells}
    network = assembly.network_of(**sizes, peepholes=peepholes, reset=first.reset)
    state: dict[str, Tensor] = {}
    for number, layer in enumerate(reader.layers):
        arrays = (("W", layer.weight_ih), ("R", layer.weight_hh), ("B", layer.bias_ih), ("B", layer.bias_hh))
        ours = assembly.layer_tensors(network, *(tensor_of(layer.node, *named) for named in arrays))
        if peepholes:
            given = np.zeros((3, first.cells), np.float32) if layer.peephole is None else layer.peephole
            ours["peephole"] = tensor_of(layer.node, "P", given)
        state |= {f"layers.{number}.{name}": tensor for name, tensor in ours.items()}
    state["output.weight"] = tensor_of(linear.node, "the matrix", linear.weight.T)
    state["output.bias"] = tensor_of(linear.node, "the bias", linear.bias)
    return assembly.assembled(network, state, phones, blank)


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


class _Reader:
    """A run of a graph, node by node; `layers` and the linear layer are what it found."""

    def __init__(self, graph: "GraphProto", opset: int) -> None:
        self.graph, self.opset = graph, opset
        self.layers: list[Layer] = []
        self.linear: Linear | None = None
        self.open: set[int] = set()  # sizes that stand for any
        self.values: dict[str, Constant | Stream] = {}
        self.made = {name: node for node in graph.node for name in node.output if name}
        self.initializers = {each.name: each for each in graph.initializer}

    def run(self) -> Linear:
        """Follow the graph from its input to its output, which the linear layer makes."""
        if len(self.graph.output) != 1:
            names = ", ".join(each.name for each in self.graph.output)
            raise UserError(f"outputs {names}: must be one, that of the linear layer; export a module that returns it")
        output = self.graph.output[0].name
        needed = self._needed(output)
        self._open_inputs(needed)
        for node in self.graph.node:
            if not needed.isdisjoint(each for each in node.output if each):
                self._node(node, needed)
        last = self.values.get(output)
        if not isinstance(last, Stream) or self.linear is None or last.layer != self._made:
            raise UserError(f"output {output}: not that of a linear layer behind LSTM or GRU nodes; {_READ}")
        if not transposed(last.numbers, numbered(last.shape, self.linear.node)):
            raise UserError(
                f"output {output}: must be (steps, sequences, outputs) in any order of axes, or without an axis of "
                "size 1; export the module without what reshapes its outputs"
            )
        return self.linear

    @property
    def _made(self) -> int:
        """Layers until now, the linear one too."""
        return len(self.layers) + (self.linear is not None)

    def _needed(self, output: str) -> set[str]:
        """The values that the output follows from: the others are not computed."""
        needed, left = {output}, [output]
        while left:
            node = self.made.get(left.pop())
            new = {name for name in (node.input if node else ()) if name} - needed
            needed |= new
            left.extend(new)
        return needed

    def _open_inputs(self, needed: set[str]) -> None:
        """Number the elements of the graph's inputs; sizes that the graph leaves open become some that it has not."""
        inputs = [each for each in self.graph.input if each.name in needed and each.name not in self.initializers]
        shapes = {each.name: each.type.tensor_type.shape.dim for each in inputs}
        fixed = {dim.dim_value for dims in shapes.values() for dim in dims}
        free: Iterator[int] = (size for size in count(11) if size not in fixed)
        for name, dims in shapes.items():
            shape = tuple(dim.dim_value if dim.dim_value > 0 else next(free) for dim in dims)
            self.open |= {size for size, dim in zip(shape, dims, strict=True) if dim.dim_value <= 0}
            self.values[name] = Stream(numbered(shape, name), shape)

    def _value(self, node: "NodeProto", place: int) -> "Constant | Stream | None":
        """An input of a node; None if it has no such one."""
        name = node.input[place] if place < len(node.input) else ""
        if not name:
            return None
        if name not in self.values and name in self.initializers:
            self.values[name] = Constant(array_of(self.initializers[name]))
        if name not in self.values:
            refuse(node, f"input {name} is a value of a kind that is not read; {_READ}")
        return self.values[name]

    def _node(self, node: "NodeProto", needed: set[str]) -> None:
        """Run one."""
        operator = operator_of(node)
        handlers: dict[str, Callable[[NodeProto], Stream]] = {
            **dict.fromkeys(OPERATORS, self._recurrent),
            "MatMul": self._matmul,
            "Gemm": self._gemm,
            "Add": self._add,
            "Dropout": self._dropout,
        }
        constant = operator not in OPERATORS and all(
            isinstance(self._value(node, place), Constant) for place, name in enumerate(node.input) if name
        )
        if operator in _COMPUTED and (constant or operator in ("Shape", "Size")):
            self._compute(node)
        elif operator in _MOVES:
            self.values[node.output[0]] = self._moved(node)
        elif operator in handlers:
            extra = needed.intersection(node.output[1:])
            if extra:
                refuse(node, f"{_OUTPUTS.get(operator, 'another output')} goes on ({min(extra)}), must be the first "
                        "output alone, that of every step; use that, and take its last step yourself")  # fmt: skip
            self.values[node.output[0]] = handlers[operator](node)
        else:
            refuse(node, f"not read; {_READ}")

    def _evaluated(self, node: "NodeProto", arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs of a node by ONNX's own reference."""
        from onnx import ValueInfoProto, helper
        from onnx.reference import ReferenceEvaluator

        inputs = [ValueInfoProto(name=name) for name in arrays]
        outputs = [ValueInfoProto(name=name) for name in node.output if name]
        graph = helper.make_graph([node], "one", inputs, outputs)
        try:
            found = ReferenceEvaluator(graph, opsets={"": self.opset}).run(None, arrays)
            return [np.asarray(each) for each in found]
        except Exception as error:  # whatever NumPy finds wrong with sizes that do not fit
            refuse(node, f"cannot be computed ({line_of(error)}); mend the graph")

    def _compute(self, node: "NodeProto") -> None:
        """Constants of constants, and of the shape of the stream."""
        given = {name: self._value(node, place) for place, name in enumerate(node.input) if name}
        arrays = {n: v.numbers if isinstance(v, Stream) else v.array for n, v in given.items() if v is not None}
        sized = any(isinstance(value, Stream) or (value is not None and value.sized) for value in given.values())
        names = [name for name in node.output if name]
        found = self._evaluated(node, arrays)
        self.values |= {name: Constant(array, sized) for name, array in zip(names, found, strict=True)}

    def _moved(self, node: "NodeProto") -> Stream:
        """The stream in another form."""
        stream = self._stream(node)
        arrays = {node.input[0]: stream.numbers}
        for place, name in enumerate(node.input[1:], 1):
            value = self._value(node, place)
            if isinstance(value, Stream):
                refuse(node, f"input {name} is computed from values, must be fixed or follow from shapes; {_READ}")
            if value is not None:
                arrays[name] = value.array
        return stream.like(self._evaluated(node, arrays)[0])

    def _dropout(self, node: "NodeProto") -> Stream:
        training = self._value(node, 2)
        if training is not None and not (isinstance(training, Constant) and not training.array.any()):
            refuse(node, "training_mode is on, but an imported network has no dropout; export it after .eval()")
        return self._stream(node)

    def _stream(self, node: "NodeProto") -> Stream:
        """The first input, which has to be the stream."""
        stream = self._value(node, 0)
        if not isinstance(stream, Stream):
            refuse(node, f"its first input must follow from the graph's input, and not be fixed; {_READ}")
        return stream

    def _constant(self, node: "NodeProto", place: int, name: str, shape: tuple[int, ...] | None) -> np.ndarray:
        """Weights of a node, of a shape; those that are left out are zeros."""
        value = self._value(node, place)
        if value is None:
            return np.zeros(shape or (), np.float32)
        if not isinstance(value, Constant) or value.sized:
            refuse(node, f"{name} ({node.input[place]}) must be fixed weights in the file; export it with its weights")
        array = value.array
        if array.dtype not in (np.float32, np.float64):
            refuse(node, f"{name} holds {array.dtype}, must be float32 or float64; export the module in float32")
        if shape is not None and array.shape != shape:
            refuse(node, f"{name}: expected shape {shape}, got {array.shape}; mend the graph")
        return array

    def _recurrent(self, node: "NodeProto") -> Stream:
        """A layer; its outputs are numbered anew."""
        operator, stream, attributes = OPERATORS[node.op_type], self._stream(node), attributes_of(node)
        if self.linear is not None:
            refuse(node, f"stands behind the linear layer {name_of(self.linear.node)}, which has to be last; {_READ}")
        self._check_row(node, stream)
        check_attributes(node, attributes, operator)
        layer = self._layer(node, operator, attributes)
        inputs, batch_first = layer.weight_ih.shape[1], attributes.get("layout", 0) == 1
        if stream.numbers.ndim != 3 or stream.numbers.shape[2] != inputs:
            refuse(node, f"X: expected (steps, sequences, {inputs}), the last one fixed, got {stream.numbers.shape}; "
                    "export it with the number of inputs fixed")  # fmt: skip
        x = stream.numbers.swapaxes(0, 1) if batch_first else stream.numbers
        steps, batch = x.shape[:2]
        start = numbered(stream.shape, node)
        if not (transposed(x, start) if not stream.layer else np.array_equal(x, start)):
            refuse(node, "X holds other elements, or in another order, than a step and a sequence at a time; "
                    "reshape outside of the graph")  # fmt: skip
        self._check_start(node, operator, steps)
        self._check_alike(layer)
        self.layers.append(layer)
        shape = (steps, batch, layer.cells)
        y = numbered(shape, node)[:, None]
        return Stream(y.transpose(2, 0, 1, 3) if batch_first else y, shape, self._made)

    def _check_row(self, node: "NodeProto", stream: Stream) -> None:
        """Refuse what reads another value than that of the layer before."""
        if stream.layer != self._made:
            refuse(node, f"does not read the layer before it, but another value ({node.input[0]}); {_READ}")

    def _layer(self, node: "NodeProto", operator: Operator, attributes: dict[str, Any]) -> Layer:
        """The weights of a node."""
        weights = {name: self._constant(node, place, name, None) for place, name in ((1, "W"), (2, "R"))}
        for name, array in weights.items():
            if array.ndim != 3 or not array.size:
                refuse(node, f"{name}: expected three axes, got shape {array.shape}; mend the graph")
        gates, inputs, cells = len(operator.gates), weights["W"].shape[2], weights["R"].shape[2]
        if attributes.get("hidden_size", cells) != cells:
            refuse(node, f"hidden_size={attributes['hidden_size']}, but R has {cells} columns; mend the graph")
        w = self._constant(node, 1, "W", (1, gates * cells, inputs))[0]
        r = self._constant(node, 2, "R", (1, gates * cells, cells))[0]
        b = self._constant(node, 3, "B", (1, 2 * gates * cells))[0]
        order = (np.array(operator.gates)[:, None] * cells + np.arange(cells)).ravel()
        bias_ih, bias_hh = (half[order] for half in np.split(b, 2))
        peephole = None
        if "P" in operator.inputs and self._value(node, operator.inputs.index("P")) is not None:
            p = self._constant(node, operator.inputs.index("P"), "P", (1, 3 * cells))
            peephole = p.reshape(3, cells)[[0, 2, 1]]  # of i, o, f
        reset = "after" if attributes.get("linear_before_reset") else "before"
        return Layer(node, cells, reset, w[order], r[order], bias_ih, bias_hh, peephole)

    def _check_start(self, node: "NodeProto", operator: Operator, steps: int) -> None:
        """Refuse states that do not begin with zeros, and sequences that end early."""
        for place, name in enumerate(operator.inputs):
            value = self._value(node, place)
            if value is None or not name.startswith(("initial_", "sequence_")):
                continue
            wanted, cure = (0, "must be zeros, with which states begin here; leave it out")
            if name == "sequence_lens":
                wanted, cure = (steps, "must be all steps of every sequence; leave it out, and cut sequences yourself")
            known = isinstance(value, Constant) and (not wanted or value.sized or steps not in self.open)
            if not (known and isinstance(value, Constant) and (value.array == wanted).all()):
                refuse(node, f"{name} ({node.input[place]}): {cure}")

    def _check_alike(self, layer: Layer) -> None:
        """Refuse a layer that is not as the first one."""
        first = self.layers[0] if self.layers else layer
        kinds = [(each.node.op_type, each.cells, int(each.reset == "after")) for each in (first, layer)]
        for name, one, other in zip(("operator", "hidden_size", "linear_before_reset"), *kinds, strict=True):
            if one != other:
                refuse(layer.node, f"{name} is {other}, must be {one} as that of {name_of(first.node)}; "
                        "make all layers of one kind and size")  # fmt: skip

    def _check_linear(self, node: "NodeProto", stream: Stream) -> np.ndarray:
        """The steps of the vectors along the last axis of what a linear layer reads."""
        if not self.layers:
            refuse(node, f"stands before every LSTM and GRU; {_READ}")
        self._check_row(node, stream)
        steps = stream.steps()
        if steps is None:
            refuse(node, "reads other elements than those of a step along the last axis; reshape outside of the graph")
        return steps

    def _product(self, node: "NodeProto", weight: np.ndarray) -> Stream:
        """A linear layer of a matrix (inputs, outputs); its outputs are numbered anew."""
        stream = self._stream(node)
        steps = self._check_linear(node, stream)
        if self.linear is not None:
            refuse(node, f"a linear layer behind another one, {name_of(self.linear.node)}; {_READ}")
        if weight.ndim != 2 or weight.shape[0] != stream.shape[-1] or not weight.size:
            refuse(
                node, f"the matrix: expected shape ({stream.shape[-1]}, outputs), got {weight.shape}; mend the graph"
            )
        outputs = weight.shape[1]
        self.linear = Linear(node, weight, np.zeros(outputs))
        shape = (*stream.shape[:-1], outputs)
        numbers = numbered(shape, node).reshape(-1, outputs)[steps]
        return Stream(numbers.reshape(*stream.numbers.shape[:-1], outputs), shape, self._made)

    def _biased(self, node: "NodeProto", linear: Linear, stream: Stream, bias: np.ndarray) -> Stream:
        """The stream of a linear layer with more of a bias."""
        self._check_linear(node, stream)
        outputs = stream.shape[-1]
        if (
            bias.ndim > stream.numbers.ndim
            or bias.shape[-1:] not in ((), (1,), (outputs,))
            or prod(bias.shape[:-1]) != 1
        ):
            refuse(node, f"the bias: expected shape ({outputs},), got {bias.shape}; mend the graph")
        linear.bias = linear.bias + bias.astype(np.float64).reshape(-1)
        return stream

    def _matmul(self, node: "NodeProto") -> Stream:
        self._stream(node)
        return self._product(node, self._constant(node, 1, "the matrix", None))

    def _gemm(self, node: "NodeProto") -> Stream:
        attributes = attributes_of(node)
        if attributes.get("transA"):
            refuse(node, "transA=1: must be 0; transpose the weights alone")
        if self._stream(node).numbers.ndim != 2:
            refuse(node, f"A: expected two axes, got shape {self._stream(node).numbers.shape}; mend the graph")
        weight = self._constant(node, 1, "the matrix", None)
        stream = self._product(node, (weight.T if attributes.get("transB") else weight) * attributes.get("alpha", 1.0))
        if self._value(node, 2) is None or self.linear is None:
            return stream
        return self._biased(node, self.linear, stream, self._constant(node, 2, "C", None) * attributes.get("beta", 1.0))

    def _add(self, node: "NodeProto") -> Stream:
        streams = [place for place in (0, 1) if isinstance(self._value(node, place), Stream)]
        stream = self._value(node, streams[0])
        if len(streams) > 1 or not isinstance(stream, Stream) or self.linear is None:
            refuse(node, f"may add a bias to the linear layer, and nothing else; {_READ}")
        return self._biased(node, self.linear, stream, self._constant(node, 1 - streams[0], "the bias", None))
