"""One clear line for every network that cannot be imported."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import prune

from ernn.errors import UserError
from ernn.nn.torch_import import from_modules, from_weights
from tests.nn.torch_networks import ADVICE, KINDS, PHONES, PREFIXES, modules, named, said

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def refused(weights: dict[str, Tensor], phones=PHONES, blank=None, prefixes=PREFIXES, **options) -> str:
    with pytest.raises(UserError) as error:
        from_weights(weights, phones, blank=blank, **prefixes, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("rnn.weight_hh_l1", (32, 7), "expected shape (32, 8), got shape (32, 7)"),
        ("rnn.weight_ih_l1", (32, 5), "expected shape (32, 8), got shape (32, 5)"),
        ("rnn.weight_ih_l0", (31, 5), "expected shape (32, 5), got shape (31, 5)"),
        ("rnn.weight_ih_l0", (32,), "expected a matrix, got shape (32,)"),
        ("rnn.weight_ih_l0", (32, 0), "expected a matrix, got shape (32, 0)"),
        ("rnn.weight_hh_l0", (), "expected a matrix, got shape ()"),
        ("rnn.weight_hh_l0", (33, 8), "expected 32 rows (LSTM), 24 (GRU) or 8 (RNN), got shape (33, 8)"),
        ("rnn.weight_hr_l0", (8, 8), "expected fewer than 8 rows, got shape (8, 8)"),
        ("rnn.weight_hr_l1", (3, 8), "expected no such tensor, got shape (3, 8)"),
        ("rnn.bias_hh_l1", (32, 1), "expected shape (32,), got shape (32, 1)"),
        ("rnn.weight_hh_l0_g", (32, 1), "expected no such tensor, got shape (32, 1)"),
        ("norm.weight", (8,), "expected no such tensor, got shape (8,)"),
        ("fc.weight", (4, 9), "expected shape (4, 8), got shape (4, 9)"),
        ("fc.bias", (5,), "expected shape (4,), got shape (5,)"),
    ],
)
def test_shapes_that_contradict_the_others(name, shape, message):
    weights = named(*modules()) | {name: torch.zeros(shape)}
    assert refused(weights) == f"{name}: {message}{ADVICE}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rnn.weight_hh_l0", "a matrix"),
        ("rnn.weight_ih_l0", "a matrix"),
        ("rnn.weight_hh_l1", "shape (32, 3)"),
        ("rnn.weight_hr_l1", "shape (3, 8)"),
        ("rnn.bias_ih_l0", "shape (32,)"),
        ("rnn.bias_hh_l1", "shape (32,)"),
        ("fc.weight", "a matrix"),
    ],
)
def test_missing(name, expected):
    weights = named(*modules(projection=3))
    del weights[name]
    assert refused(weights) == f"{name}: expected {expected}, got no such tensor{ADVICE}"


@pytest.mark.parametrize("name", ["weight_ih_l3", "bias_hh_l2", "weight_ih_l00"])
def test_layers_with_gaps(name):
    weights = named(*modules()) | {f"rnn.{name}": torch.zeros(32, 8)}
    assert refused(weights) == f"rnn.weight_ih_l2: expected shape (32, 8), got no such tensor{ADVICE}"


def test_a_projection_of_some_layers():
    weights = named(*modules(projection=3))
    del weights["rnn.weight_hr_l0"]
    expected = "expected 12 rows (LSTM), 9 (GRU) or 3 (RNN), got shape (32, 3)"
    assert refused(weights) == f"rnn.weight_hh_l0: {expected}{ADVICE}"


def test_a_projection_of_a_gru():
    weights = named(*modules(nn.GRU)) | {"rnn.weight_hr_l0": torch.zeros(3, 8)}
    assert refused(weights) == f"rnn.weight_ih_l0: expected shape (32, 5), got shape (24, 5){ADVICE}"


@given(st.sampled_from(KINDS), st.booleans(), st.data())
def test_no_tensor_can_be_left_out_nor_lengthened(kind, bias, data):
    weights, options = named(*modules(*kind, bias=bias)), said(kind[0])
    name = data.draw(st.sampled_from(sorted(weights)))
    longer = torch.cat((weights[name], weights[name][:1]))
    refused(weights | {name: longer}, **options)
    if name != "fc.bias":
        refused({other: tensor for other, tensor in weights.items() if other != name}, **options)


@pytest.mark.parametrize(
    ("prefixes", "message"),
    [
        (
            {"prefix": "", "output_prefix": "fc."},
            "weight_hh_l0: no such tensor; `weight_hh_l0` follows 'rnn.': give prefix='rnn.' (--prefix)",
        ),
        (
            {"prefix": "rnn.", "output_prefix": ""},
            "weight: no such tensor; `weight` follows 'fc.': give output_prefix='fc.' (--output-prefix)",
        ),
    ],
)
def test_wrong_prefixes(prefixes, message):
    assert refused(named(*modules()), prefixes=prefixes) == message


def test_every_prefix_that_could_be_meant_is_named():
    weights = {f"{side}.{name}": tensor for side in ("left", "right") for name, tensor in named(*modules()).items()}
    assert refused(weights) == (
        "rnn.weight_hh_l0: no such tensor; `weight_hh_l0` follows 'left.rnn.' or 'right.rnn.': "
        "give prefix='left.rnn.' (--prefix)"
    )


def test_a_wrapper_of_some_names_only_is_named():
    weights = {f"module.{name}" if name.startswith("rnn") else name: each for name, each in named(*modules()).items()}
    assert refused(weights) == (
        "rnn.weight_hh_l0: no such tensor; `weight_hh_l0` follows 'module.rnn.': give prefix='module.rnn.' (--prefix)"
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int32, torch.bool, torch.complex64])
@pytest.mark.parametrize("name", ["rnn.weight_ih_l1", "rnn.bias_hh_l0", "fc.bias"])
def test_other_kinds_of_number(name, dtype):
    weights = named(*modules())
    weights[name] = torch.ones_like(weights[name], dtype=dtype)
    message = f"{name} holds {dtype}, must be float32 or float64; call .float() on the module first"
    assert refused(weights) == message


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -1e39, 1.1e38])
@pytest.mark.parametrize("name", ["rnn.weight_hr_l1", "rnn.bias_ih_l0", "fc.weight"])
def test_values_that_are_not_finite(name, value):
    weights = {name: tensor.double() for name, tensor in named(*modules(projection=3)).items()}
    weights[name].view(-1)[-1] = value
    assert refused(weights) == f"{name} holds values that are not finite or beyond 1e38; train it again"


def test_the_greatest_biases_still_have_a_sum():
    weights = named(*modules())
    for name in ("rnn.bias_ih_l0", "rnn.bias_hh_l0"):
        weights[name].fill_(1e38)
    assert all(tensor.isfinite().all() for tensor in from_weights(weights, PHONES, **PREFIXES).state_dict().values())


@pytest.mark.parametrize(
    ("change", "got"),
    [(lambda tensor: tensor.to("meta"), "torch.strided on meta"), (Tensor.to_sparse, "torch.sparse_coo on cpu")],
)
def test_tensors_without_dense_values(change, got):
    weights = named(*modules())
    weights["rnn.weight_hh_l1"] = change(weights["rnn.weight_hh_l1"])
    message = f"rnn.weight_hh_l1 is {got}, must be dense with values; load them first"
    assert refused(weights) == message


def test_both_directions():
    recurrent, _ = modules(bidirectional=True)
    message = "weight_ih_l0_reverse: layers here run forward in time only; train with bidirectional=False"
    assert refused(named(recurrent, nn.Linear(16, 4))) == f"rnn.{message}"
    with pytest.raises(UserError, match=rf"^recurrent\.{message}$"):
        from_modules(recurrent, nn.Linear(16, 4), PHONES)


@pytest.mark.parametrize("value", [{"weight_ih_l0": 1}, 3, None, [1.0]])
def test_values_that_are_no_tensors(value):
    message = f"state is a {type(value).__name__}, not a tensor; give the state dict itself"
    assert refused(named(*modules()) | {"state": value}) == message


@pytest.mark.parametrize(
    ("phones", "blank", "got"),
    [
        (PHONES[1:], None, "3 phones (3 different) and blank=None"),
        ([*PHONES, "d"], None, "5 phones (5 different) and blank=None"),
        (["sil", "aa", "n", "n"], None, "4 phones (3 different) and blank=None"),
        ([], None, "0 phones (0 different) and blank=None"),
        (PHONES, 0, "4 phones (4 different) and blank=0"),
        (PHONES[1:], 4, "3 phones (3 different) and blank=4"),
        (PHONES, -1, "4 phones (4 different) and blank=-1"),
    ],
)
def test_phones_that_are_not_the_classes(phones, blank, got):
    rule = "the output layer has 4 classes, each for another phone, with CTC one for the blank; "
    assert refused(named(*modules()), phones, blank) == f"{rule}got {got}: correct phones or blank"


def test_a_blank_alone():
    assert "has 1 classes" in refused(named(*modules(classes=1)), [], 0)


class Own(nn.LSTM):
    """May compute anything."""


@pytest.mark.parametrize(
    ("recurrent", "got"),
    [
        (nn.RNNCell(5, 8), "RNNCell"),
        ([nn.LSTM(5, 8), nn.GRU(8, 8)], "LSTM, GRU"),
        ([nn.LSTM(5, 8), nn.Dropout()], "LSTM, Dropout"),
        ([], "none"),
        (nn.LSTMCell(5, 8), "LSTMCell"),
        (Own(5, 8), "Own"),
        (nn.utils.parametrizations.weight_norm(nn.LSTM(5, 8), "weight_hh_l0"), "ParametrizedLSTM"),
    ],
)
def test_other_modules(recurrent, got):
    with pytest.raises(UserError) as error:
        from_modules(recurrent, nn.Linear(8, 4), PHONES)
    rule = "modules must be a torch.nn.LSTM, GRU or RNN, or several of one kind in a row"
    assert str(error.value) == f"{rule}, got {got}; use those"


RELU = "nonlinearity=relu: an RNN here is one of tanh; train it with nonlinearity='tanh'"


@pytest.mark.parametrize("recurrent", [nn.RNN(5, 8, 1, "relu"), [nn.RNN(5, 6), nn.RNN(6, 8, 1, "relu")]])
def test_an_rnn_of_relu(recurrent):
    with pytest.raises(UserError) as error:
        from_modules(recurrent, nn.Linear(8, 4), PHONES)
    assert str(error.value) == RELU


def test_an_rnn_whose_nonlinearity_is_not_known():
    weights = named(*modules(nn.RNN))
    assert refused(weights) == (
        "rnn.weight_hh_l0 is of an RNN, whose weights do not say its nonlinearity; "
        "if that is tanh, give nonlinearity='tanh' (--nonlinearity)"
    )
    assert refused(weights, nonlinearity="relu") == RELU


def test_a_nonlinearity_of_another_cell():
    message = "nonlinearity=tanh belongs to an RNN, rnn.weight_hh_l0 is of cell=lstm; leave it out"
    assert refused(named(*modules()), nonlinearity="tanh") == message


@pytest.mark.parametrize(
    ("recurrent", "message"),
    [
        (
            [nn.LSTM(5, 8), nn.LSTM(7, 8)],
            f"recurrent1.weight_ih_l0: expected shape (32, 8), got shape (32, 7){ADVICE}",
        ),
        (
            [nn.LSTM(5, 8, proj_size=3), nn.LSTM(3, 8, proj_size=2)],
            "recurrent1.weight_hh_l0 is of projection=2, recurrent0.weight_hh_l0 of projection=3; "
            "modules in a row are alike in it",
        ),
    ],
)
def test_modules_that_make_no_chain(recurrent, message):
    with pytest.raises(UserError) as error:
        from_modules(recurrent, nn.Linear(8, 4), PHONES)
    assert str(error.value) == message


def test_the_second_module_is_looked_at_as_well():
    second = nn.LSTM(8, 8)
    second.register_forward_hook(lambda *arguments: None)
    with pytest.raises(UserError, match=r"^the recurrent1 module has hooks \(forward\)"):
        from_modules([nn.LSTM(5, 8), second], nn.Linear(8, 4), PHONES)
    with pytest.raises(UserError, match=r"^dropout=0\.3 is active"):
        from_modules([nn.LSTM(5, 8), nn.LSTM(8, 8, 2, dropout=0.3)], nn.Linear(8, 4), PHONES)


def test_active_dropout():
    with pytest.raises(UserError) as error:
        from_modules(*modules(dropout=0.3), PHONES)
    message = "dropout=0.3 is active, but an imported model has none; call .eval() first"
    assert str(error.value) == message


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("register", "kind"),
    [
        ("register_forward_hook", "forward"),
        ("register_forward_pre_hook", "forward_pre"),
        ("register_full_backward_hook", "backward"),
        ("register_full_backward_pre_hook", "backward_pre"),
    ],
)
def test_hooks(place, register, kind):
    pair = modules()
    handle = getattr(pair[place], register)(lambda *arguments: None)
    with pytest.raises(UserError) as error:
        from_modules(*pair, PHONES)
    assert str(error.value) == (
        f"the {('recurrent', 'output')[place]} module has hooks ({kind}), which an imported model would not run; "
        "remove them first, by remove() of the handles that registering them gave"
    )
    handle.remove()
    from_modules(*pair, PHONES)


@pytest.mark.parametrize("place", [0, 1])
def test_a_forward_of_its_own(place):
    pair = modules()
    pair[place].forward = lambda x: x
    with pytest.raises(UserError, match=r"^the \w+ module has a forward of its own, which would not be imported"):
        from_modules(*pair, PHONES)


@pytest.mark.parametrize("way", ["l1_unstructured", "random_unstructured"])
def test_pruning_that_was_not_made_permanent(way):
    recurrent, output = modules()
    getattr(prune, way)(output, "weight", amount=0.5)
    with pytest.raises(UserError, match=r"^the output module has hooks \(forward_pre\)"):
        from_modules(recurrent, output, PHONES)
    prune.remove(output, "weight")
    from_modules(recurrent, output, PHONES)


def test_a_network_beyond_the_bounds_of_acoustic_models_is_refused():
    module = torch.nn.LSTM(4, 8, num_layers=65)
    weights = {f"rnn.{name}": tensor for name, tensor in module.state_dict().items()}
    message = refused(weights)
    assert message.startswith("the network is larger than an acoustic model may be: layers: Input should be less than")
