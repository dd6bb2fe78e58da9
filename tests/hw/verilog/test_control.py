"""Registers at work: weights loaded into lanes, resets between and within frames."""

import dataclasses
from collections.abc import Iterator

import pytest

from ernn.hw.layout import registers
from ernn.hw.layout.registers import PROTOCOL, register_number
from ernn.hw.project import rtl_project
from ernn.hw.verilog.network import NetworkHardware
from ernn.program.network import Program
from ernn.simulate import bench as simulation
from ernn.simulate.bench import Bench, Mismatch
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs

STRUCTURE, SIZES = {"block_sizes": (4, 4), "projection": 4}, {"layers": (4, 3, 0), "output": (2, 2, 0)}
CONTROL, LOAD_PLACE, LOAD_PART = (register_number(name) for name in registers.WRITTEN[:3])
NOISE = 0xFFFF  # a number that no register has
LOOP = '"%h %h", number, value) == 2) begin'
TASK = """
    task noise(input integer cycles);
        begin
            out_ready = 1'b1;
            repeat (cycles) begin
                @(negedge clk);
                tvalid = 1'b1;
                tuser = 1'b1;
                tlast = 1'b0;
                tid = 0;
                tdata = random_byte(0);
            end
            @(negedge clk);
            tvalid = 1'b0;
        end
    endtask
"""


def loaded() -> Program:
    """As the program of the images, with the words of another one in its matrices."""
    other, program = programs.build(**STRUCTURE, seed=5), programs.build(**STRUCTURE)
    layers = tuple(
        dataclasses.replace(mine, **theirs.matrices) for mine, theirs in zip(program.layers, other.layers, strict=True)
    )
    output = dataclasses.replace(program.output, weight=other.output.weight)
    return dataclasses.replace(program, layers=layers, output=output)


def writes(design: NetworkHardware) -> Iterator[tuple[int, int]]:
    """All weights of a design, memory by memory in parts of 32 bits."""
    for number, layer in enumerate(design.layers):
        parts = -(-layer.array.layout.load_bits // 32)
        for memory, text in enumerate(layer.array.layout.images()):
            yield LOAD_PLACE, PROTOCOL.memory(number, memory)
            for word in text.splitlines():
                yield from ((LOAD_PART, int(word, 16) >> 32 * part & 0xFFFFFFFF) for part in range(parts))


def sizes(transformed: bool) -> dict[str, object]:
    """Of the design, with weights stored as words or as factors."""
    return {**SIZES, "transformed": transformed}


@pytest.fixture(scope="module", params=[False, True], ids=["words", "transformed"])
def transformed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, transformed: bool) -> Bench:
    """A test bench that makes noise where a register write says so: frames that are never looked at."""
    design = designs.network(programs.build(**STRUCTURE), **sizes(transformed))
    files, tb = rtl_project(design), "tb/ernn_bench.v"
    assert files[tb].count(LOOP) == files[tb].count("    task next_frame;") == 1
    noisy = LOOP.replace("begin", f"if (number == {NOISE}) noise(value); else begin")
    files[tb] = files[tb].replace(LOOP, noisy).replace("    task next_frame;", f"{TASK}\n    task next_frame;")
    return designs.bench(design, tmp_path_factory.mktemp("control"), files)


def test_loaded_weights_replace_those_of_the_images(bench, transformed):
    program = loaded()
    x = designs.utterances(program, [5, 3, 6])
    vectors, given = rtl_vectors(program, x, 1), list(writes(designs.network(program, **sizes(transformed))))
    with pytest.raises(Mismatch):
        bench.run(vectors)
    simulation.check_overflows(program, x, bench.run(vectors, writes=given))
    half = given.index((LOAD_PLACE, PROTOCOL.memory(1, 0)))  # the output layer's first lane
    with pytest.raises(Mismatch):
        bench.run(vectors, writes=given[:half])


def test_a_place_begins_again_at_the_first_address(bench, transformed):
    program = loaded()
    vectors = rtl_vectors(program, designs.utterances(program, [4]), 1)
    given = list(writes(designs.network(program, **sizes(transformed))))
    bench.run(vectors, writes=[*given[:4], *given])


@pytest.mark.parametrize("cycles", [1, 5, 6, 14, 23, 37, 41, 58, 90, 131])
def test_a_reset_within_frames_leaves_nothing_of_them(bench, cycles):
    program = programs.build(**STRUCTURE)
    x = designs.utterances(program, [4, 2])
    given = [(NOISE, cycles), (CONTROL, 1), (LOAD_PLACE, 0)]
    outcome = bench.run(rtl_vectors(program, x, 1), writes=given)
    simulation.check_overflows(program, x, outcome)
    assert outcome.registers["frames_in"] == outcome.registers["frames_out"] == 6


def test_counters_are_reset_alone_without_a_trace_in_the_states(bench):
    program = programs.build(**STRUCTURE)
    x = designs.utterances(program, [3])
    outcome = bench.run(rtl_vectors(program, x, 1), writes=[(CONTROL, 2)])
    assert outcome.registers["frames_in"] == 3
