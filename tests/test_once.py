"""Facts that are written once: literals that may stand in the files that own them and nowhere else."""

import re
from pathlib import Path

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.operators import OPERATORS
from ernn.hw.layout.registers import PROTOCOL
from ernn.params.methods import OF_DESIGNS
from ernn.program.plan import JOINED

ROOT = Path(__file__).parents[1]
SOURCES = {
    str(path.relative_to(ROOT)): re.sub(r"(?m)^ *>>> .*$", "", path.read_text())  # examples may name what they like
    for folder in ("ernn", "components", "workflow")
    for path in (ROOT / folder).rglob("*.py")
}
DRIVER = "ernn/hw/board/driver/ernn_driver.py"  # runs on a board by itself, and calls registers by their names
REGISTERS = {"ernn/hw/layout/registers.py", DRIVER}
FAMILIES = {
    *(f"ernn/devices/{name}.py" for name in ("catalogue", "flow", "timing")),
    *(f"ernn/estimate/{name}.py" for name in ("energy", "fabric")),
    "ernn/synthesize/output_registers.py",  # registers of a family's block RAM
    "ernn/hw/hls/network.py",  # whose text depends on no delay
}
METHODS_IN = {"ernn/params/methods.py", "ernn/compression/methods.py"}
PLAN = {"ernn/program/plan.py", "ernn/hw/verilog/lane.py"}  # a lane has a wire of this name
OWNERS = {
    f'"{JOINED}"': PLAN,
    **{f'"{name}"': REGISTERS for name in ("load_place", "load_part")},
    **{f"0x{PROTOCOL.identity:X}": REGISTERS - {DRIVER}},
    **{f'"{name}"': FAMILIES for name in TIMINGS},
    **{f'"{name}"': {"ernn/devices/catalogue.py", "ernn/params/hardware.py"} for name in DEVICES},
    **{f'"{name}"': METHODS_IN for name in OF_DESIGNS if name != "project"},  # which is also the sources of hardware
    **{f'"{each.name}"': {"ernn/hw/graph/operators.py"} for each in OPERATORS if "_" in each.name},
}


def holders(literal: str) -> set[str]:
    """Files of the library, the stages and the orchestrator that have it."""
    return {path for path, text in SOURCES.items() if literal in text}


@pytest.mark.parametrize("literal", OWNERS)
def test_a_literal_stands_in_the_files_that_own_it_alone(literal):
    assert holders(literal) <= OWNERS[literal]


COMMANDS = SOURCES | {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "bench").glob("*.py")}
COMMANDS["pipeline.py"] = (ROOT / "pipeline.py").read_text()
ALONE = {DRIVER, "components/finish.py"}  # run without the library, and take no numbers


@pytest.mark.parametrize("literal", ["argparse.ArgumentParser(", "type=int", "type=float"])
def test_command_lines_are_made_by_one_parser_and_numbers_have_its_types(literal):
    wanted = ALONE if literal.startswith("argparse") else set()
    assert {path for path, text in COMMANDS.items() if literal in text} == wanted


def test_names_of_sums_come_from_the_plan():
    assert not holders(f'"{JOINED}_')
    assert not holders(f'"{JOINED}."')


def test_every_literal_is_somewhere():
    assert all(holders(literal) for literal in OWNERS)


def test_the_generator_asks_no_matrix_whether_it_is_pruned():
    """`layout.store` chooses by the kind, and of the C++ `forms`; all others ask the store or the form.

    `estimate.shapes` makes matrices of a kind.
    """
    generator = {path for path in SOURCES if path.startswith(("ernn/hw/", "ernn/estimate/"))}
    assert holders("Pruned") & generator == {"ernn/hw/hls/forms.py", "ernn/estimate/shapes.py"}
    assert holders('"pruned"') & generator == {"ernn/hw/layout/store.py"}
