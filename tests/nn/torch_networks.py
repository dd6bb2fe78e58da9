"""Networks of torch that can be imported, and what is said where one cannot be."""

import pytest
import torch
from torch import Tensor, nn

from ernn.nn.acoustic import AcousticModel

INPUTS, CELLS, CLASSES = 5, 8, 4
PHONES = ["sil", "aa", "n", "t"]
PREFIXES = {"prefix": "rnn.", "output_prefix": "fc."}
KINDS = [(nn.LSTM, 0), (nn.LSTM, 3), (nn.GRU, 0), (nn.RNN, 0)]
kinds = pytest.mark.parametrize(("kind", "projection"), KINDS)
ADVICE = "; give one LSTM, GRU or RNN, the Linear ones behind it and their prefixes"


def modules(
    kind=nn.LSTM, projection=0, layers=2, inputs=INPUTS, cells=CELLS, classes=CLASSES, **options
) -> tuple[nn.LSTM | nn.GRU | nn.RNN, nn.Linear]:
    projected = {"proj_size": projection} if projection else {}
    return kind(inputs, cells, layers, **projected, **options), nn.Linear(projection or cells, classes)


def said(kind) -> dict[str, str]:
    """What weights of a module do not say."""
    return {"nonlinearity": "tanh"} if kind is nn.RNN else {}


def named(recurrent: nn.Module, output: nn.Module) -> dict[str, Tensor]:
    """The state dict of a network that holds both."""
    return dict(nn.ModuleDict({"rnn": recurrent, "fc": output}).state_dict())


def same(one: AcousticModel, other: AcousticModel) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return one.network == other.network and all(torch.equal(ours[name], theirs[name]) for name in ours | theirs)
