"""Networks of ONNX graphs against ONNX's own node tests, its reference, ONNX Runtime and torch."""

import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import _NodeTestCases, gru, lstm, rnn  # importing the three makes their cases
from onnx.reference import ReferenceEvaluator
from torch import nn

import ernn
from ernn.errors import UserError
from ernn.nn.onnx_import import from_graph, read
from ernn.nn.torch_import import from_modules
from tests.nn.onnx_graphs import BATCH, CELLS, INPUTS, OUTPUTS, STEPS, Graph, Network, exported, plain
from tests.nn.torch_networks import PHONES, modules, same

RECURRENT = ("LSTM", "GRU", "RNN")
CASES = {
    case.name.removeprefix("test_"): case
    for case in _NodeTestCases
    if case.model.graph.node[0].op_type in {each.__name__.rpartition(".")[2].upper() for each in (gru, lstm, rnn)}
}
FORMS = ("gru", "lstm", "simple_rnn")
TAKEN = {f"{cell}_{case}" for cell in FORMS for case in ("defaults", "with_initial_bias", "batchwise")}
TAKEN |= {"gru_seq_length", "rnn_seq_length", "lstm_with_peepholes"}
REFUSED = {
    f"{cell}_{case}": f"direction={case}: must be forward; cells here have no other equations"
    for cell in FORMS
    for case in ("reverse", "bidirectional")
}


def test_every_node_test_is_taken_or_refused():
    assert len(CASES) == 18
    assert set(CASES) == TAKEN | set(REFUSED)


@pytest.mark.parametrize("name", CASES)
def test_node_tests_of_onnx(name):
    """Inputs but X become weights in the file."""
    case = CASES[name]
    ((given, expected),) = case.data_sets
    (node,) = (each for each in case.model.graph.node)
    arrays = dict(zip((each for each in node.input if each), given, strict=True))
    results = dict(zip((each for each in node.output if each), expected, strict=True))
    graph = Graph(opset=case.model.opset_import[0].version)
    for key, value in arrays.items():
        if key != "X":
            graph.constant(value, key)
    attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    graph.input("X", *arrays["X"].shape)
    graph.node(node.op_type, *node.input, outputs=[*node.output], **attributes)
    model = graph.model(*results)
    if name in REFUSED:
        assert refused(model) == f"node0 ({node.op_type}): {REFUSED[name]}"
        return
    batch_first = attributes.get("layout") == 1
    network = from_graph(model)
    assert network.last == ("Y" not in results)
    ours = run(network, arrays["X"].swapaxes(0, 1) if batch_first else arrays["X"])
    assert np.abs(ours[-1] - results["Y_h"].reshape(ours[-1].shape)).max() < 1e-5
    if "Y" in results:
        every = results["Y"][:, :, 0].swapaxes(0, 1) if batch_first else results["Y"][:, 0]
        assert np.abs(ours - every).max() < 1e-5


def run(model: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    """Outputs for (steps, sequences, inputs)."""
    with torch.no_grad():
        return model(torch.from_numpy(np.array(x))).numpy()


def refused(model: onnx.ModelProto) -> str:
    with pytest.raises(UserError) as error:
        from_graph(model)
    assert "\n" not in str(error.value)
    return str(error.value)


def same_as_onnxruntime(model: onnx.ModelProto, x: np.ndarray, batch_first: bool = False) -> None:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {model.graph.input[0].name: x.swapaxes(0, 1) if batch_first else x})
    ours = run(from_graph(model), x)
    expected = expected.reshape(expected.shape[0], -1, expected.shape[-1])
    assert np.abs(ours - (expected.swapaxes(0, 1) if batch_first else expected)).max() < 1e-5


def inputs(steps: int = STEPS, batch: int = BATCH, elements: int = INPUTS) -> np.ndarray:
    return np.random.default_rng(steps).normal(size=(steps, batch, elements)).astype(np.float32)


