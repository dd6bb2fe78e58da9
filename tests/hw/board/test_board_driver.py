"""What the driver of a board writes: the words of the library; and what it refuses before it writes any."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.hw import design
from ernn.hw.board import host
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
            layer.array.layout.load_bits,
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
    versions = {design.ACCELERATOR: design.Accelerator.version, Path(design.WEIGHTS).name: design.WeightImages.version}
    assert versions == DRIVER.FILE_VERSIONS
    assert PROTOCOL.version == DRIVER.VERSION


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing: copy it from the project"),
        ('{"version": 1', "is no JSON ("),
        ('{"version": 9}', "version must be VERSION, got 9: take the driver of this project"),
        ("{}", "version must be VERSION, got None: take the driver of this project"),
        ("[]", "version must be VERSION, got None: take the driver of this project"),
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
    assert message.replace("VERSION", str(DRIVER.FILE_VERSIONS[name])) in str(refused.value)
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


def damaged(folder, change):
    """The last memory, with other lines."""
    path = max(folder.glob("output_layer_weights_*.hex"))
    path.write_text("\n".join(change(path.read_text().split())) + "\n")
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],  # a copy that was cut off
        lambda lines: [*lines[:-1], lines[-1][:-1]],
        lambda lines: [*lines, lines[0]],
        lambda lines: [f"0{line}" for line in lines],
        lambda lines: [*lines[:-1], "x" * len(lines[-1])],
        lambda lines: [],
    ],
)
def test_a_memory_that_is_damaged_is_refused_before_anything_is_written(tmp_path, change):
    driver, written, files = accelerator("lstm")
    folder = designs.write(files, tmp_path) / "memory"
    path = damaged(folder, change)
    with pytest.raises(DRIVER.DriverError) as refused:
        driver.load_weights(folder)
    assert re.fullmatch(
        rf"{path} is damaged: it is no memory of \d+ bits; copy it from the project again", str(refused.value)
    )
    path.unlink()
    with pytest.raises(DRIVER.DriverError, match=r"\.hex is missing: copy the folder `memory` of the project$"):
        driver.load_weights(folder)
    assert written.writes == []


FEATURES = np.zeros((3, 6), np.int16)


def with_feature(value, kind=np.int64):
    x = FEATURES.astype(kind)
    x[1, 2] = value
    return x


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FEATURES[:, 1:],), "frames have 6 features, got an array of (3, 5)"),
        ((FEATURES[0],), "frames have 6 features, got an array of (6,)"),
        ((np.zeros((0, 5), int),), "frames have 6 features, got an array of (0, 5)"),
        ((FEATURES.astype(np.float32),), "features are integers of 9 bits, got float32; `quantize` makes them"),
        ((FEATURES + 0.5,), "features are integers of 9 bits, got float64; `quantize` makes them"),
        ((FEATURES == 0,), "features: integers are wanted, got bool"),
        ((FEATURES.astype(object),), "features: integers are wanted, got object"),
        ((with_feature(256),), "features: integers of -256 to 255 are wanted, got 256 at (1, 2)"),
        ((with_feature(-257),), "features: integers of -256 to 255 are wanted, got -257 at (1, 2)"),
        ((with_feature(40000),), "features: integers of -256 to 255 are wanted, got 40000 at (1, 2)"),
        (
            (with_feature(2**64 - 1, np.uint64),),
            "features: integers of -256 to 255 are wanted, got 18446744073709551615 at (1, 2)",
        ),
        ((FEATURES, True), "first has a mark for each of 3 frames, got an array of ()"),
        ((FEATURES, [True, False]), "first has a mark for each of 3 frames, got an array of (2,)"),
        ((FEATURES, [1, 0, 2]), "first: integers of 0 to 1 are wanted, got 2 at (2,)"),
        ((FEATURES, [-1, 0, 0]), "first: integers of 0 to 1 are wanted, got -1 at (0,)"),
        ((FEATURES, [1.0, 0, 0]), "first: integers are wanted, got float64"),
        ((FEATURES, None, 2), "stream: integers of 0 to 1 are wanted, got 2"),
        ((FEATURES, None, 99), "stream: integers of 0 to 1 are wanted, got 99"),
        ((FEATURES, None, -1), "stream: integers of 0 to 1 are wanted, got -1"),
        ((FEATURES, None, 2**80), "stream: integers are wanted, got object"),
        ((FEATURES, None, [0, 1, 2]), "stream: integers of 0 to 1 are wanted, got 2 at (2,)"),
        ((FEATURES, None, [0, 1]), "stream is one number, or one for each of 3 frames, got (2,)"),
        ((FEATURES, None, 0.5), "stream: integers are wanted, got float64"),
        ((FEATURES, None, None), "stream: integers are wanted, got object"),
    ],
)
def test_frames_that_the_accelerator_has_not_are_refused_before_any_is_sent(arguments, message):
    driver, written, _ = accelerator("lstm")
    with pytest.raises(DRIVER.DriverError) as refused:
        driver.run(*arguments)
    assert str(refused.value) == message
    assert written.packets == written.writes == []


def test_rows_that_are_no_array_are_refused():
    with pytest.raises(DRIVER.DriverError, match=r"^features: an array is wanted \([^\n]*\)$"):
        accelerator("lstm")[0].run([[1, 2], [3]])


KINDS = st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint64])


@given(kind=KINDS, frames=st.integers(0, 7), packet=st.integers(1, 4), seed=st.integers(0, 999))
def test_frames_are_sent_as_they_are_or_not_at_all(kind, frames, packet, seed):
    whole, written, _ = accelerator("lstm")
    driver, random = DRIVER.Accelerator(written, whole.description, packet), np.random.default_rng(seed)
    limits = np.iinfo(kind)
    low, high = max(limits.min, -256), min(limits.max, 255)
    x = random.integers(low, high, (frames, 6), endpoint=True).astype(kind)
    first, stream = random.random(frames) < 0.5, random.integers(0, 2, frames)
    assert driver.run(x, first, stream).tolist() == np.zeros((frames, 3)).tolist()
    rows = np.array([word for packet in written.packets for word in packet], np.uint32).reshape(frames, 4)
    assert (rows[:, 0] == first + (stream << 16)).all()
    assert (DRIVER._integers(rows[:, 1:], 16, 6) == x).all()
    assert len(written.packets) == -(-frames // packet)
    if frames and (wrong := [each for each in (256, -257) if limits.min <= each <= limits.max]):
        x[seed % frames, seed % 6] = wrong[seed % len(wrong)]
        with pytest.raises(DRIVER.DriverError, match=r"^features: integers of -256 to 255 are wanted, got "):
            driver.run(x, first, stream)
        assert len(written.packets) == -(-frames // packet)


@pytest.mark.parametrize("frames", [0, -1])
def test_packets_without_frames_are_refused(frames):
    whole, written, _ = accelerator("lstm")
    with pytest.raises(DRIVER.DriverError, match=f"^frames_in_packet must be 1 or more, got {frames}$"):
        DRIVER.Accelerator(written, whole.description, frames)


@pytest.mark.parametrize(("stream", "got"), [(2, "0 to 1 are wanted, got 2"), (-1, "0 to 1 are wanted, got -1")])
def test_states_of_a_stream_that_is_not_there_are_refused(stream, got):
    driver, written, _ = accelerator("lstm")
    for call in (driver.save, lambda stream: driver.restore(stream, zeros(driver))):
        with pytest.raises(DRIVER.DriverError, match=f"^stream: integers of {got}$"):
            call(stream)
        with pytest.raises(DRIVER.DriverError, match=r"^stream is one number, got an array of \(2,\)$"):
            call([0, 1])
    assert written.writes == []


def zeros(driver):
    """States that `restore` takes."""
    return [
        {kind: np.zeros(form["words"] * form["elements"], np.int64) for kind, form in layer["states"].items()}
        for layer in driver.description["layers"]
    ]


@pytest.mark.parametrize(
    ("layer", "kind", "numbers", "message"),
    [
        (0, "c", [0] * 8 + [2048], r"states must have \[.*\] integers, layer by layer, got \[\{'c': 9, 'y': 4\}, .*\]"),
        (0, "c", [0] * 7 + [2048], r"layer0, c: integers of -2048 to 2047 are wanted, got 2048 at \(7,\)"),
        (0, "c", [-2049] + [0] * 7, r"layer0, c: integers of -2048 to 2047 are wanted, got -2049 at \(0,\)"),
        (0, "y", [0, 0, 512, 0], r"layer0, y: integers of -512 to 511 are wanted, got 512 at \(2,\)"),
        (0, "y", np.zeros(4), "layer0, y: integers are wanted, got float64"),
        (0, "z", [0], "states must have .*, got .*"),
        (1, "c", [0], "states must have .*, got .*"),
    ],
)
def test_states_of_another_accelerator_are_refused_before_anything_is_written(layer, kind, numbers, message):
    driver, written, _ = accelerator("lstm")
    states = zeros(driver)
    states[layer][kind] = numbers
    with pytest.raises(DRIVER.DriverError, match=f"^{message}$"):
        driver.restore(0, states)
    for other in (states[:0], [*zeros(driver), {}]):
        with pytest.raises(DRIVER.DriverError, match=r"^states must have .*, got "):
            driver.restore(0, other)
    for other in (7, [7, 7]):
        with pytest.raises(DRIVER.DriverError, match=r"^states must be a list of dictionaries, as `save` gives it$"):
            driver.restore(0, other)
    assert written.writes == []
    driver.restore(0, zeros(driver))
    assert written.writes


def vectors(folder, frames="1 0\n0 0\n", x="1\n" * 12, want="ffffffff\n" * 6):
    """Files of two frames."""
    return designs.write({"frames.txt": frames, "x.hex": x, "want.hex": want}, folder)


def test_vectors_are_read(tmp_path):
    found = DRIVER.BoardVectors.load(vectors(tmp_path), 6, 3)
    assert (found.x == 1).all()
    assert (found.logits == -1).all()
    assert (found.first.tolist(), found.stream.tolist()) == ([True, False], [0, 0])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"frames": ""}, "frames.txt is damaged: frames are lines as `1 0`; copy it again"),
        ({"frames": "1 0\n0\n"}, "frames.txt is damaged: frames are lines as `1 0`; copy it again"),
        ({"frames": "1 0\n0 -1\n"}, "frames.txt is damaged: frames are lines as `1 0`; copy it again"),
        ({"frames": "1 0\n2 0\n"}, "frames.txt is damaged: frames are lines as `1 0`; copy it again"),
        ({"frames": "1 0\nx y\n"}, "frames.txt is damaged: frames are lines as `1 0`; copy it again"),
        ({"x": "1\n" * 11}, "is of another network: 2 frames want 6 features and 3 logits each, got 11 and 6"),
        ({"x": "1\n" * 11 + "y\n"}, "x.hex is damaged (invalid literal for int() with base 16: 'y'): copy it again"),
        ({"want": "1\n" * 5 + "f" * 40}, "want.hex is damaged ("),
    ],
)
def test_vectors_that_are_damaged_or_of_another_network_are_refused(tmp_path, files, message):
    with pytest.raises(DRIVER.DriverError) as refused:
        DRIVER.BoardVectors.load(vectors(tmp_path, **files), 6, 3)
    assert str(refused.value).startswith(str(tmp_path))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_description_without_a_part_is_one_line(tmp_path, monkeypatch):
    path = tmp_path / "accelerator.json"
    path.write_text(f'{{"version": {design.Accelerator.version}}}')
    monkeypatch.setattr(DRIVER, "PynqBoard", lambda bitstream: Written(["identity", "interface_version"]))
    monkeypatch.setattr(sys, "argv", ["ernn_driver.py", "--accelerator", str(path)])
    with pytest.raises(SystemExit, match=r"^error: .*accelerator.json lacks 'registers': copy it from the project"):
        DRIVER.main()
