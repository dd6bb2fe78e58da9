"""Files and scripts of a board: all there, and every pin connected."""

import re
from pathlib import Path

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.hw.board import adapter
from ernn.hw.project import library
from tests.hw import board_driver, designs
from tests.hw.board_accelerators import accelerator


def test_files_of_a_board_are_all_there():
    files = accelerator("gru")[2]
    kept = {path.removeprefix("board/") for path in files if path.startswith("board/")}
    assert kept == {*adapter.STATIC, "ernn_board.v", "settings.tcl"}
    assert {each.name for each in board_driver.FILES.iterdir() if each.is_file()} == set(adapter.STATIC)
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


def test_parts_of_the_boards_are_those_of_the_catalogue():
    text = (board_driver.FILES / "block_design.tcl").read_text()
    boards = dict(re.findall(r"^ {4}([\w-]+) \{(xc\S+) ", text, re.MULTILINE))
    assert boards == {"pynq-z2": DEVICES["xc7z020"].part, "zcu102": DEVICES["xczu9eg"].part}
