"""Modules that torch.export wrote down: the same network as of the modules, or refused by the node's name."""

import numpy as np
import pytest
import torch
from torch import nn

import ernn
from ernn.errors import UserError
from tests.nn.torch_networks import same

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch.export, and of LSTMs with a projection
INPUTS, CELLS = 5, 8


class Network(nn.Module):
    """As a user has it; `act` computes the outputs."""

    def __init__(self, act, recurrent: nn.Module, head: nn.Module | None = None) -> None:
        super().__init__()
        self.recurrent, self.head, self.act = recurrent, head or nn.Identity(), act

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self, x)


def every(self: Network, x: torch.Tensor) -> torch.Tensor:
    return self.head(self.recurrent(x)[0])


def last(self: Network, x: torch.Tensor) -> torch.Tensor:
    return self.head(self.recurrent(x)[0][:, -1])


def state(self: Network, x: torch.Tensor) -> torch.Tensor:
    found = self.recurrent(x)[1]
    return self.head((found[0] if isinstance(found, tuple) else found)[-1])


def exported(module: nn.Module, x: torch.Tensor | None = None, **options) -> torch.export.ExportedProgram:
    return torch.export.export(module.eval(), (torch.randn(3, 7, INPUTS) if x is None else x,), **options)


def stack(last_function: nn.Module | None = None) -> nn.Sequential:
    layers = [
        nn.Linear(CELLS, 6),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(6, 4),
        nn.Hardtanh(-0.5, 0.25, inplace=True),
        nn.Linear(4, 2),
    ]
    return nn.Sequential(*layers, *([] if last_function is None else [last_function])).eval()


@pytest.mark.parametrize("open_batch", [False, True])
@pytest.mark.parametrize("act", [every, last, state])
@pytest.mark.parametrize("head", [None, nn.Linear(CELLS, 3), stack(nn.Hardsigmoid()), stack(nn.Sigmoid())])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_the_network_is_that_of_the_modules(kind, head, act, open_batch):
    recurrent = kind(INPUTS, CELLS, 2, batch_first=True)
    shapes = {"dynamic_shapes": ({0: torch.export.Dim("b")},)} if open_batch else {}
    model = ernn.from_torch(exported(Network(act, recurrent, head), **shapes))
    wanted = ernn.from_torch(recurrent, head, last=act is not every)
    assert model.last == wanted.last
    assert same(model.network, wanted.network)
    assert model.network.specs == wanted.network.specs


@pytest.mark.parametrize("options", [{"proj_size": 3}, {"bias": False}])
def test_projections_and_modules_without_bias(options):
    recurrent = nn.LSTM(INPUTS, CELLS, 2, **options)
    model = ernn.from_torch(exported(Network(every, recurrent)))
    assert same(model.network, ernn.from_torch(recurrent).network)


def test_several_modules_in_a_row_and_one_sequence_without_a_batch():
    first, second, x = nn.GRU(INPUTS, 6), nn.GRU(6, CELLS), torch.randn(7, INPUTS)
    model = ernn.from_torch(
        exported(Network(lambda self, x: second(first(x)[0])[0], nn.ModuleList([first, second])), x)
    )
    with torch.no_grad():
        wanted = second(first(x)[0])[0].numpy()
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda self, x: self.recurrent(x, x[None, :, 0, :1] * torch.ones(CELLS))[0], r"mul \(mul.Tensor\): not read"),
        (lambda self, x: self.recurrent(x, torch.arange(3.0)[None, :, None].expand(1, 3, CELLS))[0],
         r"arange \(arange.default\): not read"),
        (lambda self, x: self.recurrent(x, self.head.weight[None, :3])[0],
         r"gru \(gru.input\): initial h_0 differs between sequences, and a network begins all of them alike"),
        (lambda self, x: self.recurrent(torch.relu(x))[0], r"relu \(relu.default\): a function follows a linear"),
        (lambda self, x: torch.softmax(self.recurrent(x)[0], -1), r"softmax \(softmax.int\): not read; read are LSTM"),
        (lambda self, x: self.recurrent(x)[0] + x[..., :1], r"add \(add.Tensor\): not read"),
        (lambda self, x: self.recurrent(x)[0].to(torch.float16).to(torch.float32), "rounds values to torch.float16"),
        (lambda self, x: self.recurrent(x)[0].to(dtype=torch.float64), "rounds values to torch.float64"),
        (lambda self, x: self.recurrent(x)[0][:, 2], "must be .* of every step or of the last one; export"),
        (lambda self, x: self.recurrent(x.flip(1))[0], r"flip \(flip.default\): not read"),
        (lambda self, x: self.recurrent(x[:, :, [1, 0, 2, 3, 4]])[0], r"index \(index.Tensor\): not read"),
        (lambda self, x: self.recurrent(x.transpose(0, 1).reshape(3, 7, INPUTS))[0], "holds other elements, or in"),
        (lambda self, x: self.head(self.head(self.recurrent(x)[0]).view(3, 7, 2, 4)[..., 0, :].repeat(1, 1, 2)),
         r"repeat \(repeat.default\): not read"),
    ],
)  # fmt: skip
def test_other_graphs_are_refused_by_the_name_of_the_node(act, message):
    module = Network(act, nn.GRU(INPUTS, CELLS, batch_first=True), nn.Linear(CELLS, CELLS))
    with pytest.raises(UserError, match=message) as error:
        ernn.from_torch(exported(module))
    assert "\n" not in str(error.value)


