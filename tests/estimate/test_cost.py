"""Estimates: laws, exact memories and multipliers, and an error against synthesis that is bounded."""

import dataclasses
import math
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.devices.catalogue import DEVICES, Family, Resources
from ernn.estimate import cost
from ernn.estimate.fabric import FABRICS
from ernn.estimate.library import instance_cost, library_cost
from ernn.estimate.shapes import Shape
from ernn.hw.layout import sizing
from ernn.hw.project import library, rtl_project
from ernn.hw.verilog.items import Instance
from ernn.hw.verilog.network import NetworkHardware
from ernn.hw.verilog.size import Size
from ernn.synthesize import count, sources
from ernn.tools import yosys
from tests.hw.designs import network, write

SMALL = Shape(cells=32, inputs=20, classes=8, block_size=4)
XC7, ECP5 = DEVICES["xc7z020"], DEVICES["ecp5-85f"]
FIELDS = [field.name for field in dataclasses.fields(Resources)]


def design(shape: Shape, layers: sizing.Size = (4, 1, 0), output: sizing.Size = (4, 1, 0)) -> NetworkHardware:
    """A network without weights on arrays of these sizes."""
    return network(shape.program(), layers, output)


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
def test_more_lanes_take_more_of_everything_but_memory(device):
    totals = [cost.estimate(design(SMALL, (lanes, 2, 0)), device).total for lanes in (4, 8, 16)]
    for less, more in pairwise(totals):
        assert less.lut < more.lut
        assert less.ff < more.ff
        assert less.dsp < more.dsp or not device.resources.dsp


@pytest.mark.parametrize("device", [XC7, ECP5], ids=["xc7", "ecp5"])
def test_parts_add_up_and_equal_layers_take_the_same(device):
    shape = dataclasses.replace(SMALL, inputs=32)
    one, two = (cost.estimate(design(dataclasses.replace(shape, layers=n)), device) for n in (1, 2))
    assert two.total == reduce(lambda total, part: total + part.each * part.count, two.parts, Resources())
    parts = {part.name: part for part in two.parts}
    for part in one.parts:
        if part.name.startswith("layer0"):
            assert parts[part.name] == part
    lanes = [part for name, part in parts.items() if name.endswith("lanes") and name.startswith("layer")]
    assert [part.each.dsp for part in lanes] == [lanes[0].each.dsp] * 2


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("shape", [SMALL, dataclasses.replace(SMALL, layers=2, cells=12, projection=6)], ids=str)
def test_a_network_is_the_sum_of_its_links_and_what_is_around_them(device, shape):
    found, family = design(shape), device.family
    before, total = found.input.words, Resources()
    for link in found.chain:
        total, before = total + cost.link_cost(link, before, family), link.sink
    known = [layer.controlled for layer in found.layers]
    total += cost.around_cost(found.program, found.architecture, known, before, family)
    whole = cost.estimate(found, device).total
    assert (total.dsp, total.bram) == (whole.dsp, whole.bram)
    assert (total.lut, total.ff) == (pytest.approx(whole.lut, rel=1e-12), pytest.approx(whole.ff, rel=1e-12))


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("kind", ["block", "distributed"])
def test_another_kind_of_memory_is_a_difference(device, kind):
    found = design(SMALL, (8, 2, 0))
    sizes = dataclasses.replace(found.architecture, memory=kind)
    other = cost.estimate(NetworkHardware(found.program, sizes), device).total
    total = cost.estimate(found, device).total
    for link in found.chain:
        total += cost.memory_cost(link, kind, device.family)
    assert dataclasses.astuple(total) == pytest.approx(dataclasses.astuple(other))
    if kind == "block":
        assert total.bram > cost.estimate(found, device).total.bram or device.family == "gatemate"


@pytest.mark.parametrize("device", [XC7, ECP5], ids=["xc7", "ecp5"])
def test_every_product_of_12_bits_takes_a_multiplier(device):
    found = design(SMALL, (8, 2, 0))
    multipliers = sum(sum(layer.multipliers().values()) for layer in found.layers)
    rest = cost.estimate(found, device).parts[-1].each.dsp  # gearboxes
    assert cost.estimate(found, device).total.dsp == multipliers + rest


