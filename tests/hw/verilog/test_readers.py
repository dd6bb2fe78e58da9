"""Sources of every kind of design, as programs read them that are not Verilator: pyslang and Icarus Verilog."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ernn.hw import project
from ernn.hw.verilog.library_modules import LIBRARY
from ernn.hw.verilog.network import NetworkHardware
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs
from tests.hw.verilog import reading

DESIGNS = {
    "lstm": ({"block_sizes": (4, 4)}, {}),
    "projection, peepholes, three streams": (
        {"block_sizes": (4, 4), "projection": 4, "peepholes": True, "layers": 2},
        {"layers": (4, 3, 0), "streams": 3},
    ),
    "projection apart": (
        {"block_sizes": (4, 1), "projection": 6, "projection_block": 8, "transform": "fourier"},
        {"each": [(4, 1, 0), (4, 4, 0), (1, 1, 0), (3, 1, 0)]},
    ),
    "a cell a cycle": (
        {"block_sizes": (8, 8), "transform": "fourier", "peepholes": True},
        {"layers": (4, 1, 0, 1), "output": (1, 2, 0), "transformed": True},
    ),
    "several elements a beat": ({"block_sizes": (2, 2)}, {"layers": (8, 3, 0), "output": (3, 4, 0), "beat": (4, 2)}),
    "pruned": ({"block_sizes": (0, 2), "projection": 4, "projection_block": 0}, {"layers": (4, 2, 0), "streams": 2}),
    "sparse": ({"block_sizes": (-4, -4), "projection": 4}, {"layers": (4, 2, 0), "streams": 2}),
    "gru": ({"cell": "gru", "block_sizes": (4, 4), "layers": 2}, {"layers": (2, 1, 0), "streams": 2}),
    "gru, reset after": (
        {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "products": 3, "reset": "after"},
        {"layers": (2, 1, 0, 2)},
    ),
    "rnn, initial states": ({"cell": "rnn", "block_sizes": (2, 2), "layers": 2}, {"streams": 2, "beat": (4, 2)}),
}
ICARUS = pytest.mark.skipif(shutil.which("iverilog") is None, reason="no iverilog; apt-get install iverilog")
TOPS = {"ernn_tb": "tb", "ernn_board": "board"}


@pytest.fixture(scope="module", params=DESIGNS)
def made(request: pytest.FixtureRequest) -> NetworkHardware:
    structure, sizes = DESIGNS[request.param]
    program = programs.build(**structure)
    return designs.network(programs.begun(program) if "initial states" in request.param else program, **sizes)


@pytest.fixture(scope="module")
def folder(made: NetworkHardware, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project.rtl_project(made).write(tmp_path_factory.mktemp("sources"))


def sources(folder: Path, top: str) -> list[Path]:
    """Files of an accelerator with its test bench, or with what is around it on a board."""
    return [path for each in ("rtl", TOPS[top]) for path in sorted((folder / each).glob("*.v"))]


@pytest.mark.parametrize("top", TOPS)
def test_pyslang_reads_every_source_without_an_error(folder, top):
    assert reading.errors(sources(folder, top), top) == []


@ICARUS
@pytest.mark.parametrize("top", TOPS)
def test_icarus_reads_every_source_without_a_warning(folder, top):
    command = ["iverilog", "-g2005", "-Wall", "-t", "null", "-s", top, *sources(folder, top)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@ICARUS
def test_icarus_simulates_every_design_as_the_integer_model(made, folder, tmp_path):
    program, streams = made.program, made.architecture.streams
    vectors = rtl_vectors(program, designs.utterances(program, [3, 2]), streams)
    for path in [*(folder / "memory").glob("*.hex"), *(folder / "tb").glob("*.hex")]:
        shutil.copy(path, tmp_path)
    vectors.files([]).write(tmp_path)
    command = ["iverilog", "-g2005", "-o", tmp_path / "simulation", "-s", "ernn_tb", *sources(folder, "ernn_tb")]
    subprocess.run(command, check=True)
    run = ["vvp", "simulation", "+gaps=40", "+stalls=40"]
    printed = subprocess.run(run, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert f"END frames {len(vectors.x)} errors 0\n" in printed


def test_a_use_before_the_declaration_is_an_error_of_pyslang(tmp_path):
    text = "module m (output wire q);\n    assign q = early;\n    wire early = 1'b0;\nendmodule\n"
    (tmp_path / "m.v").write_text(text)
    [found] = reading.errors([tmp_path / "m.v"], "m")
    assert "'early' used before its declaration" in found


def test_pyslang_finds_the_registers_and_instances_that_modules_say_they_have(made):
    for file, modules in made.modules().items():
        read = reading.parts("".join(module.render() for module in modules))
        assert list(read) == [module.name for module in modules], file
        for module in modules:
            assert read[module.name].registers == module.contents.registers, module.name
            assert read[module.name].instances == module.contents.instances, module.name


def test_the_table_of_the_library_is_what_pyslang_reads_in_it():
    read = {name: each for text in project.library().values() for name, each in reading.parts(text).items()}
    assert read == LIBRARY
