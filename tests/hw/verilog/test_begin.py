"""Sequences that begin with states that are no zeros: the test bench writes them, as a host does."""

from pathlib import Path

import pytest

from ernn.hw import project
from ernn.hw.board import host
from ernn.simulate import bench as simulation
from ernn.simulate import compare
from ernn.simulate.bench import Mismatch
from ernn.simulate.vectors import rtl_vectors
from ernn.tools import verilator
from tests import programs
from tests.hw import designs

STRUCTURES = {
    "lstm with projection": {"block_sizes": (2, 2), "projection": 5, "peepholes": True},
    "lstm, projection apart, second layer": {
        "block_sizes": (4, 4),
        "projection": 5,
        "projection_block": 2,
        "layers": 2,
        "only": [1],
    },
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2, "only": [0]},
    "gru, reset after, fourier": {"cell": "gru", "block_sizes": (8, 8), "transform": "fourier", "reset": "after"},
    "rnn": {"cell": "rnn", "block_sizes": (2, 2), "layers": 2},
    "pruned": {"block_sizes": (0, 0)},
}
LENGTHS = (4, 1, 3, 1, 1, 5)


def made(name, streams=2):
    """A program, the same without initial states, and the design."""
    structure = dict(STRUCTURES[name])
    only = structure.pop("only", None)
    plain = programs.build(**structure)
    program = programs.begun(plain, layers=only)
    return program, plain, designs.network(program, streams=streams)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_verilog_is_that_of_zeros(name):
    """Only the test bench and what lists the states differ; without such states nothing speaks of them."""
    _, plain, design = made(name)
    files, zeros = project.rtl_project(design), project.rtl_project(designs.network(plain, streams=2))
    differing = {path for path in {*files, *zeros} if files.get(path) != zeros.get(path)}
    described = {"accelerator.json", "memory/weights.json"}
    assert differing == described | {"tb/ernn_tb.v", "tb/ernn_begin.v", "tb/begin.hex"}
    assert not any("initial" in zeros[path] for path in described)
    assert set(zeros) == {*files} - {"tb/ernn_begin.v", "tb/begin.hex"}


@pytest.mark.parametrize("name", STRUCTURES)
def test_states_of_all_layers_are_written(name):
    """The hardware clears those of all layers or of none."""
    _, _, design = made(name)
    described = project.description(design)
    kept = {(layer.name, kind) for layer in described.layers for kind in layer.states}
    assert {(each.layer, each.kind) for each in described.initial} == kept
    assert described.weight_images.initial == described.initial
    lines = project.rtl_project(design)["tb/begin.hex"].split()
    wanted = [number << 32 | value for stream in range(2) for number, value in host.begin(described, stream)]
    assert [int(line, 16) for line in lines] == wanted


def test_the_module_is_lint_clean_without_a_network(tmp_path: Path):
    text = project.rtl_project(made("rnn")[2])["tb/ernn_begin.v"]
    (tmp_path / "ernn_begin.v").write_text(text)
    verilator.lint(tmp_path, "ernn_begin", ["ernn_begin.v"])


@pytest.mark.system
@pytest.mark.parametrize("streams", [1, 2])
@pytest.mark.parametrize("name", STRUCTURES)
def test_sequences_begin_with_them(name, streams, tmp_path):
    program, plain, design = made(name, streams)
    bench, x = designs.bench(design, tmp_path), designs.utterances(program, LENGTHS)
    for gaps, stalls in ((0, 0), (150, 150)):
        outcome = bench.run(rtl_vectors(program, x, streams), gaps, stalls)
        simulation.check_overflows(program, x, outcome)
        assert outcome.registers["frames_out"] == sum(LENGTHS)
    with pytest.raises(Mismatch, match=r"^frame 0, "):
        bench.run(rtl_vectors(plain, x, streams))


@pytest.mark.system
def test_cycles_of_a_frame_are_those_without_initial_states(tmp_path):
    """Writes of the host come between sequences, and a frame takes as long as before."""
    program, plain, begun = made("rnn", 1)
    designs_of = {"begun": (program, begun), "plain": (plain, designs.network(plain))}
    cycles = {}
    for name, (each, design) in designs_of.items():
        (tmp_path / name).mkdir()
        bench = designs.bench(design, tmp_path / name)
        x = designs.utterances(each, (6, 6, 6) if each is program else (18,))
        outcome = bench.run(rtl_vectors(each, x, 1))
        cycles[name] = outcome.cycles_per_frame
        assert outcome.cycles_per_frame <= (outcome.ended[-1] - outcome.ended[0]) / 17
    assert cycles["begun"] == cycles["plain"]


@pytest.mark.system
def test_a_value_that_differs_is_named(tmp_path):
    """A traced run of a project whose bench writes another state."""
    program, _, design = made("rnn", 1)
    files = project.rtl_project(design)
    first, second, rest = files["tb/begin.hex"].split("\n", 2)
    files["tb/begin.hex"] = f"{first}\n{int(second, 16) ^ 0x200:x}\n{rest}"
    folder = files.write(tmp_path / "project")
    described = project.description(design)
    bench = simulation.Bench(folder, tmp_path / "work", described.registers, ["ERNN_TRACE"], "-O0")
    (x,) = designs.utterances(program, [3])
    found = compare.first_difference(program, described, bench.printed(rtl_vectors(program, [x], 1)), x)
    assert found is not None
    assert (found.frame, found.name.split(".")[:2]) == (0, ["layers", "0"])
