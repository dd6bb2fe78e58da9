"""Linear layers of ONNX graphs, the functions behind them, and the last step: equal to ONNX Runtime and to torch."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from ernn.nn.onnx_import import from_graph
from ernn.nn.torch_import import from_modules
from tests.nn.onnx_checks import inputs, refused, run, same_as_onnxruntime
from tests.nn.onnx_graphs import BATCH, CELLS, INPUTS, OUTPUTS, STEPS, Graph, Network, exported
from tests.nn.torch_networks import same


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("shape", [None, (), (1,), (OUTPUTS,), (1, 1), (1, OUTPUTS)])
def test_every_form_of_gemm_is_that_of_onnxruntime(shape, beta):
    graph = Graph()
    y = graph.node("Reshape", graph.recurrent("LSTM", graph.input("x", "t", 1, INPUTS)), graph.constant([-1, CELLS]))
    biases = [] if shape is None else [graph.weight(*shape)]
    y = graph.node("Gemm", y, graph.weight(OUTPUTS, CELLS), *biases, transB=1, alpha=0.5, beta=beta)
    y = graph.node("Add", graph.weight(1, OUTPUTS), y)
    same_as_onnxruntime(graph.model(y), inputs(batch=1))


FUNCTIONS = {
    "Relu": {}, "Sigmoid": {}, "Tanh": {}, "HardSigmoid": {}, "HardSigmoid, others": {"alpha": 0.7, "beta": 0.1},
    "Clip": {}, "Clip, others": {"bounds": (-0.3, 0.8)}, "Clip, below": {"bounds": (None, 0.4)},
}  # fmt: skip


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_linear_layers_is_that_of_onnxruntime(name, behind):
    graph, (operator, *_) = Graph(), name.split(",")
    attributes = dict(FUNCTIONS[name])
    bounds = [
        "" if each is None else graph.constant(np.float32(each)) for each in attributes.pop("bounds", (-1.0, None))
    ]
    y = graph.linear(squeezed(graph, "t", "b"), CELLS, 5)
    y = graph.node(operator, y, *(bounds if operator == "Clip" else []), **attributes)
    same_as_onnxruntime(graph.model(y if behind else graph.linear(y, 5)), inputs())


def test_bounds_of_old_opsets_are_attributes():
    graph = Graph(opset=10)
    y = graph.node("Squeeze", graph.recurrent("GRU", graph.input("x", STEPS, BATCH, INPUTS)), axes=[1])
    model = graph.model(graph.node("Clip", graph.linear(y), min=-0.1, max=0.6))
    expected = ReferenceEvaluator(model).run(None, {"x": inputs()})[0]
    assert np.abs(run(from_graph(model), inputs()) - expected).max() < 1e-5


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("head", [
    nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4), nn.Hardtanh(), nn.Linear(4, 3)),
    nn.Sequential(nn.Linear(8, 6), nn.ReLU6()),
    nn.Sequential(nn.Linear(8, 6), nn.Hardsigmoid(), nn.Linear(6, 3), nn.Sigmoid()),
])  # fmt: skip
def test_heads_that_torch_exports(head, dynamic):
    recurrent = nn.GRU(5, 8)
    graph = onnx.load_model_from_string(exported(Network(recurrent, head), torch.randn(3, 7, 5), dynamic))
    assert same(from_graph(graph), from_modules(recurrent, head))
    functions = [list(map(str, each.specs)) for each in (from_graph(graph), from_modules(recurrent, head))]
    assert functions[0] == functions[1]


def squeezed(graph: Graph, steps: int | str = STEPS, batch: int | str = BATCH) -> str:
    return graph.node(
        "Squeeze", graph.recurrent("GRU", graph.input("x", steps, batch, INPUTS), outputs=2), graph.constant([1])
    )


def gathered(graph: Graph, steps: int | str) -> str:
    return graph.node("Gather", squeezed(graph, steps), graph.constant(-1))


def sliced(graph: Graph, steps: int | str) -> str:
    ends = (graph.constant([each]) for each in (-1, 2**31 - 1, 0))
    return graph.node("Slice", graph.linear(squeezed(graph, steps)), *ends)


def counted(graph: Graph, steps: int | str) -> str:
    y = squeezed(graph, steps)
    length = graph.node("Gather", graph.node("Shape", y), graph.constant(0))
    return graph.linear(graph.node("Gather", y, graph.node("Sub", length, graph.constant(1))))


def the_state(graph: Graph, steps: int | str) -> str:
    squeezed(graph, steps)
    return graph.node("Relu", graph.linear(graph.node("Squeeze", graph.nodes[0].output[1], graph.constant([0]))))


def numbered(graph: Graph, steps: int | str) -> str:
    return graph.node("Gather", squeezed(graph, steps), graph.constant(STEPS - 1))


@pytest.mark.parametrize("steps", [STEPS, "t", 1])
@pytest.mark.parametrize("build", [gathered, sliced, counted, the_state])
def test_the_last_step_in_every_form(build, steps):
    graph = Graph()
    model, x = graph.model(build(graph, steps)), inputs(STEPS if steps == "t" else steps)
    network = from_graph(model)
    assert network.last
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": x})
    assert np.abs(run(network, x)[-1] - expected.reshape(BATCH, -1)).max() < 1e-5


def test_a_step_by_its_number_is_the_last_one_of_fixed_steps_alone():
    graph = Graph()
    assert from_graph(graph.model(numbered(graph, STEPS))).last
    graph = Graph()
    model = graph.model(graph.node("Gather", squeezed(graph, "t"), graph.constant(10)))  # 11 steps stand for open ones
    assert "of every step or of the last one; export" in refused(model)
