"""Beats of the streams: every element has its place, and `tkeep` says which bytes are a vector's."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.hw.layout.array import Array
from ernn.hw.project import rtl_project
from ernn.hw.verilog.frames import Beats, tid_bits
from ernn.hw.verilog.network import Architecture
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs

BEATS = st.builds(Beats, st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 32), st.integers(1, 70))


@given(beats=BEATS)
def test_beats_hold_a_vector_and_no_beat_is_empty(beats):
    words = beats.words
    assert (words.words - 1) * beats.count < beats.elements <= words.words * beats.count
    assert beats.slot % 8 == 0
    assert beats.bits <= beats.slot < beats.bits + 8
    assert len([*beats.taken("last")]) == len([*beats.given("word")]) == beats.count


@given(beats=BEATS)
def test_tkeep_of_the_last_beat_has_the_bytes_of_its_elements(beats):
    kept, total = beats.kept("last"), beats.count * beats.slot // 8
    own = (beats.elements - (beats.words.words - 1) * beats.count) * beats.slot // 8
    sizes = [int(size) for size in re.findall(r"(\d+)\{", kept)]
    assert sum(sizes) == total
    assert ("!last" in kept) == (own < total)
    assert sizes[-1] == own
    masked = [element for element in beats.taken("last") if "!last" in element]
    assert len(masked) * beats.slot // 8 == total - own


@pytest.mark.parametrize("count", [0, 3, -2])
def test_a_beat_has_a_power_of_two(count):
    with pytest.raises(ValueError, match=f"a beat has a power of two of features or logits, got {count}"):
        Architecture((Array(1, 1, 1),), designs.CLOCK, features=count)


def test_a_wrong_tkeep_is_counted_and_changes_no_logit(tmp_path):
    program = programs.build(block_sizes=(2, 2))  # of 6 features: the second beat has two
    design = designs.network(program, beat=(4, 1))
    files = rtl_project(design)
    text, count = re.subn(r"\{element \+ place < INPUTS\}", "{1'b1}", files["tb/ernn_bench.v"])
    assert count == 1
    bench = designs.bench(design, tmp_path, files.merged({"tb/ernn_bench.v": text}))
    vectors = rtl_vectors(program, designs.utterances(program, [3, 2]), 1)
    assert bench.run(vectors).registers["protocol_errors"] == 5


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_frames_of_a_stream_that_does_not_exist_are_counted_and_dropped(tmp_path, streams):
    program = programs.build(block_sizes=(2, 2))
    design = designs.network(program, streams=streams, beat=(4, 1))
    bench = designs.bench(design, tmp_path)
    vectors = rtl_vectors(program, designs.utterances(program, [4, 3, 2]), streams)
    rng = np.random.default_rng(streams)
    strangers = np.sort(rng.integers(0, len(vectors.x) + 1, 5))
    x, first, stream = (
        np.insert(each, strangers, each[:5], axis=0) for each in (vectors.x, vectors.first, vectors.stream)
    )
    numbers = rng.integers(streams, 1 << tid_bits(streams), 5)
    stream[strangers + np.arange(5)] = numbers
    for pauses in (0, 120):
        found = bench.run(replace(vectors, x=x, first=first, stream=stream), gaps=pauses, stalls=pauses).registers
        assert (found["stream_errors"], found["protocol_errors"]) == (5, 0)
        assert found["frames_in"] == found["frames_out"] == len(vectors.x)
