"""Settings of CTC decoding: the best of all that are tried."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.scoring import decoding, tuning


@given(seed=st.integers(0, 2**32 - 1))
def test_the_best_settings_are_of_the_grid_and_no_others_are_better(seed):
    random = np.random.default_rng(seed)
    utterances = [torch.tensor(random.normal(size=(9, 4))).log_softmax(1) for _ in range(3)]
    bigram, wanted = torch.tensor(random.normal(size=(4, 3))), random.integers(0, 9, 3)

    def per(hypotheses: list[list[int]]) -> float:
        return float(sum(abs(len(phones) - count) for phones, count in zip(hypotheses, wanted, strict=True)))

    found, rate = tuning.best(utterances, bigram, per)
    rates = [per(decoding.ctc_viterbi(utterances, bigram, options)) for options in tuning.grid()]
    assert rate == min(rates)
    assert found == [*tuning.grid()][rates.index(rate)]


def test_blanks_that_cost_phones_are_made_up_for():
    """Posteriors that favour the blank a little in every frame: only a bonus for each phone brings them back."""
    posteriors = torch.full((10, 3), -3.0)
    posteriors[1::4, 0], posteriors[3::4, 1], posteriors[:, 2] = -1.2, -1.2, -0.5
    wanted = [0, 1, 0, 1, 0]
    bigram = torch.full((3, 2), float(np.log(0.5)))
    assert decoding.ctc_greedy([posteriors]) == [[]]
    found, rate = tuning.best([posteriors], bigram, lambda hypotheses: 100.0 * (hypotheses != [wanted]))
    assert rate == 0
    assert found.insertion_penalty < 0


@pytest.mark.parametrize("name", ["bigram_scale", "insertion_penalty"])
def test_the_grid_has_each_setting_once_and_room_on_both_sides(name):
    values = [getattr(options, name) for options in tuning.grid()]
    assert len(set(tuning.grid())) == len(values)
    assert min(values) < values[0] or max(values) > values[0]
