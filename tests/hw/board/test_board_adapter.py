"""The adapter between rows in memory and frames on a stream: alone at every width, and lint clean."""

import re

import numpy as np
import pytest

from ernn.tools import verilator
from tests.hw import board_driver, designs
from tests.hw.board_accelerators import DRIVER, STRUCTURES, accelerator

CASES = [(8, 8, 1), (8, 8, 7), (16, 16, 6), (16, 16, 5), (32, 24, 3), (32, 32, 1)]  # slot, width, elements
FRAMES = 20


def looped(cases: list[tuple[int, int, int]]) -> str:
    """A test bench that hands what ernn_unpack gives to ernn_pack, with pauses everywhere."""
    parts = []
    for n, (slot, width, elements) in enumerate(cases):
        words = FRAMES * (1 + -(-elements * slot // 32))
        parts.append(f"""
    reg [31:0] words{n}[0:{words - 1}];
    integer at{n} = 0;
    reg valid{n} = 1'b0, ready{n} = 1'b0, open{n} = 1'b0;
    wire take{n}, give{n}, last{n}, user{n}, end{n}, packet{n}, packed{n}, done{n}, accept{n};
    wire [{width - 1}:0] data{n};
    wire [3:0] id{n};
    wire [31:0] out{n};
    initial $readmemh("in{n}.hex", words{n});
    // A packet is three frames.
    ernn_unpack #(.INPUTS({elements}), .SLOT({slot}), .WIDTH({width}), .STREAM(4)) unpack{n} (.clk(clk), .rst(rst),
        .in_valid(valid{n}), .in_ready(take{n}), .in_data(words{n}[at{n}]),
        .in_last((at{n} + 1) % {3 * words // FRAMES} == 0 || at{n} == {words - 1}), .out_valid(give{n}),
        .out_ready(accept{n} && open{n}), .out_data(data{n}), .out_last(last{n}), .out_user(user{n}), .out_id(id{n}),
        .frame_end(end{n}), .packet_end(packet{n}));
    ernn_pack #(.SLOT({slot}), .WIDTH({width})) pack{n} (.clk(clk), .rst(rst), .in_valid(give{n} && open{n}),
        .in_ready(accept{n}), .in_data(data{n}), .in_last(last{n}), .packet_known(1'b1), .packet_end(packet{n}),
        .frame_end(done{n}), .out_valid(packed{n}), .out_ready(ready{n}), .out_data(out{n}), .out_last(tail{n}));
    wire tail{n};
    always @(negedge clk) begin
        if (!valid{n}) valid{n} = at{n} < {words} && $random % 3 != 0;
        ready{n} = $random % 3 != 0;
        open{n} = $random % 3 != 0;
    end
    always @(posedge clk) if (!rst) begin
        if (valid{n} && take{n}) begin
            at{n} <= at{n} + 1;
            valid{n} <= 1'b0;
        end
        if (give{n} && open{n} && accept{n}) $display("beat {n} %0d %0d %0d %0d", user{n}, id{n}, last{n}, end{n});
        if (packed{n} && ready{n}) $display("word {n} %h %0d", out{n}, tail{n});
    end""")
    return f"""module tb;
    reg clk = 1'b0;
    always #5 clk = !clk;
    reg rst = 1'b1;
    integer cycle = 0;
    always @(posedge clk) begin
        cycle <= cycle + 1;
        if (cycle == 3) rst <= 1'b0;
        if (cycle == 3000) $finish;
    end
{"".join(parts)}
endmodule
"""


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[np.ndarray]]:
    """What the loop printed, and the frames that went in."""
    folder, random, frames = tmp_path_factory.mktemp("loop"), np.random.default_rng(4), []
    for n, (slot, width, elements) in enumerate(CASES):
        rows = random.integers(-(1 << width - 1), 1 << width - 1, (FRAMES, elements))
        headers = [[int(row % 4 == 0) | (row % 16) << 16] for row in range(FRAMES)]
        words = np.column_stack([np.array(headers, np.uint32), DRIVER._words(rows, slot)])
        (folder / f"in{n}.hex").write_text("".join(f"{word:x}\n" for word in words.reshape(-1).tolist()))
        frames.append(rows)
    files = designs.write({name: board_file(name) for name in ("ernn_unpack.v", "ernn_pack.v")}, folder)
    (files / "tb.v").write_text(looped(CASES))
    program = verilator.build(folder, "tb", ["tb.v", "ernn_unpack.v", "ernn_pack.v"], optimize="-O0")
    return verilator.simulate(program, folder, folder / "run.log"), frames


def board_file(name: str) -> str:
    return (board_driver.FILES / name).read_text()


@pytest.mark.parametrize("case", range(len(CASES)))
def test_rows_become_frames_and_frames_rows_at_every_width(case, loop):
    printed, frames = loop
    slot, _, elements = CASES[case]
    each = -(-elements * slot // 32)
    words = re.findall(rf"^word {case} (\w+) (\d)$", printed, re.MULTILINE)
    found = np.array([int(word, 16) for word, _ in words], np.uint32).reshape(FRAMES, each)
    assert (DRIVER._integers(found, slot, elements) == frames[case]).all()
    ends = [(row + 1) % 3 == 0 or row == FRAMES - 1 for row in range(FRAMES)]
    assert [int(last) for _, last in words] == [int(end and part == each - 1) for end in ends for part in range(each)]
    beats = re.findall(rf"^beat {case} (\d) (\d+) (\d) (\d)$", printed, re.MULTILINE)
    assert [tuple(map(int, beat)) for beat in beats] == [
        (int(row % 4 == 0 and place == 0), row % 16, *[int(place == elements - 1)] * 2)
        for row in range(FRAMES)
        for place in range(elements)
    ]


@pytest.mark.parametrize("beat", [(1, 1), (8, 1), (2, 4)])
@pytest.mark.parametrize("name", STRUCTURES)
def test_the_adapter_is_lint_clean(name, beat, tmp_path):
    designs.write(accelerator(name, beat)[2], tmp_path)
    sources = [*sorted((tmp_path / "rtl").glob("*.v")), *sorted((tmp_path / "board").glob("*.v"))]
    verilator.lint(tmp_path, "ernn_board", [str(each) for each in sources])
