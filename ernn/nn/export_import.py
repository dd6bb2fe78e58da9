"""A module that `torch.export` wrote down as a network of ours: recurrent operators in a row, linear layers behind.

As with ONNX (`ernn.nn.onnx_import`), the graph runs with the numbers of elements in place of their values; what else is
computed on the way is refused, by the node's name and its operator.
"""

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.fx import Node

from ernn.errors import UserError
from ernn.nn import initial_states
from ernn.nn.elements import OPEN_SIZES, Kind, Row, Stream, numbered, transposed
from ernn.nn.functions import FUNCTIONS, Function
from ernn.nn.torch_import import from_weights

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from ernn.nn.recurrent import RecurrentModel

_RECURRENT = {"lstm.input": None, "gru.input": None, "rnn_tanh.input": "tanh", "rnn_relu.input": "relu"}
_FUNCTIONS = {"relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "hardsigmoid": "hardsigmoid", "relu6": "relu6"}
_APPLIED = {*_FUNCTIONS, "hardtanh"}
_MOVES = {
    "alias", "clone", "contiguous", "detach", "detach_", "expand", "flatten", "lift_fresh_copy", "permute", "reshape",
    "select", "slice", "squeeze", "t", "transpose", "unsqueeze", "view", "_unsafe_view", "numpy_T", "to", "unflatten",
}  # fmt: skip
_PICKS = {"select", "slice"}
_FILLED = {"zeros", "ones", "full"}
_CONSTANTS = {"sym_size", "add", "sub", "mul", "repeat", *_FILLED}  # of sizes, weights and initial states
_READ = (
    "read are LSTM, GRU or RNN in a row, then linear layers with relu, sigmoid, tanh and their hard forms behind each, "
    "and reshapes and transposes between them; export a module of these alone, before run_decompositions"
)


def from_exported(program: "ExportedProgram") -> "RecurrentModel":
    """The network of an exported module.

    Raises:
        UserError: the graph computes something else than such a network does; the node is named.
    """
    reader, other = (_Reader(program, least) for least in OPEN_SIZES)
    last = reader.run()
    last &= other.run()
    model = from_weights(
        reader.weights,
        prefix=[f"recurrent{number}." for number in range(reader.row.recurrent)],
        output_prefix=[f"output{number}." for number in range(len(reader.row.functions))],
        functions=reader.row.functions,
        nonlinearity=reader.nonlinearity,
        last=last,
    )
    for (node, first, layers, given), (*_, again) in zip(reader.states, other.states, strict=True):
        where = f"{node.name} ({_operator(node)}): initial"
        found, same = (initial_states.states(model, first, layers, each, where) for each in (given, again))
        if not initial_states.equal(found, same):
            _refuse(node, "initial states follow from how many steps or sequences there are, must be constants")
        initial_states.begin(model, first, found)
    return model


class _Reader:
    """A run of a graph, node by node.

    Args:
        least: of the sizes that stand for those that the graph leaves open.
    """

    def __init__(self, program: "ExportedProgram", least: int) -> None:
        self.program, self.least = program, least
        self.values: dict[Node, Any] = {}
        self.weights: dict[str, Tensor] = {}
        self.row = Row()
        self.nonlinearity: str | None = None
        self.states: list[tuple[Node, int, int, Any]] = []  # a node, its first layer, its layers, its initial states
        self._depth = 0
        self._kind, self._open = "", dict[str, int]()

    def run(self) -> bool:
        """Follow the graph; whether its output is that of the last step alone."""
        signature = self.program.graph_signature
        states = {**self.program.state_dict, **self.program.constants}
        given = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        given |= signature.inputs_to_lifted_tensor_constants
        _check_writes(self.program.graph_module)
        needed = _needed(self.program.graph.nodes)
        for node in self.program.graph.nodes:
            if node not in needed:
                continue
            if node.op == "placeholder":
                self.values[node] = states[given[node.name]] if node.name in given else self._input(node)
            elif node.op == "call_function":
                self.values[node] = self._call(node)
            elif node.op == "output":
                return self._output(node)
            else:
                _refuse(node, f"not read; {_READ}")
        raise AssertionError("a graph ends with its output")

    def _input(self, node: Node) -> Stream:
        value = node.meta.get("val")
        if not isinstance(value, Tensor):
            _refuse(node, f"an input that is no tensor; {_READ}")
        shape = []
        for size in value.shape:
            if not isinstance(size, int):
                size = self._open.setdefault(str(size), self.least + len(self._open))
            shape.append(int(size))
        return Stream(numbered(tuple(shape), f"input {node.name}"), tuple(shape))

    def _call(self, node: Node) -> Any:
        if node.target is operator.getitem:
            found, place = self._given(node.args[0]), node.args[1]
            if place == len(found) and isinstance(found[0], Stream):
                _refuse(node, "cell states are no results here; return the outputs, or the last state")
            return found[place]
        name = _operator(node)
        if name in _RECURRENT:
            return self._layer(node)
        short = name.partition(".")[0]
        short = short.removesuffix("_") if short.removesuffix("_") in _APPLIED else short  # in place
        if short == "linear":
            return self._linear(node)
        if short in _APPLIED:
            return self._function(node, short)
        if short == "dropout":
            if node.args[2]:
                _refuse(node, "dropout is active, but an imported network has none; export it after .eval()")
            return self._given(node.args[0])
        arguments = [self._given(each) for each in node.args]
        if short in _MOVES and arguments and isinstance(arguments[0], Stream):
            return self._moved(node, arguments, short in _PICKS)
        fixed = not any(isinstance(each, Stream) for each in arguments)
        if short == "sym_size" or (short in {*_CONSTANTS, *_MOVES} and fixed):
            return self._constant(node, short, arguments)
        if node.target in (operator.add, operator.sub, operator.mul, operator.floordiv):
            return node.target(*arguments)
        _refuse(node, f"not read; {_READ}")

    def _constant(self, node: Node, short: str, arguments: list[Any]) -> Any:
        if short == "sym_size":
            return self._stream(node).numbers.shape[arguments[1]]
        assert callable(node.target)
        return node.target(*arguments, **({"dtype": torch.float32} if short in _FILLED else {}))

    def _given(self, value: Any) -> Any:
        """What is known of an argument."""
        if isinstance(value, Node):
            return self.values[value]
        if isinstance(value, list | tuple):
            return [self._given(each) for each in value]
        return value

    def _stream(self, node: Node) -> Stream:
        """The first argument, which has to be the stream, behind all layers until now."""
        found = self._given(node.args[0])
        if not isinstance(found, Stream):
            _refuse(node, f"its first input must follow from the module's input; {_READ}")
        return found

    def _moved(self, node: Node, arguments: list[Any], picks: bool) -> Stream:
        stream = arguments[0]
        before, after = (each.meta["val"].dtype for each in (node.all_input_nodes[0], node))
        if before != after:
            _refuse(node, f"rounds values to {after}, and an imported network computes in float32; leave it out")
        assert callable(node.target)
        moved = node.target(torch.from_numpy(stream.numbers), *arguments[1:])
        return Stream(moved.numpy(), stream.shape, stream.layer, stream.picked or picks)

    def _check_next(self, kind: Kind, node: Node, stream: Stream) -> None:
        if why := self.row.refused(kind, stream, str(node.args[0])):
            _refuse(node, f"{why}; {_READ}")

    def _layer(self, node: Node) -> list[Stream]:
        """A recurrent module of some layers; outputs of every step, and the last layer's of the last step."""
        stream, states, weights, biased, layers, dropout, training, both, batch_first = map(self._given, node.args)
        name = _operator(node)
        if not isinstance(stream, Stream) or len(node.args) != 9:
            _refuse(node, f"its first input must follow from the module's input; {_READ}")
        self._check_next("recurrent", node, stream)
        if both:
            _refuse(node, "bidirectional: layers here run forward in time only; train with bidirectional=False")
        if dropout and training:
            _refuse(node, "dropout is active, but an imported network has none; export it after .eval()")
        begins = states if isinstance(states, list) else [states]
        if not all(isinstance(each, Tensor) for each in begins):
            _refuse(node, "initial states must be constants of the module, and these follow from its input")
        self.states.append((node, self._depth, int(layers), begins if name == "lstm.input" else states))
        self._depth += int(layers)
        if self.row.recurrent and name != self._kind:
            _refuse(node, f"another kind than {self._kind} before it; make all of one kind")
        self._kind, self.nonlinearity = name, _RECURRENT[name]
        self._take(node, weights, bool(biased), int(layers))
        x = stream.numbers[:, None] if stream.numbers.ndim == 2 else stream.numbers
        x = x.swapaxes(0, 1) if batch_first and stream.numbers.ndim == 3 else x
        start = numbered(stream.shape, node.name)
        if not (transposed(x, start) if not stream.layer else np.array_equal(x, start)):
            _refuse(node, "its input holds other elements, or in another order, than a step and a sequence at a time; "
                    "reshape outside of the module")  # fmt: skip
        shape = (*x.shape[:2], self._outputs)
        y = numbered(shape, node.name)
        last = np.full((int(layers), *shape[1:]), -1, np.int32)
        last[-1] = y[-1]
        if stream.numbers.ndim == 2:
            y, last = y[:, 0], last[:, 0]
        elif batch_first:
            y = y.swapaxes(0, 1)
        return [Stream(y, shape, self.row.made), Stream(last, shape, self.row.made, picked=True)]

    def _take(self, node: Node, weights: Sequence[Any], biased: bool, layers: int) -> None:
        """Enter the weights of a recurrent module by the names that torch gives them."""
        names, each = ["weight_ih", "weight_hh"], len(weights) // layers
        names += ["bias_ih", "bias_hh"] * biased
        names += ["weight_hr"] * (each > len(names))
        for number, weight in enumerate(weights):
            if not isinstance(weight, Tensor):
                _refuse(node, "its weights must be parameters of the module; export it with them")
            layer, place = divmod(number, each)
            self.weights[f"recurrent{self.row.recurrent}.{names[place]}_l{layer}"] = weight
        self._outputs = (weights[-1] if "weight_hr" in names else weights[1]).shape[0 if "weight_hr" in names else 1]
        self.row.recurrent += 1

    def _linear(self, node: Node) -> Stream:
        """A linear layer; its outputs are numbered anew."""
        stream = self._stream(node)
        weight, bias, *_ = [self._given(each) for each in node.args[1:]] + [None]
        self._check_next("linear", node, stream)
        if not isinstance(weight, Tensor) or not isinstance(bias, Tensor | None):
            _refuse(node, "its weights must be parameters of the module; export it with them")
        prefix = f"output{len(self.row.functions)}."
        self.weights |= {f"{prefix}weight": weight} | ({} if bias is None else {f"{prefix}bias": bias})
        self.row.functions.append(Function())
        return stream.through(len(weight), self.row.made, node.name)

    def _function(self, node: Node, short: str) -> Stream:
        """A function of every element of a linear layer."""
        stream = self._stream(node)
        self._check_next("function", node, stream)
        self.row.functions[-1] = _hardtanh(node) if short == "hardtanh" else FUNCTIONS[_FUNCTIONS[short]]
        return stream.of(self.row.made)

    def _output(self, node: Node) -> bool:
        """Whether all outputs are those of the last step."""
        outputs, found = node.args[0], []
        if not isinstance(outputs, list | tuple):  # an exported graph gives a tuple, of one output, too
            _refuse(node, f"gives no tuple of outputs; {_READ}")
        for output in outputs:
            stream = self._given(output)
            if not isinstance(stream, Stream) or not self.row.recurrent or stream.layer != self.row.made:
                raise UserError(f"output {output}: not that of the last layer, recurrent or linear; {_READ}")
            found.append(stream.is_last(f"output {output}"))
        return all(found)


def _hardtanh(node: Node) -> Function:
    """The values between two bounds, which are those of torch where the call leaves them out."""
    bounds = [-1.0, 1.0]
    for place, given in enumerate(node.args[1:]):
        if not isinstance(given, int | float):
            _refuse(node, f"its bounds must be numbers, got {given}; {_READ}")
        bounds[place] = float(given)
    return Function("clip", *bounds)


def _check_writes(graph: torch.fx.GraphModule) -> None:
    """Refuse operators that write into a tensor, since whatever shares its memory changes with it.

    No user of theirs says so: `h[0] = 0.5` fills a view of h, and nobody reads the view.
    """
    parts = (part for part in graph.modules() if isinstance(part, torch.fx.GraphModule))
    for node in (node for part in parts for node in part.graph.nodes):
        writes = isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable
        if writes and _operator(node) != "detach_.default" and not _is_function_of_own(node):  # whose numbers stay
            _refuse(node, "writes into a tensor in place, which is not read; compute a new tensor")


def _is_function_of_own(node: Node) -> bool:
    """Whether it is a function in place, behind a linear layer whose outputs nothing else reads."""
    if _operator(node).partition(".")[0].removesuffix("_") not in _APPLIED:
        return False
    source = node.args[0]
    while isinstance(source, Node) and len(source.users) == 1:
        if _operator(source).partition(".")[0] == "linear":
            return bool(node.users)
        source = source.args[0] if source.args else None
    return False


def _needed(nodes: Any) -> set[Node]:
    """The nodes that the output follows from: the others are not computed."""
    needed = set[Node]()
    for node in reversed(nodes):
        if node.op == "output" or node in needed:
            needed |= {node, *node.all_input_nodes}
    return needed


def _operator(node: Node) -> str:
    """Its name, without the library's: lstm.input."""
    return str(node.target).removeprefix("aten.")


def _refuse(node: Node, why: str) -> NoReturn:
    raise UserError(f"{node.name} ({_operator(node)}): {why}")
