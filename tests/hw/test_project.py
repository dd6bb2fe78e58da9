"""Projects as values: whole, the same every time, and described."""

import dataclasses
import json
import re
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ernn.artifacts import Texts
from ernn.dataflow.formats import Format
from ernn.devices.timing import TIMINGS
from ernn.errors import UserError
from ernn.hw import design, project
from ernn.hw.graph.schedule import Clock
from ernn.hw.layout.registers import WRITTEN
from ernn.hw.verilog.frames import LARGEST_BITS
from ernn.hw.verilog.network import NetworkHardware
from ernn.program import shape
from ernn.program.matrices import Numbers
from ernn.program.network import Program
from tests import programs
from tests.hw import designs

STRUCTURES = {
    "lstm": {"block_sizes": (4, 4), "peepholes": True},
    "lstm mixed": {"block_sizes": (4, 2), "projection": 4},
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
    "gru fourier": {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "reset": "after"},
}


def made(name: str) -> NetworkHardware:
    return designs.network(programs.build(**STRUCTURES[name]), streams=2)


def with_other_word(program: Program) -> Program:
    """One weight of the output layer is another."""
    matrix = program.output.weight
    integers = matrix.words.integers.copy()
    integers.flat[0] ^= 1
    changed = dataclasses.replace(matrix, words=Numbers(matrix.words.format, integers))
    return dataclasses.replace(program, output=dataclasses.replace(program.output, weight=changed))


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_project_is_the_same_every_time(name):
    first, second = project.rtl_project(made(name)), project.rtl_project(made(name))
    assert first == second
    assert first.digest() == second.digest()
    assert all(text.endswith("\n") for text in first.values())


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_weight_changes_its_memory_and_the_digest_alone(name):
    program = programs.build(**STRUCTURES[name])
    first, second = (project.rtl_project(designs.network(each)) for each in (program, with_other_word(program)))
    assert list(first) == list(second)
    changed = {path for path in first if first[path] != second[path]}
    assert changed == {"memory/output_layer_weights_0.hex", "memory/weights.json", "accelerator.json"}
    assert first.digest() != second.digest()


@pytest.mark.parametrize(
    ("structure", "transformed"),
    [*product(STRUCTURES.values(), (False, True)), ({"cell": "gru", "block_sizes": (0, 0)}, False)],
)
def test_programs_of_equal_shape_have_equal_sources_but_for_weights(structure, transformed):
    program = programs.build(**structure)
    other = programs.other_words(program)
    assert shape.digest(other) == shape.digest(program)
    first, second = (project.rtl_project(designs.network(each, transformed=transformed)) for each in (program, other))
    changed = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
    weights = {path for path in first if "_weights_" in path}
    assert (
        {"memory/weights.json", "accelerator.json"} < changed <= weights | {"memory/weights.json", "accelerator.json"}
    )
    digests = [design.of(each).digests for each in (first, second)]
    assert digests[0].shape == digests[1].shape
    assert digests[0].program != digests[1].program


@pytest.mark.parametrize("name", STRUCTURES)
def test_images_of_weights_carry_what_they_are_of(name):
    files = project.rtl_project(made(name))
    described, images = design.of(files), json.loads(files[design.WEIGHTS])
    assert images == json.loads(described.weight_images.text())
    assert images["digests"] == {"shape": described.digests.shape, "program": described.digests.program}
    assert [each["name"] for each in images["layers"]] == [each.name for each in described.layers]


def test_the_digest_sees_paths_and_texts_but_no_order():
    files = Texts({"a": "1", "b": "2"})
    assert files.digest() == Texts(reversed(files.items())).digest()
    others = map(Texts, [{"a": "2", "b": "1"}, {"a": "1"}, {"a": "1", "c": "2"}, {"a": "1b", "b": "2"}, {}])
    assert len({each.digest() for each in (files, *others)}) == 6


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_module_that_is_used_is_there_once(name):
    files = project.rtl_project(made(name))
    sources = [text for path, text in files.items() if path.startswith("rtl/")]
    modules = [each for text in sources for each in re.findall(r"^module (\w+)", text, re.MULTILINE)]
    instance = re.compile(r"^\s+(ernn_\w+|layer\w+|output_\w+) (?:#|\w+ \()", re.MULTILINE)
    used = {each for text in sources for each in instance.findall(text)}
    assert sorted(set(modules)) == sorted(modules)
    assert used - set(modules) == set()
    assert {f"rtl/{each}" for each in project.library()} <= set(files)
    assert {f"ernn_{each}.v" for each in ("ram", "thread", "operands", "registers")} <= set(project.library())


