"""Imported models against the torch modules they come from."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.nn.recurrent import make_circulant
from ernn.nn.torch_import import from_modules, from_weights
from ernn.params import BlockSizes, Network
from ernn.scoring import decoding
from tests.nn.torch_networks import CELLS, CLASSES, INPUTS, KINDS, PHONES, PREFIXES, kinds, modules, named, said, same

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def difference(model: AcousticModel, recurrent: nn.Module, output: nn.Module, steps=20, batch=3) -> float:
    """Greatest difference of the logits."""
    x = torch.randn(steps, batch, recurrent.input_size)
    with torch.no_grad():
        if recurrent.batch_first:
            expected = output(recurrent(x.transpose(0, 1))[0]).transpose(0, 1)
        else:
            expected = output(recurrent(x)[0])
        return float((model(x) - expected).abs().max())


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
@kinds
def test_logits_are_those_of_torch(kind, projection, layers, bias, batch_first):
    recurrent, output = modules(kind, projection, layers, bias=bias, batch_first=batch_first)
    model = from_modules(recurrent, output, PHONES)
    cell, reset = {nn.LSTM: ("lstm", "before"), nn.GRU: ("gru", "after"), nn.RNN: ("rnn", "before")}[kind]
    assert model.network == Network(cell=cell, layers=layers, cells=CELLS, projection=projection, reset=reset)
    assert (model.dimension, model.phones, model.criterion) == (INPUTS, tuple(PHONES), "frames")
    assert difference(model, recurrent, output) < 1e-5
    assert same(model, from_weights(named(recurrent, output), PHONES, **PREFIXES, **said(kind)))


@given(
    st.sampled_from(KINDS), st.integers(1, 3), st.integers(1, 7), st.integers(4, 9), st.booleans(), st.integers(0, 999)
)
def test_sizes_are_found_whatever_they_are(kind, layers, inputs, cells, bias, seed):
    torch.manual_seed(seed)
    recurrent, output = modules(*kind, layers, inputs, cells, bias=bias)
    model = from_modules(recurrent, output, PHONES)
    assert (model.dimension, model.network.layers, model.network.cells) == (inputs, layers, cells)
    assert difference(model, recurrent, output) < 1e-5


@kinds
def test_in_double_precision_the_equations_are_the_same(kind, projection):  # in float32 torch's kernels may run in both
    recurrent, output = modules(kind, projection, layers=3)
    with torch.no_grad():
        for parameter in (*recurrent.parameters(), *output.parameters()):
            parameter.copy_(torch.randn_like(parameter).mul_(32).round_().div_(64))  # biases sum without rounding
    model = from_modules(recurrent, output, PHONES).double()
    x = torch.randn(20, 3, INPUTS, dtype=torch.float64)
    with torch.no_grad():
        expected = output.double()(recurrent.double()(x)[0])
        torch.testing.assert_close(model(x), expected, atol=1e-11, rtol=0)


@kinds
def test_the_size_of_a_real_network(kind, projection):
    recurrent, output = modules(kind, projection and 256, 2, 153, 512, classes=48)
    model = from_modules(recurrent, output, [str(index) for index in range(48)])
    assert difference(model, recurrent, output, steps=100) < 1e-5


@pytest.mark.parametrize("cells", [3, 4])  # 3 and 4 are also the numbers of gates
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_cells_as_many_as_gates(kind, cells):
    recurrent, output = modules(kind, cells=cells, inputs=cells)
    assert difference(from_modules(recurrent, output, PHONES), recurrent, output) < 1e-5


@pytest.mark.parametrize(
    ("prefix", "output_prefix"), [("", "fc."), ("", ""), ("a{0}.", "a{0}."), ("", "bias_"), ("+", "")]
)
def test_prefixes(prefix, output_prefix):
    recurrent, output = modules(nn.GRU, bias=False)
    weights = {prefix + name: tensor for name, tensor in recurrent.state_dict().items()}
    weights |= {output_prefix + name: tensor for name, tensor in output.state_dict().items()}
    backwards = dict(reversed(weights.items()))
    model = from_weights(backwards, PHONES, prefix=prefix, output_prefix=output_prefix)
    assert same(model, from_modules(recurrent, output, PHONES))


def test_an_output_layer_without_bias():
    recurrent, _ = modules()
    output = nn.Linear(CELLS, CLASSES, bias=False)
    assert difference(from_modules(recurrent, output, PHONES), recurrent, output) < 1e-5


@kinds
def test_double_precision_is_rounded(kind, projection):
    recurrent, output = modules(kind, projection, dtype=torch.float64)
    model = from_modules(recurrent, output.double(), PHONES)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert difference(model, recurrent.float(), output.float()) < 1e-5


@kinds
def test_weights_are_copied_and_can_be_trained(kind, projection):
    recurrent, output = modules(kind, projection)
    weights = named(recurrent, output)
    before = {name: tensor.clone() for name, tensor in weights.items()}
    model = from_weights(weights, PHONES, **PREFIXES, **said(kind))
    model(torch.randn(4, 2, INPUTS)).square().sum().backward()
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad.any()
            parameter.zero_()
    assert weights.keys() == before.keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("blank", range(CLASSES))
def test_the_blank_becomes_the_last_class(blank):
    recurrent, output = modules()
    frames, ctc = from_modules(recurrent, output, PHONES), from_modules(recurrent, output, PHONES[1:], blank)
    assert ctc.criterion == "ctc"
    order = [*(each for each in range(CLASSES) if each != blank), blank]
    x = torch.randn(4, 2, INPUTS)
    torch.testing.assert_close(ctc(x), frames(x)[..., order])


def test_priors_and_bigram_are_those_of_no_data():
    model = from_modules(*modules(), PHONES)
    torch.testing.assert_close(model.bigram, decoding.bigram([], CLASSES))
    torch.testing.assert_close(model.log_priors, decoding.log_priors(torch.empty(0).long().numpy(), CLASSES))


def test_dropout_that_is_not_active():
    recurrent, output = modules(dropout=0.5)
    assert difference(from_modules(recurrent.eval(), output, PHONES), recurrent, output) < 1e-5


@kinds
def test_from_import_to_a_circulant_model_file(kind, projection, tmp_path):
    model = from_modules(*modules(kind, projection), PHONES)
    make_circulant(model, (BlockSizes(input=2, recurrent=4, projection=2),) * 2)
    model_file.save(model, tmp_path / "model")
    assert same(model, model_file.load(tmp_path / "model"))


def chain(kind, projection, sizes, inputs=INPUTS, layers=1) -> tuple[list[nn.Module], nn.Linear]:
    """Modules in a row, and the linear layer behind them."""
    made = []
    for cells in sizes:
        made.append(modules(kind, projection, layers, inputs, cells)[0])
        inputs = projection or cells
    return made, nn.Linear(inputs, CLASSES)


@given(
    st.sampled_from(KINDS), st.lists(st.integers(4, 9), min_size=1, max_size=3), st.integers(1, 2), st.integers(0, 99)
)
def test_modules_in_a_row_are_layers_of_their_sizes(kind, sizes, layers, seed):
    torch.manual_seed(seed)
    recurrent, output = chain(*kind, sizes, layers=layers)
    model = from_modules(recurrent, output, PHONES)
    assert model.network.sizes == tuple(cells for cells in sizes for _ in range(layers))
    assert isinstance(model.network.cells, int) == (len(set(sizes)) == 1)
    x = torch.randn(9, 2, INPUTS)
    with torch.no_grad():
        expected = x
        for each in recurrent:
            expected = each(expected)[0]
        torch.testing.assert_close(model(x), output(expected), atol=1e-5, rtol=1e-5)
    assert same(model, from_modules(nn.ModuleList(recurrent), output, PHONES))


def test_weights_of_modules_in_a_row():
    recurrent, output = chain(nn.GRU, 0, [8, 4])
    weights = nn.ModuleDict({"a": recurrent[0], "b": recurrent[1], "fc": output}).state_dict()
    found = from_weights(dict(weights), PHONES, prefix=["a.", "b."], output_prefix="fc.")
    assert same(found, from_modules(recurrent, output, PHONES))


def test_a_stack_of_different_sizes_in_a_model_file(tmp_path):
    model = from_modules(*chain(nn.RNN, 0, [8, 4]), PHONES)
    make_circulant(model, (BlockSizes(input=2, recurrent=4),) * 2)
    model_file.save(model, tmp_path / "model")
    assert same(model, model_file.load(tmp_path / "model"))
