"""Multipliers of UltraScale's primitives are those of the library, in every cycle."""

from importlib.resources import files
from pathlib import Path

import pytest

from ernn.hw.project import library
from ernn.tools import verilator

PRIMITIVES = files("ernn.synthesize") / "primitives" / "xcu"
# widths of a, b, c and p, and cycles; some fit into no block
WIDTHS = [
    (12, 12, 24, 25, 2),
    (15, 22, 37, 38, 2),
    (27, 18, 47, 48, 2),
    (18, 27, 30, 31, 2),
    (16, 16, 10, 20, 2),
    (19, 19, 38, 39, 2),
    (28, 5, 33, 34, 2),
    (12, 13, 25, 26, 4),
]
CYCLES = 2000


def bench() -> str:
    """Both modules with equal inputs, for all widths."""
    parts, checks = [], []
    for n, (a, b, c, p, cycles) in enumerate(WIDTHS):
        sizes = f".A_WIDTH({a}), .B_WIDTH({b}), .CYCLES({cycles})"
        ports = f".clk(clk), .a(noise[{a - 1}:0]), .b(noise[{a + b - 1}:{a}])"
        added = f".c(noise[{a + b + c - 1}:{a + b}])"
        parts.append(f"    wire [{a + b - 1}:0] product_{n}, product_here_{n};")
        parts.append(f"    wire [{p - 1}:0] total_{n}, total_here_{n};")
        for name, end in (("library", ""), ("here", "_here")):
            parts.append(
                f"    {name}_multiply #({sizes}, .P_WIDTH({a + b})) m{end}_{n} ({ports}, .p(product{end}_{n}));"
            )
            parts.append(
                f"    {name}_multiply_add #({sizes}, .C_WIDTH({c}), .P_WIDTH({p})) a{end}_{n} ({ports}, {added}, "
                f".p(total{end}_{n}));"
            )
        checks.append(f'        if (cycle > 9 && product_{n} !== product_here_{n}) $display("PRODUCT {n}");')
        checks.append(f'        if (cycle > 9 && total_{n} !== total_here_{n}) $display("TOTAL {n}");')
    return "\n".join(
        [
            "module bench;",
            "    reg clk = 1'b0;",
            "    always #5 clk = !clk;",
            "    reg [127:0] noise = 128'd0;",
            "    integer cycle = 0;",
            *parts,
            "    always @(negedge clk) begin",
            *checks,
            "        noise = {$random, $random, $random, $random};",
            "        cycle = cycle + 1;",
            f"        if (cycle == {CYCLES}) begin",
            '            $display("END");',
            "            $finish;",
            "        end",
            "    end",
            "endmodule",
            "",
        ]
    )


@pytest.mark.parametrize("changed", [False, True])
def test_products_and_sums_are_those_of_the_library(tmp_path, changed):
    texts = {"bench.v": bench(), "dsp48e2.v": Path(__file__).with_name("dsp48e2.v").read_text()}
    for module in ("ernn_multiply", "ernn_multiply_add"):
        own = (PRIMITIVES / f"{module}.v").read_text()
        for name, text in (("library", library()[f"{module}.v"]), ("here", own)):
            texts[f"{name}_{module}.v"] = text.replace("ernn_multiply", f"{name}_multiply")
    if changed:  # a sum without its other operand is seen
        file = "here_ernn_multiply_add.v"
        texts[file] = texts[file].replace("9'b000110101", "9'b000000101")
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    warnings = ["-Wno-WIDTH", "-Wno-PINMISSING", "-Wno-UNUSED", "--timing"]
    program = verilator.build(tmp_path, "bench", sorted(texts), (), "-O0", warnings)
    printed = verilator.simulate(program, tmp_path, tmp_path / "run.log", [])
    assert "END" in printed
    assert "NOT MODELLED" not in printed
    assert ("TOTAL 0" in printed) == changed
    assert "PRODUCT" not in printed
    assert changed or "TOTAL" not in printed
