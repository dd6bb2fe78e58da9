"""Batch plans cover every utterance once and are a function of seed and epoch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ernn.training import batches
from tests import toy

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=200).map(np.array)


@given(lengths=LENGTHS, size=st.integers(1, 32), seed=st.integers(0, 9), epoch=st.integers(0, 9))
def test_every_utterance_once(lengths, size, seed, epoch):
    plan = batches.order(lengths, size, seed, epoch)
    assert sorted(np.concatenate(plan)) == list(range(len(lengths)))
    assert all(len(indices) <= size for indices in plan)
    assert all((a == b).all() for a, b in zip(plan, batches.order(lengths, size, seed, epoch), strict=True))


@given(lengths=LENGTHS, size=st.integers(1, 32))
def test_evaluation_goes_from_long_to_short(lengths, size):
    plan = np.concatenate(batches.by_length(lengths, size))
    assert sorted(plan) == list(range(len(lengths)))
    assert (np.diff(lengths[plan]) <= 0).all()


def test_epochs_are_shuffled_differently():
    lengths = np.arange(1, 100)
    first, second = (np.concatenate(batches.order(lengths, 4, 1, epoch)) for epoch in (0, 1))
    assert (first != second).any()


def test_padding_is_zero_and_unlabelled(tmp_path):
    split = toy.make(tmp_path / "data").split("train")
    batch = batches.gather(split, np.array([3, 0, 5]))
    assert batch.x.shape[:2] == batch.labels.shape == (int(batch.lengths.max()), 3)
    for column, index in enumerate((3, 0, 5)):
        length = int(batch.lengths[column])
        assert (batch.x[:length, column].numpy() == split.feature(index)).all()
        assert (batch.labels[:length, column].numpy() == split.label(index)).all()
        assert not batch.x[length:, column].any()
        assert (batch.labels[length:, column] == -1).all()
