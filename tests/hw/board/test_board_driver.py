"""What the driver of a board writes and packs: the words and integers of the library."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format, nearest
from ernn.hw.board import adapter, host
from tests import programs
from tests.hw import designs
from tests.hw.board_accelerators import DRIVER, STRUCTURES, Written, accelerator


@pytest.mark.parametrize("name", STRUCTURES)
def test_weights_are_written_as_by_the_library(name, tmp_path):
    driver, written, files = accelerator(name)
    memory = designs.write(files, tmp_path) / "memory"
    network = designs.network(programs.build(**STRUCTURES[name]), streams=2)
    wanted = [
        write
        for number, layer in enumerate(network.layers)
        for memory_number in range(layer.array.layout.memories)
        for write in host.weights(
            number,
            memory_number,
            files[f"memory/{layer.name}_weights_{memory_number}.hex"],
            layer.array.weight_bits,
        )
    ]
    assert driver.load_weights(memory) > 0
    assert written.writes == wanted


@pytest.mark.parametrize("name", STRUCTURES)
def test_states_are_written_as_by_the_library(name):
    driver, written, files = accelerator(name)
    design, random, states, wanted = json.loads(files["design.json"]), np.random.default_rng(1), [], []
    for number, layer in enumerate(design["layers"]):
        states.append({})
        for kind, form in layer["states"].items():
            half = 1 << (form["element_bits"] - 1)
            numbers = random.integers(-half, half, form["words"] * form["elements"])
            states[-1][kind] = numbers
            wanted += host.state(design, number, 1, kind, numbers)
    driver.restore(1, states)
    assert written.writes == wanted
    assert any(states)


def test_other_registers_are_refused():
    design = json.loads(accelerator("lstm")[2]["design.json"])
    with pytest.raises(DRIVER.DriverError, match=r"^no accelerator of version 1 is there: identity 0x7, version 1$"):
        DRIVER.Accelerator(Written(design["registers"], identity=7), design)


@pytest.mark.parametrize("shape", [(3, 5), (6,)])
def test_frames_of_another_size_are_refused(shape):
    with pytest.raises(DRIVER.DriverError, match=rf"^frames have 6 features, got an array of {re.escape(str(shape))}$"):
        accelerator("lstm")[0].run(np.zeros(shape, np.int64))


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
