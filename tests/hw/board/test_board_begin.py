"""What the driver of a board writes before sequences whose initial states are no zeros."""

import itertools
import json

import numpy as np

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
    driver.run(x, np.zeros(6, int), 1)  # goes on
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
