"""Which names of Verilog sources are registers: clocked ones, and no memories, wires or combinational variables."""

import re

import pytest

from ernn.hw import project
from ernn.simulate import rtl_registers
from ernn.simulate.rtl_registers import Module
from tests import programs
from tests.hw import designs

PART = """// q follows d; reg comment; q <= nothing
module part #(parameter WIDTH = 1) (
    input wire clk,
    input wire [WIDTH-1:0] d,
    output reg [WIDTH-1:0] q
);
    always @(posedge clk) q <= d;
endmodule
"""
WHOLE = """
module whole (
    input wire clk,
    input wire [3:0] a,
    output wire [3:0] y, output reg last  // of two
);
    reg [3:0] plain, chosen, half;
    reg signed [3:0] high, low = 4'd3;
    reg [3:0] line[0:2];
    reg [3:0] words[0:15];
    (* ram_style = "block" *) reg [3:0] memory[0:15];
    reg [3:0] port, behind, made, started;
    integer i;
    wire less = a <= plain;
    always @(*) begin
        chosen = a;
        if (less) chosen = plain;
    end
    initial started = 4'd0;
    always @(posedge clk) begin
        plain <= a <= y ? chosen : {2'b00, line[1][1:0]};
        {high, low[3:0]} <= {a, a};
        line[0] <= a;
        for (i = 1; i < 3; i = i + 1) line[i] <= line[i-1];
        if (less) words[a] <= plain;
        else if (last) begin
            half[1:0] <= 2'd1;
        end
        last <= !last;
        memory[plain] <= a;
        port <= memory[a];
        behind <= port;
    end
    always @(posedge clk)
        case (a[1:0])
            2'd0: made <= words[a] + 4'd1;
            default: made <= 4'd0;
        endcase
    part #(.WIDTH((4))) one (.clk(clk), .d(a), .q(y));
    generate
        genvar n;
        for (n = 0; n < 2; n = n + 1) begin : lane
            part several (.clk(clk), .d(a[n]), .q());
        end
    endgenerate
endmodule
"""


def test_registers_are_what_a_clocked_process_assigns():
    assert rtl_registers.modules([PART, WHOLE]) == {
        "part": Module(frozenset({"q"}), {}),
        "whole": Module(
            frozenset({"last", "plain", "half", "high", "low", "line", "behind", "made"}),
            {"one": "part", "several": "part"},
        ),
    }


def test_generate_blocks_belong_to_the_module_around_them():
    known = rtl_registers.modules([PART, WHOLE])
    for scopes, module in (
        ((), "whole"),
        (("one",), "part"),
        (("lane[1]", "several"), "part"),
        (("lane[0]",), "whole"),
    ):
        assert rtl_registers.module_of(scopes, "whole", known) == module


def test_lines_without_a_register_are_not_traced():
    text = rtl_registers.untraced({"whole.v": WHOLE})
    lines = {int(line.rpartition(" ")[2]) for line in text.splitlines()[1:]}
    quiet = {WHOLE.splitlines()[number - 1].strip() for number in lines}
    assert quiet == {
        "input wire clk,",
        "input wire [3:0] a,",
        "reg [3:0] words[0:15];",
        '(* ram_style = "block" *) reg [3:0] memory[0:15];',
        "integer i;",
        "wire less = a <= plain;",
    }


@pytest.mark.parametrize("name", programs.STRUCTURES)
def test_no_register_of_a_design_is_missed(name):
    """Whatever else is declared `reg` is an array, takes a word of one, or is assigned without a clock."""
    files = project.rtl_project(designs.network(programs.build(**programs.STRUCTURES[name])))
    sources = [re.sub("//.*", "", text) for path, text in files.items() if path.startswith("rtl/")]
    for module, found in rtl_registers.modules(sources).items():
        [body] = re.findall(rf"\bmodule {module}\b.*?endmodule", "\n".join(sources), re.DOTALL)
        for line in re.findall(r"\breg\b(?: signed)?(?: \[.*?\])?( [a-z].*)", body):
            for each in set(re.findall(r" (\w+)", line)) - found.registers:
                array = re.search(rf" {each}\[[^]]*:", line)
                assert array or re.search(rf"\b{each} <= (memory|words|ring_begun)\[|\b{each} = ", body), (module, each)
    assert sum(len(each.registers) for each in rtl_registers.modules(sources).values()) > 200
