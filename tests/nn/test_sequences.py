"""The last steps of padded batches, and the batches that have none."""

import pytest
import torch

from ernn.nn import sequences


def test_last_is_each_sequence_s_own():
    steps = torch.arange(12.0).reshape(4, 3, 1)
    assert sequences.last(steps, torch.tensor([1, 4, 2])).flatten().tolist() == [0, 10, 5]
    assert sequences.last(steps, None).flatten().tolist() == [9, 10, 11]


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 0, 4], r"lengths must lie in 1 to 4, the steps of x; got \[1, 0, 4\]"),
        ([1, 5, 4], r"lengths must lie in 1 to 4, the steps of x; got \[1, 5, 4\]"),
        ([1, 4], "lengths has 2 entries for 3 sequences"),
    ],
)
def test_lengths_that_do_not_fit(lengths, message):
    with pytest.raises(ValueError, match=message):
        sequences.check(torch.zeros(4, 3, 2), torch.tensor(lengths))


def test_no_steps():
    with pytest.raises(ValueError, match="x has 0 steps; a sequence needs one at least"):
        sequences.check(torch.zeros(0, 3, 2), None)


def test_an_empty_batch_passes():
    sequences.check(torch.zeros(4, 0, 2), torch.zeros(0, dtype=torch.long))


def test_the_first_tensor_of_another_shape_is_named():
    x, weight = torch.zeros(4, 3, 2), torch.zeros(8, 3)
    sequences.check_shapes(x=(x, (4, 3, 2)), weight=(weight, (8, 3)), bias=(None, (8,)))
    with pytest.raises(ValueError, match=r"weight has shape \(8, 3\), the other tensors of the cell call for \(8, 2\)"):
        sequences.check_shapes(x=(x, (4, 3, 2)), weight=(weight, (8, 2)))