@pytest.mark.parametrize("operator", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("option", [None, 0, 1])
@given(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6), st.booleans(), st.integers(1, 5), st.integers(0, 99))
def test_every_form_of_the_operators_is_that_of_onnxruntime(
    operator, option, layers, elements, cells, bias, steps, seed
):
    name = {"LSTM": "peepholes", "GRU": "linear_before_reset"}.get(operator)
    options = {} if option is None or name is None else {name: option}
    graph = plain(operator, layers, "t", "b", elements, cells, seed, bias=bias, **options)
    same_as_onnxruntime(graph, inputs(steps, 2, elements))
    network = from_graph(graph).network
    assert (network.cell, network.layers, network.cells) == (operator.lower(), layers, cells)
    assert network.peepholes == bool(options.get("peepholes"))
    assert network.reset == ("after" if options.get("linear_before_reset") else "before")


@pytest.mark.parametrize("options", [{}, {"peepholes": True}, {"operator": "GRU"}], ids=str)
def test_layout_1_is_that_of_the_reference(options):
    operator = options.get("operator", "LSTM")
    graph = Graph()
    y = graph.recurrent(operator, graph.input("x", BATCH, STEPS, INPUTS), layout=1, peepholes="peepholes" in options)
    y = graph.node("Squeeze", y, graph.constant([2]))
    y = graph.node("Squeeze", graph.recurrent(operator, y, CELLS, layout=1), graph.constant([2]))
    model = graph.model(graph.linear(y))
    x = inputs()
    (expected,) = ReferenceEvaluator(model).run(None, {"x": x.swapaxes(0, 1)})
    assert np.abs(run(from_graph(model), x) - expected.swapaxes(0, 1)).max() < 1e-5


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_what_torch_exports(kind, batch_first, layers, dynamic, dimensions, tmp_path):
    recurrent, head = modules(kind, layers=layers, batch_first=batch_first)
    example = torch.randn(7, 5) if dimensions == 2 else torch.randn(3, 7, 5)
    (tmp_path / "file").write_bytes(exported(Network(recurrent, head), example, dynamic))
    model = ernn.from_onnx(tmp_path / "file")
    assert same(model.network, from_modules(recurrent, head))
    x = np.random.default_rng(1).normal(size=(2, 9, 5)).astype(np.float32)
    with torch.no_grad():
        expected = [head(recurrent(torch.from_numpy(each))[0]).numpy() for each in x]
    assert np.abs(model.predict(x) - expected).max() < 1e-5


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20])
def test_a_linear_layer_over_flat_steps_and_other_opsets(opset, dynamic):
    recurrent, head = modules(nn.GRU)
    file = exported(Network(recurrent, head, flat=True), torch.randn(3, 7, 5), dynamic, opset_version=opset)
    graph = onnx.load_model_from_string(file)
    assert "Gemm" in [node.op_type for node in graph.graph.node]
    assert same(from_graph(graph), from_modules(recurrent, head))


def test_dropout_that_is_not_active_and_axes_in_any_order():
    graph = Graph()
    y = graph.node("Transpose", graph.input("x", BATCH, INPUTS, "t"), perm=[2, 0, 1])
    y = graph.node("Dropout", graph.node("Identity", graph.recurrent("LSTM", y)), outputs=2)
    y = graph.linear(graph.node("Flatten", y, axis=3))
    y = graph.node("Reshape", y, graph.constant([-1, BATCH, OUTPUTS]))
    model = graph.model(graph.node("Unsqueeze", graph.node("Transpose", y, perm=[1, 2, 0]), graph.constant([0])))
    x = inputs()
    (expected,) = ReferenceEvaluator(model).run(None, {"x": x.transpose(1, 2, 0)})
    assert np.abs(run(from_graph(model), x) - expected[0].transpose(2, 0, 1)).max() < 1e-5


@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("shape", [None, (), (1,), (OUTPUTS,), (1, 1), (1, OUTPUTS)])
def test_every_form_of_gemm_is_that_of_onnxruntime(shape, beta):
    graph = Graph()
    y = graph.node("Reshape", graph.recurrent("LSTM", graph.input("x", "t", 1, INPUTS)), graph.constant([-1, CELLS]))
    biases = [] if shape is None else [graph.weight(*shape)]
    y = graph.node("Gemm", y, graph.weight(OUTPUTS, CELLS), *biases, transB=1, alpha=0.5, beta=beta)
    y = graph.node("Add", graph.weight(1, OUTPUTS), y)
    same_as_onnxruntime(graph.model(y), inputs(batch=1))


