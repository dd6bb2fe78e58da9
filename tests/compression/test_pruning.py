"""Load-balance-aware pruning: every processing element keeps equally many weights, the largest ones."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.compression.pruning import Pruner, balanced_mask
from ernn.errors import UserError
from ernn.nn.acoustic import AcousticModel
from tests import toy


@given(rows=st.integers(4, 40), cols=st.integers(1, 30), kept=st.floats(0.01, 1), elements=st.integers(1, 4))
def test_elements_keep_equally_many_of_their_largest(rows, cols, kept, elements):
    weight = torch.randn(rows, cols, generator=torch.Generator().manual_seed(rows * 31 + cols))
    mask = balanced_mask(weight, kept, elements)
    counts = {int(mask[element::elements].sum()) for element in range(elements)}
    assert len(counts) == 1
    for element in range(elements):
        own, chosen = weight[element::elements].abs(), mask[element::elements]
        if not chosen.all():
            assert own[chosen].min() >= own[~chosen].max()


@given(ratio=st.floats(1.5, 12))
def test_the_ratio_is_reached(ratio):
    weight = torch.randn(64, 48, generator=torch.Generator().manual_seed(1))
    assert weight.numel() / balanced_mask(weight, 1 / ratio, 4).sum() == pytest.approx(ratio, rel=0.02)


def test_more_elements_than_rows_are_refused():
    with pytest.raises(UserError, match=r"compression\.pruning_elements=4 must not exceed the 3 rows of a matrix"):
        balanced_mask(torch.zeros(3, 3), 0.5, 4)


def pruned_by(steps: int, ratio: float, elements: int | str = 2) -> tuple[AcousticModel, Pruner]:
    torch.manual_seed(1)
    model = AcousticModel(toy.network(), toy.DIMENSION, [str(index) for index in range(toy.PHONES)])
    pruner = Pruner(model, ratio, elements)
    for step in range(steps):
        pruner.after_step(step / steps, steps_per_epoch=8)
    return model, pruner


def test_the_pattern_shrinks_and_the_rest_stays_zero():
    model, pruner = pruned_by(20, ratio=4)
    assert 1 / 4 < pruner.kept < 1
    for _, matrix in model.matrices():
        assert int((matrix() != 0).sum()) <= pruner.kept * matrix().numel() + 8


def test_rows_keep_equally_many_where_each_is_an_element():
    model, pruner = pruned_by(20, ratio=4, elements="rows")
    pruner.finish(model)
    for place, matrix in model.matrices():
        assert len(set((matrix() != 0).sum(dim=1).tolist())) == 1, place


def test_the_finished_network_stores_only_the_pattern():
    model, pruner = pruned_by(20, ratio=4)
    pruner.finish(model)
    for _, matrix in model.matrices():
        assert matrix.kind == "pruned"
        assert matrix.stored_words == int((matrix() != 0).sum()) == pytest.approx(matrix().numel() / 4, rel=0.05)


def test_pruned_weights_get_no_gradient():
    model, pruner = pruned_by(20, ratio=4)
    pruner.finish(model)
    model(torch.randn(5, 2, toy.DIMENSION)).sum().backward()
    matrix = model.layers[0].weight_hh
    assert not matrix.weight.grad[~matrix.mask].any()


def test_a_loaded_pruner_goes_on_exactly():
    model, pruner = pruned_by(10, ratio=4)
    twin, other = pruned_by(0, ratio=4)
    twin.load_state_dict(model.state_dict())
    other.load(pruner.state())
    for each in (pruner, other):
        for step in range(10):
            each.after_step(0.5 + step / 20, steps_per_epoch=8)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))
