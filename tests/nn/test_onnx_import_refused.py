"""ONNX graphs that are refused: each by the name of its node, with the reason."""

import numpy as np
import onnx
import pytest

from ernn.nn.onnx_import import from_graph
from tests.nn.onnx_checks import inputs, refused, same_as_onnxruntime
from tests.nn.onnx_graphs import BATCH, CELLS, INPUTS, OUTPUTS, STEPS, Graph, plain
from tests.nn.torch_networks import same

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
WHOLE_SEQUENCES = "must be all steps of every sequence; leave it out, and cut sequences yourself"


@pytest.mark.parametrize(
    ("place", "value", "steps", "why"),
    [
        (4, np.array([4, 3, 4], np.int32), STEPS, f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (4, np.array([11] * BATCH, np.int32), "t", f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (4, None, STEPS, f"sequence_lens (given): {WHOLE_SEQUENCES}"),
        (5, np.arange(BATCH * CELLS, dtype=np.float32).reshape(1, BATCH, CELLS), STEPS,
         "initial_h differs between sequences, and a network begins all of them alike; make a model for each state"),
        (5, np.ones((1, BATCH, CELLS), np.float16), STEPS,
         "initial_h holds torch.float16, must be float32 or float64; convert it"),
        (5, np.ones((BATCH, 1, CELLS), np.float32), STEPS,
         "initial_h: expected shape (1, 3, 6), got (3, 1, 6); give the states of this network"),
        (6, np.full((1, BATCH, CELLS), np.nan, np.float32), STEPS,
         "initial_c holds values that are not finite or beyond 1e38; give finite states"),
        (5, np.zeros((BATCH, 1, CELLS), np.float32), STEPS,
         "initial_h: expected shape (1, 3, 6), got (3, 1, 6); give the states of this network"),
        (5, np.ones((1, 5, CELLS), np.float32), STEPS,
         "initial_h: expected shape (1, 3, 6), got (1, 5, 6); give the states of this network"),
        (5, np.ones((2, BATCH, CELLS), np.float32), STEPS,
         "initial_h: expected shape (1, 3, 6), got (2, 3, 6); give the states of this network"),
        (5, np.ones((1, CELLS), np.float32), STEPS,
         "initial_h: expected shape (1, 3, 6), got (1, 6); give the states of this network"),
        (6, np.zeros((1, BATCH, 5), np.float32), STEPS,
         "initial_c: expected shape (1, 3, 6), got (1, 3, 5); give the states of this network"),
        (5, np.zeros((1, BATCH, CELLS), np.int64), STEPS,
         "initial_h holds torch.int64, must be float32 or float64; convert it"),
        (5, None, STEPS, "initial_h (given): must be constants of the graph; fix them, or leave it out"),
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


BEFORE = "stands before every recurrent layer"
ELEMENTS = f"reads other elements than those of a step along the last axis, reshape outside; {WHOLE}"
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
         f"node2 (Relu): a function follows a linear layer, and here is none; {WHOLE}"),
        (lambda graph: graph.node("Tanh", graph.node("Relu", graph.linear(before(graph)))),
         f"node5 (Tanh): a function follows a linear layer, and here is none; {WHOLE}"),
        (lambda graph: graph.node("Add", graph.node("Relu", graph.linear(before(graph))), graph.weight(OUTPUTS)),
         f"node5 (Add): may add a bias to a linear layer, and nothing else; {WHOLE}"),
        (lambda graph: graph.node("HardSigmoid", graph.linear(before(graph)), alpha=-0.5),
         "node4 (HardSigmoid): alpha=-0.5: must be above 0; a hard sigmoid rises"),
        (clip(1.0, 0.5), f"node4 (Clip): min=1 must be below max=0.5; {MENDED}"),
        (lambda graph: graph.node("LogSoftmax", graph.linear(before(graph))), f"node4 (LogSoftmax): not read; {WHOLE}"),
        (behind_the_linear_layer,
         f"node4 (LSTM): follows a linear layer, must be before all of them; {WHOLE}"),
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
