"""Modules as values: names are declared once and before their use, numbers keep their names, text is rendered last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.hw.verilog.items import Assign, Instance, Item, Loop, Memory, Note, Process, Register, Variable, Wire
from ernn.hw.verilog.lines import names, wrapped
from ernn.hw.verilog.module import Module, Port, declared_first
from ernn.hw.verilog.size import Size

CLOCKED = Process("    always @(posedge clk) q <= d;  // of_a_comment")
PORTS = (Port("input", "clk"), Port("input", "d", 4))


def module(*items: Item, parameters: dict[str, int] | None = None) -> Module:
    return Module("m", PORTS, items, parameters or {})


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([CLOCKED], "module m: q is used but never declared: declare it (in always @(posedge clk) q <= d;"),
        ([Assign("q", "d"), Wire("q", 4)], "module m: q is used before it is declared: declare it earlier"),
        ([Wire("a", value="b"), Wire("b")], "module m: b is used before it is declared: declare it earlier"),
        ([Wire("a", value="a")], "module m: a is used before it is declared"),
        ([Wire("a"), Register("a")], "module m declares a twice; give one of them another name"),
        ([Wire("clk")], "module m declares clk twice"),
        ([Wire("a", Size(2, "BITS"))], "module m: BITS is used but never declared"),
        ([Wire("a"), Instance("part", "a", {})], "module m declares a twice"),
        ([Instance("part", "one", {"x": "y[3]"})], "module m: y is used but never declared"),
        ([Instance("part", "one", {}, {"WIDTH": Size(1, "N") + 1})], "module m: N is used but never declared"),
    ],
)
def test_a_name_is_declared_once_and_before_it_is_used(items, message):
    with pytest.raises(ValueError, match=r"^module m") as raised:
        module(*items)
    assert message in str(raised.value)


def test_the_order_of_parts_is_free_where_declarations_come_first():
    items = [Assign("q", "a + b"), Wire("q", 4), Wire("a", 4, "b"), CLOCKED, Register("b", 4)]
    made = declared_first([items[0], *items[1:3], Process("    always @(posedge clk) b <= d;"), items[4]])
    body = module(*made).render().splitlines()[4:]
    assert body == [
        "    wire [3:0] q, a;",
        "    reg [3:0] b;",
        "",
        "    assign q = a + b;",
        "    assign a = b;",
        "    always @(posedge clk) b <= d;",
        "endmodule",
    ]


def test_text_of_every_kind_of_item():
    bits = Size(3, "BITS")
    items = [
        Note("What it does."),
        Register("a", bits, kept=True, comment="of its own"),
        *(Register(name) for name in ("b", "c")),
        Variable("v", 2),
        Loop("i"),
        Memory("words", 8, depth=16),
        Wire("s", 5, "d", signed=True),
        Wire("t", bits + 1, unchecked="UNUSEDSIGNAL"),
        Register("r", 4, low=1),
        Instance("part", "one", {"x": "s", "y": ""}, {"WIDTH": 2 * bits, "KIND": '"block"'}),
    ]
    text = Module("m", PORTS, tuple(items), {"BITS": 3}, "A module.", {"UNUSED": "why"}).render()
    assert (
        text
        == """// A module.
/* verilator lint_off UNUSED */  // why
module m #(
    parameter BITS = 3
) (
    input wire clk,
    input wire [3:0] d
);
    // What it does.
    (* keep *) reg [BITS-1:0] a;  // of its own
    reg b, c;
    reg [1:0] v;
    integer i;
    reg [7:0] words[0:15];
    wire signed [4:0] s = d;
    /* verilator lint_off UNUSEDSIGNAL */
    wire [(BITS + 1)-1:0] t;
    /* verilator lint_on UNUSEDSIGNAL */
    reg [4:1] r;
    part #(.WIDTH(2 * BITS), .KIND("block")) one (.x(s), .y());
endmodule
/* verilator lint_on UNUSED */
"""
    )


def test_contents_are_registers_without_memories_and_their_read_ports():
    items = [Register("a"), Register("b", port=True), Memory("c", 8, depth=4), Variable("v"), Wire("w")]
    ports = (*PORTS, Port("output", "q", register=True))
    made = Module("m", ports, (*items, Instance("part", "one", {"clk": "clk"})))
    assert made.contents.registers == ("a", "q")
    assert made.contents.instances == {"one": "part"}
    assert made.contents.generated


@given(st.integers(1, 99), st.integers(0, 9), st.integers(0, 9), st.integers(0, 5))
def test_numbers_with_a_name_are_what_their_text_says(value, more, times, places):
    number = (times * (Size(value, "N") + more) + 2) << places
    assert number == eval(str(number), {"N": value})  # what Python and Verilog write alike
    assert names(str(number)) == {"N"}


def test_names_are_those_of_signals_alone():
    text = """always @(posedge clk) begin  // not this
        a[i] <= cond ? 8'hff + 4'sd3 : {b, $signed(c)};
        $display("no %d", d); `MACRO unit.inside <= 1'bx;
    end"""
    assert names(text) == {"clk", "a", "i", "cond", "b", "c", "d", "unit"}


@given(st.lists(st.text("abcdef", min_size=1, max_size=30), min_size=1, max_size=30))
def test_long_lines_are_broken_behind_commas(words):
    line = f"    part one ({', '.join(words)});"
    found = list(wrapped(line))
    assert all(len(each) <= 120 for each in found)
    assert " ".join(each.strip() for each in found) == line.strip()
