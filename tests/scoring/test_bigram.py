"""The search against the best of all paths, and alone against in company."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ernn.scoring import bigram

SEEDS = st.integers(0, 2**32 - 1)


def chain(random: np.random.Generator, states: int) -> bigram.Markov:
    """Whole numbers, so that float32 sums are exact; some changes are impossible."""
    change = torch.tensor(random.integers(-9, 3, (states, states)), dtype=torch.float32)
    change[torch.tensor(random.random((states, states)) < 0.2)] = -torch.inf
    change.fill_diagonal_(0)
    start = torch.tensor(random.integers(-9, 3, states), dtype=torch.float32)
    return bigram.Markov(torch.tensor(random.integers(0, 3, states)), start, change)


def value(path, emissions: torch.Tensor, search: bigram.Markov) -> float:
    """Score of one path, straight from the definition."""
    emitted = sum(emissions[frame, search.emits[state]].item() for frame, state in enumerate(path))
    changes = sum(search.change[pair].item() for pair in itertools.pairwise(path))
    return search.start[path[0]].item() + emitted + changes


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("states", "frames"), [(4, 5), (4, 1), (1, 3)])
def test_no_path_is_better_than_the_one_found(seed, states, frames):
    random = np.random.default_rng(seed)
    search = chain(random, states)
    emissions = torch.tensor(random.integers(-9, 9, (frames, 3)), dtype=torch.float32)
    (found,) = bigram.best_paths([emissions], search)
    best = max(value(path, emissions, search) for path in itertools.product(range(states), repeat=frames))
    assert value(tuple(found.tolist()), emissions, search) == best


@given(seed=SEEDS, lengths=st.lists(st.integers(0, 12), max_size=9))
def test_company_and_its_order_change_nothing(seed, lengths):
    random = np.random.default_rng(seed)
    search = chain(random, 5)
    # whole numbers: ties are common, and have to fall the same way too
    emissions = [torch.tensor(random.integers(-3, 3, (length, 3)), dtype=torch.float32) for length in lengths]
    alone = [bigram.best_paths([each], search)[0] for each in emissions]
    order = random.permutation(len(lengths))
    together = bigram.best_paths([emissions[index] for index in order], search)
    for index, path in zip(order, together, strict=True):
        np.testing.assert_array_equal(path, alone[index])


def test_more_utterances_than_go_side_by_side():
    random = np.random.default_rng(0)
    search = chain(random, 4)
    emissions = [torch.randn(int(frames), 3) for frames in random.integers(0, 8, 2 * bigram.CHUNK + 3)]
    for path, each in zip(bigram.best_paths(emissions, search), emissions, strict=True):
        np.testing.assert_array_equal(path, bigram.best_paths([each], search)[0])


@pytest.mark.parametrize("emissions", [[], [torch.zeros(0, 3)]])
def test_nothing_gives_nothing(emissions):
    assert [path.tolist() for path in bigram.best_paths(emissions, chain(np.random.default_rng(0), 2))] == [
        [] for _ in emissions
    ]
