"""Levels of logic: of netlists by hand, of modules as of the flat netlist, and of small accelerators."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.devices.flow import FLOWS
from ernn.devices.timing import TIMINGS
from ernn.hw.graph.schedule import Clock
from ernn.hw.project import rtl_project
from ernn.records.synthesis import LogicPath
from ernn.synthesize import count, levels, sources
from ernn.tools import yosys
from tests import programs
from tests.hw import designs

CLK = 2


def cell(kind: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], **parameters: str) -> dict[str, Any]:
    directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {"type": kind, "parameters": parameters, "port_directions": directions, "connections": inputs | outputs}


def register(d: int, q: int) -> dict[str, Any]:
    return cell("FDRE", {"C": [CLK], "D": [d], "CE": ["1"], "R": ["0"]}, {"Q": [q]}) | {
        "attributes": {"src": f"here.v:{d}.1-{d}.9|map.v:1.1"}
    }


def lut(a: int, o: int, other: Any = "0") -> dict[str, Any]:
    return cell("LUT2", {"I0": [a], "I1": [other]}, {"O": [o]})


def signal(bit: int) -> str:
    """A name of letters alone: paths between signals that differ in numbers are one."""
    return "n" + "".join("abcdefghij"[int(digit)] for digit in str(bit))


def module(cells: dict[str, Any], **ports: tuple[str, list[int]]) -> dict[str, Any]:
    bits = {bit for each in cells.values() for wired in each["connections"].values() for bit in wired}
    names = {signal(bit): {"bits": [bit]} for bit in bits if isinstance(bit, int)}
    directed = {name: {"direction": direction, "bits": bits} for name, (direction, bits) in ports.items()}
    return {"ports": directed, "cells": cells, "netnames": names, "attributes": {}}


def worst(cells: dict[str, Any], **others: dict[str, Any]) -> LogicPath:
    return levels.paths({"top": module(cells), **others}, "top")[0]


@given(st.integers(0, 9))
def test_a_table_is_a_level(tables):
    chain = {f"l{n}": lut(10 + n, 11 + n) for n in range(tables)}
    found = worst({"a": register(5, 10), **chain, "b": register(10 + tables, 40)})
    assert (found.levels, found.start, found.end, found.line) == (
        tables,
        signal(10),
        signal(40),
        f"here.v:{10 + tables}.1-{10 + tables}.9",
    )


def test_carry_cells_count_where_they_are_entered_and_left_and_a_little_along():
    cells = {
        "a": register(5, 10),
        "one": cell(
            "CARRY4", {"S": [10, "0", "0", "0"], "DI": ["0"] * 4, "CI": ["0"]}, {"CO": [11, 12, 13, 14], "O": []}
        ),
        "two": cell("CARRY4", {"S": ["0"] * 4, "DI": ["0"] * 4, "CI": [14]}, {"CO": [21, 22, 23, 24], "O": []}),
        "three": cell("CARRY4", {"S": ["0"] * 4, "DI": ["0"] * 4, "CI": [24]}, {"CO": [], "O": [31, 32, 33, 34]}),
        "b": register(34, 40),
    }
    assert worst(cells).levels == pytest.approx(0.4 + 0.1 + 0.35)


def test_a_carry_leads_to_higher_bits_alone():
    cells = {
        "a": register(5, 10),
        "one": cell(
            "CARRY4", {"S": ["0", "0", 10, "0"], "DI": ["0"] * 4, "CI": ["0"]}, {"O": [11, 12, 13, 14], "CO": []}
        ),
        "low": lut(11, 20),
        "b": register(20, 40),
        "c": register(13, 41),
    }
    found = levels.paths({"top": module(cells)}, "top")
    assert [(path.levels, path.end) for path in found if path.start == signal(10)] == [(0.4, signal(41))]


@pytest.mark.parametrize(("own", "begins"), [("0", 3.0), ("1", 0.0)])
def test_a_block_without_its_output_register_begins_late(own, begins):
    ram = cell("RAMB36E1", {"CLKARDCLK": [CLK], "ADDRARDADDR": [9]}, {"DOADO": [10]}, DOA_REG=own)
    assert worst({"ram": ram, "l": lut(10, 11), "b": register(11, 40)}).levels == begins + 1


def test_multipliers_and_small_memories():
    dsp = cell("DSP48E2", {"CLK": [CLK], "A": [11]}, {"P": [12]})
    ram = cell("RAM32M", {"WCLK": [CLK], "ADDRA": [13], "DIA": [14]}, {"DOA": [15]})
    cells = {"a": register(5, 10), "l": lut(10, 11), "dsp": dsp, "m": lut(12, 13), "ram": ram, "b": register(15, 40)}
    found = {(path.start, path.end): path.levels for path in levels.paths({"top": module(cells)}, "top")}
    assert found == {(signal(10), signal(12)): 1, (signal(12), signal(40)): 2}


def test_paths_go_through_modules():
    inside = module({"l": lut(3, 4), "r": register(3, 5), "m": lut(5, 6)}, a=("input", [3]), o=("output", [4, 6]))
    cells = {
        "a": register(5, 10),
        "u": cell("part", {"a": [10]}, {"o": [11, 12]}),
        "v": cell("part", {"a": [11]}, {"o": [13, 14]}),
        "b": register(13, 40),
        "c": register(12, 41),
    }
    found = {
        (path.module, path.start, path.end): path.levels
        for path in levels.paths({"top": module(cells), "part": inside}, "top")
    }
    assert found[("top", signal(10), signal(40))] == 2
    assert found[("top", f"u.{signal(5)}", signal(41))] == 1
    assert found[("top", signal(10), f"v.{signal(5)}")] == 1


def test_logic_that_nothing_drives_does_not_count():
    cells = {"a": register(5, 10), "x": lut(77, 78), "b": register(10, 40)}
    assert worst(cells).levels == 0


def test_a_loop_of_logic_is_an_error():
    cells = {"a": register(5, 10), "l": lut(11, 12), "m": lut(12, 11), "b": register(10, 40)}
    with pytest.raises(ValueError, match=f"module top has a loop of logic through {signal(11)}, {signal(12)}"):
        worst(cells)


def test_modules_with_parameters_and_modules_of_wires_are_macros():
    part = module({"l": lut(3, 4)}, a=("input", [3]), o=("output", [4]))
    wires = module({}, a=("input", [3, 4]), o=("output", [3, 4]))
    cells = {
        "a": register(5, 10),
        "p": cell("$paramod\\part\\IMAGE=x", {"a": [10]}, {"o": [11]}),
        "w": cell("wires", {"a": [11, 13]}, {"o": [12, 14]}),
        "l": lut(12, 13),
        "m": lut(14, 15),
        "b": register(15, 40),
    }
    assert worst(cells, **{"$paramod\\part\\IMAGE=x": part, "wires": wires}).levels == 3


def test_the_clock_follows_from_the_levels_by_the_rule():
    assert levels.supported_mhz(6, DEVICES["xc7vx690t"]) == pytest.approx(1000 / (0.7 + 6 * 0.7))
    assert levels.supported_mhz(6, DEVICES["xcku060"]) > levels.supported_mhz(6, DEVICES["xc7vx690t"])
    for device in DEVICES.values():
        if FLOWS[device.family].level_ns:
            assert levels.supported_mhz(1, device) > levels.supported_mhz(2, device)


SMALL = {
    "lstm": ({"block_sizes": (4, 4), "projection": 4}, (4, 2, 0)),
    "gru": ({"cell": "gru", "block_sizes": (4, 4)}, (2, 2, 0)),
}


@pytest.mark.system
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("device", "mhz", "most"), [("xc7vx690t", 200, 6.0), ("xcku060", 300, 4.7)])
def test_levels_of_small_accelerators(name, device, mhz, most, tmp_path):
    """No more than their clock allows, and as many module by module as in the flat netlist."""
    structure, size = SMALL[name]
    target = DEVICES[device]
    design = designs.network(programs.build(**structure), size, (2, 2, 0), clock=Clock(mhz, TIMINGS[target.family]))
    source = sources.read(rtl_project(design).write(tmp_path / "project"))
    counted = count.measure(source, target.family, tmp_path / "work")
    worst = counted.paths[0]
    assert worst.levels <= most, [f"{path.levels} {path.start} -> {path.end} {path.line}" for path in counted.paths]
    assert levels.supported_mhz(worst.levels, target) >= mhz
    assert flat_levels(tmp_path / "work", target.family, source) == pytest.approx(worst.levels, abs=0.02)


def flat_levels(folder: Path, flow: str, source: sources.Sources) -> float:
    """Of the same cells in one module."""
    tops = ("ernn", *source.layers)
    modules: dict[str, Any] = {}
    for top in tops:
        found = json.loads((folder / f"{flow}-{top}.netlist.json").read_text())["modules"]
        modules |= {name: each for name, each in found.items() if name not in tops or name == top}
    for each in modules.values():
        each["attributes"].pop("keep_hierarchy", None)
    (folder / "parts.json").write_text(json.dumps({"modules": modules}))
    yosys.synthesize(folder, "whole", ["read_json parts.json", "flatten ernn", "write_json whole.json"])
    whole = json.loads((folder / "whole.json").read_text())["modules"]["ernn"]
    return levels.paths({"ernn": whole}, "ernn")[0].levels


@pytest.mark.parametrize(
    ("places", "line"),
    [
        ("/opt/share/xilinx/cells_map.v:65.61-65.155|here.v:3.1-3.9", "here.v:3.1-3.9"),
        ("/opt/share/xilinx/cells_map.v:65.61-65.155", "cells_map.v:65.61-65.155"),
        ("", ""),
    ],
)
def test_a_path_names_the_design_and_never_a_folder_of_yosys(places, line):
    cells = {"a": register(3, 4), "b": register(4, 5)}
    for each in cells.values():
        each["attributes"] = {"src": places}
    found = levels.paths({"top": module(cells)}, "top")
    assert {path.line for path in found} == {line}
