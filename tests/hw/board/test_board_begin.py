"""What the driver of a board writes before sequences whose initial states are no zeros."""

import itertools
import json
import re

import numpy as np
import pytest

from ernn.errors import UserError
from ernn.hw import design
from ernn.hw.board import host
from ernn.hw.project import rtl_project
from tests import programs
from tests.hw import designs
from tests.hw.board.test_board_driver import loadable
from tests.hw.board_accelerators import DRIVER, STRUCTURES, Written, accelerator


def begun(frames_in_packet=256):
    """A driver of a program with initial states, and what it wrote and sent."""
    program = programs.begun(programs.build(**STRUCTURES["gru"]), layers=[1])
    files = rtl_project(designs.network(program, streams=2))
    described = json.loads(files[design.ACCELERATOR])
    written = Written(described["registers"])
    return DRIVER.Accelerator(written, described, frames_in_packet), written, files


def damaged(text: str, damage: str) -> tuple[dict, str]:
    """A description after one of `DAMAGES`, and the complaint about it."""
    described = json.loads(text)
    change, complaint = DAMAGES[damage]
    change(described, described["initial"][0])
    return described, complaint


def headers(written) -> list[list[int]]:
    """Of the rows of each packet."""
    return [words[::4] for words in written.packets]  # a header and six features, two in a word


def test_initial_states_are_written_before_each_sequence():
    driver, written, files = begun()
    wanted = [host.begin(design.of(files), stream) for stream in range(2)]
    assert wanted[0] != wanted[1]
    x = np.zeros((6, 6), np.int64)
    driver.run(x, np.array([1, 1, 0, 0, 1, 0]), np.array([0, 1, 0, 1, 0, 1]))
    assert written.writes == [*wanted[0], *wanted[1], *wanted[0]]
    assert headers(written) == [[0], [1 << 16, 0, 1 << 16], [0, 1 << 16]]
    written.writes.clear()
    driver.run(x, np.zeros(6, int), 1)  # the sequence continues
    assert written.writes == []


def test_packets_are_cut_behind_initial_states_too():
    driver, written, _ = begun(frames_in_packet=2)
    driver.run(np.zeros((6, 6), np.int64), np.array([1, 0, 0, 1, 0, 0]))
    assert [len(each) for each in headers(written)] == [2, 1, 2, 1]
    assert set(itertools.chain(*headers(written))) == {0}


def test_the_first_frame_of_a_stream_since_a_reset_begins_with_initial_states():
    driver, written, files = begun()
    wanted = [host.begin(design.of(files), stream) for stream in range(2)]
    x, unsaid = np.zeros((2, 6), np.int64), np.zeros(2, int)
    driver.run(x, unsaid, np.array([0, 1]))
    assert written.writes == [*wanted[0], *wanted[1]]
    driver.reset()
    driver.restore(1, [{kind: np.zeros(8, int) for kind in each["states"]} for each in driver.description["layers"]])
    restored = len(written.writes)
    driver.run(x, unsaid, np.array([0, 1]))
    assert written.writes[restored:] == wanted[0]


def test_loaded_weights_bring_their_initial_states(tmp_path):
    driver, written, files = begun()
    driver.load_weights(loadable(tmp_path, programs.build(**STRUCTURES["gru"])))
    written.writes.clear()
    driver.run(np.zeros((2, 6), np.int64))
    assert written.writes == []
    assert headers(written) == [[1, 0]]
    driver.load_weights(designs.write(files, tmp_path / "own") / "memory")
    written.writes.clear()
    driver.run(np.zeros((2, 6), np.int64))
    assert written.writes == host.begin(design.of(files), 0)


def test_without_initial_states_nothing_is_written():
    driver, written, files = accelerator("gru")
    assert host.begin(design.of(files), 0) == []
    driver.run(np.zeros((3, 6), np.int64), np.array([1, 0, 1]))
    assert written.writes == []
    assert headers(written) == [[1, 0, 1]]


