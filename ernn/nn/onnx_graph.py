"""Nodes of an ONNX graph: what recurrent operators have, and how messages name them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ernn.errors import UserError
from ernn.nn import assembly

if TYPE_CHECKING:  # imported where they are used: neither may be there, and --help need not wait for them
    from onnx import NodeProto, TensorProto
    from torch import Tensor

DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Operator:
    """What a recurrent operator has; one that is to be taken too is entered in `OPERATORS`.

    Args:
        inputs: their names, in order.
        gates: the place, among its gates, of each of torch's.
        activations: that are computed if nothing is said.
    """

    inputs: tuple[str, ...]
    gates: tuple[int, ...]
    activations: tuple[str, ...]


_SHARED = ("X", "W", "R", "B", "sequence_lens", "initial_h")
OPERATORS = {
    "LSTM": Operator((*_SHARED, "initial_c", "P"), (0, 2, 3, 1), ("sigmoid", "tanh", "tanh")),
    "GRU": Operator(_SHARED, (1, 0, 2), ("sigmoid", "tanh")),
    "RNN": Operator(_SHARED, (0,), ("tanh",)),
}
READ = (
    "read are LSTM, GRU or RNN nodes in a row, then linear layers (Gemm, or MatMul and Add) with Relu, Sigmoid, Tanh, "
    "HardSigmoid or Clip behind each, and reshapes and transposes between them; export a module of these alone"
)


@dataclass(frozen=True)
class Constant:
    """A value that is known; `sized` if it follows from how many steps or sequences there are."""

    array: np.ndarray
    sized: bool = False


@dataclass(frozen=True)
class Layer:
    """Weights and initial states of a node, rows in torch's order of gates, and those of peepholes in ours."""

    node: "NodeProto"
    cells: int
    reset: str
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias_ih: np.ndarray
    bias_hh: np.ndarray
    peephole: np.ndarray | None
    initial: tuple[np.ndarray, ...] | None = None  # (1, sequences, cells): h and, of an LSTM, c; None: zeros


@dataclass
class Linear:
    """Weights of a linear layer, the matrix as (inputs, outputs)."""

    node: "NodeProto"
    weight: np.ndarray
    bias: np.ndarray


def check_attributes(node: "NodeProto", attributes: dict[str, Any], operator: Operator) -> None:
    """Refuse what the equations of a cell do not have."""
    if attributes.get("layout", 0) not in (0, 1):
        refuse(node, f"layout={attributes['layout']}: must be 0 or 1; mend the graph")
    plain = {"direction": "forward", "input_forget": 0}
    for name, value in attributes.items():
        if name in ("hidden_size", "layout", "linear_before_reset") or value in (plain.get(name), []):
            continue
        if name == "activations" and tuple(each.lower() for each in value) == operator.activations:
            continue
        given = ", ".join(map(str, value)) if isinstance(value, list) else value
        must = f"must be {plain[name]}" if name in plain else "must be as if it were left out"
        refuse(node, f"{name}={given}: {must}; cells here have no other equations")


def attributes_of(node: "NodeProto") -> dict[str, Any]:
    """By name, texts decoded."""
    from onnx import helper

    def plain(value: Any) -> Any:
        return value.decode(errors="replace") if isinstance(value, bytes) else value

    found = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {name: [*map(plain, v)] if isinstance(v, list | tuple) else plain(v) for name, v in found.items()}


def array_of(tensor: "TensorProto") -> np.ndarray:
    """The numbers of a tensor in the file.

    Raises:
        UserError: they cannot be read.
    """
    from onnx import numpy_helper

    try:
        return numpy_helper.to_array(tensor)
    except Exception as error:  # onnx and NumPy have each their own
        raise UserError(f"weights {tensor.name}: cannot be read ({line_of(error)}); write the file again") from None


def line_of(error: Exception) -> str:
    """The first line of what an error says."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def tensor_of(node: "NodeProto", name: str, array: np.ndarray) -> "Tensor":
    """Weights for torch, refused where they are not finite."""
    import torch

    return assembly.finite(f"{name_of(node)}: {name}", torch.from_numpy(np.array(array)))


def name_of(node: "NodeProto") -> str:
    """A node as a message names it: its name, or that of its first output, and its operator."""
    return f"{node.name or next(filter(None, node.output), 'a node')} ({operator_of(node)})"


def operator_of(node: "NodeProto") -> str:
    """Its operator, with the domain if that is not ONNX's own."""
    return node.op_type if node.domain in DOMAINS else f"{node.domain}.{node.op_type}"


def refuse(node: "NodeProto", why: str) -> NoReturn:
    """Raise what a user reads of a node."""
    raise UserError(f"{name_of(node)}: {why}")
