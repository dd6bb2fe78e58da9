"""Toggles of registers in a simulation, and what they add to an estimate of energy."""

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.estimate import energy
from ernn.hw import design
from ernn.hw.design import MODULES, REGISTERS, ModuleContents, Modules
from ernn.hw.project import rtl_project
from ernn.hw.verilog.library_modules import LIBRARY
from ernn.simulate import toggles
from ernn.simulate.bench import Outcome
from ernn.simulate.toggles import ToggleBench
from ernn.simulate.vectors import Vectors, rtl_vectors
from tests import programs
from tests.hw import designs

COUNTER = """module ernn (input wire clk);
    reg [7:0] count;  // = cycle
    reg [7:0] line[0:39];
    reg [299:0] wide;
    reg [7:0] words[0:255];
    reg [7:0] next, late;
    wire [1:0] low;
    integer i;
    initial begin
        count = 8'd0;
        wide = 300'd0;
    end
    always @(*) next = count + 8'd1;
    always @(posedge clk) begin
        count <= next;
        wide <= ~wide;
        line[0] <= count;
        for (i = 1; i < 40; i = i + 1) line[i] <= line[i-1];
        words[count] <= ~words[count];
        late <= words[count];
    end
    genvar n;
    generate
        for (n = 0; n < 2; n = n + 1) begin : twin
            ernn_copy copy (.clk(clk), .d(count[0]), .q(low[n]));
        end
    endgenerate
endmodule
"""
CONTROL = '`verilator_config\ntracing_off -file "*/ernn.v" -lines 5-8\n'  # memory, variable, wire, loop
COPY = "module ernn_copy (input wire clk, input wire d, output reg q);\n    always @(posedge clk) q <= d;\nendmodule\n"
BENCH = """module ernn_tb;
    reg clk = 1'b0;
    always #5 clk = !clk;
    integer cycle = 0, from, to;
    always @(posedge clk) cycle <= cycle + 1;
    ernn dut (.clk(clk));
    initial begin
        if (!$value$plusargs("from=%d", from) || !$value$plusargs("to=%d", to)) $finish;
        $dumpfile("ernn.vcd");
        wait (cycle >= from);
        $dumpvars(0, dut);
        wait (cycle > to);
        $dumpflush;
        $finish;
    end
endmodule
"""
NOTHING = Vectors(np.zeros((0, 1), int), np.zeros((0, 1), int), np.zeros(0, bool), np.zeros(0, int))
STAGE = """
    wire [$bits(broadcast)-1:0] stage_out;
    ernn_delay #(.WIDTH($bits(broadcast)), .CYCLES(1)) stage (.clk(clk), .d(broadcast), .q(stage_out));
endmodule
"""
LENGTHS = (6, 7)


def distance(values) -> int:
    """Bits that change from value to value."""
    return sum((a ^ b).bit_count() for a, b in itertools.pairwise(values))


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> ToggleBench:
    folder = tmp_path_factory.mktemp("counter")
    parts = LIBRARY | {"ernn": ModuleContents(("count", "line", "wide"), {"copy": "ernn_copy"})}
    sources = {"rtl/ernn.v": COUNTER, "rtl/ernn_copy.v": COPY, "tb/ernn_tb.v": BENCH, REGISTERS: CONTROL}
    sources[MODULES] = Modules(parts).text()
    return ToggleBench(designs.write(sources, folder / "project"), folder, [], "-O0")


@settings(max_examples=15)
@given(begin=st.integers(50, 600), cycles=st.integers(1, 300))
def test_registers_are_counted_bit_by_bit_and_nothing_else_is(counter, begin, cycles):
    def counted(behind: int) -> int:
        return distance([(cycle - behind) % 256 for cycle in range(begin, begin + cycles + 1)])

    assert counter.between(NOTHING, begin, begin + cycles) == {
        "count": counted(0),
        "wide": 300 * cycles,
        "twin[0].copy.q": cycles,
        "twin[1].copy.q": cycles,
        **{f"line[{place}]": counted(place + 1) for place in range(40)},
    }


@dataclass(frozen=True)
class Run:
    """A design with its test bench and an undisturbed run."""

    accelerator: design.Accelerator
    bench: ToggleBench
    vectors: Vectors
    outcome: Outcome


