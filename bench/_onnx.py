"""One frame of an acoustic model as an ONNX graph, its states inputs and outputs."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ernn.nn.acoustic import AcousticModel


def weights(layer: Any, torch_order: bool = False) -> dict[str, np.ndarray]:
    """Of a layer, by torch's names: gates i, f, g, o, or r, z, n where torch's z is 1 - z of ours."""
    cells = layer.weight_ih.rows
    order = np.arange(layer.weight_ih.gates * cells)
    sign = np.ones(len(order), np.float32)
    if layer.cell == "gru":
        order = np.concatenate([np.arange(cells, 2 * cells), np.arange(cells), np.arange(2 * cells, 3 * cells)])
        sign[cells : 2 * cells] = -1
    found = {
        "weight_ih": layer.weight_ih().numpy()[order] * sign[:, None],
        "weight_hh": layer.weight_hh().numpy()[order] * sign[:, None],
        "bias_ih": layer.bias.numpy()[order] * sign,
        "bias_hh": np.zeros(len(order), np.float32),
    }
    if layer.bias_hn is not None:
        found["bias_hh"][2 * cells :] = layer.bias_hn.numpy()
    if layer.weight_ym is not None:
        found["weight_hr"] = layer.weight_ym().numpy()
    return found


class Session:
    """The network in ONNX Runtime on one thread, with its state."""

    def __init__(self, model: AcousticModel) -> None:
        graph = _Graph()
        y = "x"
        for number, layer in enumerate(model.layers):
            made = graph.lstm if model.network.cell == "lstm" else graph.gru
            y = made(f"l{number}", y, layer)
        logits = graph.linear("logits", y, model.output.weight.numpy(), model.output.bias.numpy())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        text = graph.model(model.dimension, logits, len(model.output.bias)).SerializeToString()
        self._session = onnxruntime.InferenceSession(text, options, providers=["CPUExecutionProvider"])
        self._names = [logits, *(after for _, after, _ in graph.states)]
        self._state = {before: np.zeros((1, size), np.float32) for before, _, size in graph.states}

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Logits of the next frame."""
        logits, *states = self._session.run(self._names, {"x": x[None], **self._state})
        self._state = dict(zip(self._state, states, strict=True))
        return logits[0]


class _Graph:
    """Nodes with weights; `states` are names before and after a frame, and sizes."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.states: list[tuple[str, str, int]] = []

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The output of an operator."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def split(self, value: str, count: int) -> list[str]:
        """Equal parts."""
        names = [f"n{len(self.nodes)}_{part}" for part in range(count)]
        self.nodes.append(helper.make_node("Split", [value], names, axis=1, num_outputs=count))
        return names

    def constant(self, name: str, value: np.ndarray) -> str:
        """A weight."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def linear(self, name: str, x: str, weight: np.ndarray, bias: np.ndarray | None = None) -> str:
        """x W^T + b."""
        product = self.node("MatMul", x, self.constant(f"{name}_weight", weight.T))
        return product if bias is None else self.node("Add", product, self.constant(f"{name}_bias", bias))

    def lstm(self, name: str, x: str, layer: Any) -> str:
        """y of an LSTM."""
        w, cells = weights(layer), layer.weight_ih.rows
        joined = np.concatenate([w["weight_ih"], w["weight_hh"]], axis=1)
        a = self.linear(name, self.node("Concat", x, f"{name}_y", axis=1), joined, w["bias_ih"])
        i, f, g, o = self.split(a, 4)
        kept = self.node("Mul", self.node("Sigmoid", f), f"{name}_c")
        c = self.node("Add", kept, self.node("Mul", self.node("Sigmoid", i), self.node("Tanh", g)))
        y = self.node("Mul", self.node("Sigmoid", o), self.node("Tanh", c))
        if "weight_hr" in w:
            y = self.linear(f"{name}_projection", y, w["weight_hr"])
        self.states += [(f"{name}_y", y, layer.outputs), (f"{name}_c", c, cells)]
        return y

    def gru(self, name: str, x: str, layer: Any) -> str:
        """y of a GRU that resets after the product."""
        w, cells = weights(layer), layer.weight_ih.rows
        r_x, z_x, n_x = self.split(self.linear(f"{name}_x", x, w["weight_ih"], w["bias_ih"]), 3)
        r_c, z_c, n_c = self.split(self.linear(f"{name}_c", f"{name}_y", w["weight_hh"], w["bias_hh"]), 3)
        r, z = (self.node("Sigmoid", self.node("Add", *both)) for both in ((r_x, r_c), (z_x, z_c)))
        n = self.node("Tanh", self.node("Add", n_x, self.node("Mul", r, n_c)))
        y = self.node("Add", n, self.node("Mul", z, self.node("Sub", f"{name}_y", n)))
        self.states.append((f"{name}_y", y, cells))
        return y

    def model(self, inputs: int, logits: str, classes: int) -> Any:
        """The whole graph."""

        def value(name: str, size: int) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])

        into = [value("x", inputs), *(value(before, size) for before, _, size in self.states)]
        out = [value(logits, classes), *(value(after, size) for _, after, size in self.states)]
        graph = helper.make_graph(self.nodes, "frame", into, out, self.weights)
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(made)
        return made