@pytest.mark.parametrize("name", STRUCTURES)
def test_every_memory_image_that_is_named_is_there(name):
    files = project.rtl_project(made(name))
    named = {each for text in files.values() for each in re.findall(r'"(\w+\.hex)"', text)} - {"x.hex", "want.hex"}
    assert {f"memory/{each}" for each in named} == {path for path in files if path.endswith(".hex")}


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_table_lists_every_register(name):
    network = made(name)
    rows = re.findall(r"^\| 0x(\w{3}) \| (\w+) \| (.*?) \| (.*) \|$", project.registers(network), re.MULTILINE)
    assert [row[1] for row in rows] == [register for register, _, _ in network.registers]
    assert [int(row[0], 16) for row in rows] == list(range(0, 4 * len(rows), 4))
    assert tuple(row[1] for row in rows if row[2] == "read, write") == WRITTEN
    assert len({row[1] for row in rows}) == len(rows)
    assert all(row[3] for row in rows)
    assert project.rtl_project(network)["registers.md"] == project.registers(network)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_description_tells_sizes(name):
    network = made(name)
    found = design.of(project.rtl_project(network))
    assert found == project.description(network)
    assert list(found.registers) == designs.registers(network)
    assert found.streams == 2
    assert [layer.name for layer in found.layers] == [layer.name for layer in network.layers]
    for layer, text in zip(found.layers, network.layers, strict=True):
        array = text.array.layout.array
        assert (layer.lanes, layer.columns, layer.heads) == (array.lanes, array.columns, array.heads)
        stored = sum(layer.steps.values()) * array.lanes * array.columns * text.block_size
        assert layer.weight_memory_bits == stored * programs.WEIGHTS.bits
        assert all(unit.steps * unit.width >= unit.blocks for unit in layer.units)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_description_tells_a_host_what_goes_in_and_out(name):
    network = made(name)
    found, input, logits = project.description(network), network.program.input, network.program.output.logits
    assert found.input == design.VectorPort(6, input.bits, input.fraction, slot_bits=16, per_beat=1)
    assert found.logits == design.VectorPort(3, logits.bits, logits.fraction, slot_bits=16, per_beat=1)


def with_ports(input: int, logits: int) -> Program:
    """A program whose features and logits have so many bits."""
    program = programs.build()
    layer = dataclasses.replace(program.layers[0], input=Format(input, 5))
    output = dataclasses.replace(program.output, logits=Format(logits, 6))
    return dataclasses.replace(program, layers=(layer,), output=output)


@given(input=st.integers(2, LARGEST_BITS), logits=st.integers(2, LARGEST_BITS))
@settings(max_examples=5)
@example(input=LARGEST_BITS, logits=LARGEST_BITS)
def test_numbers_of_the_streams_have_a_slot_that_holds_them(input, logits):
    found = design.of(project.rtl_project(designs.network(with_ports(input, logits))))
    for port, bits in ((found.input, input), (found.logits, logits)):
        assert port.bits == bits <= port.slot_bits < 2 * max(bits, 8)
        assert 32 % port.slot_bits == 0


@pytest.mark.parametrize(
    ("input", "logits", "message"),
    [
        (33, 12, "small: an accelerator's features have up to 32 bits, got 33; give the program a narrower format"),
        (9, 33, "small: an accelerator's logits have up to 32 bits, got 33; give the program a narrower format"),
        (48, 48, "small: an accelerator's features have up to 32 bits, got 48; give the program a narrower format"),
    ],
)
def test_numbers_that_no_word_of_the_streams_holds_are_refused(input, logits, message):
    with pytest.raises(UserError) as refused:
        designs.network(with_ports(input, logits))
    assert str(refused.value) == message


def test_scripts_and_driver_are_in_every_project():
    files = project.rtl_project(made("gru"))
    assert {"vivado/run.tcl", "board/block_design.tcl", "board/ernn_board.v"} <= set(files)


def test_the_clock_is_a_constraint():
    network = designs.network(programs.build(), clock=Clock(160, TIMINGS["xcup"]))
    text = project.rtl_project(network)["constraints/ernn.xdc"]
    assert "create_clock -name aclk -period 6.250 [get_ports aclk]" in text


def test_more_than_one_stream_is_only_told_apart_by_its_number():
    one, four = (designs.network(programs.build(), streams=streams) for streams in (1, 4))
    assert (one.tid_bits, four.tid_bits) == (1, 3)
    found = [project.rtl_project(each) for each in (one, four)]
    images = [{path: text for path, text in files.items() if path.endswith(".hex")} for files in found]
    assert images[0] == images[1]
    assert np.unique([len(text) for text in images[0].values()]).size > 1


def test_accelerators_of_other_sizes_or_streams_have_other_cplusplus():
    program = programs.build(**STRUCTURES["lstm"])

    def cplusplus(**sizes: object) -> Texts:
        files = project.whole_project(designs.network(program, **sizes), "part")
        return Texts({path: text for path, text in files.items() if path.startswith("hls/src/")})

    one, *others = cplusplus(), cplusplus(layers=(8, 2, 0)), cplusplus(layers=(4, 1, 0)), cplusplus(streams=3)
    assert all(other != one for other in others)
    assert len({other.digest() for other in others}) == len(others)