DAMAGES = {
    "too many": (lambda tree, each: each["integers"].append(1), "of layer0, c, must have 8 integers, got 9"),
    "too few": (lambda tree, each: each["integers"].pop(), "of layer0, c, must have 8 integers, got 7"),
    "text": (lambda tree, each: each.update(integers="abcdefgh"), "must have 8 integers, got 'abcdefgh'"),
    "null": (lambda tree, each: tree.update(initial=None), "`initial` must be a list, got None"),
    "dictionary": (lambda tree, each: tree.update(initial=each), "`initial` must be a list, got {'integers'"),
    "no integers": (lambda tree, each: each.pop("integers"), "has layer, kind and integers, got {'kind'"),
    "no dictionary": (lambda tree, each: tree["initial"].append(3), "has layer, kind and integers, got 3"),
    "more keys": (lambda tree, each: each.update(bits=3), "has layer, kind and integers, got {'bits'"),
    "layer": (
        lambda tree, each: each.update(layer="nope"),
        "of the layers once, got 'c' of 'nope'",
    ),
    "kind": (lambda tree, each: each.update(kind="m"), "of the layers once, got 'm' of 'layer0'"),
    "list as kind": (lambda tree, each: each.update(kind=["c"]), "of the layers once, got ['c'] of 'layer0'"),
    "twice": (lambda tree, each: tree["initial"].append(each), "of the layers once, got 'c' of 'layer0'"),
    "missing": (lambda tree, each: tree["initial"].pop(), "`initial` lacks y of layer1"),
    "float": (lambda tree, each: each["integers"].__setitem__(2, 1.5), "integers of -2048 to 2047, got 1.5"),
    "truth": (lambda tree, each: each["integers"].__setitem__(2, True), "integers of -2048 to 2047, got True"),
    "beyond": (lambda tree, each: each["integers"].__setitem__(7, 2048), "integers of -2048 to 2047, got 2048"),
    "below": (lambda tree, each: each["integers"].__setitem__(7, -2049), "integers of -2048 to 2047, got -2049"),
    "huge": (lambda tree, each: each["integers"].__setitem__(0, 10**30), "integers of -2048 to 2047, got 1000000"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_description_is_refused_before_anything_is_written(damage):
    _, _, files = begun()
    described, complaint = damaged(files[design.ACCELERATOR], damage)
    written = Written(described["registers"])
    with pytest.raises(DRIVER.DriverError, match=re.escape(complaint)) as error:
        DRIVER.Accelerator(written, described)
    assert re.fullmatch(r"accelerator\.json is damaged: .*; copy it from the project again", str(error.value))
    assert written.writes == written.packets == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_initial_states_of_weights_are_refused_before_anything_is_written(tmp_path, damage):
    driver, written, files = begun()
    folder = designs.write(files, tmp_path) / "memory"
    described, complaint = damaged(files[design.WEIGHTS], damage)
    (folder / "weights.json").write_text(json.dumps(described))
    with pytest.raises(DRIVER.DriverError, match=re.escape(complaint)) as error:
        driver.load_weights(folder)
    assert re.fullmatch(r"\S*weights\.json is damaged: .*; copy it from the project again", str(error.value))
    assert written.writes == written.packets == []
    driver.run(np.zeros((2, 6), np.int64))
    assert written.writes == host.begin(design.of(files), 0)  # those from before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_description_is_refused_when_a_project_is_read(tmp_path, damage):
    _, _, files = begun()
    described, _ = damaged(files[design.ACCELERATOR], damage)
    (tmp_path / design.ACCELERATOR).write_text(json.dumps(described))
    with pytest.raises(UserError, match="initial") as error:
        design.read(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("digests"),
        lambda tree: tree.update(digests=3),
        lambda tree: tree.update(layers=None),
        lambda tree: tree["layers"][0].pop("lanes"),
    ],
)
def test_weights_without_digests_or_layers_are_refused(tmp_path, change):
    driver, written, files = begun()
    folder = designs.write(files, tmp_path) / "memory"
    described = json.loads(files[design.WEIGHTS])
    change(described)
    (folder / "weights.json").write_text(json.dumps(described))
    with pytest.raises(DRIVER.DriverError, match=r"weights\.json is damaged: digests, layers or names are missing"):
        driver.load_weights(folder)
    assert written.writes == []


@pytest.mark.parametrize("text", ["[" * 100_000, '{"version": ' + "1" * 5000 + "}"])
def test_json_of_many_brackets_or_digits_is_refused(tmp_path, text):
    path = tmp_path / design.ACCELERATOR
    path.write_text(text)
    with pytest.raises(DRIVER.DriverError, match="is no JSON"):
        DRIVER.read(path)
    with pytest.raises(UserError, match="not JSON"):
        design.read(tmp_path)


def test_initial_states_fill_the_words_of_their_layers():
    program = programs.begun(programs.build(block_sizes=(4, 4), projection=5))
    described = design.of(rtl_project(designs.network(program)))
    sizes = {(each.layer, each.kind): each.integers for each in described.initial}
    assert {place: len(integers) for place, integers in sizes.items()} == {("layer0", "c"): 8, ("layer0", "y"): 8}
    assert sizes["layer0", "y"] == (*program.layers[0].initial.y.tolist(), 0, 0, 0)
