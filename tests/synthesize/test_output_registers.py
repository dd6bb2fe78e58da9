"""Registers that move into block RAMs: which do, and that outputs stay the same."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyosys
import pytest

from ernn.hw.project import library
from ernn.synthesize import output_registers
from ernn.synthesize.sources import Sources
from ernn.tools import verilator, yosys
from tests.synthesize.models import without_delays

SHARE = Path(pyosys.__file__).parent / "share"
MODELS = (SHARE / "lattice/cells_sim_ecp5.v", Path(__file__).parent / "dp16kd.v")
DEPTH, IMAGE_BITS = 1500, 24
TOP = f"""module memories (
    input wire clk,
    input wire rst,
    input wire [63:0] random,
    output wire [{IMAGE_BITS - 1}:0] deep,
    output wire [39:0] wide,
    output wire fifo_valid,
    output wire [39:0] fifo,
    output wire [31:0] total
);
    reg [10:0] read;
    wire [10:0] address = random[10:0] < 11'd{DEPTH} ? random[10:0] : 11'd0;
    always @(posedge clk) read <= address;
    ernn_ram #(.WIDTH({IMAGE_BITS}), .DEPTH({DEPTH}), .ADDRESS(11), .IMAGE("deep.hex")) memory_deep (.clk(clk),
        .write(random[11] && address != read), .write_address(address), .d(random[35:12]), .read_address(read),
        .q(deep));
    ernn_ram #(.WIDTH(40), .DEPTH(300), .ADDRESS(9), .KIND("block")) memory_wide (.clk(clk),
        .write(random[40] && address[7:0] != read[7:0]), .write_address({{1'b0, address[7:0]}}), .d(random[63:24]),
        .read_address({{1'b0, read[7:0]}}), .q(wide));
    ernn_fifo #(.WIDTH(40), .DEPTH(600), .ADDRESS(10)) queue (.clk(clk), .rst(rst), .in_valid(|random[42:41]),
        .in_ready(), .in_data(random[63:24]), .out_valid(fifo_valid), .out_ready(random[43]), .out_data(fifo));
    reg [31:0] sums;
    reg add, start, start_1, start_2;
    reg [4:0] row, row_1, row_2;
    always @(posedge clk) begin
        sums <= random[63:32];
        add <= random[44];
        {{start, start_1, start_2}} <= {{start_1, start_2, &random[46:45]}};
        {{row, row_1, row_2}} <= {{row_1, row_2, {{random[49], 2'b00, random[48:47]}}}};
    end
    ernn_accumulate #(.WORDS(2), .WIDTH(16), .DEPTH(32), .ADDRESS(5), .SHALLOW(16)) accumulate (.clk(clk), .add(add),
        .start(start), .row(row), .start_in_1(start_1), .start_in_2(start_2), .row_in_1(row_1), .row_in_2(row_2),
        .row_in_3({{random[49], 2'b00, random[48:47]}}), .sums(sums), .total(total));
endmodule
"""
BENCH = """module bench;
    reg clk = 1'b0, rst = 1'b1;
    reg [63:0] random = 64'd88172645463325252;
    integer cycle = 0;
    wire [23:0] deep[0:2];
    wire [39:0] wide[0:2], fifo[0:2];
    wire valid[0:2];
    wire [31:0] total[0:2];
    memories rtl (clk, rst, random, deep[0], wide[0], valid[0], fifo[0], total[0]);
    plain plain (clk, rst, random, deep[1], wide[1], valid[1], fifo[1], total[1]);
    absorbed absorbed (clk, rst, random, deep[2], wide[2], valid[2], fifo[2], total[2]);
    reg [63:0] next;
    always #5 clk = !clk;
    always @(negedge clk) begin
        next = random ^ (random << 13);
        next = next ^ (next >> 7);
        random <= next ^ (next << 17);
        rst <= cycle < 8;
        cycle <= cycle + 1;
        if (cycle > 5000) begin
            $display("END");
            $finish;
        end
    end
    integer n;
    always @(posedge clk)
        if (cycle > 8)
            for (n = 1; n < 3; n = n + 1)
                if (deep[n] !== deep[0] || wide[n] !== wide[0] || valid[n] !== valid[0] || total[n] !== total[0]
                    || (valid[0] && fifo[n] !== fifo[0])) begin
                    $display("DIFFERENT %0d %0d: %h %h, %h %h, %b %b, %h %h, %h %h", n, cycle, deep[0], deep[n],
                        wide[0], wide[n], valid[0], valid[n], fifo[0], fifo[n], total[0], total[n]);
                    $finish;
                end
endmodule
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], int]:
    """Sources, their netlist as Yosys has it, and how many block RAMs took registers in; all as Verilog, too."""
    folder = tmp_path_factory.mktemp("absorbed")
    words = np.random.default_rng(1).integers(0, 1 << IMAGE_BITS, DEPTH)
    image = "".join(f"{word:06x}\n" for word in words)
    design = Sources({**library(), "memories.v": TOP}, {"deep.hex": image}, (), ("memories",), 100.0)
    design.write(folder / "rtl")
    design.of_family("ecp5").write(folder)
    read = "read_verilog -DERNN_UNSET memories.v " + " ".join(library())
    steps = "synth_ecp5 -noccu2 -nolutram -top memories -run begin:check"
    one = ["setattr -mod -unset keep_hierarchy ernn_copy", "flatten", "blackbox =A:whitebox"]
    yosys.synthesize(folder, "map", [read, steps, *one, "write_json netlist.json"])
    netlist = json.loads((folder / "netlist.json").read_text())
    changed = copy.deepcopy(netlist)
    moved = output_registers.absorb(changed, "ecp5")
    (folder / "absorbed.json").write_text(json.dumps(changed))
    for name in ("netlist", "absorbed"):
        module = {"netlist": "plain"}.get(name, name)
        yosys.synthesize(
            folder, name, [f"read_json {name}.json", f"rename memories {module}", f"write_verilog -noattr {module}.v"]
        )
    return folder, netlist, moved


def blocks(netlist: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in netlist["modules"]["memories"]["cells"].values() if cell["type"] == "DP16KD"]


def test_registers_behind_a_block_move_and_no_multiplexer_is_between(made):
    _, netlist, moved = made
    assert len(blocks(netlist)) == moved + 3  # those of the queue, whose second register may wait while it is read
    assert moved == 3 + 2 + 1  # 24 bits in slices of 9, 40 of 36; sums


def test_netlists_before_and_after_are_the_sources(made, tmp_path):
    folder, _, _ = made
    files = [str(folder / "plain.v"), str(folder / "absorbed.v"), str(tmp_path / "bench.v")]
    (tmp_path / "bench.v").write_text(BENCH)
    for model in MODELS:
        (tmp_path / model.name).write_text(without_delays(model))
        files.append(str(tmp_path / model.name))
    files += sorted(str(path) for path in (folder / "rtl").glob("*.v"))
    (tmp_path / "deep.hex").write_text((folder / "rtl" / "deep.hex").read_text())
    program = verilator.build(tmp_path, "bench", files, optimize="-O0")
    assert verilator.simulate(program, tmp_path, tmp_path / "log").split()[0] == "END"


def cell(kind: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], **parameters: str) -> dict[str, Any]:
    directions = dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output")
    return {"type": kind, "parameters": parameters, "port_directions": directions, "connections": inputs | outputs}


def small(read: Any = "1", **changes: dict[str, Any]) -> dict[str, Any]:
    """A block with two bits, and a register behind each; `changes` are further cells, or others of these."""
    cells = {
        "ram": cell("DP16KD", {"CLKB": [2], "CEB": [read]}, {"DOB0": [10], "DOB1": [11]}, REGMODE_B="NOREG"),
        "low": register(10, 20),
        "high": register(11, 21),
    }
    return {"modules": {"top": {"ports": {"q": {"bits": [20, 21]}}, "cells": cells | changes}}}


def register(d: int, q: int, clock: int = 2, enable: Any = "1", reset: Any = "0", **parameters: str) -> dict[str, Any]:
    inputs = {"CLK": [clock], "DI": [d], "CE": [enable], "LSR": [reset]}
    return cell("TRELLIS_FF", inputs, {"Q": [q]}, **({"CEMUX": "CE", "REGSET": "RESET"} | parameters))


def test_a_block_takes_in_its_registers_with_what_enables_them():
    netlist = small(7, low=register(10, 20, enable=7), high=register(11, 21, enable=7))
    assert output_registers.absorb(netlist, "ecp5") == 1
    [ram] = netlist["modules"]["top"]["cells"].values()
    assert (ram["connections"]["DOB0"], ram["connections"]["DOB1"]) == ([20], [21])
    assert (ram["connections"]["OCEB"], ram["parameters"]["REGMODE_B"]) == ([7], "OUTREG")


@pytest.mark.parametrize(
    "changes",
    [
        {"high": register(11, 21, clock=3)},
        {"high": register(11, 21, enable=7)},
        {"low": register(10, 20, enable=7), "high": register(11, 21, enable=7)},
        {"read": 7, "low": register(10, 20, enable=7, CEMUX="INV"), "high": register(11, 21, enable=7, CEMUX="INV")},
        {"high": register(11, 21, reset=8)},
        {"high": register(11, 21, REGSET="SET")},
        {"high": register(11, 21, CLKMUX="INV")},
        {"high": cell("LUT4", {"A": [11]}, {"Z": [21]})},
        {"other": cell("LUT4", {"A": [11]}, {"Z": [30]})},
    ],
    ids=[
        "another clock",
        "an enable for one",
        "an enable that reading has not",
        "a bit that stops it",
        "a reset",
        "begins with one",
        "falling edge",
        "logic",
        "read twice",
    ],
)
def test_a_block_keeps_its_registers_outside_where_its_own_could_not_do_the_same(changes):
    netlist = small(**changes)
    before = copy.deepcopy(netlist)
    assert output_registers.absorb(netlist, "ecp5") == 0
    assert netlist == before


def test_a_bit_that_leaves_the_module_keeps_its_register():
    netlist = small()
    netlist["modules"]["top"]["ports"]["raw"] = {"bits": [10]}
    assert output_registers.absorb(netlist, "ecp5") == 0


def test_other_families_are_left_alone():
    assert output_registers.absorb(small(), "xc7") == 0
