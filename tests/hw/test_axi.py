"""AXI of an accelerator against bus models of others (cocotbext-axi), by cocotb on Verilator."""

from pathlib import Path

import pytest

from ernn.hw.project import rtl_project
from tests.hw import axi_bus, cocotb_run

pytestmark = pytest.mark.system
TESTS = cocotb_run.names(Path(__file__).with_name("axi_bench.py"), "protocol")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each test of axi_bench.py."""
    folder = tmp_path_factory.mktemp("axi")
    project = rtl_project(axi_bus.design(axi_bus.program())).write(folder / "project")
    sources = sorted((project / "rtl").glob("*.v"))
    return cocotb_run.outcomes(folder, sources, "ernn", ["tests.hw.axi_bench"], project / "memory")


@pytest.mark.parametrize("name", TESTS)
def test_protocol(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == ""