def row_of_initial(self: Network, x: torch.Tensor) -> torch.Tensor:
    state = torch.zeros(1, x.shape[1], CELLS)
    state[0] = 0.5
    return self.head(self.recurrent(x, state)[0])


def whole_initial(self: Network, x: torch.Tensor) -> torch.Tensor:
    return self.head(self.recurrent(x, torch.zeros(1, x.shape[1], CELLS).fill_(0.5))[0])


def view_of_initial(self: Network, x: torch.Tensor) -> torch.Tensor:
    state = torch.zeros(1, x.shape[1], CELLS)
    flat = state.view(-1)
    flat += 1
    return self.head(self.recurrent(x, state)[0])


def inputs(self: Network, x: torch.Tensor) -> torch.Tensor:
    x = x.clone()
    x[..., 0] = 0
    return self.head(self.recurrent(x)[0])


def steps(self: Network, x: torch.Tensor) -> torch.Tensor:
    y = self.recurrent(x)[0]
    y[0] = 0
    return self.head(y)


def places(self: Network, x: torch.Tensor) -> torch.Tensor:
    y = self.head(self.recurrent(x)[0])
    y.index_put_((torch.tensor([0, 1]),), torch.zeros(3, 3))
    return y


def clamped(self: Network, x: torch.Tensor) -> torch.Tensor:
    y = self.head(self.recurrent(x)[0])
    y[..., 0].clamp_(min=0)
    return y


def function_of_a_view(self: Network, x: torch.Tensor) -> torch.Tensor:
    y = self.head(self.recurrent(x)[0])
    nn.functional.relu_(y[..., 0])
    return y


def function_of_read_outputs(self: Network, x: torch.Tensor) -> torch.Tensor:
    y = self.head(self.recurrent(x)[0])
    view = y[-1]
    nn.functional.relu_(y)
    return view


def stateful(self: Network, x: torch.Tensor) -> torch.Tensor:
    y, state = self.recurrent(x, self.begin)
    self.begin.copy_(state)
    return self.head(y)


def stateful_without_gradients(self: Network, x: torch.Tensor) -> torch.Tensor:
    y, state = self.recurrent(x, self.begin)
    with torch.no_grad():
        self.begin.copy_(state)
    return self.head(y)


def counted(self: Network, x: torch.Tensor) -> torch.Tensor:
    self.begin += 1
    return self.head(self.recurrent(x)[0])


@pytest.mark.parametrize(
    ("act", "operator"),
    [
        (row_of_initial, "fill_.Tensor"), (whole_initial, "fill_.Scalar"), (view_of_initial, "add_.Tensor"),
        (inputs, "fill_.Tensor"), (steps, "fill_.Tensor"), (places, "index_put_.default"),
        (clamped, "clamp_.default"), (function_of_a_view, "relu_.default"), (function_of_read_outputs, "relu_.default"),
        (stateful, "copy_.default"), (stateful_without_gradients, "copy_.default"), (counted, "add_.Tensor"),
    ],
)  # fmt: skip
def test_writes_into_tensors_are_refused(act, operator):
    module = Network(act, nn.GRU(INPUTS, CELLS), nn.Linear(CELLS, 3))
    module.begin = nn.Buffer(torch.zeros(1, 3, CELLS))
    program = exported(module, torch.randn(7, 3, INPUTS))
    with pytest.raises(UserError, match=rf"^\w+ \({operator}\): writes into a tensor in place, .* new tensor$"):
        ernn.from_torch(program)


@pytest.mark.parametrize("view", [lambda y: y, lambda y: y.view(7, 3, 3)])
def test_a_function_in_place_of_outputs_that_nothing_else_reads_is_that_function(view):
    def act(self: Network, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.relu_(view(self.head(self.recurrent(x)[0])))

    module, x = Network(act, nn.GRU(INPUTS, CELLS), nn.Linear(CELLS, 3)), torch.randn(7, 3, INPUTS)
    model = ernn.from_torch(exported(module, x))
    with torch.no_grad():
        wanted = module(x).numpy()
    np.testing.assert_allclose(model.predict(x.swapaxes(0, 1)).swapaxes(0, 1), wanted, atol=1e-5)
    assert (wanted == 0).any()


@pytest.mark.parametrize(
    ("recurrent", "message"),
    [
        (nn.LSTM(INPUTS, CELLS, bidirectional=True), r"lstm \(lstm.input\): bidirectional: layers here run forward"),
        (nn.RNN(INPUTS, CELLS, nonlinearity="relu"), "nonlinearity=relu: an RNN here is one of tanh"),
    ],
)
def test_other_cells_are_refused(recurrent, message):
    with pytest.raises(UserError, match=message):
        ernn.from_torch(exported(Network(every, recurrent)))


def test_cells_that_were_decomposed_are_refused():
    program = exported(Network(every, nn.GRU(INPUTS, CELLS))).run_decompositions()
    with pytest.raises(UserError, match=r"not read; .* before run_decompositions"):
        ernn.from_torch(program)


def test_an_exported_module_says_its_head_itself():
    program = exported(Network(every, nn.GRU(INPUTS, CELLS)))
    with pytest.raises(UserError, match="head, last and initial are of modules, an exported one says them itself"):
        ernn.from_torch(program, last=True)