@given(st.sampled_from(sorted(FABRICS)), st.integers(1, 400), st.integers(2, 20_000))
def test_block_memories_are_the_cheapest_packing(flow, width, depth):
    fabric = FABRICS[flow]
    apart = min(
        math.ceil(width / shape.width) * math.ceil(depth / shape.depth) * shape.each.bram for shape in fabric.block
    )
    found = fabric.memory(width, depth, "block").bram
    assert found <= 1.15 * apart + 1  # muxes between blocks may be dearer than a block
    bits = max(shape.width * shape.depth / shape.each.bram for shape in fabric.block)
    assert found * bits >= width * depth


MEMORIES = [(4, 32), (12, 200), (24, 64), (32, 48), (48, 512), (48, 2048), (96, 33), (192, 600), (36, 1024), (384, 16)]
MEMORIES += [(50, 4310), (109, 12615), (368, 1267), (48, 8832), (12, 9000), (24, 1536)]  # rows side by side in a block
LIBMAP: dict[Family, str] = {
    "xc7": "-logic-cost-rom 0.015625 -lib +/xilinx/lutrams_xc5v.txt -lib +/xilinx/brams_xc4v.txt -D HAS_SIZE_36 "
    "-D HAS_CASCADE -D HAS_CONFLICT_BUG -D HAS_MIXWIDTH_SDP",
    "ecp5": "-lib +/lattice/lutrams_trellis.txt -lib +/lattice/brams_16kd.txt",
    "gatemate": "-lib +/gatemate/brams.txt",
}
PRIMITIVES = {"LUTRAM_SDP": "lut", "DPR16X4": "lut", "BLOCKRAM": "bram", "16KD": "bram", "CC_BRAM": "bram"}


@pytest.mark.parametrize("flow", LIBMAP)
def test_memories_are_those_that_yosys_chooses(flow: Family, tmp_path):
    module = library()["ernn_ram.v"]
    files = {}
    for width, depth in MEMORIES:
        sizes = {"WIDTH = 8": f"WIDTH = {width}", "DEPTH = 16": f"DEPTH = {depth}", "ADDRESS = 4": "ADDRESS = 14"}
        text = module.replace("module ernn_ram", f"module ram_{width}_{depth}")
        files[f"ram_{width}_{depth}.v"] = reduce(lambda t, size: t.replace(*size), sizes.items(), text)
    write(files, tmp_path)
    steps = "proc; opt -nodffe -nosdff; wreduce; opt; memory -nomap; opt_clean"
    commands = [f"read_verilog -DERNN_UNSET {' '.join(files)}", *steps.split("; "), f"memory_libmap {LIBMAP[flow]}"]
    yosys.synthesize(tmp_path, "map", [*commands, "tee -q -o map.json stat -json"])
    cells = yosys.cells(tmp_path / "map.json")
    for width, depth in MEMORIES:
        found = {name: n for name, n in cells[f"ram_{width}_{depth}"].items() if name.startswith("$__")}
        fabric = FABRICS[flow]
        if not found:
            assert fabric.memory(width, depth).ff == width * depth
            continue
        [(primitive, number_)] = found.items()
        kind = next(kind for part, kind in PRIMITIVES.items() if part in primitive)
        shape = fabric.chosen(width, depth)
        assert fabric.memory(width, depth).ff == 0
        assert (shape.units(width, depth), shape.each.bram > 0) == (number_, kind == "bram"), (width, depth, found)


