"""Numbers as the driver of a board packs them, and features as the integers of the model."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hypothesis_numpy

from ernn.dataflow.formats import Format, nearest
from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.hw.board import adapter
from tests import programs
from tests.hw.board_accelerators import DRIVER, STRUCTURES, accelerator


@given(slot=st.sampled_from(adapter.SLOTS), count=st.integers(1, 9), rows=st.integers(1, 4), seed=st.integers(0, 99))
def test_words_hold_what_was_put_into_them(slot, count, rows, seed):
    half = 1 << (slot - 1)
    numbers = np.random.default_rng(seed).integers(-half, half, (rows, count))
    words = DRIVER._words(numbers, slot)
    assert words.shape == (rows, -(-count * slot // 32))
    assert (DRIVER._integers(words, slot, count) == numbers).all()
    for row, found in zip(numbers.tolist(), words.tolist(), strict=True):
        assert sum(word << 32 * place for place, word in enumerate(found)) == DRIVER._pack(row, slot)


@given(bits=st.integers(4, 18), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_packed_numbers_come_out_again(bits, count, seed):
    numbers = np.random.default_rng(seed).integers(-(1 << bits - 1), 1 << bits - 1, count).tolist()
    assert DRIVER._unpack(DRIVER._pack(numbers, bits), bits, count) == numbers


@given(st.lists(st.floats(-40, 40) | st.integers(-80, 80).map(lambda n: n / 64), min_size=1))
def test_features_become_the_integers_of_the_model(values):
    found = accelerator("lstm")[0].quantize(np.array(values))
    assert found.tolist() == nearest(np.array(values), Format(9, 5)).tolist()


@given(x=hypothesis_numpy.arrays(np.float64, (2, 6), elements=st.floats(width=64)))
@example(x=np.full((2, 6), 1e308))
@pytest.mark.filterwarnings("ignore:overflow")
def test_features_that_the_model_takes_are_taken_and_others_are_refused(x):
    driver, written, _ = accelerator("lstm")
    golden = Golden(programs.build(**STRUCTURES["lstm"]))
    if np.isfinite(x).all():
        assert driver.quantize(x).tolist() == golden.quantize(x).tolist()
        driver.run(driver.quantize(x))
        assert len(written.packets) == 1
    else:
        with pytest.raises(UserError) as wanted:
            golden.quantize(x)
        with pytest.raises(DRIVER.DriverError) as refused:
            driver.quantize(x)
        assert f"features: {refused.value} or leave it out" == str(wanted.value)


@pytest.mark.parametrize("features", [[[1.0], [1.0, 2.0]], "x", None, [{}]])
def test_features_that_are_no_numbers_are_refused(features):
    with pytest.raises(DRIVER.DriverError, match=r"^features must be [^\n]+$"):
        accelerator("lstm")[0].quantize(features)
