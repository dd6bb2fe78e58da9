"""Files of the board kit: the adapter alone at every width, the driver's words against the library's, the scripts."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ernn.dataflow.formats import Format, nearest
from ernn.hw import board, host
from ernn.hw.project import library, rtl_project
from ernn.tools import verilator
from tests import programs
from tests.hw import board_driver, designs

DRIVER = board_driver.driver()
CASES = [(8, 8, 1), (8, 8, 7), (16, 16, 6), (16, 16, 5), (32, 24, 3), (32, 32, 1)]  # slot, width, elements
FRAMES = 20
STRUCTURES = {
    "lstm": {"block_sizes": (2, 2), "projection": 4},
    "gru": {"cell": "gru", "block_sizes": (4, 4), "layers": 2},
    "pruned": {"block_sizes": (0, 0)},
}


class Written:
    """A board that remembers what is written."""

    clock_mhz = 100.0

    def __init__(self, registers: list[str], identity: int = DRIVER.IDENTITY) -> None:
        self.writes: list[tuple[int, int]] = []
        self._values = {registers.index("identity"): identity, registers.index("interface_version"): DRIVER.VERSION}

    def read(self, address: int) -> int:
        return self._values[address // 4]

    def write(self, address: int, value: int) -> None:
        self.writes.append((address // 4, value))


def accelerator(name: str) -> tuple[Any, Written, dict[str, str]]:
    """A driver without hardware behind it, and its project."""
    files = rtl_project(designs.network(programs.build(**STRUCTURES[name]), streams=2))
    design = json.loads(files["design.json"])
    written = Written(design["registers"])
    return DRIVER.Accelerator(written, design), written, files


@pytest.mark.parametrize("name", STRUCTURES)
def test_weights_are_written_as_by_the_library(name, tmp_path):
    driver, written, files = accelerator(name)
    memory = designs.write(files, tmp_path) / "memory"
    network = designs.network(programs.build(**STRUCTURES[name]), streams=2)
    wanted = [
        write
        for number, layer in enumerate(network.layers)
        for lane in range(layer.array.layout.array.lanes)
        for write in host.weights(
            number, lane, files[f"memory/{layer.name}_weights_{lane}.hex"], layer.array.weight_bits
        )
    ]
    assert driver.load_weights(memory) > 0
    assert written.writes == wanted


@pytest.mark.parametrize("name", STRUCTURES)
def test_states_are_written_as_by_the_library(name):
    driver, written, files = accelerator(name)
    design, random, states, wanted = json.loads(files["design.json"]), np.random.default_rng(1), [], []
    for number, layer in enumerate(design["layers"]):
        states.append({})
        for kind, form in layer["states"].items():
            half = 1 << (form["element_bits"] - 1)
            numbers = random.integers(-half, half, form["words"] * form["elements"])
            states[-1][kind] = numbers
            wanted += host.state(design, number, 1, kind, numbers)
    driver.restore(1, states)
    assert written.writes == wanted
    assert any(states)


def test_other_registers_are_refused():
    registers = json.loads(accelerator("lstm")[2]["design.json"])["registers"]
    with pytest.raises(DRIVER.DriverError, match=r"^no accelerator of version 1 is there: identity 0x7, version 1$"):
        DRIVER.Accelerator(Written(registers, identity=7), {"registers": registers})


@pytest.mark.parametrize("shape", [(3, 5), (6,)])
def test_frames_of_another_size_are_refused(shape):
    with pytest.raises(DRIVER.DriverError, match=rf"^frames have 6 features, got an array of {re.escape(str(shape))}$"):
        accelerator("lstm")[0].run(np.zeros(shape, np.int64))


@given(slot=st.sampled_from(board.SLOTS), count=st.integers(1, 9), rows=st.integers(1, 4), seed=st.integers(0, 99))
def test_words_hold_what_was_put_into_them(slot, count, rows, seed):
    half = 1 << (slot - 1)
    numbers = np.random.default_rng(seed).integers(-half, half, (rows, count))
    words = DRIVER._words(numbers, slot)
    assert words.shape == (rows, -(-count * slot // 32))
    assert (DRIVER._integers(words, slot, count) == numbers).all()
    for row, found in zip(numbers.tolist(), words.tolist(), strict=True):
        assert sum(word << 32 * place for place, word in enumerate(found)) == DRIVER._pack(row, slot)


@given(bits=st.integers(4, 18), count=st.integers(1, 5), seed=st.integers(0, 99))
def test_packed_numbers_come_out_again(bits, count, seed):
    numbers = np.random.default_rng(seed).integers(-(1 << bits - 1), 1 << bits - 1, count).tolist()
    assert DRIVER._unpack(DRIVER._pack(numbers, bits), bits, count) == numbers


@given(st.lists(st.floats(-40, 40) | st.integers(-80, 80).map(lambda n: n / 64), min_size=1))
def test_features_become_the_integers_of_the_model(values):
    found = accelerator("lstm")[0].quantize(np.array(values))
    assert found.tolist() == nearest(np.array(values), Format(9, 5)).tolist()


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
    return (board_driver.SOURCE.parent / name).read_text()


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


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_adapter_is_lint_clean(name, tmp_path):
    designs.write(accelerator(name)[2], tmp_path)
    sources = [*sorted((tmp_path / "rtl").glob("*.v")), *sorted((tmp_path / "board").glob("*.v"))]
    verilator.lint(tmp_path, "ernn_board", [str(each) for each in sources])


def test_files_of_a_board_are_all_there():
    files = accelerator("gru")[2]
    kept = {path.removeprefix("board/") for path in files if path.startswith("board/")}
    assert kept == {*board.STATIC, "ernn_board.v", "settings.tcl"}
    assert {each.name for each in board_driver.SOURCE.parent.iterdir() if each.is_file()} == set(board.STATIC)
    assert files["board/settings.tcl"] == "set clock_mhz 200\n"
    assert "ernn_fifo.v" in library()


class Tcl:
    """The scripts' interpreter, with the tool's commands as procedures that remember their calls."""

    def __init__(self, folder: Path) -> None:
        self._tcl = pytest.importorskip("tkinter").Tcl()
        self._folder = folder
        self.calls: list[list[str]] = []

    def run(self, script: str, *arguments: str, **results: str) -> None:
        """A script of `board/`; an unknown command is one of the tool's, and gives what `results` has for it."""

        def called(*words: str) -> str:
            self.calls.append(list(words))
            name = words[0].replace("::", "_")
            if name.startswith("get_bd_"):
                return words[-1]
            return results.get(name, "")

        self._tcl.createcommand("called", called)
        self._tcl.eval("proc unknown args { return [called {*}$args] }")
        self._tcl.call("set", "argv", arguments)
        before = Path.cwd()
        try:
            self._tcl.call("source", str(self._folder / "board" / script))
        finally:
            self._tcl.call("cd", str(before))

    def of(self, command: str) -> list[list[str]]:
        """Arguments of all calls of a command."""
        return [call[1:] for call in self.calls if call[0] == command]


