"""Traced runs: every inner value that the hardware shows is the integer model's, in its place."""

import numpy as np
import pytest

from ernn.golden.model import Golden
from ernn.hw import design as description
from ernn.hw.project import rtl_project
from ernn.simulate import bench as simulation
from ernn.simulate import compare
from ernn.simulate.vectors import rtl_vectors
from tests import programs
from tests.hw import designs

SPECTRAL = {"transform": "fourier", "block_sizes": (4, 4)}
DESIGNS = {  # blocks in several beats, in one, and in several with one gate after the other
    "gru": ({"cell": "gru", "reset": "after", **SPECTRAL}, (2, 1, 0, 1)),
    "lstm": ({"projection": 4, "projection_block": 2, **SPECTRAL}, (4, 2, 0, 4)),
    "lstm, gates in turn": ({"projection": 4, "projection_block": 2, **SPECTRAL}, (4, 2, 0, 1)),
}


@pytest.fixture(scope="module", params=DESIGNS)
def traced(request, tmp_path_factory):
    """Program, description, features, and what the test bench printed."""
    structure, layers = DESIGNS[request.param]
    program, folder = programs.build(**structure), tmp_path_factory.mktemp("traced")
    design = designs.network(program, layers=layers)
    project, work = rtl_project(design).write(folder / "project"), folder / "work"
    work.mkdir()
    bench = simulation.Bench(project, work, designs.registers(design), ["ERNN_TRACE"], "-O0")
    x = designs.utterances(program, [4])[0]
    printed = bench.printed(rtl_vectors(program, [x], 1))
    return program, description.read(project), x, printed


def test_no_value_differs_and_all_but_renamed_ones_are_seen(traced):
    program, design, x, printed = traced
    assert compare.first_difference(program, design, printed, x) is None
    seen = {name for _, name in compare._values(program, design, printed)}
    assert set(Golden(program).trace(x)) - seen <= {"layers.0.y"}  # m by another name, without a projection


def test_a_value_that_differs_is_named_with_its_place(traced):
    program, design, x, printed = traced
    wanted = Golden(program).trace(x)
    lines = printed.splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("TRACE") and " a_" in line)
    line, value = lines[place].rsplit(" ", 1)
    changed = "\n".join([*lines[:place], f"{line} {int(value) + 1}", *lines[place + 1 :]])
    found = compare.first_difference(program, design, changed, x)
    assert found is not None
    assert (found.expected, found.got) == (int(value), int(value) + 1)
    assert found.name.removeprefix("layers.0.") == line.split()[-1].split(".")[0]
    assert np.asarray(wanted[found.name])[found.frame, found.element] == int(value)