@pytest.mark.parametrize("flow", LIBMAP)
def test_constant_tables_are_those_that_yosys_chooses(flow: Family, tmp_path):
    """A block or logic: `memory_libmap` says so, and turns logic into cells of its own."""
    sizes, generator = [(12, 64), (48, 32), (96, 60), (96, 68), (96, 400), (200, 700)], np.random.default_rng(1)
    files = {}
    for width, depth in sizes:
        words = [generator.integers(0, 16, -(-width // 4)) for _ in range(depth)]
        files[f"{width}_{depth}.hex"] = "\n".join("".join(f"{digit:x}" for digit in word) for word in words)
        files[f"rom_{width}_{depth}.v"] = f"""module rom_{width}_{depth}(
    input clk, input [9:0] a, output reg [{width - 1}:0] q
);
    reg [{width - 1}:0] words[0:{depth - 1}];
    initial $readmemh("{width}_{depth}.hex", words);
    always @(posedge clk) q <= words[a];
endmodule
"""
    write(files, tmp_path)
    steps = "proc; opt -nodffe -nosdff; wreduce; opt; memory -nomap; opt_clean"
    verilog = " ".join(name for name in files if name.endswith(".v"))
    yosys.synthesize(
        tmp_path, "map", [f"read_verilog {verilog}", *steps.split("; "), f"memory_libmap {LIBMAP[flow]}", "stat"]
    )
    log = (tmp_path / "map.log").read_text()
    fabric = FABRICS[flow]
    for width, depth in sizes:
        logic = f"using FF mapping for memory rom_{width}_{depth}.words" in log
        assert logic == (fabric.table(width, depth).bram == 0), (width, depth)


@given(st.integers(2, 24), st.integers(2, 24))
def test_products_of_look_up_tables_do_not_depend_on_their_order(a, b):
    one, other = (FABRICS["gatemate"].multiplier(*pair, a + b) for pair in ((a, b), (b, a)))
    assert one == other
    assert one.dsp == 0 < one.lut


@pytest.mark.parametrize(
    ("a", "b", "xc7", "ecp5"),
    [(12, 12, 1, 1), (18, 25, 1, 2), (20, 20, 2, 4), (26, 19, 4, 2), (19, 19, 2, 1), (14, 20, 1, 2), (30, 14, 2, 2)],
)
def test_wide_products_take_several_multipliers(a, b, xc7, ecp5):
    assert FABRICS["xc7"].multiplier(a, b, a + b).dsp == xc7
    assert FABRICS["ecp5"].multiplier(a, b, a + b).dsp == ecp5


@pytest.mark.parametrize("device", [XC7, ECP5], ids=["xc7", "ecp5"])
def test_an_output_layer_is_estimated_within_a_fifth_of_synthesis(device, tmp_path):
    found = design(SMALL)
    source = sources.read(rtl_project(found).write(tmp_path / "project")).of_family(device.family)
    source.write(tmp_path / "work")
    name = found.layers[-1].name
    yosys.synthesize(tmp_path / "work", name, count.script(source, device.family, name, ()))
    used = count.total(yosys.cells(tmp_path / "work" / f"{device.family}-{name}.json"), name, device.family)
    parts = cost.layer_parts(found.layers[-1], device.family)
    guess = reduce(lambda total, part: total + part.total, parts, Resources())
    assert (guess.dsp, guess.bram) == (used.dsp, used.bram)
    assert guess.lut == pytest.approx(used.lut, rel=0.2)
    assert guess.ff == pytest.approx(used.ff, rel=0.1)


def test_instances_of_the_library_are_counted_by_their_parameters():
    bits = Size(3, "A")
    delay = Instance("ernn_delay", "one", {"clk": "clk"}, {"WIDTH": 2 + bits, "CYCLES": 1})
    memory = Instance("ernn_ram", "two", {"write": "enable"}, {"WIDTH": 8, "DEPTH": 4096, "KIND": '"block"'})
    table = Instance("ernn_ram", "three", {"write": "1'b0"}, {"WIDTH": 4, "DEPTH": 100, "IMAGE": '"a.hex"'})
    fabric = FABRICS["xc7"]
    assert instance_cost(delay, fabric) == library_cost("ernn_delay", {"WIDTH": 5, "CYCLES": 1}, fabric)
    sizes = {"WIDTH": 8, "DEPTH": 4096}
    assert instance_cost(memory, fabric) == library_cost("ernn_ram", sizes | {"KIND": "block"}, fabric)
    assert instance_cost(memory, fabric).bram > 0
    sizes = {"WIDTH": 4, "DEPTH": 100}
    assert instance_cost(table, fabric) == library_cost("ernn_ram", sizes | {"CONSTANT": 1}, fabric)
    assert instance_cost(table, fabric) != library_cost("ernn_ram", sizes, fabric)


def test_a_module_of_the_network_is_no_instance_of_the_library():
    assert instance_cost(Instance("layer0_cell", "cell", {"clk": "clk"}), FABRICS["xc7"]) == Resources()


@pytest.mark.parametrize("device", [XC7, ECP5], ids=lambda device: device.name)
@pytest.mark.parametrize("cells", [64, 128])
def test_half_the_segments_of_tables_save_little(cells, device):
    """So a search does not choose them (docs/fit.md)."""
    shapes = [Shape("lstm", 1, cells, inputs=40, classes=48, block_size=8, segments=number) for number in (32, 16)]
    whole, half = (cost.estimate(network(each.program()), device).total.lut for each in shapes)
    assert 0.98 * whole < half < whole
