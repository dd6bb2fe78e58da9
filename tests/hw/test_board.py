"""The board's driver and adapter with a simulated accelerator, by cocotb on Verilator."""

from pathlib import Path

import pytest

from ernn.hw.project import rtl_project
from tests.hw import axi_bus, cocotb_run

pytestmark = pytest.mark.system
MODULES = ("board_use", "board_faults")
TESTS = [name for each in MODULES for name in cocotb_run.names(Path(__file__).with_name(f"{each}.py"), "on_board")]


@pytest.fixture(scope="module", params=[(1, 1), (4, 2)], ids=["one a beat", "several a beat"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each test of both modules."""
    folder = tmp_path_factory.mktemp("board")
    project = rtl_project(axi_bus.design(axi_bus.program(), request.param)).write(folder / "project")
    sources = [*sorted((project / "rtl").glob("*.v")), *sorted((project / "board").glob("*.v"))]
    return cocotb_run.outcomes(
        folder, sources, "ernn_board", [f"tests.hw.{each}" for each in MODULES], project / "memory"
    )


@pytest.mark.parametrize("name", TESTS)
def test_driver(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == ""
