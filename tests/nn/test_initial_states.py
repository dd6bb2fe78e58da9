"""States with which sequences begin, where they are no zeros: those of torch, whatever is done with the network."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

import ernn
from ernn.errors import UserError
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.lstm import lstm
from ernn.nn.recurrent import RecurrentLayer, RecurrentModel, make_circulant, randomise
from ernn.nn.streaming import Stream
from ernn.nn.torch_import import from_modules
from ernn.params import BlockSizes, Network
from tests.nn.test_export_import import Network as Exported
from tests.nn.test_export_import import exported
from tests.nn.torch_networks import CELLS, INPUTS, KINDS, PHONES, kinds, modules

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch.export, and of LSTMs with a projection
EVERY = [
    Network(cell="lstm", layers=2, cells=8, projection=4, peepholes=True),
    Network(cell="lstm", layers=2, cells=8),
    Network(cell="gru", layers=2, cells=8),
    Network(cell="gru", layers=2, cells=8, reset="after"),
    Network(cell="rnn", layers=2, cells=(8, 6)),
]


def states(recurrent: nn.Module, sequences: int = 1) -> tuple[torch.Tensor, ...] | torch.Tensor:
    """Random ones, equal for all sequences."""
    outputs = recurrent.proj_size or recurrent.hidden_size
    h, c = (torch.randn(recurrent.num_layers, 1, size) for size in (outputs, recurrent.hidden_size))
    h, c = (each.expand(-1, sequences, -1) for each in (h, c))
    return (h, c) if isinstance(recurrent, nn.LSTM) else h


def begun(network: Network, inputs: int = 13) -> RecurrentModel:
    """Random weights and states."""
    model = RecurrentModel(network, inputs, 3).eval()
    for layer in model.layers:
        c = torch.randn(layer.weight_ih.rows) if network.cell == "lstm" else None
        layer.begin_with(torch.randn(layer.outputs), c)
    return model


@given(
    st.sampled_from(KINDS),
    st.integers(1, 3),
    st.integers(1, 7),
    st.integers(4, 9),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_outputs_are_those_of_torch(kind, layers, inputs, cells, sequences, seed):
    torch.manual_seed(seed)
    recurrent, output = modules(*kind, layers, inputs, cells)
    initial = states(recurrent, sequences)
    model = from_modules(recurrent, output, initial=initial)
    x = torch.randn(6, sequences, inputs)
    with torch.no_grad():
        torch.testing.assert_close(model(x), output(recurrent(x, initial)[0]), atol=1e-5, rtol=1e-5)


@given(st.sampled_from(EVERY), st.integers(1, 7), st.integers(0, 99))
def test_a_layer_goes_on_with_the_states_that_it_left(network, cut, seed):
    """So they are those of its equations, also of cells that torch has not."""
    torch.manual_seed(seed)
    layer, x = RecurrentLayer(network, 5).double(), torch.randn(8, 1, 5, dtype=torch.float64)
    with torch.no_grad():
        whole = layer(x)
        layer.begin_with(*left(layer, x[:cut]))
        torch.testing.assert_close(layer(x[cut:]), whole[cut:])


def left(layer: RecurrentLayer, x: torch.Tensor) -> list[torch.Tensor]:
    """The states behind the last step of a sequence."""
    if layer.cell != "lstm":
        return [layer(x)[-1, 0]]
    weight_ym = None if layer.weight_ym is None else layer.weight_ym()
    weights = layer.weight_ih(), layer.weight_hh(), layer.bias, layer.peephole, weight_ym
    return [each[0] for each in lstm(x, None, *weights)[1]]


@pytest.mark.parametrize("network", EVERY, ids=str)
def test_a_stream_begins_with_them_each_time(network):
    model, x = begun(network), torch.randn(9, 1, 13)
    with torch.no_grad():
        whole = model(x)[:, 0].numpy()
    stream = Stream(model)
    for _ in range(2):
        found = np.stack([stream(frame) for frame in x[:, 0].numpy()])
        np.testing.assert_allclose(found, whole, rtol=1e-4, atol=2e-5)
        stream.reset()


@pytest.mark.parametrize("network", EVERY, ids=str)
def test_training_and_compression_leave_them_as_they_are(network):
    model = begun(network)
    before = {name: each.clone() for name, each in model.named_buffers() if "initial_" in name}
    make_circulant(model, (BlockSizes(input=2, recurrent=2, projection=2),) * 2)
    optimizer = torch.optim.Adam(model.parameters())
    model.train()(torch.randn(5, 3, 13)).square().sum().backward()
    optimizer.step()
    randomise(model, 1)
    after = dict(model.named_buffers())
    assert before
    assert all(torch.equal(after[name], each) for name, each in before.items())


@pytest.mark.parametrize("network", EVERY, ids=str)
def test_a_file_has_them(network, tmp_path):
    model = begun(network)
    model_file.save(model, tmp_path / "model")
    loaded = model_file.load_any(tmp_path / "model")
    x = torch.randn(5, 2, 13)
    assert torch.equal(loaded(x), model(x))
    assert loaded.initial == model.initial == (0, 1)
    model_file.save(RecurrentModel(network, 13, 3), tmp_path / "zeros")
    header, tensors = model_file.read(tmp_path / "zeros")
    assert "initial" not in header
    assert not any("initial" in name for name in tensors)


def test_an_acoustic_model_has_them_too(tmp_path):
    recurrent, output = modules()
    model = from_modules(recurrent, output, PHONES, initial=states(recurrent))
    assert isinstance(model, AcousticModel)
    model_file.save(model, tmp_path / "model")
    x = torch.randn(5, 2, INPUTS)
    assert torch.equal(model_file.load(tmp_path / "model")(x), model(x))


@pytest.mark.parametrize("numbers", [[2], [1, 0], [0, 0], [-1]])
def test_a_file_with_states_of_other_layers_is_refused(numbers, tmp_path):
    path = tmp_path / "model"
    model_file.save(begun(EVERY[0]), path)
    header, tensors = model_file.read(path)
    save_file(tensors, path, {"ernn": json.dumps(header | {"initial": numbers})})
    with pytest.raises(UserError, match=r"initial: rising numbers of layers below 2, got \(") as error:
        model_file.load_any(path)
    assert "\n" not in str(error.value)


@kinds
def test_zeros_are_what_a_network_begins_with_anyway(kind, projection):
    recurrent, output = modules(kind, projection)
    initial = states(recurrent)
    zeros = tuple(map(torch.zeros_like, initial)) if kind is nn.LSTM else torch.zeros_like(initial)
    assert from_modules(recurrent, output, initial=zeros).initial == ()


def test_modules_in_a_row_have_an_entry_each():
    first, second, x = nn.GRU(INPUTS, 6, 2), nn.GRU(6, CELLS), torch.randn(7, 1, INPUTS)
    one, other = states(first), states(second)
    for both in ([one, other], [None, other], (one, None)):
        model = from_modules([first, second], None, initial=both)
        with torch.no_grad():
            torch.testing.assert_close(model(x), second(first(x, both[0])[0], both[1])[0], atol=1e-5, rtol=1e-5)
    assert from_modules([first, second], None, initial=[None, other]).initial == (2,)
    assert from_modules([first, second], None).initial == ()


H, C = torch.ones(2, 1, CELLS), torch.ones(2, 1, CELLS)


@pytest.mark.parametrize(
    ("kind", "initial", "message"),
    [
        (nn.LSTM, H, r"^initial: an LSTM begins with both \(h_0, c_0\), got Tensor; give a pair$"),
        (nn.LSTM, (H,), r"^initial: an LSTM begins with both \(h_0, c_0\), got 1 values; give a pair$"),
        (nn.LSTM, (H, C[:1]), r"^initial c_0: expected shape \(2, sequences, 8\) or \(2, 8\), got \(1, 1, 8\); give"),
        (nn.GRU, H[0], r"^initial h_0: expected shape \(2, sequences, 8\) or \(2, 8\), got \(1, 8\); give the states"),
        (nn.GRU, H[:, :0], r"^initial h_0: expected shape .* got \(2, 0, 8\)"),
        (nn.GRU, "x", r"^initial h_0: an array of numbers, got str; give a tensor$"),
        (nn.GRU, H.long(), r"^initial h_0 holds torch.int64, must be float32 or float64; convert it$"),
        (nn.GRU, H * torch.inf, r"^initial h_0 holds values that are not finite or beyond 1e38; give finite states$"),
        (
            nn.GRU,
            H.to_sparse(),
            r"^initial h_0 is torch.sparse_coo on cpu, must be dense with values; give such",
        ),
        (nn.GRU, H.to("meta"), r"^initial h_0 is torch.strided on meta, must be dense with values; give such a tensor"),
        (
            nn.GRU,
            torch.nested.nested_tensor([H[0], H[1]], layout=torch.jagged),
            r"^initial h_0 is nested on cpu, must be",
        ),
        (nn.LSTM, (H, H.to_sparse()), r"^initial c_0 is torch.sparse_coo on cpu, must be dense with values"),
        (nn.RNN, torch.stack([H, 2 * H], 2)[:, 0], r"^initial h_0 differs between sequences, and a network begins all"),
    ],
)
def test_states_that_do_not_fit_are_refused(kind, initial, message):
    with pytest.raises(UserError, match=message) as error:
        ernn.from_torch(kind(INPUTS, CELLS, 2), initial=initial)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("error")
def test_arrays_that_cannot_be_written_or_run_backwards_are_taken():
    given = np.random.default_rng(0).normal(size=(2, CELLS)).astype(np.float32)
    given.flags.writeable = False
    for array in (given, given[::-1]):
        model = ernn.from_torch(nn.GRU(INPUTS, CELLS, 2), initial=array)
        assert np.array_equal(np.stack([layer.initial("y").numpy() for layer in model.network.layers]), array)


@pytest.mark.parametrize("initial", [H, [H], [H, None, None]])
def test_modules_in_a_row_with_other_entries_are_refused(initial):
    with pytest.raises(UserError, match=r"^initial: a list with an entry for each of the 2 modules"):
        ernn.from_torch([nn.GRU(INPUTS, 6), nn.GRU(6, CELLS)], initial=initial)


def test_a_layer_refuses_states_of_other_shapes():
    layer = RecurrentLayer(Network(cell="gru", cells=8), 5)
    for states_given in ((torch.ones(7),), (torch.ones(8), torch.ones(8))):
        with pytest.raises(ValueError, match=r"initial y and c of this layer have shapes \(\(8,\), None\), got"):
            layer.begin_with(*states_given)


FORMS = {  # of torch, for any number of sequences
    "expanded": lambda h, sequences: h.expand(-1, sequences, -1),
    "repeated": lambda h, sequences: h.repeat(1, sequences, 1),
    "filled": lambda h, sequences: torch.full((2, sequences, CELLS), 0.25) + torch.ones(2, sequences, CELLS) * 0.5,
}


@pytest.mark.parametrize("open_batch", [False, True])
@pytest.mark.parametrize("parameter", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_constants_of_an_exported_module(kind, form, parameter, open_batch):
    recurrent = kind(INPUTS, CELLS, 2, batch_first=True)

    def act(self: Exported, x: torch.Tensor) -> torch.Tensor:
        h = FORMS[form](self.h, x.shape[0])
        return self.recurrent(x, (h, 2 * h) if kind is nn.LSTM else h)[0]

    module = Exported(act, recurrent)
    module.h = nn.Parameter(torch.randn(2, 1, CELLS)) if parameter else nn.Buffer(torch.randn(2, 1, CELLS))
    shapes = {"dynamic_shapes": ({0: torch.export.Dim("b")},)} if open_batch else {}
    model = ernn.from_torch(exported(module, **shapes))
    x = torch.randn(3, 7, INPUTS)
    with torch.no_grad():
        np.testing.assert_allclose(model.predict(x), module(x).numpy(), atol=1e-5)


def test_an_exported_module_says_its_states_itself():
    with pytest.raises(UserError, match="head, last and initial are of modules, an exported one says them itself"):
        ernn.from_torch(exported(Exported(lambda self, x: self.recurrent(x)[0], nn.GRU(INPUTS, CELLS))), initial=H)


def test_states_that_follow_from_the_number_of_sequences_are_refused():
    def act(self: Exported, x: torch.Tensor) -> torch.Tensor:
        return self.recurrent(x, torch.ones(1, x.shape[0], CELLS) * x.shape[0])[0]

    module = Exported(act, nn.GRU(INPUTS, CELLS, batch_first=True))
    program = exported(module, dynamic_shapes=({0: torch.export.Dim("b")},))
    with pytest.raises(UserError, match="initial states follow from how many steps or sequences there are"):
        ernn.from_torch(program)
