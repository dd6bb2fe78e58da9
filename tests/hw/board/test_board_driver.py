"""What the driver of a board writes and packs: the words and integers of the library."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format, nearest
from ernn.hw import design
from ernn.hw.board import adapter, host
from ernn.hw.layout.registers import PROTOCOL
from ernn.hw.project import rtl_project
from ernn.program import shape
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
    described, random, states, wanted = design.of(files), np.random.default_rng(1), [], []
    for number, layer in enumerate(described.layers):
        states.append({})
        for kind, form in layer.states.items():
            half = 1 << (form.element_bits - 1)
            numbers = random.integers(-half, half, form.words * form.elements)
            states[-1][kind] = numbers
            wanted += host.state(described, number, 1, kind, numbers)
    driver.restore(1, states)
    assert written.writes == wanted
    assert any(states)


def test_other_registers_are_refused():
    described = json.loads(accelerator("lstm")[2][design.ACCELERATOR])
    with pytest.raises(DRIVER.DriverError, match=r"^no accelerator of version 2 found: identity 0x7, version 2$"):
        DRIVER.Accelerator(Written(described["registers"], identity=7), described)


def test_versions_are_those_of_the_library():
    assert DRIVER.FILE_VERSION == design.Accelerator.version == design.WeightImages.version
    assert PROTOCOL.version == DRIVER.VERSION


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing: copy it from the project"),
        ('{"version": 1', "is no JSON ("),
        ('{"version": 2}', "version must be 1, got 2: take the driver of this project"),
        ("{}", "version must be 1, got None: take the driver of this project"),
        ("[]", "version must be 1, got None: take the driver of this project"),
    ],
)
@pytest.mark.parametrize("name", ["accelerator.json", "weights.json"])
def test_files_that_are_missing_damaged_or_of_another_version_are_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    driver, written, _ = accelerator("lstm")
    with pytest.raises(DRIVER.DriverError) as refused:
        DRIVER.read(tmp_path / name) if name == "accelerator.json" else driver.load_weights(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / name}")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert written.writes == []


def loadable(tmp_path, program, array=(4, 2, 0), transformed=False):
    """The folder `memory` of another accelerator."""
    network = designs.network(program, array, streams=2, transformed=transformed)
    return designs.write(rtl_project(network), tmp_path) / "memory"


@pytest.mark.parametrize("name", STRUCTURES)
def test_other_weights_of_the_same_shape_are_loaded(name, tmp_path):
    driver, written, files = accelerator(name)
    memory = loadable(tmp_path, programs.other_words(programs.build(**STRUCTURES[name])))
    assert driver.load_weights(designs.write(files, tmp_path / "own") / "memory") == driver.load_weights(memory)
    half = len(written.writes) // 2
    assert len(written.writes) == 2 * half
    assert written.writes[:half] != written.writes[half:]


def test_weights_of_equal_sizes_and_other_biases_are_refused(tmp_path):
    driver, written, _ = accelerator("lstm")
    own, other = programs.build(**STRUCTURES["lstm"]), programs.build(**STRUCTURES["lstm"], seed=1)
    with pytest.raises(DRIVER.DriverError) as refused:
        driver.load_weights(loadable(tmp_path, other))
    assert str(refused.value) == (
        f"{tmp_path}/memory: the digest `shape` (sizes, formats and constants) must be the accelerator's, "
        f"{shape.digest(own)[:12]}.., got {shape.digest(other)[:12]}.. of small; build that program's own bitstream"
    )
    assert written.writes == []


@pytest.mark.parametrize(
    ("array", "transformed", "found"),
    [
        ((8, 2, 0), False, "words (layer0 8x2x4, output_layer 2x2x1)"),
        ((4, 2, 0), True, "transformed (layer0 4x2x4, output_layer 2x2x1)"),
    ],
)
def test_weights_that_lie_otherwise_are_refused(tmp_path, array, transformed, found):
    driver, written, _ = accelerator("lstm")
    memory = loadable(tmp_path, programs.build(**STRUCTURES["lstm"]), array, transformed)
    with pytest.raises(DRIVER.DriverError) as refused:
        driver.load_weights(memory)
    assert str(refused.value) == (
        f"{memory}: weights must lie as words (layer0 4x2x4, output_layer 2x2x1), got {found}; "
        "generate them for these sizes"
    )
    assert written.writes == []


@pytest.mark.parametrize("size", [(3, 5), (6,)])
def test_frames_of_another_size_are_refused(size):
    with pytest.raises(DRIVER.DriverError, match=rf"^frames have 6 features, got an array of {re.escape(str(size))}$"):
        accelerator("lstm")[0].run(np.zeros(size, np.int64))


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