def test_weights_and_states_that_the_graph_computes_of_constants():
    graph = Graph()
    x = graph.input("x", "t", "b", INPUTS)
    whole, axis = graph.weight(8 * CELLS, INPUTS), graph.constant([0])
    w = graph.node("Slice", whole, axis, graph.constant([4 * CELLS]), axis)
    batch = graph.node("Gather", graph.node("Shape", x), graph.constant([1]))
    one, cells = graph.constant([1]), graph.constant([CELLS])
    zeros = graph.node("ConstantOfShape", graph.node("Concat", one, batch, cells, axis=0))
    steps = graph.node("Gather", graph.node("Shape", x), graph.constant([0]))
    lengths = graph.node("Cast", graph.node("Tile", steps, batch), to=onnx.TensorProto.INT32)
    given = {1: graph.node("Unsqueeze", w, axis), 4: lengths, 5: zeros, 6: zeros}
    same_as_onnxruntime(graph.model(graph.linear(graph.recurrent("LSTM", x, given=given))), inputs())


def test_a_node_that_the_output_does_not_need_is_left_out():
    graph = Graph()
    y = graph.recurrent("LSTM", graph.input("x", "t", "b", INPUTS), outputs=3)
    graph.node("Softmax", graph.nodes[-1].output[1])
    same_as_onnxruntime(graph.model(graph.linear(y)), inputs())


def test_weights_that_are_listed_as_inputs_too():
    graph = plain()
    for weight in graph.graph.initializer:
        graph.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    same_as_onnxruntime(graph, inputs())


def test_double_precision_is_rounded():
    graph = plain("GRU")
    expected = from_graph(graph)
    for weight in graph.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT:
            weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float64), weight.name))
    assert same(from_graph(graph), expected)


def test_peepholes_of_one_layer_are_zeros_in_the_other():
    graph = Graph()
    y = graph.node("Squeeze", graph.recurrent("LSTM", graph.input("x", "t", "b", INPUTS)), graph.constant([1]))
    model = graph.model(graph.linear(graph.recurrent("LSTM", y, CELLS, peepholes=True)))
    same_as_onnxruntime(model, inputs())


def test_weights_beside_the_file(tmp_path):
    graph = onnx.load_model_from_string(exported(Network(*modules(cells=40)), torch.randn(3, 7, 5)))
    expected = from_graph(graph)
    onnx.save(graph, tmp_path / "file", save_as_external_data=True, location="weights")
    assert same(read(tmp_path / "file"), expected)
    (tmp_path / "weights").unlink()
    assert "not a whole ONNX file" in refused_file(tmp_path / "file")


@pytest.mark.parametrize("blank", [None, 0, 3])
def test_phones(blank):
    recurrent, head = modules()
    graph = onnx.load_model_from_string(exported(Network(recurrent, head), torch.randn(3, 7, 5)))
    phones = PHONES if blank is None else PHONES[1:]
    assert same(from_graph(graph, phones, blank), from_modules(recurrent, head, phones, blank))


def test_layers_of_different_sizes():
    graph = Graph()
    y = graph.recurrent("RNN", graph.input("x", "t", "b", INPUTS), cells=7)
    y = graph.recurrent("RNN", graph.node("Squeeze", y, graph.constant([1])), 7, 4)
    model = graph.model(graph.node("Squeeze", y, graph.constant([1])))
    same_as_onnxruntime(model, inputs())
    assert from_graph(model).network.cells == (7, 4)


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


WHOLE = (
    "read are LSTM, GRU or RNN nodes in a row, then linear layers (Gemm, or MatMul and Add) with Relu, Sigmoid, Tanh, "
    "HardSigmoid or Clip behind each, and reshapes and transposes between them; export a module of these alone"
)
LEFT_OUT = "must be as if it were left out; cells here have no other equations"


