"""Recurrent operators of an ONNX graph: LSTM, GRU and RNN nodes in a row."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ernn.nn.elements import Kind, Row, Stream, numbered, transposed
from ernn.nn.onnx_graph import (
    OPERATORS,
    READ,
    Constant,
    Layer,
    Linear,
    Operator,
    attributes_of,
    check_attributes,
    name_of,
    refuse,
)
from ernn.nn.onnx_values import Values

if TYPE_CHECKING:  # imported where it is used: it may not be there, and --help need not wait for it
    from onnx import GraphProto, NodeProto


class Recurrent(Values):
    """Values, and the recurrent layers that were found."""

    def __init__(self, graph: "GraphProto", opset: int, least: int) -> None:
        super().__init__(graph, opset, least)
        self.layers: list[Layer] = []
        self.linears: list[Linear] = []  # behind them
        self.row = Row()

    def recurrent(self, node: "NodeProto") -> Stream:
        """A layer; its outputs are numbered anew. Y_h, if it has a name, is Y of the last step."""
        operator, stream, attributes = OPERATORS[node.op_type], self.stream(node), attributes_of(node)
        self.check_next("recurrent", node, stream)
        check_attributes(node, attributes, operator)
        layer = self._layer(node, operator, attributes)
        inputs, batch_first = layer.weight_ih.shape[1], attributes.get("layout", 0) == 1
        if stream.numbers.ndim != 3 or stream.numbers.shape[2] != inputs:
            refuse(node, f"X: expected (steps, sequences, {inputs}), the last one fixed, got {stream.numbers.shape}; "
                    "export it with the number of inputs fixed")  # fmt: skip
        x = stream.numbers.swapaxes(0, 1) if batch_first else stream.numbers
        steps, batch = x.shape[:2]
        start = numbered(stream.shape, name_of(node))
        if not (transposed(x, start) if not stream.layer else np.array_equal(x, start)):
            refuse(node, "X holds other elements, or in another order, than a step and a sequence at a time; "
                    "reshape outside of the graph")  # fmt: skip
        self._check_lengths(node, operator, steps)
        self._check_alike(layer)
        self.layers.append(replace(layer, initial=self._initial(node, operator, (1, batch, layer.cells), batch_first)))
        self.row.recurrent += 1
        shape = (steps, batch, layer.cells)
        y = numbered(shape, name_of(node))[:, None]
        last = y[-1].swapaxes(0, 1) if batch_first else y[-1]
        if len(node.output) > 1 and node.output[1]:
            self.values[node.output[1]] = Stream(last, shape, self.row.made, picked=True)
        return Stream(y.transpose(2, 0, 1, 3) if batch_first else y, shape, self.row.made)

    def check_next(self, kind: Kind, node: "NodeProto", stream: Stream) -> None:
        """Refuse a node that cannot come next in the row."""
        if why := self.row.refused(kind, stream, node.input[0]):
            refuse(node, f"{why}; {READ}")

    def _layer(self, node: "NodeProto", operator: Operator, attributes: dict[str, Any]) -> Layer:
        """The weights of a node."""
        weights = {name: self.constant(node, place, name, None) for place, name in ((1, "W"), (2, "R"))}
        for name, array in weights.items():
            if array.ndim != 3 or not array.size:
                refuse(node, f"{name}: expected three axes, got shape {array.shape}; mend the graph")
        gates, inputs, cells = len(operator.gates), weights["W"].shape[2], weights["R"].shape[2]
        if attributes.get("hidden_size", cells) != cells:
            refuse(node, f"hidden_size={attributes['hidden_size']}, but R has {cells} columns; mend the graph")
        w = self.constant(node, 1, "W", (1, gates * cells, inputs))[0]
        r = self.constant(node, 2, "R", (1, gates * cells, cells))[0]
        b = self.constant(node, 3, "B", (1, 2 * gates * cells))[0]
        order = (np.array(operator.gates)[:, None] * cells + np.arange(cells)).ravel()
        bias_ih, bias_hh = (half[order] for half in np.split(b, 2))
        peephole = None
        if "P" in operator.inputs and self.value(node, operator.inputs.index("P")) is not None:
            p = self.constant(node, operator.inputs.index("P"), "P", (1, 3 * cells))
            peephole = p.reshape(3, cells)[[0, 2, 1]]  # of i, o, f
        reset = "after" if attributes.get("linear_before_reset") else "before"
        return Layer(node, cells, reset, w[order], r[order], bias_ih, bias_hh, peephole)

    def _check_lengths(self, node: "NodeProto", operator: Operator, steps: int) -> None:
        """Refuse sequences that end early."""
        place = operator.inputs.index("sequence_lens")
        value = self.value(node, place)
        if value is None:
            return
        known = isinstance(value, Constant) and (value.sized or steps not in self.open)
        if not (known and isinstance(value, Constant) and (value.array == steps).all()):
            cure = "must be all steps of every sequence; leave it out, and cut sequences yourself"
            refuse(node, f"sequence_lens ({node.input[place]}): {cure}")

    def _initial(
        self, node: "NodeProto", operator: Operator, shape: tuple[int, int, int], batch_first: bool
    ) -> tuple[np.ndarray, ...] | None:
        """The states before the first step; None: the node has none, so zeros."""
        found, given = [], False
        wanted = (shape[1], shape[0], shape[2]) if batch_first else shape
        for place, name in enumerate(operator.inputs):
            if not name.startswith("initial_"):
                continue
            value = self.value(node, place)
            if isinstance(value, Stream):
                refuse(node, f"{name} ({node.input[place]}): must be constants of the graph; fix them, or leave it out")
            if value is None:
                found.append(np.zeros(shape, np.float32))
                continue
            given, array = True, value.array
            sizes = [size if size not in self.open else "any" for size in wanted]
            if array.ndim != 3 or any(size not in ("any", has) for size, has in zip(sizes, array.shape, strict=True)):
                said = ", ".join(map(str, sizes))
                refuse(node, f"{name}: expected shape ({said}), got {array.shape}; give the states of this network")
            found.append(array.swapaxes(0, 1) if batch_first else array)
        return tuple(found) if given else None

    def _check_alike(self, layer: Layer) -> None:
        """Refuse a layer that is not as the first one."""
        first = self.layers[0] if self.layers else layer
        kinds = [(each.node.op_type, int(each.reset == "after")) for each in (first, layer)]
        for name, one, other in zip(("operator", "linear_before_reset"), *kinds, strict=True):
            if one != other:
                refuse(layer.node, f"{name} is {other}, must be {one} as that of {name_of(first.node)}; "
                        "make all layers of one kind")  # fmt: skip
