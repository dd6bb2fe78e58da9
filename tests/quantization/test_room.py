"""Values too large for integers are refused in one line when formats are chosen."""

import numpy as np
import pytest
import torch

import ernn
from ernn.errors import UserError
from ernn.quantization import rules

INPUTS, CELLS = 5, 8
X = np.random.default_rng(0).normal(size=(4, 6, INPUTS)).astype(np.float32)
CELL = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}


def network(cell: str, size: float) -> ernn.Model:
    """With initial states of this size."""
    torch.manual_seed(0)
    recurrent, state = CELL[cell](INPUTS, CELLS), torch.full((1, 1, CELLS), size)
    return ernn.from_torch(recurrent, torch.nn.Linear(CELLS, 3), initial=(state, state) if cell == "lstm" else state)


@pytest.mark.parametrize("size", [1e16, 2.5e19, 1e30, 1e38])
@pytest.mark.parametrize("cell", CELL)
def test_initial_states_beyond_all_formats_are_refused_by_name(cell, size):
    limit = f"{rules.widest(12).limit:.3g}".replace("+", r"\+")
    shown = f"{np.float32(size):.3g}".replace("+", r"\+")
    message = rf"^layers\.0\.initial_[yc] reaches {shown}, and 12 bits hold at most {limit}; make its values smaller$"
    with pytest.raises(UserError, match=message):
        ernn.quantize(network(cell, size), X, bits=12)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_sums_beyond_64_bits_are_refused_by_the_largest_tensor(cell):
    message = r"^layers\.0\.initial_[yc] reaches 2\.5e\+12, and its sums with others exceed the limit of 64 bits"
    with pytest.raises(UserError, match=message) as error:
        ernn.quantize(network(cell, 2.5e12), X)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "tensor"), [("weight_ih_l0", "weight_ih"), ("bias_hh_l0", "bias")])
@pytest.mark.parametrize("cell", CELL)
def test_weights_beyond_all_formats_are_refused_by_name(cell, name, tensor):
    recurrent = CELL[cell](INPUTS, CELLS)
    with torch.no_grad():
        getattr(recurrent, name)[0] = 1e20
    with pytest.raises(UserError, match=rf"^layers\.0\.{tensor} reaches 1e\+20, and 12 bits hold at most"):
        ernn.quantize(ernn.from_torch(recurrent), X, bits=12)


@pytest.mark.parametrize("cell", CELL)
def test_large_initial_states_within_the_limits_are_computed(cell):
    program = ernn.quantize(network(cell, 1e6), X)
    assert np.isfinite(program.predict(X)).all()
