"""Linear layers of torch with functions behind them: equal to torch, or refused by their names."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import ernn
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from ernn.nn.functions import FUNCTIONS
from ernn.nn.torch_import import from_weights
from ernn.params import HeadSpec
from tests.nn.torch_networks import PHONES

CELLS = 8
MODULES = {
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "hardtanh": nn.Hardtanh(),
    "hardsigmoid": nn.Hardsigmoid(),
    "none": nn.Identity(),
}
HEADS = {
    **{f"{name} between": (nn.Linear(CELLS, 5), module, nn.Linear(5, 3)) for name, module in MODULES.items()},
    **{f"{name} behind": (nn.Linear(CELLS, 3), module) for name, module in MODULES.items()},
    "bounds": (nn.Linear(CELLS, 3), nn.Hardtanh(-0.1, 0.05)),
    "a lower bound alone": (nn.Linear(CELLS, 3), nn.Hardtanh(-0.1, math.inf)),
    "an upper bound alone": (nn.Linear(CELLS, 3), nn.Hardtanh(-math.inf, 0.05)),
    "nested, without bias, dropout at rest": (
        nn.Sequential(nn.Linear(CELLS, 4, bias=False), nn.Tanh(), nn.Dropout(0.0)),
        nn.Sequential(nn.Sequential(nn.Linear(4, 6)), nn.ReLU()),
        nn.Linear(6, 2),
    ),
}


def data() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(2, 9, 5)).astype(np.float32)


@pytest.mark.parametrize("name", HEADS)
def test_floats_are_those_of_torch(name, tmp_path):
    torch.manual_seed(1)
    recurrent, head, x = nn.GRU(5, CELLS), nn.Sequential(*HEADS[name]), data()
    for module in head.modules():
        if isinstance(module, nn.Linear):
            module.weight.data *= 6  # some elements reach the bounds
    with torch.no_grad():
        wanted = head(recurrent(torch.from_numpy(x).transpose(0, 1))[0]).transpose(0, 1).numpy()
    model = ernn.from_torch(recurrent, head)
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)
    np.testing.assert_allclose(list(map(model.stream(), x[0])), wanted[0], atol=1e-5)
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(ernn.load(tmp_path / "model").predict(x), model.predict(x))
    assert ernn.quantize(model, x, 14).compare(model, x).worst < 0.02


def test_functions_of_a_state_dict_are_said_by_their_names():
    assert FUNCTIONS.keys() == MODULES.keys()
    recurrent, head, x = nn.GRU(5, CELLS), [nn.Linear(CELLS, 5), nn.Linear(5, 3)], data()
    weights = nn.ModuleDict({"rnn": recurrent, "a": head[0], "b": head[1]}).state_dict()
    for function, module in MODULES.items():
        model = ernn.Model(from_weights(weights, prefix="rnn.", output_prefix=["a.", "b."], functions=[function]))
        wanted = ernn.from_torch(recurrent, nn.Sequential(head[0], module, head[1]))
        np.testing.assert_array_equal(model.predict(x), wanted.predict(x))


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ([nn.ReLU(), nn.Linear(8, 3)], r"output.0 \(ReLU\) follows no linear layer; put one before it"),
        ([nn.Linear(8, 3), nn.ReLU(), nn.Tanh()], r"output.2 \(Tanh\) follows no linear layer"),
        (
            [nn.Linear(8, 3), nn.Softmax(-1)],
            "output.1 is a Softmax, and a head has Linear, ReLU, .* yourself, behind",
        ),
        ([nn.Sequential(nn.Linear(8, 3), nn.GELU())], "output.0.1 is a GELU"),
        ([nn.Linear(8, 3), nn.Dropout(0.5)], r"output.1: dropout=0.5 is active, .* call .eval\(\) first"),
        ([nn.Linear(8, 4), nn.Linear(5, 3)], r"output1.weight: expected shape \(3, 4\), got shape \(3, 5\)"),
        ([nn.Linear(8, 16_385), nn.ReLU()], "linear layer 0 cannot be expressed: outputs: .* 16384, got 16385"),
        ([nn.Linear(7, 3)], r"output.weight: expected shape \(3, 8\), got shape \(3, 7\)"),
    ],
)
def test_what_is_no_such_head_is_named(head, message):
    with pytest.raises(UserError, match=message) as error:
        ernn.from_torch(nn.GRU(5, 8), nn.Sequential(*head))
    assert "\n" not in str(error.value)


def test_phones_are_the_classes_of_the_last_linear_layer():
    torch.manual_seed(0)
    modules = nn.ModuleDict({"rnn": nn.GRU(5, 8), "a": nn.Linear(8, 6), "b": nn.Linear(6, 4)})
    prefixes = {"prefix": "rnn.", "output_prefix": ["a.", "b."]}
    found = from_weights(modules.state_dict(), PHONES, functions=["tanh"], **prefixes)
    assert isinstance(found, AcousticModel)
    assert [str(each) for each in found.specs] == ["tanh"]
    x = torch.randn(7, 3, 5)
    wanted = modules["b"](torch.tanh(modules["a"](modules["rnn"](x)[0])))
    torch.testing.assert_close(found(x), wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="phones are the classes of a linear layer without a function behind it"):
        from_weights(modules.state_dict(), PHONES, functions=["tanh", "relu"], **prefixes)


def test_functions_that_there_are_not_are_named():
    weights = nn.ModuleDict({"rnn": nn.GRU(5, 8), "a": nn.Linear(8, 4)}).state_dict()
    with pytest.raises(UserError, match="functions: gelu must be one of none, relu, "):
        from_weights(weights, prefix="rnn.", output_prefix="a.", functions=["gelu"])
    with pytest.raises(UserError, match="functions has 2 entries for 1 linear layers"):
        from_weights(weights, prefix="rnn.", output_prefix="a.", functions=["relu", "relu"])


@pytest.mark.parametrize(
    ("given", "message"),
    [({"low": 1.0, "high": 1.0}, "low=1 must be below high=1"), ({"function": "tanh", "low": 0.0}, "low and high are")],
)
def test_bounds_that_make_no_sense_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        HeadSpec(outputs=2, **given)