def run(folder: Path, stage: str = "") -> Run:
    program = programs.build(cell="gru", block_sizes=(4, 4))
    files = rtl_project(designs.network(program, layers=(2, 1, 0)))
    if stage:
        layer, parts = files["rtl/layer0.v"], json.loads(files[MODULES])
        files["rtl/layer0.v"] = layer[: layer.rindex("endmodule")] + stage
        parts["modules"]["layer0"]["instances"]["stage"] = "ernn_delay"
        files[MODULES] = json.dumps(parts)
    accelerator = design.of(files)
    (folder / "work").mkdir()
    bench = ToggleBench(files.write(folder / "project"), folder / "work", accelerator.registers, "-O0")
    vectors = rtl_vectors(program, designs.utterances(program, LENGTHS), 1)
    return Run(accelerator, bench, vectors, bench.run(vectors))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with one more register stage behind a bus, which nothing reads."""
    return run(tmp_path_factory.mktemp("staged"), STAGE)


def estimated(given: Run, found: toggles.Toggles) -> energy.Energy:
    work, cycles = given.accelerator.work, given.outcome.cycles_per_frame
    return energy.estimate(work, cycles, 200.0, 5000, found.per_frame, DEVICES["xcku060"])


def ends(given: Run) -> tuple[int, int]:
    """Cycles between which toggles are counted."""
    first, last = toggles.window(given.outcome.ended, given.vectors.first)
    return int(given.outcome.ended[first]), int(given.outcome.ended[last])


def test_generate_blocks_belong_to_the_module_around_them():
    known = {"part": ModuleContents((), {}), "whole": ModuleContents((), {"one": "part", "several": "part"})}
    for scopes, module in (
        ((), "whole"),
        (("one",), "part"),
        (("lane[1]", "several"), "part"),
        (("lane[0]",), "whole"),
    ):
        assert toggles.module_of(scopes, "whole", known) == module


@pytest.mark.system
def test_an_added_register_stage_raises_the_estimate_by_its_toggles(plain, staged):
    before, behind = (each.bench.toggles(each.vectors, each.outcome) for each in (plain, staged))
    stage = "layer0_module.stage.registered.line[0]"
    assert (staged.outcome.ended == plain.outcome.ended).all()
    assert behind.registers == before.registers | {stage: behind.registers[stage]}
    first, last = ends(staged)
    earlier = staged.bench.between(staged.vectors, first - 1, last - 1)
    assert behind.registers[stage] == earlier["layer0_module.broadcast"] > 100  # the bus itself, a cycle before

    one, other = estimated(plain, before), estimated(staged, behind)
    each = energy.estimate(plain.accelerator.work, 1, 200.0, 0, 1, DEVICES["xcku060"]).parts["toggles"]
    rise = each * (behind.registers[stage] / behind.frames)
    for bound in ("value", "low", "high"):
        assert getattr(other.total, bound) - getattr(one.total, bound) == pytest.approx(getattr(rise, bound))
    assert {name for name in one.parts if one.parts[name] != other.parts[name]} == {"toggles"}


def test_windows_that_follow_each_other_add_up(plain):
    first, last = ends(plain)
    windows = (first, last), (first, first + 50), (first + 50, last)
    whole, *parts = (plain.bench.between(plain.vectors, *each) for each in windows)
    assert {name: parts[0][name] + parts[1][name] for name in whole} == whole
    assert whole["cycles"] == pytest.approx(2 * (last - first), abs=10)  # a counter: two bits a cycle, but for carries


def test_a_dump_leaves_the_runs_behind_it_as_they_are(plain):
    plain.bench.toggles(plain.vectors, plain.outcome)
    again = plain.bench.run(plain.vectors)
    assert (again.ended == plain.outcome.ended).all()
    assert again.registers == plain.outcome.registers


def opens(frames: int, *places: int) -> np.ndarray:
    """Whether each frame opens an utterance."""
    return np.isin(np.arange(frames), (0, *places))


@given(intervals=st.lists(st.integers(1, 5000), min_size=1, max_size=40), more=st.integers(0, 9))
def test_the_window_lies_in_the_first_utterance_and_has_about_the_cycles_wanted(intervals, more):
    ended = np.cumsum([10, *intervals, *[20] * more])
    first, last = toggles.window(ended, opens(len(ended), len(intervals) + 1))
    assert 0 <= first < last <= len(intervals)
    mean = sum(intervals) / len(intervals)
    assert (last - first) * mean <= max(toggles.CYCLES, mean)
    assert last - first == len(intervals) or (last - first + 1) * mean > toggles.CYCLES
    assert abs(first - (len(intervals) - last)) <= 1


def test_the_first_utterances_of_several_streams_count_until_one_of_them_ends():
    ended = 900 * np.arange(20)
    assert toggles.window(ended, opens(20, 1, 2, 12)) == (4, 6)


def test_one_frame_is_too_few():
    with pytest.raises(UserError, match=r"^toggles are counted between frames: at least two are needed, got 1$"):
        toggles.window(np.array([7]), opens(1))


def test_toggles_of_a_frame_are_means():
    assert toggles.Toggles(4, {"a": 6, "b": 4}).per_frame == 2.5
