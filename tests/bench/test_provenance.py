"""Lines of generated Verilog and the functions that wrote them."""

import pytest

from bench.provenance import Watched
from ernn.hw.project import rtl_project
from tests import programs
from tests.hw import designs


@pytest.fixture(scope="module")
def watched() -> Watched:
    return Watched(lambda: rtl_project(designs.network(programs.build(block_sizes=(4, 4)))))


def place(watched: Watched, file: str, text: str) -> str:
    lines = watched.files[f"rtl/{file}"].splitlines()
    [number] = [number for number, line in enumerate(lines, 1) if text in line]
    return f"{file}:{number}.5-{number}.9"


@pytest.mark.parametrize(
    ("file", "text", "signal", "function"),
    [
        ("ernn.v", "misplaced <=", "misplaced", "ernn/hw/verilog/frames.py:Frames._counted"),
        ("layer0.v", "issued_row <=", "layer0_module.issued_row[2]", "ernn/hw/verilog/issue.py:Issue.registers"),
        ("layer0_lane.v", "operands_here <=", "operands_here", "ernn/hw/verilog/operands.py:Operands.broadcast_fetch"),
        ("ernn_ram.v", "first <=", "first", "ernn/hw/verilog/library/ernn_ram.v"),
    ],
)
def test_the_function_that_wrote_a_line(watched, file, text, signal, function):
    assert watched.function(place(watched, file, text), signal) == function


def test_in_a_block_the_line_of_the_signal_is_looked_for(watched):
    first, last = (place(watched, "layer0.v", text) for text in ("issued <= !rst", "issued_drains <="))
    block = first.split("-")[0] + "-" + last.split("-")[1]
    assert watched.function(block, "issued_step") == "ernn/hw/verilog/issue.py:Issue.registers"


@pytest.mark.parametrize("where", ["", "map.v:1.2-3.4", "ernn.v"])
def test_what_is_no_line_of_the_sources_has_no_function(watched, where):
    assert watched.function(where, "x") == ""