@pytest.fixture
def tcl(tmp_path: Path) -> Tcl:
    return Tcl(designs.write(accelerator("lstm")[2], tmp_path / "project"))


def test_the_ip_has_all_sources_and_images(tcl, tmp_path):
    tcl.run("package_ip.tcl", ipx_current_core="core")
    added = {Path(path).name for call in tcl.of("add_files") for path in call[-1].split()}
    project = tmp_path / "project"
    assert added == {
        each.name
        for folder, kind in (("rtl", "v"), ("board", "v"), ("memory", "hex"))
        for each in (project / folder).glob(f"*.{kind}")
    }
    assert ["top", "ernn_board", ""] in tcl.of("set_property")
    assert [call[1] for call in tcl.of("ipx::associate_bus_interfaces")] == ["s_axis", "m_axis", "s_axil"]
    assert tcl.calls[-2][0] == "ipx::save_core"


# What each IP has to connect: streams and memory ports by their direction, clocks, resets, interrupts.
PINS = {
    "ernn_0": {"bus": {"s_axil", "s_axis", "m_axis"}, "wire": {"aclk", "aresetn"}},
    "axi_dma_0": {
        "bus": {"S_AXI_LITE", "M_AXI_MM2S", "M_AXI_S2MM", "M_AXIS_MM2S", "S_AXIS_S2MM"},
        "wire": {"s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn", "mm2s_introut", "s2mm_introut"},
    },
    "registers": {"bus": {"S00_AXI", "M00_AXI", "M01_AXI"}, "wire": {"aclk", "aresetn"}},
    "transfers": {"bus": {"S00_AXI", "S01_AXI", "M00_AXI"}, "wire": {"aclk", "aresetn"}},
    "resets": {"bus": set(), "wire": {"slowest_sync_clk", "ext_reset_in", "peripheral_aresetn"}},
    "irq": {"bus": set(), "wire": {"In0", "In1", "dout"}},
}
SYSTEMS = {
    "pynq-z2": {
        "bus": {"M_AXI_GP0", "S_AXI_HP0"},
        "wire": {"FCLK_CLK0", "FCLK_RESET0_N", "M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK", "IRQ_F2P"},
    },
    "zcu102": {
        "bus": {"M_AXI_HPM0_FPD", "S_AXI_HP0_FPD"},
        "wire": {"pl_clk0", "pl_resetn0", "maxihpm0_fpd_aclk", "saxihp0_fpd_aclk", "pl_ps_irq0"},
    },
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_pin_of_the_block_design_is_connected(name, tcl, tmp_path):
    finished = tmp_path / "project/board/build" / name
    designs.write(
        {
            "ernn.runs/impl_1/ernn_system_wrapper.bit": "bits\n",
            "ernn.gen/sources_1/bd/ernn_system/hw_handoff/ernn_system.hwh": "system\n",
        },
        finished,
    )
    with pytest.raises(Exception, match=r"^the clock of 200 MHz is not met, worst slack -0\.1 ns"):
        properties(tcl, name, "-0.1")
    assert ((finished / "ernn.bit").read_text(), (finished / "ernn.hwh").read_text()) == ("bits\n", "system\n")
    cells = {call[-1] for call in tcl.of("create_bd_cell")}
    assert cells == {*PINS, "ps"}
    for kind, command in (("bus", "connect_bd_intf_net"), ("wire", "connect_bd_net")):
        nets = tcl.of(command)
        wanted = {f"{cell}/{pin}" for cell, pins in (PINS | {"ps": SYSTEMS[name]}).items() for pin in pins[kind]}
        assert {pin for net in nets for pin in net} == wanted
        driven = [net[-1] for net in nets]
        assert len(set(driven)) == len(driven), "a pin with two drivers"
    order = [call[0] for call in tcl.calls]
    assert order.index("assign_bd_address") < order.index("validate_bd_design") < order.index("launch_runs")


def properties(tcl: Tcl, name: str, slack: str) -> None:
    """The script, with a run that ended with a slack."""
    tcl._tcl.eval(
        f"proc get_property {{name object}} {{ return [dict get {{PROGRESS 100% STATS.WNS {slack}}} $name] }}"
    )
    tcl.run("block_design.tcl", name)


def test_a_bitstream_that_meets_its_clock_is_no_error(tcl, tmp_path):
    designs.write(
        {
            "ernn.runs/impl_1/ernn_system_wrapper.bit": "bits\n",
            "ernn.gen/sources_1/bd/ernn_system/hw_handoff/ernn_system.hwh": "system\n",
        },
        tmp_path / "project/board/build/zcu102",
    )
    properties(tcl, "zcu102", "0.1")


def test_other_boards_are_refused(tcl):
    with pytest.raises(Exception, match=r"^unknown board vc707: choose among pynq-z2 zcu102$"):
        tcl.run("block_design.tcl", "vc707")
