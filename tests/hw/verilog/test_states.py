"""States of a stream, read out and written back between frames."""

from dataclasses import replace

import numpy as np
import pytest

from ernn.devices.timing import TIMINGS
from ernn.hw import project
from ernn.hw.board import host
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.registers import CONTROL, PROTOCOL, register_number
from ernn.simulate.bench import Mismatch
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs
from tests.hw.states import layers_with_states, rest, restored

CASES = {
    "lstm": {"block_sizes": (2, 2), "projection": 4},  # a word of y is not one of c
    "lstm, projection apart": {"block_sizes": (2, 2), "projection": 4, "projection_block": 4},
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
    "gru, fourier": {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier"},
    "gru, long fourier": {"cell": "gru", "block_sizes": (64, 64), "transform": "fourier"},
    "pruned": {"block_sizes": (0, 0)},
}
# Many registers in the kernel of a vector's factors: what is written back is on its way for long.
CLOCKS = dict.fromkeys(["gru, fourier", "gru, long fourier"], Clock(400, TIMINGS["ecp5"]))
SYSTEM = ["gru, long fourier"]
STREAMS = 2


@pytest.fixture(
    scope="module", params=[pytest.param(each, marks=[pytest.mark.system] if each in SYSTEM else []) for each in CASES]
)
def made(request, tmp_path_factory):
    program = programs.build(**CASES[request.param])
    design = designs.network(program, streams=STREAMS, clock=CLOCKS.get(request.param, designs.CLOCK))
    return program, project.description(design), designs.bench(design, tmp_path_factory.mktemp("states"))


@pytest.mark.parametrize("stream", range(STREAMS))
def test_an_utterance_goes_on_from_states_that_are_written_back(made, stream):
    program, description, bench = made
    vectors, before, _ = rest(program, stream)
    bench.run(vectors, writes=restored(description, stream, before))
    bench.run(vectors, gaps=150, stalls=150, writes=restored(description, stream, before))


def test_states_of_another_stream_are_not_touched(made):
    program, description, bench = made
    vectors, before, _ = rest(program, 0)
    with pytest.raises(Mismatch):
        bench.run(vectors, writes=restored(description, 1, before))


def test_after_a_reset_the_first_frame_of_every_stream_opens_an_utterance(made):
    program, description, bench = made
    left = [write for stream in range(STREAMS) for write in restored(description, stream, rest(program, stream)[1])]
    vectors = rtl_vectors(program, designs.utterances(program, [3, 4, 2], seed=4), STREAMS)
    again = np.flatnonzero(vectors.first)[STREAMS]  # the second utterance of its stream: it must say so itself
    unsaid = replace(vectors, first=np.arange(len(vectors.x)) == again)
    bench.run(unsaid, writes=[*left, (register_number(CONTROL), PROTOCOL.reset)])
    with pytest.raises(Mismatch):
        bench.run(unsaid, writes=left)
    with pytest.raises(Mismatch, match=f"frame {again},"):
        bench.run(replace(vectors, first=np.zeros(len(vectors.x), bool)))


def test_states_that_are_written_after_a_reset_count(made):
    program, description, bench = made
    vectors, before, _ = rest(program, 1)
    bench.run(vectors, writes=[(register_number(CONTROL), PROTOCOL.reset), *restored(description, 1, before)])


@pytest.mark.parametrize("kind", ["c", "y"])
def test_states_that_are_shown_are_those_of_the_integer_model(made, kind):
    program, description, bench = made
    vectors, before, after = rest(program, 1)
    number, wanted = layers_with_states(description)[-1], after[-1][kind][:, 0]
    form = description.layers[number].states[kind]
    for step in range(form.words):
        writes = [*restored(description, 1, before), *host.show(number, 1, kind, step)]
        registers = bench.run(vectors, writes=writes).registers
        word = sum(registers[f"state_{part}"] << 32 * part for part in range(-(-form.bits // 32)))
        found = unpacked(word, form.element_bits, form.elements)
        expected = wanted[step * form.elements :][: form.elements].tolist()
        assert found[: len(expected)] == expected


def unpacked(word: int, bits: int, count: int) -> list[int]:
    """Two's complement integers, the first lowest."""
    mask, sign = (1 << bits) - 1, 1 << (bits - 1)
    return [((word >> bits * n & mask) ^ sign) - sign for n in range(count)]