@pytest.mark.parametrize(
    ("operator", "attributes", "why"),
    [
        ("LSTM", {"direction": "reverse"}, "direction=reverse: must be forward; cells here have no other equations"),
        ("LSTM", {"clip": 3.0}, f"clip=3.0: {LEFT_OUT}"),
        ("GRU", {"clip": 0.5}, f"clip=0.5: {LEFT_OUT}"),
        ("LSTM", {"input_forget": 1}, "input_forget=1: must be 0; cells here have no other equations"),
        ("LSTM", {"activations": ["Sigmoid", "Tanh", "Relu"]}, f"activations=Sigmoid, Tanh, Relu: {LEFT_OUT}"),
        ("GRU", {"activations": ["HardSigmoid", "Tanh"]}, f"activations=HardSigmoid, Tanh: {LEFT_OUT}"),
        ("LSTM", {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, f"activations=HardSigmoid, Tanh, Tanh: {LEFT_OUT}"),
        ("RNN", {"activations": ["Relu"]}, f"activations=Relu: {LEFT_OUT}"),
        ("RNN", {"direction": "reverse"}, "direction=reverse: must be forward; cells here have no other equations"),
        ("GRU", {"activation_alpha": [0.5]}, f"activation_alpha=0.5: {LEFT_OUT}"),
        ("GRU", {"activation_beta": [0.5, 2.0]}, f"activation_beta=0.5, 2.0: {LEFT_OUT}"),
        ("LSTM", {"layout": 2}, "layout=2: must be 0 or 1; mend the graph"),
        ("LSTM", {"hidden_size": 7}, "hidden_size=7, but R has 6 columns; mend the graph"),
    ],
    ids=str,
)
def test_attributes_that_are_refused(operator, attributes, why):
    assert refused(plain(operator, **attributes)) == f"node0 ({operator}): {why}"


def test_attributes_that_say_what_is_so_anyway():
    options = {"direction": "forward", "input_forget": 0, "layout": 0, "activations": ["sigmoid", "TANH", "Tanh"]}
    assert same(from_graph(plain(**options)), from_graph(plain()))


MENDED = "mend the graph"
ZEROS = "must be zeros, with which states begin here; leave it out"
WHOLE_SEQUENCES = "must be all steps of every sequence; leave it out, and cut sequences yourself"


@pytest.mark.parametrize(
    ("place", "value", "steps", "why"),
    [
        (4, np.array([4, 3, 4], np.int32), STEPS, f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (4, np.array([11] * BATCH, np.int32), "t", f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (4, None, STEPS, f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (5, np.full((1, BATCH, CELLS), 1e-9, np.float32), STEPS, f"initial_h (given): {ZEROS}"),
        (6, np.full((1, BATCH, CELLS), np.nan, np.float32), STEPS, f"initial_c (given): {ZEROS}"),
        (5, None, STEPS, f"initial_h (given): {ZEROS}"),
        (1, None, STEPS, "W (given) must be fixed weights in the file; export it with its weights"),
        (1, np.zeros((1, 24, INPUTS), np.float16), STEPS,
         "W holds float16, must be float32 or float64; export the module in float32"),
        (1, np.zeros((24, INPUTS), np.float32), STEPS, f"W: expected three axes, got shape (24, 5); {MENDED}"),
        (1, np.zeros((2, 24, INPUTS), np.float32), STEPS, f"W: expected shape (1, 24, 5), got (2, 24, 5); {MENDED}"),
        (1, np.zeros((1, 24, 9), np.float32), STEPS,
         "X: expected (steps, sequences, 9), the last one fixed, got (4, 3, 5); "
         "export it with the number of inputs fixed"),
        (2, np.zeros((1, 20, CELLS), np.float32), STEPS, f"R: expected shape (1, 24, 6), got (1, 20, 6); {MENDED}"),
        (3, np.zeros((1, 24), np.float32), STEPS, f"B: expected shape (1, 48), got (1, 24); {MENDED}"),
        (3, np.full((1, 48), 2e38, np.float32), STEPS,
         "B holds values that are not finite or beyond 1e38; train it again"),
        (7, np.zeros((1, 6), np.float32), STEPS, "P: expected shape (1, 18), got (1, 6); mend the graph"),
        (7, np.full((1, 18), np.inf, np.float32), STEPS,
         "P holds values that are not finite or beyond 1e38; train it again"),
    ],
)  # fmt: skip
def test_inputs_that_are_refused(place, value, steps, why):
    graph = Graph()
    x = graph.input("x", steps, BATCH, INPUTS)
    given = graph.input("given", 1, BATCH, CELLS) if value is None else graph.constant(value, "given")
    y = graph.recurrent("LSTM", x, given={place: given})
    assert refused(graph.model(graph.linear(y))) == f"node0 (LSTM): {why}"


@pytest.mark.parametrize(("steps", "batch"), [(STEPS, BATCH), (11, "b")])
def test_sequences_that_have_all_their_steps(steps, batch):
    graph = Graph()
    lengths = graph.constant(np.full(BATCH, steps, np.int32))
    y = graph.recurrent("GRU", graph.input("x", steps, batch, INPUTS), given={4: lengths})
    same_as_onnxruntime(graph.model(graph.linear(y)), inputs(steps))


def before(graph: Graph) -> str:
    """A layer, squeezed."""
    y = graph.recurrent("LSTM", graph.input("x", STEPS, BATCH, INPUTS), outputs=3)
    return graph.node("Squeeze", y, graph.constant([1]))


def second(operator: str, cells: int = CELLS, **options):
    return lambda graph: graph.linear(graph.recurrent(operator, before(graph), CELLS, cells, **options), cells)


def gru_of_two_kinds(graph: Graph) -> str:
    y = graph.recurrent("GRU", graph.input("x", STEPS, BATCH, INPUTS), linear_before_reset=1)
    return graph.linear(graph.recurrent("GRU", graph.node("Squeeze", y, graph.constant([1])), CELLS))


def cell_states(graph: Graph) -> str:
    before(graph)
    return graph.linear(graph.nodes[0].output[2])


def another_step(graph: Graph) -> str:
    return graph.linear(graph.node("Gather", before(graph), graph.constant(1)))


def clip(low: float, high: float):
    def made(graph: Graph) -> str:
        bounds = (graph.constant(np.float32(each)) for each in (low, high))
        return graph.node("Clip", graph.linear(before(graph)), *bounds)

    return made


def behind_the_linear_layer(graph: Graph) -> str:
    return graph.recurrent("LSTM", graph.linear(before(graph)), OUTPUTS)


def of_an_input(operator: str, *shape: int):
    return lambda graph: before(graph) and graph.linear(graph.node(operator, "x", graph.weight(*shape)), INPUTS)


def residual(graph: Graph) -> str:
    y = before(graph)
    return graph.linear(graph.node("Add", y, y))


def scaled_by_the_batch(graph: Graph) -> str:
    size = graph.node("Cast", graph.node("Size", before(graph)), to=onnx.TensorProto.FLOAT)
    return graph.node("MatMul", graph.nodes[1].output[0], graph.node("Mul", graph.weight(CELLS, OUTPUTS), size))


def mixed(graph: Graph) -> str:
    y = graph.node(
        "Reshape", graph.node("Transpose", before(graph), perm=[0, 2, 1]), graph.constant([STEPS, BATCH, -1])
    )
    return graph.linear(y)


def swapped(graph: Graph) -> str:
    y = graph.node("Transpose", before(graph), perm=[1, 0, 2])
    return graph.linear(graph.recurrent("LSTM", y, CELLS))


def steps_in_a_row(graph: Graph) -> str:
    x = graph.input("x", BATCH, STEPS * INPUTS)
    return graph.linear(graph.recurrent("LSTM", graph.node("Reshape", x, graph.constant([STEPS, BATCH, INPUTS]))))


def around_a_layer(graph: Graph) -> str:
    """The second layer gives its shape alone."""
    y = before(graph)
    shape = graph.node("Shape", graph.node("Squeeze", graph.recurrent("LSTM", y, CELLS), graph.constant([1])))
    return graph.linear(graph.node("Reshape", y, shape))


def two_inputs(graph: Graph) -> str:
    return graph.linear(graph.node("Reshape", before(graph), graph.input("y", 3)))


def trained(graph: Graph) -> str:
    return graph.linear(graph.node("Dropout", before(graph), graph.constant(np.float32(0.5)), graph.constant(True)))


def wrong_reshape(graph: Graph) -> str:
    return graph.linear(graph.node("Reshape", before(graph), graph.constant([5, -1])))


def gemm(shape=(CELLS, OUTPUTS), bias=(OUTPUTS,), **attributes):
    def made(graph: Graph) -> str:
        y = graph.node("Reshape", before(graph), graph.constant([-1, CELLS]))
        return graph.node("Gemm", y, graph.weight(*shape), graph.weight(*bias), **attributes)

    return made


def wrong_output(graph: Graph) -> str:
    """Of the first of two layers, the second of which gives its shape alone."""
    y = before(graph)
    second = graph.node("Squeeze", graph.recurrent("LSTM", y, CELLS), graph.constant([1]))
    return graph.node("Reshape", y, graph.node("Shape", second))


BEFORE = "stands before every recurrent node"
ELEMENTS = "reads other elements than those of a step along the last axis; reshape outside of the graph"
OTHER = (
    "X holds other elements, or in another order, than a step and a sequence at a time; reshape outside of the graph"
)
ALIKE = "make all layers of one kind"
SHAPES = (
    "must be (steps, sequences, outputs) in any order of axes, or without an axis of size 1, of every step or of the "
    "last one; export the module without what reshapes its outputs"
)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (second("RNN"), f"node2 (RNN): operator is RNN, must be LSTM as that of node0 (LSTM); {ALIKE}"),
        (second("GRU"), f"node2 (GRU): operator is GRU, must be LSTM as that of node0 (LSTM); {ALIKE}"),
        (gru_of_two_kinds, f"node2 (GRU): linear_before_reset is 0, must be 1 as that of node0 (GRU); {ALIKE}"),
        (cell_states, "node0 (LSTM): Y_c goes on (node0_2), must be Y or Y_h; export a module without it"),
        (another_step, f"output node4_0: {SHAPES}"),
        (lambda graph: graph.node("Relu", before(graph)),
         f"node2 (Relu): a function stands behind a linear layer, and here is none; {WHOLE}"),
        (lambda graph: graph.node("Tanh", graph.node("Relu", graph.linear(before(graph)))),
         f"node5 (Tanh): a function stands behind a linear layer, and here is none; {WHOLE}"),
        (lambda graph: graph.node("Add", graph.node("Relu", graph.linear(before(graph))), graph.weight(OUTPUTS)),
         f"node5 (Add): may add a bias to a linear layer, and nothing else; {WHOLE}"),
        (lambda graph: graph.node("HardSigmoid", graph.linear(before(graph)), alpha=-0.5),
         "node4 (HardSigmoid): alpha=-0.5: must be above 0; a hard sigmoid rises"),
        (clip(1.0, 0.5), f"node4 (Clip): min=1 must be below max=0.5; {MENDED}"),
        (lambda graph: graph.node("LogSoftmax", graph.linear(before(graph))), f"node4 (LogSoftmax): not read; {WHOLE}"),
        (behind_the_linear_layer,
         f"node4 (LSTM): stands behind the linear layer node2 (MatMul), must be before it; {WHOLE}"),
        (of_an_input("MatMul", INPUTS, INPUTS), f"node2 (MatMul): {BEFORE}; {WHOLE}"),
        (of_an_input("Add", INPUTS), f"node2 (Add): may add a bias to a linear layer, and nothing else; {WHOLE}"),
        (residual, f"node2 (Add): may add a bias to a linear layer, and nothing else; {WHOLE}"),
        (lambda graph: graph.node("Add", graph.linear(before(graph)), graph.weight(STEPS, 1, 1)),
         f"node4 (Add): the bias: expected shape (2,), got (4, 1, 1); {MENDED}"),
        (lambda graph: graph.node("Add", graph.linear(before(graph)), graph.weight(1, 1, 1, OUTPUTS)),
         f"node4 (Add): the bias: expected shape (2,), got (1, 1, 1, 2); {MENDED}"),
        (lambda graph: graph.node("MatMul", graph.weight(STEPS, STEPS), before(graph)),
         f"node2 (MatMul): its first input must follow from the graph's input, and not be fixed; {WHOLE}"),
        (lambda graph: graph.linear(before(graph), CELLS + 1),
         f"node2 (MatMul): the matrix: expected shape (6, outputs), got (7, 2); {MENDED}"),
        (scaled_by_the_batch, "node5 (MatMul): the matrix (node4_0) must be fixed weights in the file; "
         "export it with its weights"),
        (mixed, f"node4 (MatMul): {ELEMENTS}"),
        (swapped, f"node3 (LSTM): {OTHER}"),
        (steps_in_a_row, f"node1 (LSTM): {OTHER}"),
        (around_a_layer, "node6 (MatMul): does not read the layer before it, but another value (node5_0); "
         f"{WHOLE}"),
        (two_inputs, f"node2 (Reshape): input y is computed from values, must be fixed or follow from shapes; {WHOLE}"),
        (trained, "node2 (Dropout): training_mode is on, but an imported network has no dropout; "
         "export it after .eval()"),
        (wrong_reshape, "node2 (Reshape): cannot be computed (cannot reshape array of size 72 into shape (5,newaxis)); "
         "mend the graph"),
        (gemm((STEPS * BATCH, OUTPUTS), transA=1), "node3 (Gemm): transA=1: must be 0; transpose the weights alone"),
        (gemm(bias=(STEPS * BATCH, 1)), f"node3 (Gemm): the bias: expected shape (2,), got (12, 1); {MENDED}"),
        (gemm(), f"output node3_0: {SHAPES}"),
        (lambda graph: graph.input("x", STEPS, BATCH, INPUTS),
         f"output x: not that of the last layer, recurrent or linear; {WHOLE}"),
        (wrong_output, f"output node5_0: not that of the last layer, recurrent or linear; {WHOLE}"),
        (lambda graph: graph.linear(graph.recurrent("LSTM", graph.input("x", 2**14, 2**14, INPUTS))),
         "input x: shape (16384, 16384, 5) has more than 134217728 elements; export with steps and batch left open"),
    ],
)  # fmt: skip
def test_graphs_that_are_refused(build, message):
    graph = Graph()
    assert refused(graph.model(build(graph))) == message


def test_outputs_beside_those_of_the_last_layer():
    graph = Graph()
    y = graph.linear(graph.recurrent("LSTM", graph.input("x", STEPS, BATCH, INPUTS), outputs=3))
    assert refused(graph.model(y, "node0_1")) == (
        f"output node0_1: not that of the last layer, recurrent or linear; {WHOLE}"
    )
    assert not from_graph(graph.model(y, graph.node("Gather", y, graph.constant(-1)))).last


def test_other_domains_and_old_operators():
    model = plain()
    model.graph.node[-1].domain = "com.microsoft"
    assert refused(model) == f"node3 (com.microsoft.Add): not read; {WHOLE}"
    model = plain()
    model.opset_import[0].version = 6
    assert refused(model) == "opset 6: must be at least 7; convert it by onnx.version_converter"


def test_weights_that_are_not_whole():
    model = plain()
    model.graph.initializer[1].raw_data = b"123"
    assert refused(model).startswith("weights w1: cannot be read (")


def test_a_node_without_a_name_is_named_by_its_output():
    model = plain("RNN", clip=1.0)
    model.graph.node[0].ClearField("name")
    assert refused(model).startswith("node0_0 (RNN): clip=1.0: ")


def refused_file(path) -> str:
    with pytest.raises(UserError) as error:
        ernn.from_onnx(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_that_are_none(tmp_path):
    file = tmp_path / "file"
    assert refused_file(file) == f"{file}: no such file; write it by torch.onnx.export"
    assert refused_file(tmp_path) == f"{tmp_path}: a folder, not an ONNX file; write it by torch.onnx.export"
    whole = plain().SerializeToString()
    for text in (b"", b"no graph", whole[:-100], whole[:3]):
        file.write_bytes(text)
        said = refused_file(file)
        assert said.startswith(f"{file}: not a whole ONNX file (")
        assert said.endswith("); write it again, by torch.onnx.export")


def test_without_onnx_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    assert refused_file(tmp_path / "file") == "onnx is not installed: pip install 'ernn[onnx]'"
