"""ONNX graphs of recurrent operators and a linear layer, with random weights or of torch."""

import io
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper
from torch import nn

STEPS, BATCH, INPUTS, CELLS, OUTPUTS = 4, 3, 5, 6, 2
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass
class Graph:
    """Nodes behind one another; each method that adds one gives the name of its output."""

    seed: int = 1
    opset: int = 22
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    inputs: list[ValueInfoProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)

    def input(self, name: str, *shape: int | str | None) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def weight(self, *shape: int, name: str = "") -> str:
        return self.constant(self.random.normal(size=shape).astype(np.float32), name)

    def constant(self, value: Any, name: str = "") -> str:
        name = name or f"w{len(self.weights)}"
        self.weights[name] = np.asarray(value)
        return name

    def node(self, operator: str, *inputs: str, outputs: int | list[str] = 1, **attributes: Any) -> str:
        name = f"node{len(self.nodes)}"
        names = [f"{name}_{place}" for place in range(outputs)] if isinstance(outputs, int) else outputs
        self.nodes.append(helper.make_node(operator, [*inputs], names, name=name, **attributes))
        return names[0]

    def recurrent(
        self, operator: str, x: str, inputs: int = INPUTS, cells: int = CELLS, bias: bool = True,
        peepholes: bool = False, given: dict[int, str] | None = None, outputs: int = 1, **attributes: Any
    ) -> str:  # fmt: skip
        """A layer; `given` are further inputs by their place."""
        rows = GATES[operator] * cells
        names = {0: x, 1: self.weight(1, rows, inputs), 2: self.weight(1, rows, cells)}
        if bias:
            names[3] = self.weight(1, 2 * rows)
        if peepholes:
            names[7] = self.weight(1, 3 * cells)
        names |= given or {}
        words = [names.get(place, "") for place in range(max(names) + 1)]
        return self.node(operator, *words, outputs=outputs, **({"hidden_size": cells} | attributes))

    def linear(self, x: str, inputs: int = CELLS, outputs: int = OUTPUTS) -> str:
        product = self.node("MatMul", x, self.weight(inputs, outputs))
        return self.node("Add", product, self.weight(outputs))

    def model(self, *outputs: str, shape: list[int | str] | None = None) -> ModelProto:
        """The whole graph; without the shape of its output the checker does not take it, but all others do."""
        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs]
        weights = [numpy_helper.from_array(value, name) for name, value in self.weights.items()]
        graph = helper.make_graph(self.nodes, "graph", self.inputs, values, weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=10)


def plain(operator: str = "LSTM", layers: int = 1, steps: int | str = STEPS, batch: int | str = BATCH,
          inputs: int = INPUTS, cells: int = CELLS, seed: int = 1,
          shape: list[int | str] | None = None, **options: Any) -> ModelProto:  # fmt: skip
    """Layers as PyTorch writes them: Y is squeezed behind each."""
    graph = Graph(seed)
    y = graph.input("x", steps, batch, inputs)
    axis = graph.constant([1])
    for _ in range(layers):
        y = graph.node("Squeeze", graph.recurrent(operator, y, inputs, cells, **options), axis)
        inputs = cells
    return graph.model(graph.linear(y, cells), shape=shape)


class Network(nn.Module):
    """As a user has it."""

    def __init__(self, recurrent: nn.Module, head: nn.Module, flat: bool = False) -> None:
        super().__init__()
        self.recurrent, self.head, self.flat = recurrent, head, flat

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.recurrent(x)[0]
        if self.flat:  # Gemm takes matrices alone
            return self.head(y.reshape(-1, y.shape[-1])).reshape(*y.shape[:-1], -1)
        return self.head(y)


def exported(module: nn.Module, x: torch.Tensor, dynamic: bool = False, **options) -> bytes:
    axes = {"input_names": ["x"], "dynamic_axes": {"x": dict(enumerate("ab"[: x.ndim - 1]))}} if dynamic else {}
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter by TorchScript warns that there is another one
        torch.onnx.export(module.eval(), (x,), file, dynamo=False, **axes, **options)
    return file.getvalue()
