"""What Verilator does not trace: lines that declare something, but no register."""

import re

import pytest

from ernn.hw.design import REGISTERS
from ernn.hw.project import rtl_project
from ernn.hw.verilog.items import Memory, Variable, Wire
from ernn.hw.verilog.items import Register as Clocked
from ernn.hw.verilog.module import Module, Port
from ernn.hw.verilog.tracing import registers_alone
from tests import programs
from tests.hw import designs

DECLARED = re.compile(r" *(?:\(\*.*\*\) *)?(?:input|output|wire|reg|integer)\b")


def untraced(control: str) -> dict[str, set[int]]:
    """Numbers of lines by file."""
    found: dict[str, set[int]] = {}
    for file, first, last in re.findall(r'^tracing_off -file "\*/(.*)" -lines (\d+)-(\d+)$', control, re.MULTILINE):
        found.setdefault(file, set()).update(range(int(first), int(last) + 1))
    return found


def test_lines_of_several_modules_in_a_file():
    items = (Clocked("a"), Wire("b"), Clocked("c"), Memory("d", 8, depth=4), Variable("e"))
    made = Module("m", (Port("input", "clk"), Port("output", "q", register=True)), items, {"N": 1}, "doc")
    lines = "".join(module.render() for module in (made, made)).splitlines()
    quiet = untraced(registers_alone({"m.v": (made, made)}))["m.v"]
    assert [lines[number - 1].strip() for number in sorted(quiet)] == [
        "input wire clk,",
        "wire b;",
        "reg [7:0] d[0:3];",
        "reg e;",
    ] * 2


@pytest.mark.parametrize("name", programs.STRUCTURES)
def test_every_declaration_of_a_design_is_traced_if_it_has_a_register(name):
    design = designs.network(programs.build(**programs.STRUCTURES[name]))
    files = rtl_project(design)
    found = untraced(files[REGISTERS])
    for file, modules in design.modules().items():
        names = {name for module in modules for name in module.contents.registers}
        for number, line in enumerate(files[f"rtl/{file}"].splitlines(), 1):
            words = set(re.findall(r"\w+", line.partition("//")[0]))
            if DECLARED.match(line) and "reg" in words and names & words:
                assert number not in found[file], line
            elif DECLARED.match(line) and "reg" not in words:
                assert number in found[file], line
