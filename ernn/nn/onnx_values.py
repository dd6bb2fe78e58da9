"""Values of an ONNX graph that runs with the numbers of elements in place of their values."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from ernn.nn.elements import Stream, numbered
from ernn.nn.onnx_graph import READ, Constant, array_of, line_of, refuse

if TYPE_CHECKING:  # imported where it is used: it may not be there, and --help need not wait for it
    from onnx import GraphProto, NodeProto

PICKS = ("Gather", "Slice")  # of a stream they may take the last step alone


class Values:
    """What is known of a graph's values, and the nodes that move them.

    Args:
        graph: to run.
        opset: of its operators.
        least: of the sizes that stand for those that the graph leaves open.
    """

    def __init__(self, graph: "GraphProto", opset: int, least: int) -> None:
        self.graph, self.opset, self._least = graph, opset, least
        self.open: set[int] = set()  # sizes that stand for any
        self.values: dict[str, Constant | Stream] = {}
        self.makers = {name: node for node in graph.node for name in node.output if name}
        self.initializers = {each.name: each for each in graph.initializer}

    def needed(self, *outputs: str) -> set[str]:
        """The values that the outputs follow from: the others are not computed."""
        needed, left = {*outputs}, [*outputs]
        while left:
            node = self.makers.get(left.pop())
            new = {name for name in (node.input if node else ()) if name} - needed
            needed |= new
            left.extend(new)
        return needed

    def open_inputs(self, needed: set[str]) -> None:
        """Number the elements of the graph's inputs; sizes that the graph leaves open become some that it has not."""
        inputs = [each for each in self.graph.input if each.name in needed and each.name not in self.initializers]
        shapes = {each.name: each.type.tensor_type.shape.dim for each in inputs}
        fixed = {dim.dim_value for dims in shapes.values() for dim in dims}
        free: Iterator[int] = (size for size in count(self._least) if size not in fixed)
        for name, dims in shapes.items():
            shape = tuple(dim.dim_value if dim.dim_value > 0 else next(free) for dim in dims)
            self.open |= {size for size, dim in zip(shape, dims, strict=True) if dim.dim_value <= 0}
            self.values[name] = Stream(numbered(shape, f"input {name}"), shape)

    def value(self, node: "NodeProto", place: int) -> "Constant | Stream | None":
        """An input of a node; None if it has no such one."""
        name = node.input[place] if place < len(node.input) else ""
        if not name:
            return None
        if name not in self.values and name in self.initializers:
            self.values[name] = Constant(array_of(self.initializers[name]))
        if name not in self.values:
            refuse(node, f"input {name} is a value of a kind that is not read; {READ}")
        return self.values[name]

    def evaluated(self, node: "NodeProto", arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
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

    def compute(self, node: "NodeProto") -> None:
        """Constants of constants, and of the shape of the stream."""
        given = {name: self.value(node, place) for place, name in enumerate(node.input) if name}
        arrays = {n: v.numbers if isinstance(v, Stream) else v.array for n, v in given.items() if v is not None}
        sized = any(isinstance(value, Stream) or (value is not None and value.sized) for value in given.values())
        names = [name for name in node.output if name]
        found = self.evaluated(node, arrays)
        self.values |= {name: Constant(array, sized) for name, array in zip(names, found, strict=True)}

    def moved(self, node: "NodeProto") -> Stream:
        """The stream in another form."""
        stream = self.stream(node)
        arrays = {node.input[0]: stream.numbers}
        for place, name in enumerate(node.input[1:], 1):
            value = self.value(node, place)
            if isinstance(value, Stream):
                refuse(node, f"input {name} is computed from values, must be fixed or follow from shapes; {READ}")
            if value is not None:
                arrays[name] = value.array
        moved = stream.like(self.evaluated(node, arrays)[0])
        return replace(moved, picked=True) if node.op_type in PICKS else moved

    def dropout(self, node: "NodeProto") -> Stream:
        training = self.value(node, 2)
        if training is not None and not (isinstance(training, Constant) and not training.array.any()):
            refuse(node, "training_mode is on, but an imported network has no dropout; export it after .eval()")
        return self.stream(node)

    def stream(self, node: "NodeProto") -> Stream:
        """The first input, which has to be the stream."""
        stream = self.value(node, 0)
        if not isinstance(stream, Stream):
            refuse(node, f"its first input must follow from the graph's input, and not be fixed; {READ}")
        return stream

    def constant(self, node: "NodeProto", place: int, name: str, shape: tuple[int, ...] | None) -> np.ndarray:
        """Weights of a node, of a shape; those that are left out are zeros."""
        value = self.value(node, place)
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
