"""Networks of ONNX graphs against ONNX's own node tests, its reference, ONNX Runtime and torch."""

import sys

import numpy as np
import onnx
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
from tests.nn.onnx_checks import inputs, refused, run, same_as_onnxruntime
from tests.nn.onnx_graphs import BATCH, CELLS, INPUTS, OUTPUTS, STEPS, Graph, Network, exported, plain
from tests.nn.torch_networks import PHONES, modules, same

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


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(("operator", "places"), [("LSTM", (5, 6)), ("LSTM", (6,)), ("GRU", (5,)), ("RNN", (5,))])
def test_initial_states_that_are_constants(operator, places, dynamic):
    """Of a fixed number of sequences, or expanded to any."""
    graph = Graph()
    x = graph.input("x", *(("t", "b") if dynamic else (STEPS, BATCH)), INPUTS)
    given = {place: graph.weight(1, 1, CELLS) for place in places}
    if dynamic:
        batch = graph.node("Gather", graph.node("Shape", x), graph.constant([1]))
        size = graph.node("Concat", graph.constant([1]), batch, graph.constant([CELLS]), axis=0)
        given = {place: graph.node("Expand", name, size) for place, name in given.items()}
    else:
        given = {place: graph.constant(np.tile(graph.weights[name], (1, BATCH, 1))) for place, name in given.items()}
    y = graph.node("Squeeze", graph.recurrent(operator, x, given=given), graph.constant([1]))
    y = graph.node("Squeeze", graph.recurrent(operator, y, CELLS), graph.constant([1]))
    model = graph.model(graph.linear(y))
    same_as_onnxruntime(model, inputs())
    assert from_graph(model).initial == (0,)


def test_initial_states_in_layout_1():
    graph = Graph()
    given = {5: graph.constant(np.tile(graph.random.normal(size=(1, 1, CELLS)).astype(np.float32), (BATCH, 1, 1)))}
    y = graph.recurrent("GRU", graph.input("x", BATCH, STEPS, INPUTS), layout=1, given=given)
    model = graph.model(graph.node("Squeeze", y, graph.constant([2])))
    (expected,) = ReferenceEvaluator(model).run(None, {"x": inputs().swapaxes(0, 1)})
    assert np.abs(run(from_graph(model), inputs()) - expected.swapaxes(0, 1)).max() < 1e-5


@pytest.mark.parametrize("layout", [0, 1])
def test_initial_states_for_any_number_of_sequences_may_have_others(layout):
    """Only their elements and the layer are fixed."""
    graph = Graph()
    shape = (2, 1, CELLS) if layout else (1, 2, CELLS)
    x = graph.input("x", *(("b", "t") if layout else ("t", "b")), INPUTS)
    given = {5: graph.constant(np.full(shape, 0.5, np.float32))}
    y = graph.recurrent("GRU", x, layout=layout, given=given)
    assert from_graph(graph.model(y)).initial == (0,)
    wrong = {5: graph.constant(np.zeros((*shape[:2], 5), np.float32))}
    sizes = ("any, 1, 6", "(2, 1, 5)") if layout else ("1, any, 6", "(1, 2, 5)")
    said = refused(graph.model(graph.recurrent("GRU", x, layout=layout, given=wrong)))
    assert f"initial_h: expected shape ({sizes[0]}), got {sizes[1]}; give the states of this network" in said


def test_initial_states_that_follow_from_the_number_of_sequences_are_refused():
    graph = Graph()
    x = graph.input("x", "t", "b", INPUTS)
    batch = graph.node("Gather", graph.node("Shape", x), graph.constant([1]))
    size = graph.node("Concat", graph.constant([1]), batch, graph.constant([CELLS]), axis=0)
    h = graph.node("Expand", graph.node("Cast", batch, to=onnx.TensorProto.FLOAT), size)
    said = refused(graph.model(graph.recurrent("GRU", x, given={5: h})))
    assert said == "node5 (GRU): initial states follow from how many steps or sequences there are, must be constants"


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
