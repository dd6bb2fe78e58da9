"""Linear layers of an ONNX graph, and the functions behind them."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from ernn.nn.elements import Stream
from ernn.nn.functions import FUNCTIONS, Function, hard_sigmoid
from ernn.nn.onnx_graph import READ, Linear, attributes_of, name_of, refuse
from ernn.nn.onnx_recurrent import Recurrent

if TYPE_CHECKING:  # imported where it is used: it may not be there, and --help need not wait for it
    from onnx import NodeProto


class Head(Recurrent):
    """Values, recurrent layers, and the linear ones behind them."""

    def _product(self, node: "NodeProto", weight: np.ndarray) -> Stream:
        """A linear layer of a matrix (inputs, outputs); its outputs are numbered anew."""
        stream = self.stream(node)
        self.check_next("linear", node, stream)
        if weight.ndim != 2 or weight.shape[0] != stream.shape[-1] or not weight.size:
            refuse(
                node, f"the matrix: expected shape ({stream.shape[-1]}, outputs), got {weight.shape}; mend the graph"
            )
        outputs = weight.shape[1]
        self.linears.append(Linear(node, weight, np.zeros(outputs)))
        self.row.functions.append(Function())
        return stream.through(outputs, self.row.made, name_of(node))

    def _biased(self, node: "NodeProto", linear: Linear, stream: Stream, bias: np.ndarray) -> Stream:
        """The stream of a linear layer with more of a bias."""
        self.check_next("linear", node, stream)
        outputs = stream.shape[-1]
        if (
            bias.ndim > stream.numbers.ndim
            or bias.shape[-1:] not in ((), (1,), (outputs,))
            or prod(bias.shape[:-1]) != 1
        ):
            refuse(node, f"the bias: expected shape ({outputs},), got {bias.shape}; mend the graph")
        linear.bias = linear.bias + bias.astype(np.float64).reshape(-1)
        return stream

    def matmul(self, node: "NodeProto") -> Stream:
        self.stream(node)
        return self._product(node, self.constant(node, 1, "the matrix", None))

    def gemm(self, node: "NodeProto") -> Stream:
        attributes = attributes_of(node)
        if attributes.get("transA"):
            refuse(node, "transA=1: must be 0; transpose the weights alone")
        if self.stream(node).numbers.ndim != 2:
            refuse(node, f"A: expected two axes, got shape {self.stream(node).numbers.shape}; mend the graph")
        weight = self.constant(node, 1, "the matrix", None)
        stream = self._product(node, (weight.T if attributes.get("transB") else weight) * attributes.get("alpha", 1.0))
        if self.value(node, 2) is None:
            return stream
        bias = self.constant(node, 2, "C", None) * attributes.get("beta", 1.0)
        return self._biased(node, self.linears[-1], stream, bias)

    def add(self, node: "NodeProto") -> Stream:
        streams = [place for place in (0, 1) if isinstance(self.value(node, place), Stream)]
        stream = self.value(node, streams[0])
        if len(streams) > 1 or not isinstance(stream, Stream) or not self.row.open:
            refuse(node, f"may add a bias to a linear layer, and nothing else; {READ}")
        return self._biased(node, self.linears[-1], stream, self.constant(node, 1 - streams[0], "the bias", None))

    def function(self, node: "NodeProto") -> Stream:
        """A function of every element of a linear layer."""
        stream = self.stream(node)
        self.check_next("function", node, stream)
        self.row.functions[-1] = self._function(node)
        return stream.of(self.row.made)

    def _function(self, node: "NodeProto") -> Function:
        attributes = attributes_of(node)
        if node.op_type == "HardSigmoid":
            slope, offset = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
            if not slope > 0:
                refuse(node, f"alpha={slope:g}: must be above 0; a hard sigmoid rises")
            return hard_sigmoid(slope, offset)
        if node.op_type == "Clip":
            low, high = (self._bound(node, attributes, *named) for named in ((1, "min"), (2, "max")))
            if low is not None and high is not None and low >= high:
                refuse(node, f"min={low:g} must be below max={high:g}; mend the graph")
            return Function("clip", low, high)
        return FUNCTIONS[node.op_type.lower()]

    def _bound(self, node: "NodeProto", attributes: dict[str, Any], place: int, name: str) -> float | None:
        """A bound of Clip: an input, or an attribute before opset 11; None where there is none."""
        if self.opset < 11:
            found = float(attributes.get(name, np.inf))
        elif self.value(node, place) is None:
            return None
        else:
            found = float(self.constant(node, place, name, ()))
        return found if abs(found) < np.finfo(np.float32).max else None
